"""Implements the operations on transform jobs."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import quotas
from local_aws.sagemaker.hosting.models import existing_model, served_container
from local_aws.sagemaker.jobs import checks
from local_aws.sagemaker.jobs.faults import JobFaults
from local_aws.sagemaker.jobs.operations import Jobs
from local_aws.sagemaker.transform import requests
from local_aws.sagemaker.transform.kind import TRANSFORM_JOB
from local_aws.sagemaker.transform.run import TransformRun

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document, Model
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.platform import Platform

CREATE = "CreateTransformJob"
SUMMARY = (
    "TransformJobName",
    "TransformJobArn",
    "CreationTime",
    "TransformEndTime",
    "LastModifiedTime",
    "TransformJobStatus",
    "FailureReason",
)


class TransformJobs:
    """CreateTransformJob and the other operations on transform jobs."""

    def __init__(self, platform: Platform) -> None:
        """Keep the files of each job in a folder below the platform's state folder."""
        self._platform = platform
        self._jobs = Jobs(TRANSFORM_JOB, platform=platform)

    def recover(self) -> None:
        """End the jobs whose processes ended with the previous server."""
        for job in self._jobs.lose_all():
            for folder in ("answers", "serving"):
                shutil.rmtree(self._jobs.folder / job["TransformJobName"] / folder, ignore_errors=True)

    def close(self) -> None:
        """End the running jobs."""
        self._jobs.close()

    def create_transform_job(self, request: Document) -> Document:
        """Check what AWS checks before it answers, then start the job."""
        requests.check(request)
        self._jobs.check_new(request["TransformJobName"])
        model = existing_model(self._platform.store, request["ModelName"], aws=self._platform.aws)
        image = self._platform.images.find(served_container(model)["Image"])
        requests.check_image(request, built_in=image.built_in)
        source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        checks.check_buckets((source, request["TransformOutput"]["S3OutputPath"]), platform=self._platform)
        arn = self._jobs.arn(request["TransformJobName"])
        job = requests.new_job(request, arn=arn, now=time.time())
        self._jobs.start(
            job,
            tags=request.get("Tags", []),
            check=lambda: self._check_quota(request),
            run=lambda: self._run(job, model=model, image=image),
        )
        return {"TransformJobArn": arn}

    def describe_transform_job(self, request: Document) -> Document:
        """Return the current job."""
        return self._jobs.existing(request["TransformJobName"])

    def list_transform_jobs(self, request: Document) -> Document:
        """Return the jobs, newest first."""
        return self._jobs.listed(request, summary=SUMMARY)

    def stop_transform_job(self, request: Document) -> Document:
        """Ask a job to end; a second request for the same job changes nothing."""
        self._jobs.stop(request["TransformJobName"])
        return {}

    def _run(self, job: Document, *, model: Model, image: Image) -> TransformRun:
        return TransformRun(
            job,
            model=model,
            image=image,
            folder=self._jobs.folder / job["TransformJobName"],
            platform=self._platform.acting_as(model.get("ExecutionRoleArn"), session=job["TransformJobName"]),
            faults=JobFaults(self._platform.faults, job, operation=CREATE),
        )

    def _check_quota(self, request: Document) -> None:
        resources = request["TransformResources"]
        instance_type = resources["InstanceType"]
        busy = sum(
            job["TransformResources"]["InstanceCount"]
            for job in self._jobs.in_progress()
            if job["TransformResources"]["InstanceType"] == instance_type
        )
        asked = resources["InstanceCount"]
        use = quotas.Use(instance_type=instance_type, noun="transform job usage", busy=busy, asked=asked)
        limit = self._platform.limits.transform_instances
        checks.check_quota(request, use, operation=CREATE, usual_limit=limit, platform=self._platform)
