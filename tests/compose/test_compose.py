"""Checks docker-compose.yaml on a real Docker engine, from nothing to predictions: `make compose-test`.

Runs are triggered through Airflow's REST API. The tests build on each other, in the order of the file.
"""

import pytest

from laptop import demo
from laptop.airflow_api import AirflowApi
from laptop.demo import await_records, upload
from laptop.follow import FINISHED, Run
from laptop.images import choose_uploads

pytestmark = pytest.mark.timeout(3600)

CLASSIFIER = "digits"
DAG_ID = f"{CLASSIFIER}_train_and_deploy"
LOCAL_EXECUTOR = ["api-server", "scheduler", "dag-processor", "triggerer", "postgres", "local-aws"]


@pytest.fixture(scope="module")
def place(stack):
    stack.up("--build")
    return stack.place()


@pytest.fixture(scope="module")
def unseen(stack, place):
    """Twenty images that no model was trained on, copied out of the containers."""
    stack.compose("cp", "scheduler:/opt/airflow/data/held-out", str(place.held_out))
    return choose_uploads(place.held_out / CLASSIFIER)


def trigger(place, **params) -> Run:
    api = AirflowApi(place)
    api.await_dag(DAG_ID)
    return Run(api, DAG_ID, api.trigger(DAG_ID, params))


def follow_to_success(run) -> None:
    assert run.follow(epochs=lambda: iter(())) == "success", run.explain_failure()


def has_ended(run) -> bool:
    return run.api.run_state(DAG_ID, run.run_id) in FINISHED


def right_answers(place, unseen) -> int:
    aws = demo.Aws(place)
    uploads = [upload(aws, CLASSIFIER, label, file) for label, file in unseen]
    records = await_records(aws, CLASSIFIER, uploads)
    return sum(records[sent.key].label == sent.true_class for sent in uploads)


def test_twenty_uploads_are_answered_after_one_run(place, unseen):
    follow_to_success(trigger(place))

    assert len(unseen) == 20
    assert right_answers(place, unseen) >= 19


def test_every_container_may_restart_during_a_run(stack, place, unseen):
    aws = demo.Aws(place)
    run, sent = trigger(place, force_retrain=True), []
    for service, (label, file) in zip(LOCAL_EXECUTOR, unseen, strict=False):
        if has_ended(run):
            follow_to_success(run)
            run = trigger(place, force_retrain=True)
        sent.append(upload(aws, CLASSIFIER, label, file))
        stack.restart(service)
    follow_to_success(run)

    assert set(await_records(aws, CLASSIFIER, sent)) == {item.key for item in sent}
    assert right_answers(place, unseen) >= 19


def test_two_workers_share_the_tasks_of_a_run_and_leave_their_logs_in_s3(stack, place, unseen):
    aws = demo.Aws(place)
    stack.compose("down")
    stack.write_env(
        COMPOSE_PROFILES="local-aws,celery",
        AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
        REMOTE_LOGS=f"s3://{aws.bucket}/_airflow/logs",
    )
    stack.up("--scale", "worker=2")
    run = trigger(stack.place(), force_retrain=True)
    follow_to_success(run)

    workers = {name[:12] for name in stack.compose("ps", "--quiet", "worker").split()}
    assert len(workers) == 2
    ran = [task for task in run.api.tasks(DAG_ID, run.run_id) if task["hostname"]]
    assert {task["hostname"] for task in ran} == workers
    written = aws.s3.get_waiter("object_exists")  # a worker writes a log after it has told Airflow of the task's end
    for task in ran:
        log = f"dag_id={DAG_ID}/run_id={run.run_id}/task_id={task['task_id']}/attempt=1.log"
        written.wait(Bucket=aws.bucket, Key=f"_airflow/logs/{log}", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert right_answers(place, unseen) >= 19


@pytest.mark.parametrize("service", ["redis", "worker"])
def test_broker_and_workers_may_be_restarted_too(stack, place, service):
    run = trigger(place, force_retrain=True)
    stack.restart(service)
    follow_to_success(run)


def test_down_leaves_nothing(stack):
    stack.compose("--profile", "*", "down", "--volumes")

    assert {kind: stack.left(kind) for kind in ("container", "volume", "network")} == {
        "container": [],
        "volume": [],
        "network": [],
    }
