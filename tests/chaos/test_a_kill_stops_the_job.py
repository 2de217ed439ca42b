"""Who ends a task ends what it pays for: mark failed, mark success and clear, deferred or running."""

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
    job = trial.aws.jobs(trial.name)[0]["TrainingJobName"]
    at = now()
    if how == "clear":
        trial.run.clear(TASK)
    else:
        trial.run.mark(TASK, state=how)
    return Killed(trial, job, at)


def endless(pattern: str) -> dict[str, object]:
    return {"fault": "slow_download", "seconds": 600, "where": {"TrainingJobName": pattern}, "times": None}


@pytest.fixture(scope="module")
def killed(airflow, aws, planned, fault_plan) -> dict[tuple[str, Waits], tuple[Killed, Killed]]:
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
        row.judge_stock(*stock.judged())
    row.judge_ours(*ours.judged())


def test_a_task_that_is_cleared_trains_again_under_the_next_name(killed, row):
    ours, stock = killed["clear", "deferred"]

    def second(trial: Trial) -> list[str]:
        return [job["TrainingJobName"] for job in trial.aws.jobs(trial.name)][1:]

    with row.baseline():
        found = until(lambda: second(stock.trial), seconds=120, what="a second job")
        row.judge_stock(stock.seconds is not None, f"{found[0]}; the first one {'ended' if stock.seconds else 'runs'}")
    found = until(lambda: second(ours.trial), seconds=120, what="a second job")
    row.judge_ours(found == [f"{ours.trial.name}-2"], f"{found[0]} after the first was Stopped")


@pytest.fixture
def no_triggerer(services):
    """What takes the triggerer away, for the time of one scenario."""
    yield lambda: services.kill("triggerer")
    services.start_component("triggerer")


def test_a_task_that_is_ended_while_the_triggerer_is_down_is_found_by_the_reaper(
    airflow, trials, faults, no_triggerer, row
):
    faults(endless("*-reaped-*"))
    pair = trials.pair("reaped")
    for trial in pair:
        trial.await_job()
    no_triggerer()
    killed = [kill(trial, "failed") for trial in pair]

    reaper = airflow.ordered_run("image_classifier_reaper", "reaped", conf={})
    state = reaper.await_task("stop_abandoned_jobs", FINISHED)

    runs_on = [one.seconds is None for one in killed]
    with row.baseline():
        row.judge_stock(not runs_on[1], f"{pair[1].stops} StopTrainingJob; the job runs on, and no one looks for it")
    until(lambda: killed[0].seconds is not None, seconds=LIMIT_S, what="the stop by the reaper")
    row.judge_ours(state == "success", f"reaper {state}; {pair[0].stops} StopTrainingJob; Stopped")


@pytest.mark.parametrize("how", ["failed", "success", "clear"])
def test_a_kill_while_the_job_is_being_created_leaves_no_orphan(trials, faults, row, how):
    name = {"TrainingJobName": f"*-created-{how}-*"}
    late = {"fault": "late_answer", "operation": "CreateTrainingJob", "seconds": 8, "where": name, "times": 2}
    faults(late, endless(f"*-created-{how}-*"))
    pair = trials.pair(f"created-{how}", instance_type="ml.g5.2xlarge")
    for trial in pair:
        until(lambda trial=trial: trial.aws.jobs(trial.name), seconds=300, what="the job")
    ours, stock = (kill(trial, how) for trial in pair)

    with row.baseline():
        row.judge_stock(*stock.judged())
    row.judge_ours(*ours.judged())
