"""The inference function: an upload to S3 in, a prediction record beside it out."""
