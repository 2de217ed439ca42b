"""Provides the AWS code that every task group uses: S3, error codes, names, tags, settings and console addresses."""
