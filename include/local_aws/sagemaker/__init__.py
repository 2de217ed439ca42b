"""A SageMaker server whose training jobs and endpoints are real processes of this machine."""
