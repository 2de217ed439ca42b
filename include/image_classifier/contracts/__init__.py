"""Defines what also runs outside Airflow: in the function, which packs this folder, and in the algorithm's image."""
