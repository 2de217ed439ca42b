"""What processing jobs are called."""

from local_aws.sagemaker.jobs.kinds import JobKind

PROCESSING_JOB = JobKind("processing-job", "ProcessingJob", "Processing")
