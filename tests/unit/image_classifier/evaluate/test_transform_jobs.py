import io
import random
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber
from PIL import Image

from image_classifier.aws.jobs.kinds import deadline
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import EvaluationError, EvaluationInputError, EvaluationStoppedError
from image_classifier.contracts.pixels import MAX_IMAGE_BYTES, PixelParameters, prepare
from image_classifier.evaluate.transform_jobs import (
    DEFAULT_PAYLOAD_BYTES,
    TRANSFORM_JOBS,
    largest_image_bytes,
    largest_prepared_bytes,
    transform_request,
)

CATS = Classifier(name="cats", source="images")
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT = boto3.Session("a", "b", region_name="us-east-1").client("sagemaker")


def request(classifier=CATS, **changed):
    where = {"model": "m", "manifest_uri": "s3://b/input.manifest", "output_uri": "s3://b/output/", "largest_bytes": 9}
    return transform_request(classifier, **{**where, **changed})


def described(name, status, **fields):
    return {
        "TransformJobName": name,
        "TransformJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{name}",
        "TransformJobStatus": status,
        "ModelName": "m",
        "TransformInput": request()["TransformInput"],
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "CreationTime": CREATED,
        **fields,
    }


@pytest.fixture
def sagemaker():
    with Stubber(CLIENT) as stubber:
        CLIENT.stubber = stubber
        yield CLIENT
        stubber.assert_no_pending_responses()


@pytest.fixture
def jobs(sagemaker):
    """Answers DescribeTransformJob with each job in turn, as if its name were the one that was asked for."""

    def answer(*found):
        for job in found:
            if job is None:
                sagemaker.stubber.add_client_error("describe_transform_job", "ValidationException", "Could not find it")
            else:
                sagemaker.stubber.add_response("describe_transform_job", job, {"TransformJobName": ANY})

    return answer


def test_a_request_is_one_image_at_a_time_from_a_manifest_and_valid(sagemaker):
    wanted = request()
    sagemaker.stubber.add_response("create_transform_job", {"TransformJobArn": "arn:aws:x" + "0" * 20}, wanted)

    assert TRANSFORM_JOBS.start(sagemaker, wanted) == "started"
    assert wanted["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] == "ManifestFile"
    assert (wanted["BatchStrategy"], wanted["TransformInput"]["SplitType"]) == ("SingleRecord", "None")
    assert {"Key": "image-classifier", "Value": "cats"} in wanted["Tags"]


def test_a_name_is_computed_from_what_is_scored_with_what():
    assert request()["TransformJobName"] == request()["TransformJobName"]
    assert request()["TransformJobName"].startswith("image-classifier-cats-")
    others = [request(model="n"), request(manifest_uri="s3://b/o"), request(CATS.revised({"tags": {"a": "b"}}))]
    assert [other["TransformJobName"] == request()["TransformJobName"] for other in others] == [False, False, True]


def test_images_above_six_megabytes_may_be_sent_a_few_at_a_time():
    payloads = ("MaxPayloadInMB", "MaxConcurrentTransforms")
    small, large = request(largest_bytes=DEFAULT_PAYLOAD_BYTES), request(largest_bytes=MAX_IMAGE_BYTES)

    assert [name in small for name in payloads] == [False, False]
    assert large["MaxPayloadInMB"] * 1_000_000 >= MAX_IMAGE_BYTES
    assert large["MaxPayloadInMB"] * large["MaxConcurrentTransforms"] <= 100  # AWS refuses a larger product


def test_unmodified_images_may_be_as_large_as_any_upload():
    unmodified = CATS.revised({"pixels": {"unmodified": True}})

    assert largest_prepared_bytes(unmodified) == largest_image_bytes(side_px=9000, unmodified=False) == MAX_IMAGE_BYTES


def test_no_prepared_image_is_larger_than_expected():
    noise = Image.frombytes("RGB", (224, 224), random.Random(0).randbytes(224 * 224 * 3)).point(lambda v: 255 * (v & 1))
    out = io.BytesIO()
    noise.save(out, "PNG")

    prepared = prepare(out.getvalue(), PixelParameters(224, jpeg_quality=100)).jpeg

    assert len(prepared) <= largest_prepared_bytes(CATS) < DEFAULT_PAYLOAD_BYTES


def test_results_are_encrypted_with_the_key_for_models():
    classifier = CATS.revised({"kms_keys": {"model_artifact": "alias/own"}})

    assert request(classifier)["TransformOutput"] == {"S3OutputPath": "s3://b/output", "KmsKeyId": "alias/own"}


@pytest.mark.parametrize(
    ("status", "action"), [("InProgress", "adopt"), ("Stopping", "await"), ("Completed", "reuse"), (None, "start")]
)
def test_what_is_due_depends_on_the_job_of_the_name(sagemaker, jobs, status, action):
    jobs(status and described("x", status))

    attempt = TRANSFORM_JOBS.plan_attempt(sagemaker, request(), classifier="cats")

    assert (attempt.action, attempt.job_name) == (action, request()["TransformJobName"])


@pytest.mark.parametrize(
    "last", [("Stopped", {}), ("Failed", {"FailureReason": "InternalServerError: We encountered an internal error."})]
)
def test_after_a_stop_or_an_aws_failure_the_next_attempt_has_another_name(sagemaker, jobs, last):
    jobs(described("x", last[0], **last[1]), None)

    attempt = TRANSFORM_JOBS.plan_attempt(sagemaker, request(), classifier="cats")

    assert attempt.action == "start"
    assert attempt.job_name not in ("x", request()["TransformJobName"])


def test_a_job_that_failed_for_its_images_is_not_paid_again(sagemaker, jobs):
    jobs(described("x", "Failed", FailureReason="ClientError: See job logs for more information"))

    with pytest.raises(EvaluationInputError, match=r"x failed: ClientError.* would fail, and cost, again"):
        TRANSFORM_JOBS.plan_attempt(sagemaker, request(), classifier="cats")


def test_a_job_that_another_try_created_meanwhile_is_adopted(sagemaker):
    sagemaker.stubber.add_client_error("create_transform_job", "ResourceInUse", "Job name must be unique")

    assert TRANSFORM_JOBS.start(sagemaker, request()) == "adopted"


def test_a_model_that_sagemaker_does_not_see_yet_is_waited_for(sagemaker, pauses):
    refusal = 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/m".'
    sagemaker.stubber.add_client_error("create_transform_job", "ValidationException", refusal)
    sagemaker.stubber.add_response("create_transform_job", {"TransformJobArn": "arn:aws:x" + "0" * 20}, request())

    assert TRANSFORM_JOBS.start(sagemaker, request()) == "started"
    assert pauses == [2.0]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ValidationException", EvaluationInputError),
        ("ResourceLimitExceeded", EvaluationError),
        ("ThrottlingException", EvaluationError),
    ],
)
def test_a_refused_request_is_an_error_of_ours(sagemaker, code, error):
    sagemaker.stubber.add_client_error("create_transform_job", code, "No.")

    with pytest.raises(error, match="was not created"):
        TRANSFORM_JOBS.start(sagemaker, request())


@pytest.mark.parametrize(
    ("job", "error"),
    [
        (described("x", "Stopped"), EvaluationStoppedError),
        (described("x", "Failed", FailureReason="AlgorithmError: no"), EvaluationInputError),
        (described("x", "Failed", FailureReason="CapacityError: none free"), EvaluationError),
    ],
)
def test_every_end_but_completed_is_an_error_that_says_what_a_retry_costs(job, error):
    TRANSFORM_JOBS.check_completed(described("x", "Completed"))

    with pytest.raises(error, match="endpoint was not touched") as raised:
        TRANSFORM_JOBS.check_completed(job)

    assert type(raised.value) is error
    assert "cost" in str(raised.value)


def test_a_job_that_has_ended_cannot_be_stopped_and_that_is_no_error(sagemaker):
    sagemaker.stubber.add_client_error("stop_transform_job", "ValidationException", "is in status Completed")
    sagemaker.stubber.add_response("stop_transform_job", {}, {"TransformJobName": "x"})

    assert TRANSFORM_JOBS.kind.stop(sagemaker, "x") is False
    assert TRANSFORM_JOBS.kind.stop(sagemaker, "x") is True


def test_jobs_in_progress_are_those_of_this_classifier(sagemaker):
    names = [f"image-classifier-cats-{'0' * 16}", f"image-classifier-cats-2-{'0' * 16}", "image-classifier-cats-x"]
    summary = {"TransformJobArn": "arn", "CreationTime": CREATED, "TransformJobStatus": "InProgress"}
    summaries = [{"TransformJobName": name, **summary} for name in names]
    for status in ("InProgress", "Stopping"):
        wanted = {"NameContains": "image-classifier-cats-", "StatusEquals": status}
        sagemaker.stubber.add_response("list_transform_jobs", {"TransformJobSummaries": summaries}, wanted)

    assert TRANSFORM_JOBS.in_progress(sagemaker, classifier="cats") == names[:1]


def test_the_limit_counts_from_the_jobs_creation():
    job = described("x", "InProgress")

    assert deadline(job, time_limit_s=60) == CREATED.timestamp() + 60
