"""The operations on training jobs."""

from __future__ import annotations

import shutil
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from local_aws.faults.roles import UnreadyRoles
from local_aws.sagemaker import quotas
from local_aws.sagemaker.aws import REGION, cannot_assume, split_s3_uri
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.tags import as_dict
from local_aws.sagemaker.training import progress, requests
from local_aws.sagemaker.training.channels import ObjectCache
from local_aws.sagemaker.training.mishaps import Mishaps
from local_aws.sagemaker.training.run import KIND, TrainingRun

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.container import Limits
    from local_aws.sagemaker.images import Images
    from local_aws.sagemaker.store import Store

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

    def __init__(self, *, aws: Aws, store: Store, images: Images, limits: Limits, faults: Faults, state: Path) -> None:
        """Each job has a folder below `state`."""
        self._aws = aws
        self._store = store
        self._images = images
        self._limits = limits
        self._faults = faults
        self._unready_roles = UnreadyRoles(faults)
        self._folder = state / "training-jobs"
        self._cache = ObjectCache(state / "objects", aws=aws)
        self._runs: dict[str, TrainingRun] = {}
        self._lock = threading.Lock()

    def recover(self) -> None:
        """End the jobs whose processes ended with the server before."""
        for job in self._store.all(KIND):
            if progress.in_progress(job):
                name = job["TrainingJobName"]
                self._store.change(KIND, name, partial(progress.lose, now=self._last_sign_of_life(job)))
                shutil.rmtree(self._folder / name / "ml", ignore_errors=True)
        self._cache.trim()

    def close(self) -> None:
        """End the running jobs."""
        for run in list(self._runs.values()):
            run.close()

    def create_training_job(self, request: Document) -> Document:
        """Check what AWS checks at once, then start."""
        name = request["TrainingJobName"]
        arn = self._aws.arn(KIND, name)
        requests.check(request)
        self._check_new(name, arn)
        image = self._images.find(request["AlgorithmSpecification"]["TrainingImage"])
        self._check_role(request)
        self._check_input(request)
        self._check_output(request)
        job = requests.new_job(request, arn=arn, now=time.time())
        with self._lock:
            self._check_quota(request)
            if not self._store.add(KIND, name, job):
                self._check_new(name, arn)
            self._store.set_tags(arn, as_dict(request.get("Tags", [])))
            run = TrainingRun(
                job,
                image=image,
                folder=self._folder / name,
                aws=self._aws,
                store=self._store,
                cache=self._cache,
                limits=self._limits,
                mishaps=Mishaps(self._faults, job),
            )
            self._runs = {key: old for key, old in self._runs.items() if old.alive} | {name: run}
        run.start()
        return {"TrainingJobArn": arn}

    def describe_training_job(self, request: Document) -> Document:
        """The job as it is now."""
        return self._existing(request["TrainingJobName"])

    def list_training_jobs(self, request: Document) -> Document:
        """The jobs, newest first."""
        return page(
            request,
            self._store.all(KIND),
            answer_key="TrainingJobSummaries",
            summary=SUMMARY,
            name_key="TrainingJobName",
            status_key="TrainingJobStatus",
        )

    def stop_training_job(self, request: Document) -> Document:
        """Ask a job to end; a second request for the same job changes nothing."""
        name = request["TrainingJobName"]

        def stopping(job: Document) -> None:
            if not progress.in_progress(job):
                status = job["TrainingJobStatus"]
                raise validation_error(f"The request was rejected because the training job is in status {status}.")
            if job["TrainingJobStatus"] != "Stopping":
                progress.enter(job, "Stopping", now=time.time())

        if self._store.change(KIND, name, stopping) is None:
            raise _not_found()
        with self._lock:  # a job that is in the store has a run once whoever creates it lets go
            run = self._runs.get(name)
        if run is not None:
            run.stop()
        return {}

    def delete_training_job(self, request: Document) -> Document:
        """Forget a job that has ended, and its log on disk; its name may be used again."""
        name = request["TrainingJobName"]
        job = self._existing(name)
        if progress.in_progress(job):
            status = job["TrainingJobStatus"]
            raise ServiceError(
                "ResourceInUse", f"The training job {name} is {status}; it can be deleted when it has ended."
            )
        self._store.remove(KIND, name, arn=job["TrainingJobArn"])
        shutil.rmtree(self._folder / name, ignore_errors=True)
        return {}

    def _existing(self, name: str) -> Document:
        job = self._store.get(KIND, name)
        if job is None:
            raise _not_found()
        return job

    def _check_new(self, name: str, arn: str) -> None:
        if self._store.get(KIND, name) is not None:
            message = (
                "Training job names must be unique within an AWS account and region, and a training job with this name "
            )
            raise ServiceError("ResourceInUse", f"{message}already exists ({arn})")

    def _check_quota(self, request: Document) -> None:
        resources, is_spot = request["ResourceConfig"], bool(request.get("EnableManagedSpotTraining"))
        busy = sum(
            job["ResourceConfig"].get("InstanceCount", 1)
            for job in self._store.all(KIND)
            if progress.in_progress(job)
            and job["ResourceConfig"]["InstanceType"] == resources["InstanceType"]
            and bool(job.get("EnableManagedSpotTraining")) == is_spot
        )
        quotas.check(
            quotas.Use(
                instance_type=resources["InstanceType"],
                noun="spot training job usage" if is_spot else "training job usage",
                busy=busy,
                asked=resources.get("InstanceCount", 1),
            ),
            limit=quotas.planned_limit(self._faults, "CreateTrainingJob", resources["InstanceType"], request=request),
            usual_limit=self._limits.training_instances,
        )

    def _last_sign_of_life(self, job: Document) -> float:
        """When the job's process ended at the earliest: the time without a server is nobody's bill."""
        logs = (self._folder / job["TrainingJobName"]).glob("*.log")
        signs: list[float] = [job["LastModifiedTime"], *(file.stat().st_mtime for file in logs)]
        return max(signs)

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


def _not_found() -> ServiceError:
    return validation_error("Requested resource not found.")
