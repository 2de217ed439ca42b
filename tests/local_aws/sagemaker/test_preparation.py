"""A task, mapped tasks and a processing job on two instances make the same data set, byte by byte."""

import io

import pytest
from PIL import Image

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare import dataset as steps
from image_classifier.prepare.processing.request import processing_request
from image_classifier.prepare.processing.work import Work, has_parts
from image_classifier.prepare.shards import sharding
from image_classifier.prepare.shards.shard import prepare_shard

BUCKET, SOURCE = "images", "photographs"
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
IMAGES = 36


def picture(number):
    """A PNG of a pattern of its own."""
    image = Image.new("RGB", (40 + number, 60))
    image.putdata([(x * number % 256, x % 251, number) for x in range(image.width * image.height)])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def source(s3):
    """A prefix of images of two classes, with a copy, an image in both classes and one that cannot be read."""
    for number in range(IMAGES):
        name = f"{'cat' if number % 2 else 'dog'}/{number}.png"
        s3.put_object(Bucket=BUCKET, Key=f"{SOURCE}/{name}", Body=picture(number))
    for name, body in (("cat/copy.png", picture(1)), ("cat/both.png", picture(2)), ("dog/broken.png", b"\x89PNG\r\n")):
        s3.put_object(Bucket=BUCKET, Key=f"{SOURCE}/{name}", Body=body)
    return f"s3://{BUCKET}/{SOURCE}/"


@pytest.fixture
def settings(role):
    return Settings(
        bucket=BUCKET,
        sagemaker_role_arn=role,
        preparation_role_arn=role,
        function_role_arn=role,
        failure_queue_arn="arn:aws:sqs:us-east-1:000000000000:failures",
        preparation_image=f"{REGISTRY}/image-classification-preparation:1",
    )


@pytest.fixture
def listed(s3, settings, source, name, monkeypatch):
    """Lists the source for a runner, in shards of few images."""
    monkeypatch.setattr(sharding, "IMAGES_OF_A_SHARD", 5)
    monkeypatch.setattr(sharding, "IMAGES_OF_A_MAPPED_SHARD", 5)

    def of(runner):
        preparation = {"runner": runner, "instance_count": 2}
        values = {"source": source, "preparation": preparation, "max_left_out": 0.5}
        classifier = Classifier.model_validate({"name": f"c{name[-8:]}", **values})
        return classifier, steps.list_dataset(classifier, s3=s3, settings=settings)

    return of


@pytest.fixture
def finished(s3, settings, objects):
    """Finishes a data set; returns its fingerprint and bytes, and empties the bucket for the next runner."""

    def finish(classifier, listing):
        dataset = steps.finish_dataset(classifier.name, listing, s3=s3, settings=settings)
        stored = objects(f"{classifier.name}/")
        for key in stored:
            s3.delete_object(Bucket=BUCKET, Key=f"{classifier.name}/{key}")
        kept = {key: body for key, body in stored.items() if "/listing/" not in key}
        return dataset.fingerprint, dataset.rejected, kept

    return finish


def processed(server, classifier, listing, settings):
    work = Work(classifier.name, listing.run, listing.shards, listing.unread)
    request = processing_request(classifier, work, settings=settings, region="us-east-1")
    server.sagemaker.create_processing_job(**request)
    name = request["ProcessingJobName"]
    job = server.ended(
        lambda: server.sagemaker.describe_processing_job(ProcessingJobName=name),
        status="ProcessingJobStatus",
        seconds=120,
    )
    return request, job


def test_the_three_runners_make_the_same_data_set(server, s3, settings, listed, finished, log_lines):
    by_task = finished(*listed("task"))

    classifier, listing = listed("mapped")
    for number in range(listing.shards):
        prepare_shard(number, classifier=classifier.name, run=listing.run, s3=s3, bucket=BUCKET)
    by_mapped_tasks = finished(classifier, listing)

    classifier, listing = listed("processing")
    request, job = processed(server, classifier, listing, settings)
    assert (job["ProcessingJobStatus"], job.get("FailureReason")) == ("Completed", None), job
    assert has_parts(s3, request)
    by_instances = finished(classifier, listing)

    assert len(by_task[2]) > IMAGES
    assert by_mapped_tasks == by_task
    assert by_instances == by_task
    shards = [log_lines("/aws/sagemaker/ProcessingJobs", f"{job['ProcessingJobName']}/algo-{n}-")[0] for n in (1, 2)]
    assert shards == ["Instance 1 of 2: 4 of 8 shards", "Instance 2 of 2: 4 of 8 shards"]


def test_a_job_whose_listing_was_deleted_fails_and_says_so(server, s3, settings, listed):
    classifier, listing = listed("processing")
    steps.delete_listings(s3, bucket=BUCKET, keys=steps.Keys(classifier.name))

    _, job = processed(server, classifier, listing, settings)

    assert job["ProcessingJobStatus"] == "Failed"
    assert "ObjectGoneError" in job["ExitMessage"]
