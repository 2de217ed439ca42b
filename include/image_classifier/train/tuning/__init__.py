"""Tuning jobs: several training jobs with other hyperparameters, which SageMaker chooses and starts."""
