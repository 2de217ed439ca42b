"""Runs training jobs, from the request to the model artifact in S3."""
