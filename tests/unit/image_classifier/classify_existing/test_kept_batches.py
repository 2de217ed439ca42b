"""Checks that a run that is cleared as a whole goes on with the batch, and so with the transform job, that it began."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.unit.image_classifier.classify_existing.batches import planned

from image_classifier.classify_existing import kept_batches
from image_classifier.classify_existing.batch import Batch
from image_classifier.classify_existing.batch_images import prepare_share
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.run import Request

REQUEST = Request(Target("pets", "pictures"), "", again=True, started=datetime(2026, 1, 1, tzinfo=UTC))
BATCH = planned(REQUEST.started, shares=3)


def key(request=REQUEST, *, run_id="run"):
    return kept_batches.key_of_run(request, dag_id="dag", run_id=run_id)


@pytest.fixture
def begun(s3):
    """The clients of a deployment that serves a model; a run has begun a batch, and prepared an image."""
    kept_batches.keep(s3, BATCH, key=key())
    s3.put_object(Bucket="pictures", Key=f"{BATCH.images}a.jpg", Body=b"image")

    def serves(model, *, unsure_below="auto"):
        config = {"ProductionVariants": [{"VariantName": "job-1", "ModelName": model}]}
        variables = {"TRAINING_JOB": "job-1", "UNSURE_BELOW": unsure_below, "ENDPOINT": "image-classifier-pets"}
        sagemaker = SimpleNamespace(
            describe_endpoint=lambda **_: {"EndpointConfigName": "config-1", "EndpointStatus": "InService"},
            describe_endpoint_config=lambda **_: config,
        )
        functions = SimpleNamespace(get_function_configuration=lambda **_: {"Environment": {"Variables": variables}})
        return SimpleNamespace(sagemaker=sagemaker, functions=functions, s3=s3)

    return serves


def find(clients, key):
    return kept_batches.find(clients, bucket="pictures", key=key)


def objects(s3):
    return [found["Key"] for found in s3.list_objects_v2(Bucket="pictures").get("Contents", [])]


def test_a_run_finds_the_batch_that_it_has_begun(begun):
    assert find(begun("model-1"), key()) == BATCH
    assert BATCH.started == REQUEST.started


def test_a_batch_has_the_functions_threshold_of_now(begun):
    assert find(begun("model-1", unsure_below="0.7"), key()) == BATCH.model_copy(update={"unsure_below": 0.7})


@pytest.mark.parametrize("other", [key(run_id="other"), key(Request(REQUEST.target, "a/", True, REQUEST.started))])
def test_another_run_begins_a_batch_of_its_own(begun, other):
    assert find(begun("model-1"), other) is None
    assert find(begun("model-1"), key()) == BATCH


def test_with_another_live_model_the_run_begins_anew_and_nothing_is_left(begun, s3):
    assert find(begun("model-2"), key()) is None
    assert objects(s3) == []


def test_a_batch_that_is_done_is_forgotten(begun, s3):
    assert kept_batches.forget(s3, BATCH, key=key()) == 1
    assert objects(s3) == []


def test_an_image_that_came_after_the_job_is_left_to_another_run(s3, monkeypatch):
    s3.put_object(Bucket="pictures", Key="pets/incoming/late.png", Body=b"image")
    s3.put_object(Bucket="pictures", Key=BATCH.manifest, Body=b"[]")
    monkeypatch.setattr(Batch, "read_model", lambda *_: None)

    assert prepare_share(s3, BATCH, REQUEST, share=0) == 0
    assert objects(s3) == [BATCH.manifest, "pets/incoming/late.png"]
