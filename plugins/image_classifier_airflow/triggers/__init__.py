"""Contains the triggers, with which a task waits for AWS without a worker."""
