"""Contains the code that also runs outside Airflow: in the inference function's zip and in the algorithm's image."""
