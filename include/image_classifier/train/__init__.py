"""Runs training jobs: builds requests, plans attempts, records the owner of a job, and checks how a job ended."""
