"""Contains the pages in Airflow: predictions, corrections, models and data sets of the user's classifiers."""

URL_PREFIX = "/image-classifier"  # where Airflow's API server mounts the pages
URL_ROUTE = "image-classifiers"  # the address in Airflow that shows them within its navigation
