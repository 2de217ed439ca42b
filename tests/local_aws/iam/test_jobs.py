"""Training, transform and tuning jobs run under the shipped policies: Airflow's own, and those of the jobs' roles."""

from __future__ import annotations

import io
import itertools
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image
from tests.permissions.edited_policies import without
from tests.unit.image_classifier.prepared import prepare_dataset
from tests.waiting import until

from image_classifier.aws.jobs.kinds import TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, JobKind
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.deploy import model as models
from image_classifier.evaluate.evaluation import Evaluation, keep_answers, request_for_candidate
from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier.train.job_request import training_job_request
from image_classifier.train.tuning.request import tuning_job_request
from image_classifier.train.tuning.trials import trials_of
from image_classifier.train.tuning.tuning_jobs import start_tuning_job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.local_aws.iam.conftest import Enforcing

    from image_classifier.prepare.prepared import PreparedDataset

NAME, REGION, SIDE_PX = "greys", "us-east-1", 28
PER_CLASS = {"train": 16, "validation": 4, "test": 4}
FILE = {
    "name": NAME,
    "hyperparameters": {"num_layers": 20, "image_shape": "3,28,28", "epochs": 1, "mini_batch_size": 8},
    "tuning": {"max_jobs": 2, "ranges": {"learning_rate": {"min": 0.01, "max": 0.1}}},
}
LABELS = {"dark": 40, "light": 215}


@pytest.fixture(scope="module")
def settings(aws: Enforcing) -> Settings:
    return Settings.from_env(aws.settings)


@pytest.fixture(scope="module")
def classifier(aws: Enforcing) -> Classifier:
    noise = random.Random(7)
    for split, count in PER_CLASS.items():
        for label, shade in LABELS.items():
            for number in range(count):
                pixels = bytes(shade + noise.randrange(-30, 31) for _ in range(SIDE_PX * SIDE_PX))
                out = io.BytesIO()
                Image.frombytes("L", (SIDE_PX, SIDE_PX), pixels).save(out, "PNG")
                key = f"greys-source/{split}/{label}/{number}.png"
                aws.root("s3").put_object(Bucket=aws.bucket, Key=key, Body=out.getvalue())
    return Classifier.model_validate({**FILE, "source": f"s3://{aws.bucket}/greys-source/"})


@pytest.fixture(scope="module")
def dataset(aws: Enforcing, settings: Settings, classifier: Classifier) -> PreparedDataset:
    return prepare_dataset(classifier, s3=aws.airflow("s3"), settings=settings)


@pytest.fixture(scope="module")
def training(settings: Settings, classifier: Classifier, dataset: PreparedDataset) -> dict[str, Any]:
    return training_job_request(classifier, settings=settings, region=REGION, dataset=dataset)


@pytest.fixture(scope="module")
def trained(aws: Enforcing, training: dict[str, Any]) -> Mapping[str, Any]:
    aws.airflow("sagemaker").create_training_job(**training)
    return ended(aws, TRAINING_JOB, training["TrainingJobName"])


def ended(aws: Enforcing, kind: JobKind, name: str) -> Mapping[str, Any]:
    sagemaker = aws.airflow("sagemaker")
    found: Mapping[str, Any] = until(
        lambda: (job := kind.describe(sagemaker, name)) and kind.is_finished(job) and job, seconds=180
    )
    return found


@pytest.fixture(scope="module")
def scoring(aws: Enforcing, settings: Settings, classifier: Classifier, dataset: PreparedDataset, trained: Any) -> Any:
    """The evaluation of the trained model, and the request of its transform job."""
    name = trained["TrainingJobName"]
    model = models.model_request(
        classifier,
        settings=settings,
        training_job=name,
        model_artifact=trained["ModelArtifacts"]["S3ModelArtifacts"],
        image=trained["AlgorithmSpecification"]["TrainingImage"],
    )
    models.ensure_model(aws.airflow("sagemaker"), model)
    evaluation = Evaluation(NAME, aws.bucket, name, dataset.fingerprint, dataset.test_manifest_sha256)
    request = request_for_candidate(aws.airflow("s3"), evaluation, classifier=classifier, model=model["ModelName"])
    return evaluation, request


def test_a_model_is_trained_and_scores_the_test_images(aws: Enforcing, trained: Any, scoring: Any) -> None:
    assert trained["TrainingJobStatus"] == "Completed", trained
    evaluation, request = scoring
    TRANSFORM_JOBS.start(aws.airflow("sagemaker"), request)

    job = ended(aws, TRANSFORM_JOB, request["TransformJobName"])

    assert job["TransformJobStatus"] == "Completed", job
    keep_answers(aws.airflow("s3"), evaluation, labels=list(LABELS))


def test_a_transform_job_is_stopped(aws: Enforcing, scoring: Any) -> None:
    sagemaker, request = aws.airflow("sagemaker"), {**scoring[1], "TransformJobName": f"image-classifier-{NAME}-slow"}
    faults = aws.state / "faults.json"
    faults.write_text(json.dumps([{"fault": "slow_download", "operation": "CreateTransformJob", "seconds": 300}]))
    sagemaker.create_transform_job(**request)

    assert TRANSFORM_JOB.stop_orphaned(sagemaker, request["TransformJobName"], why="its task is over")

    assert ended(aws, TRANSFORM_JOB, request["TransformJobName"])["TransformJobStatus"] == "Stopped"
    faults.unlink()


def test_a_tuning_job_is_started_read_and_stopped(
    aws: Enforcing, classifier: Classifier, training: dict[str, Any], dataset: PreparedDataset
) -> None:
    sagemaker, request = aws.airflow("sagemaker"), tuning_job_request(classifier, training=training, dataset=dataset)
    assert request is not None
    start_tuning_job(sagemaker, [request])
    name = request["HyperParameterTuningJobName"]

    until(lambda: trials_of(sagemaker, name), seconds=60)
    assert TUNING_JOB.stop_orphaned(sagemaker, name, why="its task is over")

    job = ended(aws, TUNING_JOB, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped", job


def test_no_job_is_created_without_the_statement_that_passes_its_role(aws: Enforcing, training: dict[str, Any]) -> None:
    sagemaker, numbers = aws.airflow("sagemaker"), itertools.count()

    def refusal() -> str:
        """The words of the refusal; IAM's changes act within two seconds, and a job until then is stopped."""
        name = f"image-classifier-{NAME}-role-{next(numbers)}"
        try:
            sagemaker.create_training_job(**{**training, "TrainingJobName": name})
        except ClientError as error:
            return str(error)
        sagemaker.stop_training_job(TrainingJobName=name)
        return ""

    with without(aws.root("iam"), "AirflowPolicy", "PassRoleToSageMaker"):
        assert "iam:PassRole" in until(refusal)


def test_a_training_job_fails_without_the_statement_that_writes_models(
    aws: Enforcing, training: dict[str, Any]
) -> None:
    name = f"image-classifier-{NAME}-denied"
    with without(aws.root("iam"), "TrainingPolicy", "WriteModels"):
        until(lambda: created(aws, {**training, "TrainingJobName": name}))
        job = ended(aws, TRAINING_JOB, name)

    assert job["TrainingJobStatus"] == "Failed"
    assert "s3:PutObject" in job["FailureReason"]


def created(aws: Enforcing, request: dict[str, Any]) -> bool:
    """Return whether the job exists; a statement that an earlier test removed may be missing for two seconds more."""
    try:
        aws.airflow("sagemaker").create_training_job(**request)
    except ClientError:
        return False
    return True


def test_no_model_is_made_without_the_statement_that_reads_it(aws: Enforcing, scoring: Any) -> None:
    sagemaker, numbers = aws.airflow("sagemaker"), itertools.count()
    model = sagemaker.describe_model(ModelName=scoring[1]["ModelName"])
    request = {name: model[name] for name in ("PrimaryContainer", "ExecutionRoleArn")}

    def refusal() -> str:
        name = f"image-classifier-{NAME}-denied-{next(numbers)}"
        try:
            sagemaker.create_model(ModelName=name, **request)
        except ClientError as error:
            return str(error)
        return ""

    with without(aws.root("iam"), "HostingPolicy", "ReadModelsAndImages"):
        assert "Could not find model data" in until(refusal)
