"""What Airflow and the training program share: hyperparameters and image lists. The function does not pack it."""
