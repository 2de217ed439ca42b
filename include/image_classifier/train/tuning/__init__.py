"""Runs tuning jobs, in which SageMaker starts several training jobs and chooses their hyperparameters."""
