"""The operations on training jobs."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from local_aws.faults.roles import UnreadyRoles
from local_aws.sagemaker import quotas
from local_aws.sagemaker.aws import REGION, cannot_assume, split_s3_uri
from local_aws.sagemaker.jobs.operations import Jobs
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.training import requests
from local_aws.sagemaker.training.channels import ObjectCache
from local_aws.sagemaker.training.faults import TrainingFaults
from local_aws.sagemaker.training.progress import TRAINING_JOB
from local_aws.sagemaker.training.run import TrainingRun

if TYPE_CHECKING:
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.platform import Platform

Document = dict[str, Any]
SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)


class TrainingJobs:
    """CreateTrainingJob and what follows from it."""

    def __init__(self, platform: Platform) -> None:
        """Each job has a folder below the platform's state folder."""
        self._platform = platform
        self._aws = platform.aws
        self._jobs = Jobs(TRAINING_JOB, platform=platform)
        self._unready_roles = UnreadyRoles(platform.faults)
        self._cache = ObjectCache(platform.state / "objects", aws=platform.aws)

    def recover(self) -> None:
        """End the jobs whose processes ended with the server before."""
        for job in self._jobs.lose_all():
            shutil.rmtree(self._jobs.folder / job["TrainingJobName"] / "ml", ignore_errors=True)
        self._cache.trim()

    def close(self) -> None:
        """End the running jobs."""
        self._jobs.close()

    def create_training_job(self, request: Document) -> Document:
        """Check what AWS checks at once, then start."""
        requests.check(request)
        self._jobs.check_new(request["TrainingJobName"])
        image = self._platform.images.find(request["AlgorithmSpecification"]["TrainingImage"])
        self._check_role(request)
        self._check_input(request)
        self._check_output(request)
        arn = self._jobs.arn(request["TrainingJobName"])
        job = requests.new_job(request, arn=arn, now=time.time())
        self._jobs.start(
            job,
            tags=request.get("Tags", []),
            check=lambda: self._check_quota(request),
            run=lambda: self._run(job, image=image),
        )
        return {"TrainingJobArn": arn}

    def _run(self, job: Document, *, image: Image) -> TrainingRun:
        return TrainingRun(
            job,
            image=image,
            folder=self._jobs.folder / job["TrainingJobName"],
            platform=self._platform,
            cache=self._cache,
            faults=TrainingFaults(self._platform.faults, job),
        )

    def describe_training_job(self, request: Document) -> Document:
        """The job as it is now."""
        return self._jobs.existing(request["TrainingJobName"])

    def list_training_jobs(self, request: Document) -> Document:
        """The jobs, newest first."""
        return self._jobs.listed(request, summary=SUMMARY)

    def stop_training_job(self, request: Document) -> Document:
        """Ask a job to end; a second request for the same job changes nothing."""
        self._jobs.stop(request["TrainingJobName"])
        return {}

    def delete_training_job(self, request: Document) -> Document:
        """Forget a job that has ended, and its log on disk; its name may be used again."""
        name = request["TrainingJobName"]
        job = self._jobs.existing(name)
        if TRAINING_JOB.in_progress(job):
            status = job["TrainingJobStatus"]
            raise ServiceError(
                "ResourceInUse", f"The training job {name} is {status}; it can be deleted when it has ended."
            )
        self._jobs.forget(job)
        return {}

    def _check_quota(self, request: Document) -> None:
        resources, is_spot = request["ResourceConfig"], bool(request.get("EnableManagedSpotTraining"))
        instance_type, faults = resources["InstanceType"], self._platform.faults
        busy = sum(
            job["ResourceConfig"].get("InstanceCount", 1)
            for job in self._jobs.in_progress()
            if job["ResourceConfig"]["InstanceType"] == instance_type
            and bool(job.get("EnableManagedSpotTraining")) == is_spot
        )
        quotas.check(
            quotas.Use(
                instance_type=instance_type,
                noun="spot training job usage" if is_spot else "training job usage",
                busy=busy,
                asked=resources.get("InstanceCount", 1),
            ),
            limit=quotas.planned_limit(faults, "CreateTrainingJob", instance_type, request=request),
            usual_limit=self._platform.limits.training_instances,
        )

    def _check_role(self, request: Document) -> None:
        role = request["RoleArn"]
        self._aws.check_role(role)
        if self._unready_roles.refuse(role, request=request):
            raise cannot_assume(role)

    def _check_input(self, request: Document) -> None:
        for channel in request.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            bucket, _ = split_s3_uri(uri)
            if not self._aws.prefix_has_objects(uri):
                raise validation_error(
                    f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
                    f"bucket exists in the selected region ({REGION}), that objects exist under that S3 prefix, and "
                    f'that the role "{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket "{bucket}".'
                )

    def _check_output(self, request: Document) -> None:
        uris = [request["OutputDataConfig"]["S3OutputPath"], request.get("CheckpointConfig", {}).get("S3Uri")]
        for uri in filter(None, uris):
            bucket, _ = split_s3_uri(uri)
            if not self._aws.bucket_exists(bucket):
                raise validation_error(f"The bucket {bucket} of {uri} does not exist; create it, or name another.")
