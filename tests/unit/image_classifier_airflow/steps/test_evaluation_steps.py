"""Checks what is scored and reported, and what a run does after each decision."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.unit.image_classifier_airflow import made
from tests.unit.image_classifier_airflow.made import DATASET, DECISION

from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.labels import labels_document
from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.model import TrialFigures
from image_classifier.evaluate.trials.choice import tuning_figures, write_tuning
from image_classifier_airflow.params import train_params
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps

PETS = Classifier(name="pets", source="pets")
JOB = made.job("image-classifier-pets-ffffffff-00000000")
TRAINING = {"HyperParameters": {"epochs": "3"}}
EVALUATION = f"pets/evaluations/{JOB['training_job']}/0badcafe/"
NO_TEST = {**DATASET, "num_test_samples": 0}
RUN = SimpleNamespace(start_date=datetime(2026, 11, 28, tzinfo=UTC))


@pytest.fixture(autouse=True)
def answered(tested):
    """The model has answered for 120 test images, and is right on nine of ten."""
    tested(DATASET, {JOB["training_job"]: lambda number: number % 10 != 0})


def serve(aws, training_job):
    """An endpoint whose variant carries the job's name."""
    role, container = "arn:aws:iam::123456789012:role/some", {"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}
    aws.sagemaker.create_model(ModelName="old", PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": training_job, "ModelName": "old", "InitialInstanceCount": 1}
    aws.sagemaker.create_endpoint_config(
        EndpointConfigName="old", ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
    )
    aws.sagemaker.create_endpoint(EndpointName="image-classifier-pets", EndpointConfigName="old")


class Task:
    """Takes what a task hands on beside its result."""

    def __init__(self):
        self.xcom = {}

    def xcom_push(self, *, key, value):
        self.xcom[key] = value


def params(classifier=PETS, **changed):
    return {name: param.value for name, param in train_params(classifier).items()} | changed


def planned(classifier=PETS, dataset=DATASET):
    return EvaluationSteps(classifier).plan_evaluation(dataset, JOB, params(classifier))


def decided(classifier=PETS, dataset=DATASET, task=None, **form):
    steps, plan = EvaluationSteps(classifier), planned(classifier, dataset)
    steps.write_report(dataset, JOB, TRAINING, plan, params(classifier))
    return steps.decide(dataset, JOB, plan, params(classifier, **form), RUN, task or Task())


def rule(**changed):
    return PETS.revised({"promotion": changed})


def test_a_new_model_is_scored_and_there_is_no_other():
    plan = planned()

    assert plan["candidate"]["request"]["ModelName"] == plan["model"]["ModelName"]
    assert (plan["candidate"]["classifier"], plan["candidate"]["time_limit_s"]) == ("pets", 3600)
    assert (plan["champion"], plan["champion_job"]) == ({}, "")


def test_the_model_that_serves_is_scored_on_the_same_images(aws):
    serve(aws, "image-classifier-pets-eeeeeeee-00000000")

    plan = planned()

    assert plan["champion"]["request"]["ModelName"] == "old"
    assert plan["champion_job"] == "image-classifier-pets-eeeeeeee-00000000"


def test_a_model_that_serves_already_is_compared_with_nothing(aws):
    serve(aws, JOB["training_job"])

    assert (planned()["champion"], planned()["champion_job"]) == ({}, "")


def test_a_model_that_has_its_report_is_not_scored_again():
    EvaluationSteps(PETS).write_report(DATASET, JOB, TRAINING, planned(), params())

    assert planned()["candidate"] == {}


def test_the_report_has_the_figures_of_the_training(aws, bucket):
    told = EvaluationSteps(PETS).write_report(DATASET, JOB, TRAINING, planned(), params())

    stored = json.loads(aws.s3.get_object(Bucket=bucket, Key=f"{EVALUATION}report.json")["Body"].read())
    assert told["accuracy"]["value"] == stored["accuracy"]["value"] == 0.9
    assert told["page"] == f"s3://{bucket}/{EVALUATION}report.html"
    assert stored["training"]["cost_usd"] == 0.01
    assert stored["training"]["hyperparameters"] == {"epochs": "3"}


def test_the_answers_of_the_model_that_serves_are_kept_for_the_comparison(aws, bucket, tested):
    other = "image-classifier-pets-eeeeeeee-00000000"
    tested(DATASET, {JOB["training_job"]: lambda _: True, other: lambda number: number % 2 == 0})
    aws.s3.put_object(Bucket=bucket, Key=f"pets/models/{other}/model.json", Body=labels_document(["cat", "dog"]))
    serve(aws, other)

    EvaluationSteps(PETS).write_report(DATASET, JOB, TRAINING, planned(), params())

    kept = aws.s3.get_object(Bucket=bucket, Key=f"pets/evaluations/{other}/0badcafe/predictions.jsonl")["Body"].read()
    answers = [json.loads(line) for line in kept.splitlines()]
    assert sum(one["label"] == one["predicted"] for one in answers) == 60
    assert planned()["champion"] == {}


def test_the_report_of_a_tuned_model_has_its_search_and_hyperparameters(aws, bucket):
    tuned = Classifier(name="pets", source="pets", tuning={"max_jobs": 2})
    first = TrialFigures(
        training_job="first",
        hyperparameters={},
        status="Completed",
        last_epoch_accuracy=None,
        is_default=True,
        billable_s=1,
        validation=proportion(9, 10),
        log_loss=0.1,
    )
    search = tuning_figures(tuned.tuning, tuning_job="search", trials=[first])
    write_tuning(aws.s3, search, classifier="pets", bucket=bucket)
    job = {**JOB, "hyperparameters": {"epochs": "9"}, "tuning": {"tuning_job": "search"}}

    EvaluationSteps(tuned).write_report(DATASET, job, TRAINING, planned(), params(tuned))

    stored = json.loads(aws.s3.get_object(Bucket=bucket, Key=f"{EVALUATION}report.json")["Body"].read())
    assert stored["training"]["hyperparameters"] == {"epochs": "9"}
    assert (stored["tuning"]["tuning_job"], stored["tuning"]["chosen"]) == ("search", "first")


@pytest.fixture
def registered(monkeypatch):
    """What the registry is told; moto does not know ClientToken."""
    from image_classifier.promote import registry

    told = []
    monkeypatch.setattr(registry, "ensure_group", lambda *_, **__: "group")
    monkeypatch.setattr(registry, "find_version", lambda *_, **__: None)
    monkeypatch.setattr(registry, "ensure_version", lambda _, model, **__: model.training_job)
    monkeypatch.setattr(registry, "set_approval", lambda _, arn, *, status, why: told.append((arn, status)))
    return told


def test_a_first_model_goes_live_and_is_approved(aws, bucket, registered):
    task = Task()

    assert decided(task=task) is True
    assert registered == [(JOB["training_job"], "Approved")]
    assert task.xcom["decision"]["verdict"] == "promote"
    key = f"pets/promotions/20261128T000000Z-{JOB['training_job']}.json"
    assert json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())["basis"] == "first model"


def test_a_model_below_a_floor_does_not_go_live_and_is_rejected(registered):
    assert decided(rule(floors={"accuracy": 0.95})) is False
    assert registered == [(JOB["training_job"], "Rejected")]


def test_a_refused_model_is_described_for_a_later_rollback(aws, bucket, registered):
    decided(rule(floors={"accuracy": 0.95}))

    key = Keys("pets").model_file(JOB["training_job"])
    described = json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert described["labels"] == ["cat", "dog"]
    assert described["pixels"] == {"side_px": 224, "fit": "pad", "jpeg_quality": 90, "as_is": False}
    assert described["calibration"]["temperature"] > 0


def test_with_mode_never_a_model_is_registered_and_does_not_go_live(registered):
    task = Task()

    assert decided(rule(mode="never"), task=task) is False
    assert registered == []
    assert task.xcom["decision"]["verdict"] == "promote"


def test_with_mode_never_a_refused_model_stays_pending(registered):
    assert decided(rule(mode="never", floors={"accuracy": 0.95})) is False
    assert registered == []


@pytest.mark.parametrize(("serving", "is_registered"), [(JOB["training_job"], False), ("another-job", True)])
def test_only_another_model_that_serves_is_registered_beside_the_new_one(
    aws, registered, monkeypatch, serving, is_registered
):
    told = []
    live = "image_classifier.promote.live_model.register_live_model"
    monkeypatch.setattr(live, lambda *_, training_job, **__: told.append(training_job))
    serve(aws, serving)
    plan = {**planned(), "champion_job": ""}
    steps = EvaluationSteps(PETS)
    monkeypatch.setattr(steps, "compare", lambda *_: (DECISION, "key"))

    steps.decide(DATASET, JOB, plan, params(), RUN, Task())

    assert told == ([serving] if is_registered else [])


@pytest.mark.parametrize(
    ("changed", "deploys"), [({}, True), ({"floors": {"class_recall": 0.5}}, False), ({"mode": "never"}, False)]
)
def test_without_test_images_a_model_goes_live_only_without_requirements(changed, deploys):
    assert planned(rule(**changed), NO_TEST)["candidate"] == {}
    assert EvaluationSteps(PETS).write_report(NO_TEST, JOB, TRAINING, planned(dataset=NO_TEST), params()) == {}
    assert decided(rule(**changed), NO_TEST) is deploys


@pytest.mark.parametrize(("changed", "approved"), [({}, ["Approved"]), ({"mode": "never"}, [])])
def test_a_model_that_serves_without_test_images_may_be_gone_back_to(changed, approved, registered, monkeypatch):
    from image_classifier.promote import registry

    noted = []
    monkeypatch.setattr(registry, "set_approval", lambda _, arn, status, why: noted.append(status))
    decided(rule(**changed), NO_TEST)

    assert noted == approved


@pytest.fixture
def rejected(aws, registered, monkeypatch):
    """A person went back from the model, which is version 3."""
    from image_classifier.promote import registry

    aws.sagemaker.create_model_package_group(ModelPackageGroupName="image-classifier-pets")
    version = registry.Version("arn", 3, JOB["training_job"], "Rejected")
    monkeypatch.setattr(registry, "versions", lambda *_, **__: [version])
    monkeypatch.setattr(registry, "rejected_by_a_person", lambda *_, **__: "Rolled back: it called a cat a dog")


def test_a_model_that_a_person_decided_against_does_not_go_live_again(rejected):
    assert decided() is False


@pytest.mark.parametrize("wanted", [JOB["training_job"], "3", " 3 "])
def test_the_form_may_name_the_model_to_promote_nevertheless(rejected, wanted):
    assert decided(promote_version=wanted) is True


def test_the_form_may_not_name_another_model_than_the_runs(rejected):
    with pytest.raises(ClassifierFileError, match="promote_version is '2', and the model of these images"):
        decided(promote_version="2")


@pytest.fixture
def reports(aws, bucket):
    """The stored report after `write_report` for the classifier with these values."""

    def write(**changed):
        pets = PETS.revised(changed)
        EvaluationSteps(pets).write_report(DATASET, JOB, TRAINING, planned(), train_params(pets).dump())
        return json.loads(aws.s3.get_object(Bucket=bucket, Key=f"{EVALUATION}report.json")["Body"].read())

    return write


def test_a_report_is_made_again_when_settings_of_confidences_change(reports):
    first = reports()["unsure"]

    assert (first["calibrate"], first["present"], first["wanted_accuracy"]) == (False, 0.5, 0.95)
    assert reports(calibrate=True)["unsure"]["calibrate"] is True
    assert reports(unsure_below=0.7)["unsure"]["present"] == 0.7
    assert reports(evaluation={"wanted_accuracy": 0.8})["unsure"]["wanted_accuracy"] == 0.8
    auto = reports(unsure_below="auto")["unsure"]
    assert auto["present"] == auto["auto"]


def test_a_report_about_the_same_settings_stays(reports, aws, monkeypatch):
    for settings in ({}, {"unsure_below": "auto"}, {"calibrate": True, "unsure_below": "auto"}):
        first = reports(**settings)
        with monkeypatch.context() as patched:
            patched.setattr("image_classifier.evaluate.evaluation.write_report", None)
            assert reports(**settings) == first
