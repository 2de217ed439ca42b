"""A processing job prepares images under the shipped policies: Airflow's own, and those of the job's role."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.permissions.edited_policies import without
from tests.waiting import until

from image_classifier.aws.jobs import owners
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare import dataset as steps
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS
from image_classifier.prepare.processing.request import processing_request
from image_classifier.prepare.processing.work import Work, has_parts

if TYPE_CHECKING:
    from tests.local_aws.iam.conftest import Enforcing

ENDED = ("Completed", "Failed", "Stopped")


@pytest.fixture(scope="module")
def settings(aws: Enforcing) -> Settings:
    image = f"{aws.ready['account']}.dkr.ecr.us-east-1.amazonaws.com/image-classification-preparation:1"
    return Settings.from_env({**aws.settings, "IMAGE_CLASSIFIER_PREPARATION_IMAGE": image})


@pytest.fixture(scope="module")
def classifier(aws: Enforcing) -> Classifier:
    for number in range(24):
        out = io.BytesIO()
        Image.new("RGB", (20, 20), (10 * number, 7, 99)).save(out, "PNG")
        key = f"photos/{('cat', 'dog')[number % 2]}/{number}.png"
        aws.root("s3").put_object(Bucket=aws.bucket, Key=key, Body=out.getvalue())
    source = f"s3://{aws.bucket}/photos/"
    return Classifier.model_validate({"name": "pets", "source": source, "preparation": {"runner": "processing"}})


def test_airflow_starts_and_follows_a_job_that_works_with_its_role(
    aws: Enforcing, settings: Settings, classifier: Classifier
) -> None:
    s3, sagemaker = aws.airflow("s3"), aws.airflow("sagemaker")
    listing = steps.list_dataset(classifier, s3=s3, settings=settings)
    work = Work(classifier.name, listing.run, listing.shards, listing.unread)
    request = processing_request(classifier, work, settings=settings, region="us-east-1")

    assert PROCESSING_JOBS.start(sagemaker, request) == "started"
    name = request["ProcessingJobName"]
    assert PROCESSING_JOBS.in_progress(sagemaker, classifier="pets") == [name]
    job = until(
        lambda: (found := PROCESSING_JOBS.kind.describe(sagemaker, name))["ProcessingJobStatus"] in ENDED and found,
        seconds=120,
    )

    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ExitMessage"] == "24 images prepared, 0 of them rejected. "
    assert has_parts(s3, request)
    assert steps.finish_dataset("pets", listing, s3=s3, settings=settings).num_classes == 2


def test_airflow_stops_a_job_whose_task_is_over(aws: Enforcing, settings: Settings, classifier: Classifier) -> None:
    sagemaker, work = aws.airflow("sagemaker"), Work("pets", "0123456789abcdef", shards=1, images=1)
    request = processing_request(classifier, work, settings=settings, region="us-east-1")
    PROCESSING_JOBS.start(sagemaker, request)
    name = request["ProcessingJobName"]

    assert PROCESSING_JOBS.kind.stop_orphaned(sagemaker, name, why="its task is over")

    job = until(
        lambda: (found := PROCESSING_JOBS.kind.describe(sagemaker, name))["ProcessingJobStatus"] in ENDED and found,
        seconds=120,
    )
    assert job["ProcessingJobStatus"] == "Stopped"
    assert owners.stopped_as_orphan(owners.tags_of_arn(sagemaker, job["ProcessingJobArn"]))


def test_a_job_fails_without_the_statement_that_writes_data_sets(aws: Enforcing, settings: Settings) -> None:
    classifier = Classifier.model_validate(
        {"name": "denied", "source": f"s3://{aws.bucket}/photos/", "preparation": {"runner": "processing"}}
    )
    listing = steps.list_dataset(classifier, s3=aws.airflow("s3"), settings=settings)
    work = Work(classifier.name, listing.run, listing.shards, listing.unread)
    request = processing_request(classifier, work, settings=settings, region="us-east-1")
    with without(aws.root("iam"), "PreparationPolicy", "WriteDataSets"):
        PROCESSING_JOBS.start(aws.airflow("sagemaker"), request)
        job = until(
            lambda: (
                (found := PROCESSING_JOBS.kind.describe(aws.airflow("sagemaker"), request["ProcessingJobName"]))[
                    "ProcessingJobStatus"
                ]
                in ENDED
                and found
            ),
            seconds=120,
        )

    assert job["ProcessingJobStatus"] == "Failed"
    assert "s3:PutObject" in job["ExitMessage"] + job["FailureReason"]
