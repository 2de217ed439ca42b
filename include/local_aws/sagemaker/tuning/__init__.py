"""Runs hyperparameter tuning jobs, which start training jobs and read the objective metric from their logs."""
