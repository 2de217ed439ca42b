"""Serves the SageMaker API; its training jobs and endpoints are real processes of this machine."""
