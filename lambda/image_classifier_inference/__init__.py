"""Implements the inference function: it writes a prediction record for every image that is uploaded to S3."""
