"""Defines the names of processing jobs."""

from local_aws.sagemaker.jobs.kinds import JobKind

PROCESSING_JOB = JobKind("processing-job", "ProcessingJob", "Processing", listed="Ascending")
