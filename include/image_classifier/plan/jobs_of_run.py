"""Computes what the processing and transform jobs of a run cost, which are found by their owner's tags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from image_classifier.aws.jobs.attempts import RequestedJobs
from image_classifier.aws.jobs.owners import owner_of, tags_of_arn
from image_classifier.aws.names import is_job
from image_classifier.plan.plan import SECONDS_AN_HOUR
from image_classifier.plan.prices import Price

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class JobsCost:
    """What the jobs of one kind cost: US dollars, or None if a price is unknown; and the jobs in words."""

    usd: float | None
    words: str


def cost_of_jobs(
    sagemaker: "SageMakerClient",
    jobs: RequestedJobs,
    *,
    classifier: str,
    of_run: tuple[str, str],
    since: datetime,
    price: Callable[[str], Price],
) -> JobsCost | None:
    """Return the cost of a run's jobs of one kind, failed and stopped ones included; None if there is none.

    A job belongs to the run that started it, or to the last run that adopted it while it ran. AWS bills each instance
    from the job's start to its end (DescribeTransformJob's documentation of TransformEndTime).

    Args:
        sagemaker: the client; it lists and describes.
        jobs: the kind of the jobs.
        classifier: whose.
        of_run: a Dag's and a run's id.
        since: when the run began, or earlier.
        price: of an instance type.

    """
    found = [job for job in _jobs(sagemaker, jobs, classifier, since) if _owner(sagemaker, jobs, job) == of_run]
    if not found:
        return None
    prices = {kind: price(kind) for kind in sorted({_machines(job, jobs)["InstanceType"] for job in found})}
    costs = [_usd(job, jobs, prices) for job in found]
    usd = None if None in costs else round(sum(cost for cost in costs if cost is not None), 4)
    count = f"{len(found)} {jobs.kind.words}{'s' if len(found) > 1 else ''}"
    seconds = sum(_seconds(job, jobs) for job in found)
    sources = "; ".join(dict.fromkeys(one.source for one in prices.values()))
    return JobsCost(usd, f"{count}, {seconds:,.0f} s of instances; {sources}")


def _jobs(
    sagemaker: "SageMakerClient", jobs: RequestedJobs, classifier: str, since: datetime
) -> list[Mapping[str, Any]]:
    names = jobs.kind.names_since(sagemaker, classifier=classifier, since=since)
    described = [jobs.kind.describe(sagemaker, name) for name in names if is_job(name, classifier=classifier)]
    return [job for job in described if job is not None]


def _owner(sagemaker: "SageMakerClient", jobs: RequestedJobs, job: Mapping[str, Any]) -> tuple[str, str] | None:
    owner = owner_of(tags_of_arn(sagemaker, jobs.kind.arn_of(job)))
    return None if owner is None else (owner.dag_id, owner.run_id)


def _usd(job: Mapping[str, Any], jobs: RequestedJobs, prices: Mapping[str, Price]) -> float | None:
    hourly_usd, seconds = prices[_machines(job, jobs)["InstanceType"]].usd_per_hour, _seconds(job, jobs)
    return 0.0 if not seconds else None if hourly_usd is None else seconds * hourly_usd / SECONDS_AN_HOUR


def _seconds(job: Mapping[str, Any], jobs: RequestedJobs) -> float:
    """Return the seconds of all instances; 0 of a job that never had any, or has not ended."""
    name = jobs.kind.member.removesuffix("Job")
    start, end = job.get(f"{name}StartTime"), job.get(f"{name}EndTime")
    return (end - start).total_seconds() * _machines(job, jobs)["InstanceCount"] if start and end else 0.0


def _machines(job: Mapping[str, Any], jobs: RequestedJobs) -> Mapping[str, Any]:
    found: Any = job
    for member in jobs.resources:
        found = found[member]
    return dict(found)
