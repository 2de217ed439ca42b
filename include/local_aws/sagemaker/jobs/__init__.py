"""Implements what all kinds of jobs share: states, a thread for each job, start, stop, list and recovery."""
