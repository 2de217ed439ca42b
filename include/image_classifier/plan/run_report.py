"""Reports what a run did and what it cost."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from image_classifier.plan.jobs_of_run import JobsCost
from image_classifier.plan.plan import HOURS_A_DAY, SECONDS_AN_HOUR
from image_classifier.plan.prices import Price

NO_JOBS = JobsCost(0.0, "")


@dataclass(frozen=True)
class RunReport:
    """The result and the cost of a run; amounts in US dollars are None if the price is unknown.

    Attributes:
        outcome: whether the training job was started by this run, adopted or reused.
        billable_s: the seconds that AWS bills for the training job, summed over its instances.
        training_usd: the cost of the job and of the tuning job's other training jobs at the on-demand price; reused
            jobs cost nothing.
        waiting: the number of uploaded images without a record after ten minutes, and of all uploaded images.
        tuning: the tuning job in which the model was chosen, and its training jobs in this run.
        preparation: the run's processing jobs in words; empty if there was none.
        preparation_usd: their cost.
        scoring: the run's transform jobs in words; empty if there was none.
        scoring_usd: their cost.
        endpoint_usd_per_day: the endpoint's cost per day.
        spot_savings: the share of the price that managed spot saved, from 0 to 1; None without spot.

    """

    training_job: str
    outcome: str
    best_validation_accuracy: float | None
    billable_s: int | None
    training_usd: float | None
    training_price: str
    endpoint: str
    endpoint_usd_per_day: float | None
    endpoint_price: str
    spot_savings: float | None = None
    test_accuracy: str = "unknown: there is no test image"
    evaluation: str = ""
    tuning: str = ""
    preparation: str = ""
    preparation_usd: float | None = 0.0
    scoring: str = ""
    scoring_usd: float | None = 0.0
    waiting: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the report as JSON values, for XCom."""
        return asdict(self)

    def as_table(self) -> str:
        """Return the report as a text table."""
        accuracy = self.best_validation_accuracy
        rows = {
            "training job": f"{self.training_job}, {self.outcome}",
            "test accuracy": self.test_accuracy,
            "validation accuracy": "unknown" if accuracy is None else f"{accuracy:.3f}",
            "billable seconds": "unknown" if self.billable_s is None else f"{self.billable_s:,}",
            **({"tuning job": self.tuning} if self.tuning else {}),
            **self._job_costs(),
            "endpoint": self.endpoint,
            "endpoint cost a day": _dollars(self.endpoint_usd_per_day, self.endpoint_price),
        }
        if self.evaluation:
            rows["evaluation"] = self.evaluation
        if self.waiting:
            rows["images waiting"] = self.waiting
        if self.spot_savings is not None:
            rows["saved by managed spot"] = f"{self.spot_savings:.0%}"
        width = max(map(len, rows))
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows.items())

    def _job_costs(self) -> dict[str, str]:
        costs = {
            "preparation cost": (self.preparation_usd, self.preparation),
            "training cost": (self.training_usd, self.training_price),
            "scoring cost": (self.scoring_usd, self.scoring),
        }
        return {name: _dollars(usd, words) for name, (usd, words) in costs.items() if words}


def report_of(
    job: Mapping[str, Any],
    *,
    endpoint: str,
    training: Price,
    hosting: Price,
    instance_count: int,
    evaluated: Mapping[str, Any],
    preparation: JobsCost | None = None,
    scoring: JobsCost | None = None,
    waiting: str = "",
) -> RunReport:
    """Build the report of a run.

    Args:
        job: the result of `training_result` for the training job.
        endpoint: the endpoint's name.
        training: the price of a training instance.
        hosting: the price of an endpoint instance.
        instance_count: the number of the endpoint's instances.
        evaluated: accuracy and page of the model's evaluation; empty without test images.
        preparation: the cost of the run's processing jobs; None if there was none.
        scoring: the cost of the run's transform jobs; None if there was none.
        waiting: the number of uploaded images without a record.

    """
    prepared, scored = preparation or NO_JOBS, scoring or NO_JOBS
    tuning, hourly_usd = job.get("tuning"), training.usd_per_hour
    billable_s = tuning["billable_s"] if tuning else job["billable_s"]
    reused = not billable_s if tuning else job["outcome"] == "reused"
    day_usd = None if hosting.usd_per_hour is None else hosting.usd_per_hour * instance_count * HOURS_A_DAY
    return RunReport(
        training_job=job["training_job"],
        outcome=job["outcome"],
        best_validation_accuracy=job["best_validation_accuracy"],
        billable_s=billable_s,
        training_usd=0.0 if reused else _usd(billable_s, hourly_usd),
        training_price="an earlier run paid for the job" if reused else training.source,
        endpoint=endpoint,
        endpoint_usd_per_day=None if day_usd is None else round(day_usd, 4),
        endpoint_price=hosting.source,
        spot_savings=job.get("spot_savings"),
        tuning=f"{tuning['tuning_job']}, {tuning['jobs']} training jobs in this run" if tuning else "",
        preparation=prepared.words,
        preparation_usd=prepared.usd,
        scoring=scored.words,
        scoring_usd=scored.usd,
        waiting=waiting,
        **_evaluated(evaluated),
    )


def _usd(billable_s: int | None, hourly_usd: float | None) -> float | None:
    if billable_s is None or hourly_usd is None:
        return None
    return round(billable_s * hourly_usd / SECONDS_AN_HOUR, 4)


def _evaluated(evaluated: Mapping[str, Any]) -> dict[str, str]:
    if not evaluated:
        return {}
    accuracy = evaluated["accuracy"]
    interval = f"{accuracy['low']:.1%} to {accuracy['high']:.1%} with 95% confidence"
    words = f"{accuracy['value']:.1%} of {accuracy['of']:,} images ({interval})"
    return {"test_accuracy": words, "evaluation": str(evaluated["page"])}


def _dollars(usd: float | None, source: str) -> str:
    return f"price unknown: {source}" if usd is None else f"{usd:,.2f} US dollars ({source})"
