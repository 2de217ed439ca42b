"""Runs training jobs: the request, the attempts, the task that owns a job, and how a job ended."""
