"""Trains, deploys and watches image classifiers on AWS, without Airflow; AWS clients are arguments."""
