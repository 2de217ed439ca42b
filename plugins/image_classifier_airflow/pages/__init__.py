"""Contains the pages in Airflow: predictions, corrections, models and data sets of the user's classifiers."""
