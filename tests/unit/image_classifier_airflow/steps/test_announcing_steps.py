"""Checks that a task that fails and is tried again still announces its version to other Dags."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from airflow.sdk.execution_time.context import OutletEventAccessors
from tests.unit.image_classifier_airflow import made
from tests.unit.image_classifier_airflow.made import DATASET

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import StorageError
from image_classifier.contracts.labels import labels_document
from image_classifier_airflow.assets import CHANGES
from image_classifier_airflow.params import train_params
from image_classifier_airflow.steps import clients, roll_back
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps
from image_classifier_airflow.steps.train_and_deploy import Steps

PETS = Classifier(name="pets", source="pets")
JOB = made.job("image-classifier-pets-ffffffff-00000000")
PARAMS = {name: param.value for name, param in train_params(PETS).items()}
RUN = SimpleNamespace(start_date=datetime(2026, 11, 28, tzinfo=UTC))
FUNCTION = {"version": "1", "alias_arn": "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets:live"}
CONFIG = {
    "EndpointConfigName": "config-1",
    "ProductionVariants": [{"InitialInstanceCount": 1, "InstanceType": "ml.c5.large"}],
}


def refuse(*_, **__):
    raise StorageError("S3 does not answer")


def announced_by_the_second_try(step, monkeypatch, *failing):
    """Call a step twice, the first time with a call of it that fails; return the versions that the second announces."""
    with monkeypatch.context() as first:
        first.setattr(*failing, refuse)
        with pytest.raises(StorageError):
            step(OutletEventAccessors())
    events = OutletEventAccessors()
    step(events)
    return [event.extra["version"] for event in events[CHANGES].asset_alias_events]


def test_a_deployment_whose_record_was_not_stored_is_announced(aws, monkeypatch):
    announced = announced_by_the_second_try(
        lambda events: Steps(PETS).record_deployment(FUNCTION, CONFIG, JOB, events),
        monkeypatch,
        "image_classifier.connect.deployment.write_deployment",
    )

    assert announced == ["config-1"]


def test_a_roll_back_whose_record_was_not_stored_is_announced(aws, monkeypatch):
    monkeypatch.setattr(roll_back, "classifier_of", lambda _: PETS)
    monkeypatch.setattr(clients, "hosting_price", lambda _: lambda _: None)
    plan = {"training_job": "job-1", "endpoint_config": CONFIG}

    announced = announced_by_the_second_try(
        lambda events: roll_back.record_deployment(FUNCTION, plan, {"classifier": "pets"}, events),
        monkeypatch,
        "image_classifier.connect.deployment.write_deployment",
    )

    assert announced == ["config-1"]


def test_a_model_whose_approval_failed_is_announced(aws, bucket, monkeypatch):
    aws.s3.put_object(Bucket=bucket, Key=DATASET["labels_key"], Body=labels_document(["cat", "dog"]))
    steps, dataset = EvaluationSteps(PETS), {**DATASET, "num_test_samples": 0}
    plan = steps.plan_evaluation(dataset, JOB, PARAMS)

    announced = announced_by_the_second_try(
        lambda events: steps.decide(dataset, JOB, plan, PARAMS, RUN, SimpleNamespace(), events),
        monkeypatch,
        "image_classifier.promote.registry.set_approval",
    )

    assert announced == [JOB["training_job"]]


def test_a_model_whose_decision_was_not_handed_on_is_announced(aws, monkeypatch, tested):
    tested(DATASET, {JOB["training_job"]: lambda number: number % 10 != 0})
    steps, task = EvaluationSteps(PETS), SimpleNamespace(xcom_push=lambda **_: None)
    plan = steps.plan_evaluation(DATASET, JOB, PARAMS)
    steps.write_report(DATASET, JOB, {"HyperParameters": {"epochs": "3"}}, plan, PARAMS)

    announced = announced_by_the_second_try(
        lambda events: steps.decide(DATASET, JOB, plan, PARAMS, RUN, task, events), monkeypatch, task, "xcom_push"
    )

    assert announced == [JOB["training_job"]]
