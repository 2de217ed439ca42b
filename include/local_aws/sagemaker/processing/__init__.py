"""Runs processing jobs: an image's own entry point on one or several hosts, with inputs from S3 and outputs to S3."""
