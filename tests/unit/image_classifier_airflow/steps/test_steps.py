"""Checks what the steps read from a run, and what they pass on."""

from types import SimpleNamespace

import pytest

from image_classifier.classifier import Classifier
from image_classifier.connect.deployment import Deployment, read_deployment, write_deployment
from image_classifier.contracts.errors import ResourceClashError
from image_classifier.contracts.labels import labels_document
from image_classifier.deploy.invocation import Answer
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier_airflow.params import train_params
from image_classifier_airflow.steps.train_and_deploy import Steps
from image_classifier_airflow.steps.waiting import count_waiting

DIGITS = Classifier(name="digits", source="digits", hyperparameters={"num_layers": 20, "image_shape": "3,28,28"})
BUCKET = "a-bucket"
RUN = "manual__2026-01-01T00:00:00+00:00"
JOB = {
    "training_job": "job-1",
    "model_artifact": f"s3://{BUCKET}/digits/models/job-1/output/model.tar.gz",
    "image": "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
}
DATASET = PreparedDataset(
    fingerprint="0123456789abcdef",
    labels_key="digits/dataset/versions/0123456789abcdef/labels.json",
    labels_sha256="0",
    num_classes=2,
    num_training_samples=64,
    num_validation_samples=32,
    train_uri=f"s3://{BUCKET}/digits/dataset/train/",
    validation_uri=f"s3://{BUCKET}/digits/dataset/validation/",
    train_lst_uri=f"s3://{BUCKET}/digits/dataset/versions/0123456789abcdef/train_lst/",
    validation_lst_uri=f"s3://{BUCKET}/digits/dataset/versions/0123456789abcdef/validation_lst/",
    report_key="digits/dataset/versions/0123456789abcdef/report.json",
    check_images=({"key": "digits/dataset/validation/7/a.jpg", "label": "7"},),
    uploaded=0,
    unchanged=96,
    rejected=0,
).model_dump(mode="json")


@pytest.fixture(autouse=True)
def deployment(bucket):
    """The settings are those of a deployment."""


@pytest.fixture
def s3(aws):
    return aws.s3


@pytest.fixture
def steps():
    return Steps(DIGITS)


def params(**changed):
    return {**{name: param.value for name, param in train_params(DIGITS).items()}, **changed}


def test_the_same_images_and_params_give_the_same_job_in_every_run(steps, s3):
    assert steps.plan_training(DATASET, params(), RUN) == steps.plan_training(DATASET, params(), RUN)


def test_another_param_gives_another_job(steps, s3):
    changed = steps.plan_training(DATASET, params(epochs=7), RUN)["config"]

    assert changed["HyperParameters"]["epochs"] == "7"
    assert changed["TrainingJobName"] != steps.plan_training(DATASET, params(), RUN)["config"]["TrainingJobName"]


def test_force_retrain_asks_for_the_same_job_and_says_that_it_is_forced(steps, s3):
    forced, ordinary = (steps.plan_training(DATASET, params(force_retrain=force), RUN) for force in (True, False))

    assert (forced["force"], ordinary["force"]) == (True, False)
    assert forced["config"] == ordinary["config"]


def test_a_forced_run_gets_a_search_of_its_own_too(s3):
    tuned = Classifier.model_validate({**DIGITS.model_dump(), "tuning": {"max_jobs": 2}})
    forced, ordinary = (
        Steps(tuned).plan_training(DATASET, train_params(tuned).dump() | {"force_retrain": force}, RUN)["tuning"]
        for force in (True, False)
    )

    assert (forced["force"], ordinary["force"]) == (True, False)
    assert forced["request"] == ordinary["request"]


@pytest.mark.parametrize("serves", [True, False])
def test_training_may_start_from_the_model_that_serves(s3, monkeypatch, serves):
    asked = []

    def from_champion(sagemaker, s3, request, *, champion):
        asked.append(champion)
        return SimpleNamespace(sentence="It starts there.", request={**request, "Environment": {"FROM": str(champion)}})

    serving = SimpleNamespace(training_job="job-0") if serves else None
    monkeypatch.setattr("image_classifier.deploy.serving.serving_model", lambda _, classifier: serving)
    monkeypatch.setattr("image_classifier.train.start_from.from_champion", from_champion)
    champion = DIGITS.revised({"training": {"start_from": "champion"}})

    planned = Steps(champion).plan_training(DATASET, params(), RUN)

    assert asked == ["job-0" if serves else None]
    assert planned["config"]["Environment"] == {"FROM": str(asked[0])}
    assert "Environment" not in Steps(DIGITS).plan_training(DATASET, params(), RUN)["config"]


def test_a_run_that_names_another_model_to_promote_ends_before_it_trains(steps, s3, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "image_classifier.promote.named.check_before_training", lambda *asks, **said: asked.append((asks[2], said))
    )
    steps.plan_training(DATASET, params(promote_version=" 3 "), RUN)
    steps.plan_training(DATASET, params(promote_version="3", force_retrain=True), RUN)
    steps.plan_training(DATASET, params(), RUN)

    assert [wanted for wanted, _ in asked] == ["3", "3"]
    assert [said["only_of_run"] for _, said in asked] == [None, ("digits_train_and_deploy", RUN)]
    assert asked[0][1]["planned"]["config"] == steps.plan_training(DATASET, params(), RUN)["config"]


def test_what_will_do_instead_goes_with_the_request(steps, s3):
    planned = steps.plan_training(
        DATASET, params(instance_type_fallbacks=["ml.g5.xlarge"], time_limit_s=900, accept_time_limit=True), RUN
    )

    assert [request["ResourceConfig"]["InstanceType"] for request in planned["alternatives"]] == ["ml.g5.xlarge"]
    assert planned["alternatives"][0]["StoppingCondition"] == {"MaxRuntimeInSeconds": 900}
    assert planned["accept_time_limit"] is True


def test_a_deployment_is_of_the_model_with_the_classifier_s_names(steps, s3):
    plan = steps.plan_deployment(DATASET, JOB, params())

    [variant] = plan["endpoint_config"]["ProductionVariants"]
    assert (variant["VariantName"], variant["ModelName"]) == ("job-1", plan["model"]["ModelName"])
    assert plan["sample"] == {"bucket": BUCKET, "key": "digits/dataset/validation/7/a.jpg", "num_classes": 2}
    assert plan["endpoint"]["EndpointConfigName"] == plan["endpoint_config"]["EndpointConfigName"]
    assert plan["function"]["environment"]["TRAINING_JOB"] == "job-1"


def test_an_endpoint_that_another_deployment_created_meanwhile_is_kept(steps, s3, monkeypatch):
    monkeypatch.setattr("image_classifier.plan.preflight.buckets_of_endpoint", lambda *_: {"another"})

    with pytest.raises(ResourceClashError, match="serves a model of s3://another"):
        steps.plan_deployment(DATASET, JOB, params())


def test_the_upload_trigger_is_for_what_people_put_below_incoming(steps, s3):
    trigger = steps.plan_deployment(DATASET, JOB, params())["upload_trigger"]

    assert (trigger["classifier"], trigger["bucket"], trigger["mode"]) == ("digits", BUCKET, "direct")
    assert trigger["failure_queue_arn"].endswith(":failures")


@pytest.mark.parametrize("mode", ["direct", "queue", "paused"])
def test_a_changed_trigger_of_the_file_is_set_for_what_is_deployed(aws, monkeypatch, mode):
    """It is set in every run, before a model is looked at, and once."""
    alias = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-digits:live"
    before = Deployment(
        classifier="digits",
        training_job="job-1",
        endpoint_config="config-1",
        function_version="3",
        alias_arn=alias,
        bucket=BUCKET,
        trigger_mode="direct",
    )
    write_deployment(aws.s3, before)
    done = []

    def note(functions, s3, sqs, *, wanted, alias_arn):
        done.append((functions, s3, sqs, wanted.mode, wanted.classifier, alias_arn))

    monkeypatch.setattr("image_classifier.connect.deployment.set_trigger", note)
    monkeypatch.setattr("image_classifier.connect.deployment.described", lambda _: {})
    changed = Steps(DIGITS.revised({"trigger": mode}))
    changed.apply_trigger()
    changed.apply_trigger()

    clients = (getattr(aws, "lambda"), aws.s3, aws.sqs)
    assert done == ([] if mode == "direct" else [(*clients, mode, "digits", alias)])
    stored = read_deployment(aws.s3, bucket=BUCKET, classifier="digits")
    assert stored == before.model_copy(update={"trigger_mode": mode})


def test_the_deployment_after_a_pause_says_when_the_pause_ended(aws, monkeypatch):
    """Images of the pause do not make the run red that ends it."""
    alias = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-digits:live"
    config = {
        "EndpointConfigName": "config-1",
        "ProductionVariants": [{"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}],
    }
    asked = []
    monkeypatch.setattr(
        "image_classifier.classify_existing.waiting.waiting_images", lambda *_, **given: asked.append(given)
    )
    for mode in ("paused", "direct"):
        steps = Steps(DIGITS.revised({"trigger": mode}))
        steps.record_deployment({"version": "1", "alias_arn": alias}, config, JOB)
    count_waiting(DIGITS)

    stored = read_deployment(aws.s3, bucket=BUCKET, classifier="digits")
    assert stored.trigger_mode == "direct"
    assert asked[0]["resumed_at"] == stored.resumed_at is not None


def test_as_many_models_stay_as_the_classifiers_file_says(s3, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        "image_classifier.deploy.old_models.delete_old_models",
        lambda _, **arguments: asked.update(arguments) or ["old"],
    )

    assert Steps(DIGITS.revised({"endpoint": {"keep_models": 5}})).delete_old_models() == ["old"]
    assert asked == {"classifier": "digits", "keep": 5}


def test_the_endpoint_is_invoked_with_the_known_images(steps, s3, monkeypatch, caplog):
    s3.put_object(Bucket=BUCKET, Key=DATASET["labels_key"], Body=labels_document(["7", "8"]))
    s3.put_object(Bucket=BUCKET, Key="digits/dataset/validation/7/a.jpg", Body=b"jpeg")
    sent = []

    def invoke(runtime_client, *, endpoint, image):
        sent.append((endpoint, image))
        return Answer([0.9, 0.1], JOB["training_job"])

    monkeypatch.setattr("image_classifier.deploy.invocation.invoke", invoke)
    monkeypatch.setattr("image_classifier_airflow.steps.clients.sagemaker_runtime", lambda _: None)
    with caplog.at_level("INFO"):
        steps.test_endpoint(DATASET, JOB)

    assert sent == [("image-classifier-digits", b"jpeg")]
    assert "0.900  digits/dataset/validation/7/a.jpg" in caplog.text


@pytest.mark.parametrize("in_progress", [[], ["job-2"]])
def test_unreferenced_images_stay_while_a_job_may_read_them(steps, s3, monkeypatch, in_progress):
    asked = {}
    monkeypatch.setattr(
        "image_classifier.train.training_jobs.list_training_jobs_in_progress", lambda *_, **__: in_progress
    )
    monkeypatch.setattr(
        "image_classifier.prepare.publish.delete_unreferenced_images",
        lambda name, **arguments: asked.update(arguments, name=name) or 3,
    )

    for name in ("digits", "digits-2"):
        s3.put_object(Bucket=BUCKET, Key=f"{name}/dataset/listing/0123/header.json.gz", Body=b"")

    assert steps.delete_unreferenced_images(DATASET) == 3
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [
        "digits-2/dataset/listing/0123/header.json.gz"
    ]
    assert asked["training_in_progress"] is bool(in_progress)
    assert (asked["name"], asked["fingerprint"]) == ("digits", DATASET["fingerprint"])
