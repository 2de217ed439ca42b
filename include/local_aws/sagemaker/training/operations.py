"""Implements the operations on training jobs."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from local_aws.sagemaker import quotas
from local_aws.sagemaker.jobs import checks
from local_aws.sagemaker.jobs.operations import Jobs
from local_aws.sagemaker.training import algorithm_rules, requests
from local_aws.sagemaker.training.faults import TrainingFaults
from local_aws.sagemaker.training.progress import TRAINING_JOB
from local_aws.sagemaker.training.run import TrainingRun

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache
    from local_aws.sagemaker.platform import Platform

CREATE = "CreateTrainingJob"
NO_JOB_HAS = {"WarmPoolStatusEquals", "TrainingPlanArnEquals"}
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
    """CreateTrainingJob and the other operations on training jobs."""

    def __init__(self, platform: Platform, *, cache: ObjectCache) -> None:
        """Keep the files of each job in a folder below the platform's state folder."""
        self._platform = platform
        self._jobs = Jobs(TRAINING_JOB, platform=platform)
        self._cache = cache

    def recover(self) -> None:
        """End the jobs whose processes ended with the previous server."""
        for job in self._jobs.lose_all():
            shutil.rmtree(self._jobs.folder / job["TrainingJobName"] / "ml", ignore_errors=True)

    def close(self) -> None:
        """End the running jobs."""
        self._jobs.close()

    def create_training_job(self, request: Document) -> Document:
        """Check what AWS checks before it answers, then start the job."""
        return {"TrainingJobArn": self.start(request)}

    def start(self, request: Document, *, tuning_job_arn: str = "") -> str:
        """Start a training job, of a tuning job if one is named; return its ARN.

        Raises:
            ServiceError: AWS would refuse it.

        """
        image = self.check(request)
        arn = self._jobs.arn(request["TrainingJobName"])
        definitions = algorithm_rules.METRIC_DEFINITIONS if image.built_in else []
        job = requests.new_job(request, arn=arn, now=time.time(), metric_definitions=definitions)
        if tuning_job_arn:
            job["TuningJobArn"] = tuning_job_arn
        self._jobs.start(
            job,
            tags=request.get("Tags", []),
            check=lambda: self.check_quota(request, operation=CREATE),
            run=lambda: self._run(job, image=image),
        )
        return arn

    def check(self, request: Document) -> Image:
        """Refuse what AWS refuses before it answers, except for the quota; return the image.

        Raises:
            ServiceError: says what is wrong.

        """
        requests.check(request)
        self._jobs.check_new(request["TrainingJobName"])
        image = self._platform.images.find(request["AlgorithmSpecification"]["TrainingImage"])
        if image.built_in:
            algorithm_rules.check_metric_definitions(request["AlgorithmSpecification"].get("MetricDefinitions"))
        checks.check_role(request, platform=self._platform)
        for channel in request.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            checks.check_prefix(uri, role=request["RoleArn"], platform=self._platform)
        uris = [request["OutputDataConfig"]["S3OutputPath"], request.get("CheckpointConfig", {}).get("S3Uri")]
        checks.check_buckets(filter(None, uris), platform=self._platform)
        return image

    def find(self, name: str) -> Document | None:
        """Return the job of this name, or None."""
        return self._platform.store.get(TRAINING_JOB.kind, name)

    def metric_values(self, name: str, metric: str) -> list[float]:
        """Return the values of a metric of a job, oldest first; empty a while after the end of the job."""
        run = self._jobs.run(name)
        return run.metric_values(metric) if isinstance(run, TrainingRun) else []

    def _run(self, job: Document, *, image: Image) -> TrainingRun:
        platform = self._platform.acting_as(job["RoleArn"], session=job["TrainingJobName"])
        return TrainingRun(
            job,
            image=image,
            folder=self._jobs.folder / job["TrainingJobName"],
            platform=platform,
            cache=self._cache,
            faults=TrainingFaults(self._platform.faults, job),
        )

    def describe_training_job(self, request: Document) -> Document:
        """Return the current job."""
        return self._jobs.existing(request["TrainingJobName"])

    def list_training_jobs(self, request: Document) -> Document:
        """Return the jobs, oldest first unless the request says otherwise.

        With MaxResults and StatusEquals a page is cut before its jobs are filtered by status, as the API reference
        says, so a page may be empty and have a NextToken. No job here has a warm pool or a training plan.
        """
        if NO_JOB_HAS & set(request):
            return {"TrainingJobSummaries": []}
        status = request.get("StatusEquals") if "MaxResults" in request else None
        if status is None:
            return self._jobs.listed(request, summary=SUMMARY)
        asked = {key: value for key, value in request.items() if key != "StatusEquals"}
        answer = self._jobs.listed(asked, summary=SUMMARY)
        found = answer["TrainingJobSummaries"]
        return answer | {"TrainingJobSummaries": [job for job in found if job["TrainingJobStatus"] == status]}

    def stop_training_job(self, request: Document) -> Document:
        """Ask a job to end; a second request for the same job changes nothing."""
        self._jobs.stop(request["TrainingJobName"])
        return {}

    def delete_training_job(self, request: Document) -> Document:
        """Delete a job that has ended, and its log on disk; its name may be used again."""
        self._jobs.delete(request["TrainingJobName"])
        return {}

    def check_quota(
        self, request: Document, *, operation: str, jobs: int = 1, original: Document | None = None
    ) -> None:
        """Refuse more instances than the quota allows: those of `jobs` jobs like `request`.

        A fault plan's quota applies to an operation, and uses the members of its `original` request.

        Raises:
            ServiceError: ``ResourceLimitExceeded``.

        """
        resources, is_spot = request["ResourceConfig"], bool(request.get("EnableManagedSpotTraining"))
        instance_type = resources["InstanceType"]
        busy = sum(
            job["ResourceConfig"].get("InstanceCount", 1)
            for job in self._jobs.in_progress()
            if job["ResourceConfig"]["InstanceType"] == instance_type
            and bool(job.get("EnableManagedSpotTraining")) == is_spot
        )
        use = quotas.Use(
            instance_type=instance_type,
            noun="spot training job usage" if is_spot else "training job usage",
            busy=busy,
            asked=resources.get("InstanceCount", 1) * jobs,
        )
        limit = self._platform.limits.training_instances
        checks.check_quota(original or request, use, operation=operation, usual_limit=limit, platform=self._platform)
