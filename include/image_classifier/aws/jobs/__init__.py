"""Handles SageMaker jobs of all kinds: description, stop, attempts, and the task that owns a job."""
