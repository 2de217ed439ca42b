"""Checks that a classifier of release 0.1 keeps its names and is registered, and the rule for its next model."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.unit.image_classifier_airflow import made

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect.function_configuration import function_configuration
from image_classifier.contracts.labels import labels_document, labels_sha256
from image_classifier.deploy.endpoint import endpoint_request
from image_classifier.deploy.endpoint_config import endpoint_config_request
from image_classifier.deploy.model import model_request
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier.promote import registry
from image_classifier.train.job_request import training_job_request
from image_classifier_airflow.params import train_params
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps

BUCKET, ROLE = "a-bucket", "arn:aws:iam::123456789012:role"
FINGERPRINT = "10419e63ed147f34"  # that release 0.1 gave to "no split" of test_recorded_fingerprints.py
SETTINGS = Settings(
    bucket=BUCKET,
    sagemaker_role_arn=f"{ROLE}/sm",
    function_role_arn=f"{ROLE}/fn",
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:q",
    algorithm_image="123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1",
)
CLASSIFIERS = {
    "digits": {
        "hyperparameters": {
            "num_layers": 20,
            "image_shape": "3,20,20",
            "optimizer": "nag",
            "epochs": 7,
            "mini_batch_size": 32,
            "learning_rate": 0.05,
            "lr_scheduler_step": "5",
            "weight_decay": 0.002,
        }
    },
    "pets": {},
    "own": {
        "algorithm": "own",
        "training": {"instance_type": "ml.m5.xlarge"},
        "hyperparameters": {"epochs": 3, "image_shape": "3,64,64"},
        "tags": {"team": "a"},
        "kms_keys": {"endpoint_volume": "alias/k"},
        "network_isolation": True,
        "vpc_config": {"security_group_ids": ["sg-1"], "subnets": ["subnet-1"]},
    },
}
# What release 0.1 named training job, model and endpoint config of these classifiers.
RECORDED = {
    "digits": ("10419e63-44229d81", "48719aa7daedef17", "3cb6c017fb16e45e"),
    "pets": ("10419e63-bb9a8f4a", "4e6583d18fcf4778", "0fe8b3c1a419d591"),
    "own": ("10419e63-34f626c0", "0b8c25b52288c328", "b7f7bfdacda96910"),
}
PETS = Classifier(name="pets", source="pets")
OLD_JOB = "image-classifier-pets-10419e63-bb9a8f4a"
NEW_JOB = "image-classifier-pets-ffffffff-bb9a8f4a"
RUN = SimpleNamespace(start_date=datetime(2026, 11, 28, tzinfo=UTC))
VERSIONS = "pets/dataset/versions"
DATASET = {**made.DATASET, "labels_sha256": labels_sha256(["cat", "dog"])}
JOB = made.job(NEW_JOB)


def prepared(name):
    root = f"s3://{BUCKET}/{name}/dataset"
    return PreparedDataset(
        fingerprint=FINGERPRINT,
        labels_key="k",
        labels_sha256="0" * 64,
        num_classes=2,
        num_training_samples=190,
        num_validation_samples=48,
        train_uri=f"{root}/train/",
        validation_uri=f"{root}/validation/",
        train_lst_uri=f"{root}/versions/{FINGERPRINT}/train_lst/",
        validation_lst_uri=f"{root}/versions/{FINGERPRINT}/validation_lst/",
        report_key="r",
        check_images=(),
        uploaded=0,
        unchanged=0,
        rejected=0,
    )


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_job_model_config_endpoint_and_function_keep_the_names_of_0_1(name):
    classifier = Classifier(name=name, source="pets", **CLASSIFIERS[name])
    training = training_job_request(classifier, settings=SETTINGS, region="us-east-1", dataset=prepared(name))
    job = training["TrainingJobName"]
    model = model_request(
        classifier,
        settings=SETTINGS,
        training_job=job,
        model_artifact=f"s3://{BUCKET}/{name}/models/{job}/output/model.tar.gz",
        image=training["AlgorithmSpecification"]["TrainingImage"],
    )
    config = endpoint_config_request(classifier, training_job=job, model=model)
    config_name = config["EndpointConfigName"]
    endpoint = endpoint_request(classifier, endpoint_config=config_name)
    function = function_configuration(classifier, settings=SETTINGS, training_job=job, endpoint_config=config_name)

    prefix = f"image-classifier-{name}"
    assert (job, model["ModelName"], config_name) == tuple(f"{prefix}-{recorded}" for recorded in RECORDED[name])
    assert (endpoint["EndpointName"], function.name) == (prefix, prefix)


@pytest.fixture
def deployed(aws, tested):
    """What 0.1 left: an endpoint, its model and model.json, and a version without manifest and test images.

    The new model answers 70% of the new version's test images right; the old one has learned from all of them.
    """
    deploy_as_0_1(aws.s3, aws.sagemaker)
    tested(DATASET, {NEW_JOB: lambda number: number % 10 > 2, OLD_JOB: lambda _: True})
    return aws


def deploy_as_0_1(s3, sagemaker):
    version = f"{VERSIONS}/{FINGERPRINT}/"
    s3.put_object(Bucket=BUCKET, Key=f"{version}train_lst/train.lst", Body=b"0\t0.0\tcat/a.jpg\n")
    s3.put_object(Bucket=BUCKET, Key=f"pets/models/{OLD_JOB}/model.json", Body=labels_document(["cat", "dog"]))
    model = model_request(
        PETS,
        settings=SETTINGS,
        training_job=OLD_JOB,
        model_artifact=f"s3://{BUCKET}/pets/models/{OLD_JOB}/output/model.tar.gz",
        image=JOB["image"],
    )
    config = endpoint_config_request(PETS, training_job=OLD_JOB, model=model)
    endpoint = endpoint_request(PETS, endpoint_config=config["EndpointConfigName"])
    sagemaker.create_model(**model)
    sagemaker.create_endpoint_config(**config)
    sagemaker.create_endpoint(**endpoint)


@pytest.fixture
def packages(monkeypatch):
    """The versions that are made; moto has no registry with ClientToken."""
    kept = {}

    def ensure(_, model, *, group, labels, report, report_uri):
        kept.setdefault(model.training_job, {"model": model, "labels": labels, "report": report})
        return model.training_job

    monkeypatch.setattr(registry, "ensure_group", lambda *_, **__: "group")
    monkeypatch.setattr(registry, "ensure_version", ensure)
    monkeypatch.setattr(registry, "find_version", lambda _, job, *, group: kept.get(job))
    monkeypatch.setattr(registry, "set_approval", lambda _, arn, *, status, why: kept[arn].update(status=status))
    monkeypatch.setattr(registry, "rejected_by_a_person", lambda *_, **__: None)
    return kept


def first_run():
    steps, params = EvaluationSteps(PETS), {name: param.value for name, param in train_params(PETS).items()}
    xcom = {}
    ti = SimpleNamespace(xcom_push=lambda *, key, value: xcom.update({key: value}))
    plan = steps.plan_evaluation(DATASET, JOB, params)
    steps.write_report(DATASET, JOB, {"HyperParameters": {}}, plan, params)
    return steps.decide(DATASET, JOB, plan, params, RUN, ti), xcom["decision"]


def test_the_first_model_after_the_upgrade_goes_live_as_a_first_model(deployed, packages):
    goes_live, told = first_run()

    decision = json.loads(deployed.s3.get_object(Bucket=BUCKET, Key=told["key"])["Body"].read())
    assert goes_live is True
    assert (decision["champion"], decision["basis"], decision["excluded"]) == (OLD_JOB, "first model", 120)
    assert "neither model has learned from" in decision["summary"]


def test_the_model_that_0_1_deployed_is_registered_once_and_approved(deployed, packages):
    for _ in range(2):
        first_run()

    assert list(packages) == [OLD_JOB, NEW_JOB]
    old = packages[OLD_JOB]
    assert (old["status"], old["report"], old["labels"]) == ("Approved", None, DATASET["labels_sha256"])
    assert old["model"].artifact == f"s3://{BUCKET}/pets/models/{OLD_JOB}/output/model.tar.gz"
    assert packages[NEW_JOB]["labels"] == DATASET["labels_sha256"]
