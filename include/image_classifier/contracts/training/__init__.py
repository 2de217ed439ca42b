"""Contains what Airflow and the training program share: hyperparameters and image lists."""
