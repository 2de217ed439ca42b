"""Who ends a task ends what it pays for: mark failed, mark success and clear, deferred or running."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from tests.chaos.airflow_runs import now, until
from tests.chaos.trials import TASK, Place, Trial, Trials

pytestmark = pytest.mark.timeout(900)

LIMIT_S = 60
# A machine type each, since an account has four of a type at a time.
KILLS = {
    ("failed", "deferred"): "ml.g4dn.16xlarge",
    ("success", "deferred"): "ml.g4dn.2xlarge",
    ("clear", "deferred"): "ml.g4dn.4xlarge",
    ("failed", "waiting"): "ml.g4dn.8xlarge",
    ("success", "waiting"): "ml.g4dn.12xlarge",
    ("clear", "waiting"): "ml.g5.4xlarge",
}


@dataclass(frozen=True)
class Killed:
    """A trial whose task a user has ended, and when."""

    trial: Trial
    job_name: str
    at: datetime

    @property
    def seconds(self) -> float | None:
        """How long the job went on, or None while it still does."""
        job = next(job for job in self.trial.aws.jobs(self.trial.name) if job["TrainingJobName"] == self.job_name)
        if job["TrainingJobStatus"] != "Stopped":
            return None
        return (job["TrainingEndTime"] - self.at).total_seconds()

    def judged(self) -> tuple[bool, str]:
        """Waits no longer than the limit."""
        left_s = LIMIT_S - (now() - self.at).total_seconds()
        try:
            until(lambda: self.seconds is not None, seconds=left_s, what="the stop")
        except TimeoutError:
            return False, f"{self.trial.stops} StopTrainingJob; the job runs on after {LIMIT_S} s"
        seconds = self.seconds or 0.0
        return seconds <= LIMIT_S, f"{self.trial.stops} StopTrainingJob; Stopped after {seconds:.0f} s"


def kill(trial: Trial, how: str) -> Killed:
    job = trial.await_job()["TrainingJobName"]
    at = now()
    if how == "clear":
        trial.run.clear(TASK)
    else:
        trial.run.mark(TASK, state=how)
    return Killed(trial, job, at)


def endless(pattern: str) -> dict[str, object]:
    return {"fault": "slow_download", "seconds": 600, "where": {"TrainingJobName": pattern}, "times": None}


@pytest.fixture(scope="module")
def killed(airflow, aws, planned, fault_plan) -> dict[tuple[str, Place], tuple[Killed, Killed]]:
    """All of them at once: what a test here does is to wait."""
    trials = Trials(airflow, aws, planned)
    fault_plan(endless("*-by-*"))
    pairs = {
        (how, place): trials.pair(f"by-{how}", place=place, instance_type=instance_type)
        for (how, place), instance_type in KILLS.items()
    }
    for pair in pairs.values():
        for trial in pair:
            trial.await_job()
    yield {key: (kill(ours, key[0]), kill(stock, key[0])) for key, (ours, stock) in pairs.items()}
    fault_plan()
    trials.end_all()


@pytest.mark.parametrize("place", ["deferred", "waiting"])
@pytest.mark.parametrize("how", ["failed", "success", "clear"])
def test_a_task_that_a_user_ends_stops_its_job(killed, row, how, place):
    ours, stock = killed[how, place]

    with row.baseline():
        row.judge_stock(*stock.judged())
    row.judge_ours(*ours.judged())


def test_a_task_that_is_cleared_trains_again_under_the_next_name(killed, row):
    ours, stock = killed["clear", "deferred"]

    def second(trial: Trial) -> list[str]:
        return [job["TrainingJobName"] for job in trial.aws.jobs(trial.name)][1:]

    with row.baseline():
        found = until(lambda: second(stock.trial), seconds=60, what="a second job")
        row.judge_stock(stock.seconds is not None, f"{found[0]}; the first one {'ended' if stock.seconds else 'runs'}")
    found = until(lambda: second(ours.trial), seconds=120, what="a second job")
    row.judge_ours(found == [f"{ours.trial.name}-2"], f"{found[0]} after the first was Stopped")


@pytest.mark.parametrize("how", ["failed", "success", "clear"])
def test_a_kill_while_the_job_is_being_created_leaves_no_orphan(trials, faults, row, how):
    name = {"TrainingJobName": f"*-created-{how}-*"}
    late = {"fault": "late_answer", "operation": "CreateTrainingJob", "seconds": 8, "where": name, "times": 2}
    faults(late, endless(f"*-created-{how}-*"))
    pair = trials.pair(f"created-{how}", instance_type="ml.g5.2xlarge")
    for trial in pair:
        until(lambda trial=trial: trial.aws.jobs(trial.name), seconds=90, what="the job")
    killed = []
    for trial in pair:
        at, job = now(), trial.name
        if how == "clear":
            trial.run.clear(TASK)
        else:
            trial.run.mark(TASK, state=how)
        killed.append(Killed(trial, job, at))

    with row.baseline():
        row.judge_stock(*killed[1].judged())
    row.judge_ours(*killed[0].judged())
