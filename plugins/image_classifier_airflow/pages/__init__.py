"""Pages in Airflow: predictions, corrections, models and data sets of the classifiers that a user may see."""
