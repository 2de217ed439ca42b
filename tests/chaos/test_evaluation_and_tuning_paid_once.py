"""Checks that a kill during a tuning or transform job, or before the promotion, starts no second job."""

from typing import Any

import pytest
from tests.chaos.airflow_runs import FINISHED, Run, until

pytestmark = pytest.mark.timeout(1500)

TASK = "job"
SLOW_S = 40
CREATED = {"tuning": "CreateHyperParameterTuningJob", "transform": "CreateTransformJob"}


def tuning_request(planned: dict[str, Any], name: str) -> dict[str, Any]:
    """A search with two training jobs at once, of the request that the shipped Dag has planned."""
    fixed = {key: value for key, value in planned["HyperParameters"].items() if key != "learning_rate"}
    shared = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    rate = {"Name": "learning_rate", "MinValue": "0.01", "MaxValue": "0.1", "ScalingType": "Linear"}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [rate]},
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": fixed,
            **{key: planned[key] for key in (*shared, "StoppingCondition")},
        },
        "Tags": planned["Tags"],
    }


OURS, STOCK = "image-classifier-", "image-classifier-stock-"  # Airflow's role may create jobs with such names alone


def created(aws, operation: str) -> dict[str, int]:
    """How many jobs each side has asked for, and got."""
    stock = aws.calls(operation, STOCK)
    return {"stock": stock, "ours": aws.calls(operation, OURS) - stock}


def check_kill(airflow, aws, row, *, kind: str, configs: dict[str, dict[str, Any]]) -> None:
    """Give each side its config, kill its task's process once its job is there, and check how it ends."""
    operation, before = CREATED[kind], created(aws, CREATED[kind])
    runs = {
        side: airflow.ordered_run(f"{side}_{kind}", f"killed-{kind}", conf={"config": configs[side]})
        for side in configs
    }

    def made(side: str) -> int:
        return created(aws, operation)[side] - before[side]

    for side, run in runs.items():
        until(lambda side=side: made(side), seconds=300, what=f"a {kind} job of {side}")
        run.kill_process(TASK)

    ended = {side: run.await_task(TASK, FINISHED, seconds=600) for side, run in runs.items()}
    told = {side: f"task {ended[side]}; {made(side)} {operation}" for side in runs}
    passed = {side: ended[side] == "success" and made(side) == 1 for side in runs}
    row.set_stock(passed["stock"], told["stock"])
    row.check_ours(passed["ours"], told["ours"])


def test_a_task_that_is_killed_while_it_tunes_pays_once(airflow, aws, planned, faults, row):
    faults({"fault": "slow_download", "seconds": SLOW_S, "times": None})
    search = tuning_request(planned, f"{STOCK}search")
    ours = {"request": search, "alternatives": [], "classifier": "ours", "training_job": "first", "force": False}

    check_kill(airflow, aws, row, kind="tuning", configs={"stock": search, "ours": ours})


@pytest.fixture(scope="module")
def between(airflow) -> Run:
    """A run whose model has its report."""
    run = airflow.ordered_run("between_train_and_deploy", "between", conf={})
    assert run.await_task("evaluate.write_report", FINISHED, seconds=900) == "success", run.explain()
    return run


def test_a_scheduler_that_is_killed_before_the_promotion_pays_once(between, aws, services, row):
    services.restart("scheduler")

    state = between.await_end(seconds=1200)
    training, transform = (aws.calls(f"Create{kind}Job", f"{OURS}between-") for kind in ("Training", "Transform"))
    told = f"run {state}; {training} CreateTrainingJob, {transform} CreateTransformJob"
    row.check_ours(state == "success" and (training, transform) == (1, 1), told)


def test_a_task_that_is_killed_while_it_scores_pays_once(between, airflow, aws, faults, row):
    faults({"fault": "slow_download", "seconds": SLOW_S, "times": None, "operation": "CreateTransformJob"})
    planned = between.api.result(between.dag_id, between.run_id, "evaluate.plan_evaluation")["candidate"]["request"]
    output = planned["TransformOutput"]["S3OutputPath"].removesuffix("output")
    requests = {
        side: {**planned, "TransformOutput": {"S3OutputPath": f"{output}{side}/output"}} for side in ("stock", "ours")
    }
    stock = {**requests["stock"], "TransformJobName": f"{STOCK}scoring"}
    ours = {"request": requests["ours"], "classifier": "ours", "time_limit_s": 900}

    check_kill(airflow, aws, row, kind="transform", configs={"stock": stock, "ours": ours})
