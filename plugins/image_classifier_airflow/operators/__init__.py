"""Operators: the Amazon provider's, made safe to retry; each returns a few names for the next task."""
