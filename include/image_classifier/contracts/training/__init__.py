"""Defines what Airflow and the training program share, and the function does not: hyperparameters and image lists."""
