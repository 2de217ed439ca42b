"""Injects faults by plan, so that tests can check that clients survive the failures that AWS has."""
