"""Checks that killed processes cause no second training job, and that a task waits as long as its job takes."""

import pytest
from tests.chaos.airflow_runs import FINISHED
from tests.chaos.trials import TASK, Trial

pytestmark = pytest.mark.timeout(900)


def slow(scenario: str, *, seconds: float) -> dict[str, object]:
    """Return a fault that keeps a job in Downloading, which takes no CPU."""
    return {
        "fault": "slow_download",
        "seconds": seconds,
        "where": {"TrainingJobName": f"*-{scenario}-*"},
        "times": None,
    }


def ended(trial: Trial, *, seconds: float = 300) -> str:
    return trial.run.await_task(TASK, FINISHED, seconds=seconds)


def outcome(trial: Trial, state: str) -> tuple[bool, str]:
    return state == "success" and trial.paid_once, f"task {state}; {trial.cost}"


def check_both(row, ours: Trial, stock: Trial) -> None:
    """Wait for both results, first for the baseline, whose time-outs do not fail the test."""
    with row.baseline():
        row.set_stock(*outcome(stock, ended(stock)))
    row.check_ours(*outcome(ours, ended(ours)))


def test_a_task_whose_process_is_killed_trains_once(trials, faults, row):
    faults(slow("killed", seconds=40))
    pair = trials.pair("killed", waits="on_worker")
    for trial in pair:
        trial.await_job()

    for trial in pair:
        trial.run.kill_process(TASK)

    check_both(row, *pair)


@pytest.mark.parametrize("waits", ["deferred", "on_worker"])
def test_a_scheduler_that_is_killed_with_its_workers_trains_once(trials, faults, services, row, waits):
    faults(slow("scheduler", seconds=40))
    pair = trials.pair("scheduler", waits=waits)
    for trial in pair:
        trial.await_job()

    services.restart("scheduler")

    check_both(row, *pair)


def test_a_triggerer_that_is_killed_trains_once(trials, faults, services, row):
    faults(slow("triggerer", seconds=40))
    pair = trials.pair("triggerer")
    for trial in pair:
        trial.await_job()

    services.restart("triggerer")

    check_both(row, *pair)


def test_a_finished_task_that_is_cleared_trains_once(trials, row):
    ours, stock = trials.pair("cleared")
    for trial in (ours, stock):
        assert trial.run.await_end() == "success"  # Airflow may overlook a task that is cleared earlier
        trial.run.clear(TASK)

    with row.baseline():
        row.set_stock(*outcome(stock, stock.run.await_task(TASK, FINISHED, tries=2)))
    row.check_ours(*outcome(ours, ours.run.await_task(TASK, FINISHED, tries=2)))


def test_a_training_longer_than_sixty_looks_is_waited_for(trials, faults, row):
    faults(slow("long", seconds=80))
    ours, stock = trials.pair("long")

    with row.baseline():
        state = stock.run.await_task(TASK, [*FINISHED, "up_for_retry"])
        row.set_stock(state == "success", f"task {state} after 60 looks; its job runs on")
        stock.end()
    row.check_ours(*outcome(ours, ended(ours)))
