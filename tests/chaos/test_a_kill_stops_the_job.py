"""Checks that ending a task stops its paid job: mark failed, mark success and clear, deferred or running."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from tests.chaos.airflow_runs import FINISHED, now, until
from tests.chaos.trials import TASK, Trial, Trials, Waits

pytestmark = pytest.mark.timeout(900)

LIMIT_S = 60
# A machine type each, since an account has four of a type at a time.
KILLS = {
    ("failed", "deferred"): "ml.g4dn.16xlarge",
    ("success", "deferred"): "ml.g4dn.2xlarge",
    ("clear", "deferred"): "ml.g4dn.4xlarge",
    ("failed", "on_worker"): "ml.g4dn.8xlarge",
    ("success", "on_worker"): "ml.g4dn.12xlarge",
    ("clear", "on_worker"): "ml.g5.4xlarge",
}


@dataclass(frozen=True)
class Killed:
    """A trial whose task a user has ended, and when."""

    trial: Trial
    job_name: str
    how: str
    at: datetime

    @property
    def seconds(self) -> float | None:
        """How many seconds the job continued, or None while it runs."""
        job = next(job for job in self.trial.aws.jobs(self.trial.name) if job["TrainingJobName"] == self.job_name)
        if job["TrainingJobStatus"] != "Stopped":
            return None
        return (job["TrainingEndTime"] - self.at).total_seconds()

    def outcome(self) -> tuple[bool, str]:
        """Wait for the stop, up to the limit; return whether it came, and a description."""
        left_s = LIMIT_S - (now() - self.at).total_seconds()
        try:
            until(lambda: self.seconds is not None, seconds=left_s, what="the stop")
        except TimeoutError:
            return False, f"{self.trial.stops} StopTrainingJob; the job runs on after {LIMIT_S} s"
        seconds = self.seconds or 0.0
        orphans = [] if self.how == "clear" else self.trial.aws.running(self.trial.name)
        found = f"{self.trial.stops} StopTrainingJob; Stopped after {seconds:.0f} s"
        return seconds <= LIMIT_S and not orphans, "; ".join([found, *(f"{orphan} runs" for orphan in orphans)])


def kill(trial: Trial, how: str) -> Killed:
    job = trial.aws.jobs(trial.name)[0]["TrainingJobName"]
    at = now()
    if how == "clear":
        trial.run.clear(TASK)
    else:
        trial.run.mark(TASK, state=how)
    return Killed(trial, job, how, at)


def endless(pattern: str) -> dict[str, object]:
    return {"fault": "slow_download", "seconds": 600, "where": {"TrainingJobName": pattern}, "times": None}


@pytest.fixture(scope="module")
def killed(airflow, aws, planned, fault_plan) -> Iterator[dict[tuple[str, Waits], tuple[Killed, Killed]]]:
    """All of them at once: what a test here does is to wait."""
    trials = Trials(airflow, aws, planned)
    fault_plan(endless("*-by-*"))
    pairs = {
        (how, waits): trials.pair(f"by-{how}", waits=waits, instance_type=instance_type)
        for (how, waits), instance_type in KILLS.items()
    }
    for pair in pairs.values():
        for trial in pair:
            trial.await_job()
    yield {key: (kill(ours, key[0]), kill(stock, key[0])) for key, (ours, stock) in pairs.items()}
    fault_plan()
    trials.end_all()


@pytest.mark.parametrize("waits", ["deferred", "on_worker"])
@pytest.mark.parametrize("how", ["failed", "success", "clear"])
def test_a_task_that_a_user_ends_stops_its_job(killed, row, how, waits):
    ours, stock = killed[how, waits]

    with row.baseline():
        row.set_stock(*stock.outcome())
    row.check_ours(*ours.outcome())


def test_a_task_that_is_cleared_trains_again_under_the_next_name(killed, row):
    ours, stock = killed["clear", "deferred"]

    def second(trial: Trial) -> list[str]:
        return [job["TrainingJobName"] for job in trial.aws.jobs(trial.name)][1:]

    with row.baseline():
        found = until(lambda: second(stock.trial), seconds=120, what="a second job")
        row.set_stock(stock.seconds is not None, f"{found[0]}; the first one {'ended' if stock.seconds else 'runs'}")
    found = until(lambda: second(ours.trial), seconds=120, what="a second job")
    row.check_ours(found == [f"{ours.trial.name}-2"], f"{found[0]} after the first was Stopped")


@pytest.fixture
def no_triggerer(services):
    """Kills the triggerer for the time of one scenario."""
    yield lambda: services.kill("triggerer")
    services.start_component("triggerer")


def test_the_watch_dag_stops_the_job_of_a_task_ended_without_a_triggerer(airflow, trials, faults, no_triggerer, row):
    faults(endless("*-orphaned-*"))
    pair = trials.pair("orphaned")
    for trial in pair:
        trial.await_job()
    no_triggerer()
    killed = [kill(trial, "failed") for trial in pair]

    watch = airflow.ordered_run("image_classifier_watch", "orphaned", conf={})
    state = watch.await_task("stop_orphaned_jobs", FINISHED)

    runs_on = [one.seconds is None for one in killed]
    with row.baseline():
        row.set_stock(not runs_on[1], f"{pair[1].stops} StopTrainingJob; the job runs on, and no one looks for it")
    until(lambda: killed[0].seconds is not None, seconds=LIMIT_S, what="the stop by the watch Dag")
    row.check_ours(state == "success", f"watch Dag {state}; {pair[0].stops} StopTrainingJob; Stopped")


@pytest.fixture(scope="module")
def killed_early(airflow, aws, planned, fault_plan) -> Iterator[dict[str, tuple[Killed, Killed]]]:
    """Those whose CreateTrainingJob was done and had not yet been answered; again all at once."""
    trials = Trials(airflow, aws, planned)
    where = {"TrainingJobName": "*-created-*"}
    late = {"fault": "late_answer", "operation": "CreateTrainingJob", "seconds": 8, "where": where, "times": None}
    fault_plan(late, endless("*-created-*"))
    begun = {
        how: trials.pair(f"created-{how}", instance_type=instance_type)
        for how, instance_type in (
            ("failed", "ml.g5.2xlarge"),
            ("success", "ml.g5.8xlarge"),
            ("clear", "ml.g5.16xlarge"),
        )
    }
    left = [(how, trial) for how, pair in begun.items() for trial in pair]
    killed: dict[str, Killed] = {}

    def kill_those_whose_job_is_there() -> bool:
        for how, trial in left:
            if trial.name not in killed and aws.jobs(trial.name):
                killed[trial.name] = kill(trial, how)
        return len(killed) == len(left)

    until(kill_those_whose_job_is_there, seconds=300, what="a job for every task")
    yield {how: (killed[ours.name], killed[stock.name]) for how, (ours, stock) in begun.items()}
    fault_plan()
    trials.end_all()


@pytest.mark.parametrize("how", ["failed", "success", "clear"])
def test_a_kill_while_the_job_is_being_created_leaves_no_orphan(killed_early, row, how):
    ours, stock = killed_early[how]

    with row.baseline():
        row.set_stock(*stock.outcome())
    row.check_ours(*ours.outcome())
