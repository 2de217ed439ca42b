"""Checks which models are scored on the validation images, and the result about the chosen one."""

import json
from types import SimpleNamespace

import pytest

from image_classifier.aws.jobs.owners import Owner
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import TrainingError
from image_classifier.contracts.labels import labels_document
from image_classifier.evaluate.images import version_images
from image_classifier.evaluate.trials.scoring import validation_of
from image_classifier_airflow.params import train_params
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.tuning import TuningSteps

BUCKET = "a-bucket"
TUNING = {"max_jobs": 4, "finalists": 1, "ranges": {"learning_rate": {"min": 0.001, "max": 0.1}}}
PETS = Classifier(name="pets", source="pets", tuning=TUNING)
PARAMS = train_params(PETS).dump()
FIRST = "image-classifier-pets-ffffffff-00000000"
SEARCH = "image-classifier-0123456789abcde"
TRIALS = [f"{SEARCH}-00{number}-01234567" for number in (1, 2, 3)]
VERSION = f"pets/dataset/versions/{'f' * 16}/"
DATASET = {"fingerprint": "f" * 16, "labels_key": f"{VERSION}labels.json"}
RUN = SimpleNamespace(dag_id="pets_train_and_deploy", run_id="run-1")
JOB = {"training_job": FIRST, "outcome": "started", "billable_s": 100, "best_validation_accuracy": 0.5}
LINES = ["Epoch[0] Validation-accuracy=0.9", "Epoch[1] Validation-accuracy=0.8"]


class SageMaker:
    """A tuning job with three training jobs, the last of which failed; the second has the best metric."""

    run_id = "run-1"  # of the run that started the tuning job

    def describe_training_job(self, TrainingJobName):  # noqa: N803
        return {
            "TrainingJobName": TrainingJobName,
            "TrainingJobStatus": "Completed",
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://{BUCKET}/pets/models/{TrainingJobName}/output/model.tar.gz"},
            "AlgorithmSpecification": {"TrainingImage": "image"},
            "HyperParameters": {"learning_rate": "0.5", "epochs": "3", "_tuning_objective_metric": "x"},
            "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2},
            "BillableTimeInSeconds": 10,
            "TrainingTimeInSeconds": 20,
        }

    def describe_hyper_parameter_tuning_job(self, HyperParameterTuningJobName):  # noqa: N803
        return {"HyperParameterTuningJobArn": f"arn:aws:sagemaker:::tuning/{HyperParameterTuningJobName}"}

    def get_paginator(self, method):
        if method == "list_tags":
            tags = Owner(RUN.dag_id, self.run_id, "tune_hyperparameters").tags()
            return SimpleNamespace(paginate=lambda *, ResourceArn: [{"Tags": tags}])  # noqa: N803
        assert method == "list_training_jobs_for_hyper_parameter_tuning_job"
        values = (0.6, 0.8, None)
        found = [
            {
                "TrainingJobName": name,
                "TrainingJobStatus": "Completed" if value else "Failed",
                "TunedHyperParameters": {"learning_rate": "0.05"},
                **({"FinalHyperParameterTuningJobObjectiveMetric": {"Value": value}} if value else {}),
            }
            for name, value in zip(TRIALS, values, strict=True)
        ]
        return SimpleNamespace(paginate=lambda **_: [{"TrainingJobSummaries": found}])


@pytest.fixture
def sagemaker():
    return SageMaker()


@pytest.fixture(autouse=True)
def s3(monkeypatch, aws, sagemaker):
    monkeypatch.setattr(clients, "sagemaker", lambda _: sagemaker)
    monkeypatch.setattr(clients, "of_a_classifier", lambda _: SimpleNamespace(logs="logs"))
    monkeypatch.setattr("image_classifier.train.job_log.log_events", lambda logs, job: (LINES, None))
    lines = [
        {
            "name": f"cat/{number}.png",
            "class": "cat",
            "sha256": f"{number:064x}",
            "split": split,
            "key": f"pets/dataset/{split}/cat/{number}.jpg",
        }
        for split, numbers in (("validation", range(10)), ("test", range(10, 12)))
        for number in numbers
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    aws.s3.put_object(Bucket=BUCKET, Key=f"{VERSION}manifest.jsonl", Body=body)
    aws.s3.put_object(Bucket=BUCKET, Key=f"{VERSION}labels.json", Body=labels_document(["cat", "dog"]))
    return aws.s3


def answer(s3, job, *, right):
    """What the transform job of a model left: it is right on so many of the ten validation images."""
    images = version_images(s3, bucket=BUCKET, version=VERSION)
    prefix = validation_of(images, classifier=PETS.name, bucket=BUCKET).prefix(job)
    for number in range(10):
        body = json.dumps([0.9, 0.1] if number < right else [0.2, 0.8]).encode()
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}output/{number}.jpg.out", Body=body)


def plan(tuning_job=SEARCH):
    return TuningSteps(PETS).plan_trials(DATASET, JOB, tuning_job, PARAMS)


def choose(tuning_job=SEARCH, job=JOB):
    return TuningSteps(PETS).choose_trial(DATASET, job, tuning_job, PARAMS, RUN)


def test_a_run_that_does_not_tune_scores_nothing_and_takes_the_only_model():
    assert plan(None) == []
    assert choose(None) is JOB


def test_the_first_and_the_best_models_are_scored_on_validation_images():
    first, best = plan()

    artifacts = [one["model"]["PrimaryContainer"]["ModelDataUrl"] for one in (first, best)]
    assert [artifact.split("/")[5] for artifact in artifacts] == [FIRST, TRIALS[1]]
    assert first["scoring"]["request"]["ModelName"] == first["model"]["ModelName"]
    assert first["scoring"]["classifier"] == "pets"


def test_a_model_that_has_answered_is_not_scored_again(s3):
    answer(s3, FIRST, right=5)
    answer(s3, TRIALS[1], right=6)
    choose()

    assert plan() == []


def test_the_better_model_on_validation_is_what_later_tasks_evaluate(s3):
    answer(s3, FIRST, right=5)
    answer(s3, TRIALS[1], right=6)

    found = choose()

    assert found["training_job"] == TRIALS[1]
    assert found["model_artifact"] == f"s3://{BUCKET}/pets/models/{TRIALS[1]}/output/model.tar.gz"
    assert found["best_validation_accuracy"] == 0.9
    assert found["outcome"] == "started"
    assert found["hyperparameters"] == {"learning_rate": "0.5", "epochs": "3"}
    assert found["tuning"] == {"tuning_job": SEARCH, "jobs": 3, "billable_s": 100 + 3 * 20}


def test_the_first_model_stays_if_no_other_is_better(s3):
    answer(s3, FIRST, right=6)
    answer(s3, TRIALS[1], right=5)

    found = choose()

    assert found.items() >= JOB.items()
    assert found["tuning"]["tuning_job"] == SEARCH


def test_what_an_earlier_run_paid_for_is_not_counted_again(s3, sagemaker):
    sagemaker.run_id = "run-0"
    answer(s3, FIRST, right=5)
    answer(s3, TRIALS[1], right=6)

    found = choose(job={**JOB, "outcome": "reused"})

    assert found["outcome"] == "reused"
    assert found["tuning"]["billable_s"] == 0


def test_the_table_of_all_training_jobs_is_stored(s3):
    answer(s3, FIRST, right=5)
    answer(s3, TRIALS[1], right=6)
    choose()

    table = json.loads(s3.get_object(Bucket=BUCKET, Key=f"pets/evaluations/{SEARCH}/trials.json")["Body"].read())
    assert [trial["training_job"] for trial in table["trials"]] == [FIRST, *TRIALS]
    assert [trial["validation"] is not None for trial in table["trials"]] == [True, False, True, False]
    assert table["trials"][0]["hyperparameters"] == {"learning_rate": "0.5"}
    assert table["chosen"] == TRIALS[1]
    assert [trial["is_default"] for trial in table["trials"]] == [True, False, False, False]


def test_a_training_job_that_somebody_deleted_is_reported(monkeypatch):
    monkeypatch.setattr("image_classifier.train.training_jobs.describe_training_job", lambda *_: None)

    with pytest.raises(TrainingError, match="is gone; someone deleted it"):
        plan()
