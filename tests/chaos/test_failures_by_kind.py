"""Checks that only failures that a retry can resolve are retried, and that other failures are billed once."""

import pytest
from tests.chaos.airflow_runs import FINISHED
from tests.chaos.trials import TASK, Trial

pytestmark = pytest.mark.timeout(900)

FIRST, SECOND = "ml.g4dn.xlarge", "ml.g5.xlarge"


def types_of(jobs) -> list[str]:
    return [job["ResourceConfig"]["InstanceType"] for job in jobs if job["TrainingJobStatus"] == "Completed"]


def test_a_quota_error_on_the_first_machine_type_takes_the_second(airflow, aws, trials, faults, row):
    faults({"fault": "quota", "operation": "CreateTrainingJob", "instance_type": FIRST, "limit": 0})
    run = airflow.ordered_run("quota_train_and_deploy", "quota", conf={})
    stock = trials.begin("stock", "quota", instance_type=FIRST)

    with row.baseline():
        state = stock.run.await_task(TASK, FINISHED)
        row.set_stock(state == "success", f"task {state}, the one request three times")
    state = run.await_task("train.train_model", FINISHED)
    trained_on = types_of(aws.jobs("image-classifier-quota-"))
    run.give_up()
    row.check_ours(state == "success" and trained_on == [SECOND], f"task {state}; trained on {', '.join(trained_on)}")


def attempts(trial: Trial, state: str) -> tuple[bool, str]:
    jobs = trial.aws.jobs(trial.name)
    found = f"task {state}; {len(jobs)} job(s): {jobs[0].get('FailureReason', '')[:90]}"
    return state == "failed" and len(jobs) == 1, found


def test_a_mistake_that_only_the_container_finds_is_paid_for_once(trials, row):
    pair = trials.pair("mistake", hyperparameters={"num_training_samples": "1"})

    ours, stock = (trial.run.await_task(TASK, FINISHED) for trial in pair)

    with row.baseline():
        row.set_stock(*attempts(pair[1], stock))
    row.check_ours(*attempts(pair[0], ours))
