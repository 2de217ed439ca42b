"""Checks an account before a run costs anything; every call only reads."""
