"""Checks that one transform job classifies many images, and that its records equal the function's."""

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from PIL import Image
from tests.unit.image_classifier.classify_existing.batches import planned
from tests.unit.odd_images.makers import png_16_bit

from image_classifier.classifier import Classifier
from image_classifier.classify_existing import batch as batches
from image_classifier.classify_existing import batch_images
from image_classifier.classify_existing.batch import batch_request, delete_batch, plan_batch
from image_classifier.classify_existing.batch_images import prepare_share
from image_classifier.classify_existing.batch_records import write_records
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.replays import current_image, replay_record
from image_classifier.classify_existing.run import Request
from image_classifier.contracts.errors import PredictionError, ResourceBusyError
from image_classifier.contracts.pixels import MAX_IMAGE_BYTES
from image_classifier_inference.endpoint import Answer
from image_classifier_inference.environment import Environment
from image_classifier_inference.inference import Inference
from image_classifier_inference.models import ModelFiles
from image_classifier_inference.uploads import read_upload

PETS = Classifier(name="pets", source="pets")
TARGET = Target("pets", "pictures")
LABELS = ["cat", "dog"]
PROBABILITIES = [0.3, 0.7]
STARTED = datetime.now(UTC) + timedelta(hours=1)
REQUEST = Request(TARGET, "", again=True, started=STARTED)
VARIABLES = {
    "CLASSIFIER": "pets",
    "ENDPOINT": "image-classifier-pets",
    "ENDPOINT_CONFIG": "config-1",
    "TRAINING_JOB": "job-1",
    "UNSURE_BELOW": "auto",
    "CALIBRATE": "true",
    "MODELS_PREFIX": "pets/models/",
    "INCOMING_PREFIX": "pets/incoming/",
    "PREDICTIONS_PREFIX": "pets/predictions/",
    "THUMBNAILS_PREFIX": "pets/thumbnails/",
    "LOG_PREFIX": "pets/predictions-log/",
}
BATCH = planned(REQUEST.started, calibrate=True)
NAMES = ["a.png", "b/c d.png", "broken.png", "dark.png"]
DARK = png_16_bit(300)


def photo(shade):
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (shade, 20, 90)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def bucket(s3):
    """Two images, a broken and a dark one, and the model's file."""
    s3.put_bucket_versioning(Bucket="pictures", VersioningConfiguration={"Status": "Enabled"})
    for shade, name in enumerate(NAMES):
        body = {"broken.png": b"\x89PNG\r\n\x1a\nbroken", "dark.png": DARK}.get(name, photo(shade))
        s3.put_object(Bucket="pictures", Key=f"pets/incoming/{name}", Body=body)
    sha256 = hashlib.sha256(json.dumps(LABELS, separators=(",", ":")).encode()).hexdigest()
    seen = {"side_px": 32, "fit": "pad", "jpeg_quality": 90, "as_is": False}
    calibration = {"temperature": 2.0, "unsure_below": 0.4, "unsure_below_calibrated": 0.65}
    document = {"labels": LABELS, "sha256": sha256, "pixels": seen, "calibration": calibration}
    s3.put_object(Bucket="pictures", Key="pets/models/job-1/model.json", Body=json.dumps(document).encode())
    return s3


def read(s3, key):
    return s3.get_object(Bucket="pictures", Key=key)["Body"].read()


def listed(s3, prefix):
    return [found["Key"] for found in s3.list_objects_v2(Bucket="pictures", Prefix=prefix).get("Contents", [])]


def transform(s3, *, leave_out=0):
    """Answer for every image of the manifest, as the job does."""
    planned = batch_request(s3, BATCH, PETS)
    _, *names = json.loads(read(s3, f"{BATCH.prefix}input.manifest"))
    for name in names[leave_out:]:
        with Image.open(io.BytesIO(read(s3, BATCH.images + name))) as image:
            assert (image.format, image.size) == ("JPEG", (32, 32))
        s3.put_object(Bucket="pictures", Key=f"{BATCH.output}{name}.out", Body=json.dumps(PROBABILITIES).encode())
    return planned


def classify(s3, **changes):
    prepare_share(s3, BATCH, REQUEST, share=0)
    planned = transform(s3, **changes)
    return planned, write_records(s3, BATCH, share=0, generation=REQUEST.generation)


def by_the_function(s3, name):
    """The record and the thumbnail that the function makes of a replay of the image with the same answer."""
    endpoint = SimpleNamespace(name="image-classifier-pets", pause=lambda _: None)
    endpoint.ask = lambda *_, **__: Answer(PROBABILITIES, "job-1", 5.0)
    function = Inference(
        Environment.from_environ(VARIABLES), s3=s3, endpoint=endpoint, models=ModelFiles(s3, "pets/models/")
    )
    found = current_image(s3, bucket="pictures", key=f"pets/incoming/{name}")
    upload = read_upload(replay_record(*found, generation=REQUEST.generation))
    made = function.classify(upload)
    return json.loads(made.prediction.as_json()), made.thumbnail


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_the_one_that_the_function_would_write(bucket, name):
    classify(bucket)

    record = json.loads(read(bucket, f"pets/predictions/{name}.json"))
    wanted, thumbnail = by_the_function(bucket, name)
    for differing in ("predicted", "endpoint_ms", "total_ms"):
        record["times"].pop(differing), wanted["times"].pop(differing)
    assert record == wanted
    assert record["generation"] == REQUEST.started_ms
    assert record["traits"] == (["dark_16_bit"] if name == "dark.png" else [])
    if thumbnail is not None:
        assert read(bucket, f"pets/thumbnails/{name}.jpg") == thumbnail


def test_every_record_has_its_log_entry(bucket):
    classify(bucket)

    entries = [json.loads(read(bucket, key))["image"]["key"] for key in listed(bucket, "pets/predictions-log/")]
    assert sorted(entries) == sorted(f"pets/incoming/{name}" for name in NAMES)


def test_a_model_of_unmodified_images_may_be_sent_large_ones(bucket):
    usual, _ = classify(bucket)
    document = json.loads(read(bucket, "pets/models/job-1/model.json"))
    document["pixels"]["as_is"] = True
    bucket.put_object(Bucket="pictures", Key="pets/models/job-1/model.json", Body=json.dumps(document).encode())

    large = batch_request(bucket, BATCH, PETS)["request"]

    assert ("MaxPayloadInMB" in usual["request"], large["MaxPayloadInMB"]) == (False, 27)


def test_the_job_is_named_by_what_it_is_made_from_and_may_run_long_enough(bucket, monkeypatch):
    planned, count = classify(bucket)

    assert count == len(NAMES)
    assert planned["request"]["ModelName"] == "model-1"
    assert planned["request"]["TransformJobName"] == batch_request(bucket, BATCH, PETS)["request"]["TransformJobName"]
    assert planned["time_limit_s"] == PETS.evaluation.time_limit_s
    monkeypatch.setattr(batches, "S_PER_IMAGE", 10_000)
    assert batch_request(bucket, BATCH, PETS)["time_limit_s"] == 900 + 3 * 10_000  # of four images one is broken


def test_a_second_try_prepares_only_what_is_left(bucket, monkeypatch):
    monkeypatch.setattr(batch_images, "IN_A_PART", 1)
    assert prepare_share(bucket, BATCH, REQUEST, share=0) == len(NAMES)
    parts = listed(bucket, f"{BATCH.prefix}parts/")
    bucket.delete_object(Bucket="pictures", Key=parts[-1])

    assert prepare_share(bucket, BATCH, REQUEST, share=0) == len(NAMES)
    assert listed(bucket, f"{BATCH.prefix}parts/") == parts
    assert len(parts) == len(NAMES)


def test_records_may_be_written_twice_and_stay_as_they_are(bucket):
    classify(bucket)
    before = [read(bucket, key) for key in listed(bucket, "pets/predictions/")]

    write_records(bucket, BATCH, share=0, generation=REQUEST.generation)

    assert [read(bucket, key) for key in listed(bucket, "pets/predictions/")] == before
    assert len(listed(bucket, "pets/predictions-log/")) == len(NAMES)


@pytest.mark.parametrize("is_uploaded_again", [False, True])
def test_nothing_is_stored_of_an_image_that_was_deleted_meanwhile(bucket, is_uploaded_again):
    prepare_share(bucket, BATCH, REQUEST, share=0)
    transform(bucket)
    bucket.delete_object(Bucket="pictures", Key="pets/incoming/a.png")
    if is_uploaded_again:
        bucket.put_object(Bucket="pictures", Key="pets/incoming/a.png", Body=photo(200))

    write_records(bucket, BATCH, share=0, generation=REQUEST.generation)

    made = [*listed(bucket, "pets/predictions/"), *listed(bucket, "pets/thumbnails/")]
    assert not [key for key in made if "/a.png" in key]
    assert len(listed(bucket, "pets/predictions-log/")) == len(NAMES) - 1


def test_the_record_of_a_later_upload_stays(bucket):
    prepare_share(bucket, BATCH, REQUEST, share=0)
    transform(bucket)
    bucket.put_object(Bucket="pictures", Key="pets/incoming/a.png", Body=photo(200))
    later, _ = by_the_function(bucket, "a.png")
    later["times"]["uploaded"] = "2099-01-01T00:00:00.000Z"
    bucket.put_object(Bucket="pictures", Key="pets/predictions/a.png.json", Body=json.dumps(later).encode())

    write_records(bucket, BATCH, share=0, generation=REQUEST.generation)

    assert json.loads(read(bucket, "pets/predictions/a.png.json")) == later
    assert "pets/thumbnails/a.png.jpg" not in listed(bucket, "pets/thumbnails/")


def test_an_uncalibrated_model_keeps_its_probabilities(bucket):
    batch = BATCH.model_copy(update={"calibrate": False})
    prepare_share(bucket, batch, REQUEST, share=0)
    transform(bucket)

    write_records(bucket, batch, share=0, generation=REQUEST.generation)

    record = json.loads(read(bucket, "pets/predictions/a.png.json"))
    assert [one["probability"] for one in record["probabilities"]] == [0.7, 0.3]
    assert (record["temperature"], record["status"]) == (1.0, "predicted")


def test_an_image_that_is_replaced_meanwhile_is_left_to_its_own_event(bucket, monkeypatch):
    def stale(s3, *, bucket, key):
        image, uploaded = current_image(s3, bucket=bucket, key=key)
        return replace(image, version_id=None, etag=image.etag if key.endswith("a.png") else "stale"), uploaded

    monkeypatch.setattr(batch_images, "current_image", stale)
    prepare_share(bucket, BATCH, REQUEST, share=0)

    assert [len(listed(bucket, prefix)) for prefix in (BATCH.images, f"{BATCH.prefix}parts/")] == [1, 1]


def test_a_too_large_image_is_rejected_for_its_size_without_being_read(bucket):
    bucket.put_object(Bucket="pictures", Key="pets/incoming/a.png", Body=photo(1) + bytes(MAX_IMAGE_BYTES))

    classify(bucket)

    reason = json.loads(read(bucket, "pets/predictions/a.png.json"))["reason"]
    assert f"at most {MAX_IMAGE_BYTES:,} are read" in reason["sentence"]


def test_images_without_an_answer_are_named_and_the_others_have_records(bucket):
    with pytest.raises(PredictionError, match="all but 1 images, such as pets/incoming/"):
        classify(bucket, leave_out=1)

    assert len(listed(bucket, "pets/predictions/")) == len(NAMES) - 1


def test_nothing_of_the_batch_is_left(bucket):
    classify(bucket)

    assert delete_batch(bucket, BATCH) > len(NAMES)
    assert listed(bucket, "pets/evaluations/") == []


def test_without_one_image_that_can_be_read_no_job_is_started(bucket):
    for name in NAMES:
        bucket.put_object(Bucket="pictures", Key=f"pets/incoming/{name}", Body=b"text")
    prepare_share(bucket, BATCH, REQUEST, share=0)

    assert batch_request(bucket, BATCH, PETS) == {}
    assert write_records(bucket, BATCH, share=0, generation=REQUEST.generation) == len(NAMES)


def clients(*, serves):
    config = {"ProductionVariants": [{"VariantName": serves, "ModelName": "model-1"}]}
    sagemaker = SimpleNamespace(
        describe_endpoint=lambda **_: {"EndpointConfigName": "config-1", "EndpointStatus": "InService"},
        describe_endpoint_config=lambda **_: config,
    )
    functions = SimpleNamespace(get_function_configuration=lambda **_: {"Environment": {"Variables": VARIABLES}})
    return SimpleNamespace(sagemaker=sagemaker, functions=functions)


def test_the_model_that_serves_answers_with_the_live_functions_settings():
    assert plan_batch(clients(serves="job-1"), TARGET, started_ms=REQUEST.started_ms, shares=1) == BATCH


def test_a_batch_waits_for_the_end_of_a_deployment():
    with pytest.raises(ResourceBusyError, match="serves job-2"):
        plan_batch(clients(serves="job-2"), TARGET, started_ms=1, shares=1)
