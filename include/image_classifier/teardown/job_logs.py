"""Lists the logs of a classifier's jobs of every kind: streams in log groups that all jobs of an account share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from image_classifier.aws import names
from image_classifier.aws.clients import Clients
from image_classifier.aws.ownership import name_prefix
from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS
from image_classifier.train.job_log import LOG_GROUP
from image_classifier.train.tuning.tuning_jobs import our_tuning_jobs

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True)
class JobLog:
    """A log stream of a job, and its log group."""

    group: str
    stream: str

    def __str__(self) -> str:
        return f"{self.group} {self.stream}"


def our_job_logs(clients: Clients, classifier: str) -> tuple[JobLog, ...]:
    """Return the log streams of the classifier's jobs, named ``<job>/<instance>`` or ``<job>/data-log``."""
    return tuple(_of_jobs(clients, classifier))


def _of_jobs(clients: Clients, classifier: str) -> Iterator[JobLog]:
    prefix = f"{name_prefix(classifier)}-"
    kinds: tuple[tuple[str, Callable[[str], bool]], ...] = (
        (LOG_GROUP, partial(names.is_training_job, classifier=classifier)),
        (TRANSFORM_JOBS.log_group, partial(names.is_job, classifier=classifier)),
        (PROCESSING_JOBS.log_group, partial(names.is_job, classifier=classifier)),
    )
    for group, is_ours in kinds:
        yield from (one for one in _streams(clients.logs, group, prefix) if is_ours(one.stream.partition("/")[0]))
    for job in our_tuning_jobs(clients.sagemaker, classifier=classifier):
        yield from _streams(clients.logs, LOG_GROUP, f"{job}-")


def _streams(logs: "CloudWatchLogsClient", group: str, prefix: str) -> list[JobLog]:
    paginator = logs.get_paginator("describe_log_streams")
    pages = paginator.paginate(logGroupName=group, logStreamNamePrefix=prefix)
    try:
        return [JobLog(group, stream["logStreamName"]) for page in pages for stream in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:  # no job of this kind has run in this account
        return []
