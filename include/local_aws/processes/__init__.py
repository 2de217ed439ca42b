"""Starts, supervises and stops child processes, and locks the folder they work in; uses the standard library only."""
