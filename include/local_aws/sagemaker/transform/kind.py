"""Defines the names of transform jobs."""

from local_aws.sagemaker.jobs.kinds import JobKind

TRANSFORM_JOB = JobKind("transform-job", "TransformJob", "Transform")
