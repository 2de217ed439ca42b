"""Hyperparameter tuning jobs: they search by starting training jobs and reading the metric that these print."""
