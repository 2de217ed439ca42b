"""What SageMaker jobs of every kind have in common: states, stop, attempts, and the task that waits for a job."""
