"""Gives one training request to one of the two operators, and reads the jobs that it created."""

from dataclasses import dataclass
from typing import Any, Literal

from tests.chaos.airflow_runs import Airflow, Run, until
from tests.chaos.aws import IN_PROGRESS, Aws

Side = Literal["ours", "stock"]
Waits = Literal["deferred", "on_worker"]
STATE = {"deferred": "deferred", "on_worker": "running"}  # the task's state while it waits for the job
# Airflow's policy allows jobs of this prefix alone; the watch Dag leaves those without a task of ours in their tags.
NAMES = {"ours": "image-classifier-ours", "stock": "image-classifier-stock"}
TASK = "train"


@dataclass(frozen=True)
class Trial:
    """The run of one operator, and its jobs: every job whose name begins with `name`."""

    run: Run
    aws: Aws
    name: str
    waits: Waits

    def await_job(self) -> dict[str, Any]:
        """The job, once it runs and the task waits for it."""
        self.run.await_task(TASK, [STATE[self.waits]])
        jobs = until(lambda: self.aws.jobs(self.name), seconds=300, what=f"a job {self.name}")
        return jobs[0]

    @property
    def creations(self) -> int:
        """How many CreateTrainingJob calls were accepted."""
        return self.aws.calls("CreateTrainingJob", self.name)

    @property
    def stops(self) -> int:
        return self.aws.calls("StopTrainingJob", self.name)

    @property
    def cost(self) -> str:
        """The calls and the billed jobs, in words."""
        jobs = self.aws.jobs(self.name)
        billed = sum(1 for job in jobs if job.get("BillableTimeInSeconds") or job["TrainingJobStatus"] in IN_PROGRESS)
        return f"{self.creations} CreateTrainingJob, {billed} billed"

    @property
    def paid_once(self) -> bool:
        return self.creations == 1 and len(self.aws.jobs(self.name)) == 1

    def end(self) -> None:
        """End the run and stop its jobs."""
        self.run.give_up()
        self.aws.stop_all(self.name)


class Trials:
    """Starts trials, and ends those that a scenario left."""

    def __init__(self, airflow: Airflow, aws: Aws, request: dict[str, Any]) -> None:
        self._airflow, self._aws, self._request = airflow, aws, request
        self._begun: list[Trial] = []

    def begin(
        self,
        side: Side,
        scenario: str,
        *,
        waits: Waits = "deferred",
        instance_type: str = "ml.g5.xlarge",
        hyperparameters: dict[str, str] | None = None,
        **changes: Any,
    ) -> Trial:
        """Give the request to one of the operators, under its own name."""
        name = f"{NAMES[side]}-{scenario}-{waits}".replace("_", "-")
        request = {
            **self._request,
            "TrainingJobName": name,
            "ResourceConfig": {**self._request["ResourceConfig"], "InstanceType": instance_type},
            "HyperParameters": {**self._request["HyperParameters"], **(hyperparameters or {})},
            **changes,
        }
        run = self._airflow.ordered_run(f"{side}_{waits}", name, conf={"request": request})
        trial = Trial(run, self._aws, name, waits)
        self._begun.append(trial)
        return trial

    def pair(self, scenario: str, **arguments: Any) -> tuple[Trial, Trial]:
        """Start a trial of this project's operator and one of the provider's."""
        return self.begin("ours", scenario, **arguments), self.begin("stock", scenario, **arguments)

    def end_all(self) -> None:
        for trial in self._begun:
            trial.end()
