"""Checks an account before a run costs anything; it only reads."""
