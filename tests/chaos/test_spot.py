"""Checks that an interrupted managed spot job continues from its checkpoint."""

import re

import pytest
from tests.chaos.airflow_runs import FINISHED
from tests.chaos.trials import TASK, Trial

pytestmark = pytest.mark.timeout(900)

EPOCHS = 6
LOG_GROUP = "/aws/sagemaker/TrainingJobs"


def epochs(trial: Trial) -> list[list[int]]:
    """Return the epochs in the log, for each instance."""
    logs = trial.aws.logs
    streams = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{trial.name}/")["logStreams"]
    found = []
    for stream in sorted(stream["logStreamName"] for stream in streams):
        answer = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True)
        said = "\n".join(event["message"] for event in answer["events"])
        found.append([int(number) for number in re.findall(r"Epoch\[(\d+)\] Train-accuracy", said)])
    return found


def outcome(trial: Trial, state: str) -> tuple[bool, str]:
    first, *later = epochs(trial) or [[]]
    goes_on = len(later) == 1 and bool(later[0]) and later[0][0] > 0 and later[0][-1] == EPOCHS - 1
    return state == "success" and goes_on, f"task {state}; epochs {first}, then {later}"


def test_an_interrupted_spot_job_continues_from_its_checkpoint(trials, aws, faults, row):
    where = {"TrainingJobName": "*-spot-*"}
    faults({"fault": "interrupt_spot", "after_epochs": 2, "where": where, "times": 2})
    pair = [
        trials.begin(
            side,
            "spot",
            hyperparameters={"epochs": str(EPOCHS)},
            EnableManagedSpotTraining=True,
            CheckpointConfig={"S3Uri": f"s3://{aws.bucket}/seed/checkpoints/{side}/"},
            StoppingCondition={"MaxRuntimeInSeconds": 900, "MaxWaitTimeInSeconds": 900},
        )
        for side in ("ours", "stock")
    ]

    ours, stock = (trial.run.await_task(TASK, FINISHED) for trial in pair)

    with row.baseline():
        row.set_stock(*outcome(pair[1], stock))
    row.check_ours(*outcome(pair[0], ours))
