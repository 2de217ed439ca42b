"""Implements the operations on hyperparameter tuning jobs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local_aws.sagemaker.jobs.kinds import JobKind
from local_aws.sagemaker.jobs.operations import Jobs
from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.tuning import requests
from local_aws.sagemaker.tuning.run import TuningRun, summaries

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.platform import Platform
    from local_aws.sagemaker.training.operations import TrainingJobs


class _TuningJobKind(JobKind):
    """Tuning jobs, whose messages differ from those of other jobs."""

    def not_found(self, name: str) -> ServiceError:
        """Return the error for a name that no job has."""
        return ServiceError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}.")

    def name_in_use(self, arn: str) -> ServiceError:
        """Return the error for a name that another job has."""
        message = f"A hyperparameter tuning job with the name, {arn.rpartition('/')[2]}, already exists."
        return ServiceError("ResourceInUse", f"{message} Choose a different name.")


TUNING_JOB = _TuningJobKind("hyper-parameter-tuning-job", "HyperParameterTuningJob", "HyperParameterTuning")
SUMMARY = (
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobArn",
    "HyperParameterTuningJobStatus",
    "Strategy",
    "CreationTime",
    "HyperParameterTuningEndTime",
    "LastModifiedTime",
    "TrainingJobStatusCounters",
    "ObjectiveStatusCounters",
    "ResourceLimits",
)
TRIAL_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "TrainingJobStatus",
    "TunedHyperParameters",
    "FailureReason",
    "FinalHyperParameterTuningJobObjectiveMetric",
    "ObjectiveStatus",
)


class TuningJobs:
    """CreateHyperParameterTuningJob and the other operations on tuning jobs."""

    def __init__(self, platform: Platform, *, training: TrainingJobs) -> None:
        """`training` runs the training jobs."""
        self._platform = platform
        self._training = training
        self._jobs = Jobs(TUNING_JOB, platform=platform)

    def recover(self) -> None:
        """Continue the tuning jobs of the previous server, whose running training jobs have failed."""
        for job in self._jobs.in_progress():
            run = self._run(job)
            if job["HyperParameterTuningJobStatus"] == "Stopping":
                run.stop()
            self._jobs.resume(job["HyperParameterTuningJobName"], run)

    def close(self) -> None:
        """End the threads; the jobs continue with the next server."""
        self._jobs.close()

    def create_hyper_parameter_tuning_job(self, request: Document) -> Document:
        """Check what AWS checks before it answers, then start the job."""
        name = request["HyperParameterTuningJobName"]
        requests.check(request, images=self._platform.images)
        self._check_new(name)
        arn = self._jobs.arn(name)
        job = requests.new_job(request, arn=arn, now=time.time())
        first = requests.training_request(job, name=requests.training_job_name(name, number=1), tuned={}, tags=[])
        self._training.check(first)
        self._training.check_quota(
            first, operation="CreateHyperParameterTuningJob", jobs=_at_once(job), original=request
        )
        self._jobs.start(job, tags=request.get("Tags", []), check=lambda: None, run=lambda: self._run(job))
        return {"HyperParameterTuningJobArn": arn}

    def describe_hyper_parameter_tuning_job(self, request: Document) -> Document:
        """Return the current job."""
        return self._jobs.existing(request["HyperParameterTuningJobName"])

    def list_hyper_parameter_tuning_jobs(self, request: Document) -> Document:
        """Return the jobs, by name."""
        jobs = [job | _from_config(job) for job in self._platform.store.all(TUNING_JOB.kind)]
        return page(
            request,
            jobs,
            answer_key="HyperParameterTuningJobSummaries",
            summary=SUMMARY,
            name_key=TUNING_JOB.name_key,
            status_key=TUNING_JOB.status_key,
            default_sort="Name",
            default_order="Ascending",
        )

    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Document) -> Document:
        """Return the training jobs that the job has started, by name or by objective."""
        found = summaries(self.describe_hyper_parameter_tuning_job(request), training=self._training)
        objective = "FinalHyperParameterTuningJobObjectiveMetric"
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            found = [trial | {"_Value": trial[objective]["Value"]} for trial in found if objective in trial]
        return page(
            request,
            found,
            answer_key="TrainingJobSummaries",
            summary=TRIAL_SUMMARY,
            name_key="TrainingJobName",
            status_key="TrainingJobStatus",
            sort_keys={"FinalObjectiveMetricValue": "_Value"},
            default_sort="Name",
            default_order="Ascending",
        )

    def stop_hyper_parameter_tuning_job(self, request: Document) -> Document:
        """Ask the job and its training jobs to end."""
        self._jobs.stop(request["HyperParameterTuningJobName"])
        return {}

    def _check_new(self, name: str) -> None:
        """Refuse a name that is in use; AWS says of tuning jobs only that names are not case sensitive."""
        for job in self._platform.store.all(TUNING_JOB.kind):
            if job[TUNING_JOB.name_key].lower() == name.lower():
                raise TUNING_JOB.name_in_use(self._jobs.arn(name))

    def _run(self, job: Document) -> TuningRun:
        return TuningRun(job, kind=TUNING_JOB, store=self._platform.store, training=self._training)


def _at_once(job: Document) -> int:
    limits = job["HyperParameterTuningJobConfig"]["ResourceLimits"]
    return int(min(limits["MaxParallelTrainingJobs"], limits["MaxNumberOfTrainingJobs"]))


def _from_config(job: Document) -> Document:
    config = job["HyperParameterTuningJobConfig"]
    return {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
