"""Provides what every task group needs of AWS: S3, error codes, names, tags, settings and console addresses."""
