"""Deploys the inference function and the S3 event notification that invokes it."""
