"""Triggers: how a task waits for AWS without a worker."""
