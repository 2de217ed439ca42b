"""Checks the steps that deploy an earlier model again."""

from types import SimpleNamespace

import pytest

from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.connect.deployment import Deployment, read_deployment, write_deployment
from image_classifier.contracts.errors import ClassifierFileError, DatasetError, ObjectGoneError, ResourceBusyError
from image_classifier.contracts.labels import labels_document
from image_classifier.promote import registry
from image_classifier_airflow.steps import clients, roll_back

BUCKET = "a-bucket"
ALIAS_ARN = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets:live"
PLAN = {
    "training_job": "job-1",
    "endpoint_config": {
        "EndpointConfigName": "config-1",
        "ProductionVariants": [{"InitialInstanceCount": 1, "InstanceType": "ml.c5.large"}],
    },
}


@pytest.mark.parametrize(("deployed", "recorded"), [("queue", "queue"), (None, "paused")])
def test_a_roll_back_keeps_the_trigger_that_is_deployed(aws, monkeypatch, deployed, recorded):
    pets = Classifier(name="pets", source="pets").revised({"trigger": "paused"})
    monkeypatch.setattr(roll_back, "classifier_of", lambda _: pets)
    monkeypatch.setattr(roll_back, "announce_endpoint", lambda *_: None)
    monkeypatch.setattr(clients, "hosting_price", lambda _: lambda _: None)
    if deployed:
        before = Deployment(
            classifier="pets",
            training_job="job-2",
            endpoint_config="config-2",
            function_version="2",
            alias_arn=ALIAS_ARN,
            bucket=BUCKET,
            trigger_mode=deployed,
        )
        write_deployment(aws.s3, before)

    roll_back.record_deployment({"version": "1", "alias_arn": ALIAS_ARN}, PLAN, {"classifier": "pets"})

    stored = read_deployment(aws.s3, bucket=BUCKET, classifier="pets")
    assert (stored.training_job, stored.trigger_mode) == ("job-1", recorded)


GROUP = "image-classifier-pets"
PETS = Classifier(name="pets", source="pets")
JOBS = {1: ("job-1", "Approved"), 2: ("job-2", "Approved"), 3: ("job-3", "Rejected")}
PARAMS = {"classifier": "pets", "version": None, "reason": None}


def at_work(active, run_id):
    counts = {"get_dr_count": lambda *, dag_id, states: active, "get_ti_count": lambda **_: 0}
    return SimpleNamespace(run_id=run_id, **counts)


def deployed(s3, training_job, **fields):
    found = Deployment(
        classifier="pets",
        training_job=training_job,
        endpoint_config="config-2",
        function_version="2",
        alias_arn=ALIAS_ARN,
        bucket=BUCKET,
        **fields,
    )
    write_deployment(s3, found)


@pytest.fixture
def registered(aws, monkeypatch):
    """Three versions, of which the second serves; a prepared image; the objects of the first model."""
    monkeypatch.setattr(roll_back, "classifier_of", lambda _: PETS)
    known = [registry.Version(f"arn:version/{number}", number, *JOBS[number]) for number in (3, 2, 1)]
    monkeypatch.setattr(registry, "versions", lambda _, *, group: known if group == GROUP else [])
    artifact = f"s3://{BUCKET}/pets/models/job-1/output/model.tar.gz"
    monkeypatch.setattr(
        registry,
        "trained_model",
        lambda _, version: registry.TrainedModel(version.training_job, "image", artifact, "builtin"),
    )
    deployed(aws.s3, "job-2")
    aws.s3.put_object(Bucket=BUCKET, Key="pets/models/job-1/output/model.tar.gz", Body=b"model")
    aws.s3.put_object(Bucket=BUCKET, Key="pets/models/job-1/model.json", Body=labels_document(["cat", "dog"]))
    aws.s3.put_object(Bucket=BUCKET, Key="pets/dataset/validation/cat/a.jpg", Body=b"image")
    return aws.s3


def plan(active=0, run_id="run", **params):
    return roll_back.plan({**PARAMS, **params}, at_work(active, run_id))


def test_the_newest_approved_version_that_is_not_live_is_deployed_again(registered):
    planned = plan()

    assert (planned["training_job"], planned["version"], planned["left"]) == (
        "job-1",
        "arn:version/1",
        ["arn:version/2"],
    )
    assert planned["model"]["PrimaryContainer"]["Image"] == "image"
    assert planned["endpoint"]["EndpointConfigName"] == planned["endpoint_config"]["EndpointConfigName"]
    assert planned["function"]["environment"]["TRAINING_JOB"] == "job-1"
    assert planned["sample"] == {"bucket": BUCKET, "key": "pets/dataset/validation/cat/a.jpg", "num_classes": 2}


@pytest.mark.parametrize("named", [None, "1", "job-1"])
def test_a_cleared_run_that_marked_no_version_does_not_turn_round(registered, monkeypatch, named):
    monkeypatch.setattr(roll_back, "announce_endpoint", lambda *_: None)
    monkeypatch.setattr(clients, "hosting_price", lambda _: lambda _: None)
    first = plan(version=named)
    roll_back.record_deployment({"version": "1", "alias_arn": ALIAS_ARN}, first, PARAMS)

    assert plan(version=named) == first


@pytest.mark.parametrize("named", [None, "1", "job-1"])
def test_a_cleared_run_that_marked_its_versions_goes_back_no_further(registered, monkeypatch, named):
    monkeypatch.setattr(roll_back, "announce_endpoint", lambda *_: None)
    monkeypatch.setattr(clients, "hosting_price", lambda _: lambda _: None)
    marked = [
        registry.Version(f"arn:version/{number}", number, f"job-{number}", approval)
        for number, approval in ((3, "Rejected"), (2, "Rejected"), (1, "Approved"), (0, "Approved"))
    ]
    first = plan(version=named)
    roll_back.record_deployment({"version": "1", "alias_arn": ALIAS_ARN}, first, PARAMS)
    monkeypatch.setattr(registry, "versions", lambda _, *, group: marked)

    assert plan(version=named) == first
    if named is None:
        registered.put_object(Bucket=BUCKET, Key="pets/models/job-0/model.json", Body=labels_document(["cat", "dog"]))
        assert plan(run_id="another")["training_job"] == "job-0"


def test_a_person_may_return_to_a_model_at_once_that_a_run_left(registered, monkeypatch):
    monkeypatch.setattr(roll_back, "announce_endpoint", lambda *_: None)
    monkeypatch.setattr(clients, "hosting_price", lambda _: lambda _: None)
    roll_back.record_deployment({"version": "1", "alias_arn": ALIAS_ARN}, plan(), PARAMS)
    registered.put_object(Bucket=BUCKET, Key="pets/models/job-2/model.json", Body=labels_document(["cat", "dog"]))

    returned = plan(version="2", run_id="another")

    assert (returned["training_job"], returned["left"]) == ("job-2", ["arn:version/1"])


def test_a_run_after_one_that_marked_its_versions_leaves_the_live_model(registered):
    deployed(registered, "job-1", went_back_from="job-3")  # which is rejected
    registered.put_object(Bucket=BUCKET, Key="pets/models/job-2/model.json", Body=labels_document(["cat", "dog"]))

    assert plan()["training_job"] == "job-2"


def test_a_person_may_name_a_version_that_was_rejected(registered):
    registered.put_object(Bucket=BUCKET, Key="pets/models/job-3/model.json", Body=labels_document(["cat", "dog"]))

    assert plan(version=" 3 ")["training_job"] == "job-3"


def test_nothing_is_planned_while_a_run_may_change_the_deployment(registered):
    with pytest.raises(ResourceBusyError, match="pets_train_and_deploy is active"):
        plan(active=1)


def test_without_a_deployment_there_is_nothing_to_go_back_from(registered):
    registered.delete_object(Bucket=BUCKET, Key=Keys("pets").deployment)

    with pytest.raises(ClassifierFileError, match="No deployment of pets is recorded"):
        plan()


@pytest.mark.parametrize("gone", ["model.json", "output/model.tar.gz"])
def test_a_model_whose_files_were_deleted_is_not_deployed(registered, gone):
    registered.delete_object(Bucket=BUCKET, Key=f"pets/models/job-1/{gone}")

    with pytest.raises(ObjectGoneError, match=f"pets/models/job-1/{gone} is not there"):
        plan()


def test_without_a_prepared_image_the_endpoint_cannot_be_asked(registered):
    registered.delete_object(Bucket=BUCKET, Key="pets/dataset/validation/cat/a.jpg")

    with pytest.raises(DatasetError, match="holds no image to ask the endpoint about"):
        plan()


@pytest.mark.parametrize(("reason", "told"), [(" too slow ", "too slow"), (None, "no reason was given")])
def test_the_version_that_is_left_is_rejected_with_the_reason(aws, monkeypatch, reason, told):
    noted = []
    monkeypatch.setattr(registry, "set_approval", lambda _, arn, *, status, why: noted.append((arn, status, why)))

    marked = {"aws_conn_id": "aws_default", "version": "arn:1", "left": ["arn:2", "arn:3"]}
    roll_back.mark_versions(marked, {**PARAMS, "reason": reason})

    left = [(arn, "Rejected", f"{registry.LEFT}{told}") for arn in ("arn:2", "arn:3")]
    assert noted == [("arn:1", "Approved", "A person went back to this model."), *left]
