"""Implements SageMaker's protocol: checks of a request, errors with AWS's messages, pages and tags."""
