"""The whole way, through the real Airflow and the local AWS: images in, predictions out, nothing paid for twice.

The tests share one set of services and build on each other, in the order of the file.
"""

import contextlib
import json
import os
import signal
import sqlite3

import pytest

from image_classifier.aws import names
from laptop import demo, images, supervisor
from laptop.airflow_api import AirflowApi
from laptop.follow import Run
from laptop.old_runs import WATCH, remove_old_runs

pytestmark = pytest.mark.timeout(600)

CLASSIFIER = "digits"
DAG_ID = f"{CLASSIFIER}_train_and_deploy"


def run_dag(place, dag_id=DAG_ID, params=None) -> tuple[AirflowApi, str]:
    api = AirflowApi(place)
    api.await_dag(dag_id)
    run = Run(api, dag_id, api.trigger(dag_id, params or {}))
    state = run.follow(epochs=lambda: iter(()))
    assert state == "success", run.explain_failure()
    return api, run.run_id


def predictions_of_held_out_digits(place, digits) -> list[tuple[str, str | None]]:
    aws = demo.Aws(place)
    uploads = [demo.upload(aws, CLASSIFIER, label, file) for label, file in digits.uploads]
    records = demo.await_records(aws, CLASSIFIER, uploads)
    return [(upload.true_class, records[upload.key].label) for upload in uploads]


def key_of(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[2]


def training_jobs(place) -> list[str]:
    pages = demo.Aws(place).sagemaker.get_paginator("list_training_jobs").paginate()
    return [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]


@pytest.fixture(scope="module")
def digits(place):
    return images.digits(place)


@pytest.fixture(scope="module")
def first_run(services, digits):
    return run_dag(services)


def test_a_trained_model_answers_uploads(services, digits, first_run):
    answers = predictions_of_held_out_digits(services, digits)

    assert len(answers) == 20
    assert sum(label == predicted for label, predicted in answers) >= 19, answers


def test_a_model_is_evaluated_decided_on_and_registered_before_it_serves(services, first_run):
    api, run_id = first_run
    aws = demo.Aws(services)

    evaluated = api.result(DAG_ID, run_id, "evaluate.write_report")

    assert evaluated["accuracy"]["of"] > 100
    assert evaluated["accuracy"]["value"] > 0.9
    assert "<html" in aws.s3.get_object(Bucket=aws.bucket, Key=key_of(evaluated["page"]))["Body"].read().decode()
    [decision] = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=f"{CLASSIFIER}/promotions/")["Contents"]
    assert json.loads(aws.s3.get_object(Bucket=aws.bucket, Key=decision["Key"])["Body"].read())["verdict"] == "promote"
    [version] = aws.sagemaker.list_model_packages(ModelPackageGroupName=f"image-classifier-{CLASSIFIER}")[
        "ModelPackageSummaryList"
    ]
    assert version["ModelApprovalStatus"] == "Approved"


def test_the_task_that_trains_shows_the_accuracy_of_its_epochs(services, first_run):
    api, run_id = first_run

    log = "\n".join(api.log(DAG_ID, run_id, "train.train_model", try_number=1))

    assert "Validation-accuracy=" in log


def test_the_watch_dag_restores_the_trigger_and_classifies_what_was_missed(services, digits, first_run):
    aws = demo.Aws(services)
    aws.s3.put_bucket_notification_configuration(Bucket=aws.bucket, NotificationConfiguration={})
    label, file = digits.uploads[0]
    missed = demo.upload(aws, CLASSIFIER, label, file, name="missed.png")

    run_dag(services, WATCH, {"grace_s": 0})

    assert demo.await_records(aws, CLASSIFIER, [missed])[missed.key].label == label
    [trigger] = aws.s3.get_bucket_notification_configuration(Bucket=aws.bucket)["LambdaFunctionConfigurations"]
    assert trigger["Id"] == f"image-classifier-{CLASSIFIER}"


def test_old_runs_of_the_watch_dag_are_removed_and_no_others(services, first_run):
    api, run_id = first_run
    _, newest = run_dag(services, WATCH)
    with contextlib.closing(sqlite3.connect(services.airflow_home / "airflow.db", timeout=60)) as database, database:
        for table in ("dag_run", "task_instance"):
            older = f"UPDATE {table} SET start_date = '2020' || substr(start_date, 5) WHERE run_id <> ?"
            database.execute(older, (newest,))

    remove_old_runs(services)

    left = api.call("GET", f"/api/v2/dags/{WATCH}/dagRuns")["dag_runs"]  # Airflow keeps the last that was scheduled
    assert [run["dag_run_id"] for run in left if run["run_type"] == "manual"] == [newest]
    assert api.run_state(DAG_ID, run_id) == "success"
    assert api.result(DAG_ID, run_id, "evaluate.write_report")


def test_a_second_run_trains_nothing(services, first_run):
    before = training_jobs(services)

    api, run_id = run_dag(services)

    assert training_jobs(services) == before
    assert api.result(DAG_ID, run_id, "train.train_model")["outcome"] == "reused"


def test_what_was_trained_survives_a_kill_of_everything(services, digits, first_run):
    os.kill(supervisor.is_running(services), signal.SIGKILL)

    supervisor.start(services)

    answers = predictions_of_held_out_digits(services, digits)
    assert sum(label == predicted for label, predicted in answers) >= 19, answers


def test_after_teardown_nothing_of_the_classifier_is_left(services, first_run):
    run_dag(services, "image_classifier_teardown", {"classifier": CLASSIFIER, "confirm": CLASSIFIER})

    aws = demo.Aws(services)
    assert aws.sagemaker.list_endpoints()["Endpoints"] == []
    versions = aws.s3.list_object_versions(Bucket=aws.bucket, Prefix=names.Keys(CLASSIFIER).root)
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions
