"""Implements the operations on processing jobs."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import quotas
from local_aws.sagemaker.jobs import checks
from local_aws.sagemaker.jobs.faults import JobFaults
from local_aws.sagemaker.jobs.operations import Jobs
from local_aws.sagemaker.processing import requests
from local_aws.sagemaker.processing.kind import PROCESSING_JOB
from local_aws.sagemaker.processing.run import ProcessingRun

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache
    from local_aws.sagemaker.platform import Platform

CREATE = "CreateProcessingJob"
SUMMARY = (
    "ProcessingJobName",
    "ProcessingJobArn",
    "CreationTime",
    "ProcessingEndTime",
    "LastModifiedTime",
    "ProcessingJobStatus",
    "FailureReason",
    "ExitMessage",
)


class ProcessingJobs:
    """CreateProcessingJob and the other operations on processing jobs."""

    def __init__(self, platform: Platform, *, cache: ObjectCache) -> None:
        """Keep the files of each job in a folder below the platform's state folder."""
        self._platform = platform
        self._cache = cache
        self._jobs = Jobs(PROCESSING_JOB, platform=platform)

    def recover(self) -> None:
        """End the jobs whose processes ended with the previous server."""
        for job in self._jobs.lose_all():
            shutil.rmtree(self._jobs.folder / job["ProcessingJobName"] / "ml", ignore_errors=True)

    def close(self) -> None:
        """End the running jobs."""
        self._jobs.close()

    def create_processing_job(self, request: Document) -> Document:
        """Check what AWS checks before it answers, then start the job."""
        requests.check(request)
        self._jobs.check_new(request["ProcessingJobName"])
        image = self._platform.images.find(request["AppSpecification"]["ImageUri"])
        checks.check_role(request, platform=self._platform)
        for source in requests.brought_inputs(request):
            checks.check_prefix(source["S3Uri"], role=request["RoleArn"], platform=self._platform)
        outputs = (output["S3Uri"] for output in requests.sent_outputs(request))
        checks.check_buckets(outputs, platform=self._platform)
        arn = self._jobs.arn(request["ProcessingJobName"])
        job = requests.new_job(request, arn=arn, now=time.time())
        self._jobs.start(
            job,
            tags=request.get("Tags", []),
            check=lambda: self._check_quota(job, request=request),
            run=lambda: self._run(job, image=image),
        )
        return {"ProcessingJobArn": arn}

    def describe_processing_job(self, request: Document) -> Document:
        """Return the current job."""
        return self._jobs.existing(request["ProcessingJobName"])

    def list_processing_jobs(self, request: Document) -> Document:
        """Return the jobs, oldest first unless the request says otherwise."""
        return self._jobs.listed(request, summary=SUMMARY)

    def stop_processing_job(self, request: Document) -> Document:
        """Ask a job to end; a second request for the same job changes nothing."""
        self._jobs.stop(request["ProcessingJobName"])
        return {}

    def delete_processing_job(self, request: Document) -> Document:
        """Delete a job that has ended, and its log on disk; its name may be used again."""
        self._jobs.delete(request["ProcessingJobName"])
        return {}

    def _run(self, job: Document, *, image: Image) -> ProcessingRun:
        platform = self._platform.acting_as(job["RoleArn"], session=job["ProcessingJobName"])
        return ProcessingRun(
            job,
            image=image,
            folder=self._jobs.folder / job["ProcessingJobName"],
            platform=platform,
            cache=self._cache,
            faults=JobFaults(self._platform.faults, job, operation=CREATE),
        )

    def _check_quota(self, job: Document, *, request: Document) -> None:
        cluster = requests.cluster_of(job)
        instance_type = cluster["InstanceType"]
        clusters = [requests.cluster_of(other) for other in self._jobs.in_progress()]
        busy = sum(other["InstanceCount"] for other in clusters if other["InstanceType"] == instance_type)
        noun, asked = "processing job usage", cluster["InstanceCount"]
        use = quotas.Use(instance_type=instance_type, noun=noun, busy=busy, asked=asked)
        limit = self._platform.limits.processing_instances
        checks.check_quota(request, use, operation=CREATE, usual_limit=limit, platform=self._platform)
