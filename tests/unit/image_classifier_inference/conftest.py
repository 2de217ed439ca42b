"""Provides an S3 bucket in memory, an endpoint with chosen answers, and recorded S3 events."""

import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from moto import mock_aws
from PIL import Image
from tests.unit.image_classifier_inference.memory_aws import Context

from image_classifier_inference.endpoint import Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.inference import Inference
from image_classifier_inference.models import ModelFiles

# One session: it reads the services' models once.
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
BUCKET = "pictures"
LABELS = ["cat", "dog"]
ENVIRON = {
    "CLASSIFIER": "pets",
    "ENDPOINT": "image-classifier-pets",
    "ENDPOINT_CONFIG": "image-classifier-pets-0123",
    "TRAINING_JOB": "job-2",
    "UNSURE_BELOW": "0.6",
    "MODELS_PREFIX": "pets/models/",
    "INCOMING_PREFIX": "pets/incoming/",
    "PREDICTIONS_PREFIX": "pets/predictions/",
    "THUMBNAILS_PREFIX": "pets/thumbnails/",
    "LOG_PREFIX": "pets/predictions-log/",
}
NOW = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)


class Runtime:
    """A stubbed sagemaker-runtime client: a request that botocore's model would refuse fails the test."""

    def __init__(self):
        config = Config(retries={"total_max_attempts": 1})
        self.client = SESSION.client("sagemaker-runtime", config=config)
        self.stubber = Stubber(self.client)
        self.stubber.activate()
        self.pauses_s = []

    def answers(self, probabilities, *, variant="job-2"):
        body = probabilities if isinstance(probabilities, bytes) else json.dumps(probabilities).encode()
        self.stubber.add_response(
            "invoke_endpoint",
            {"Body": StreamingBody(io.BytesIO(body), len(body)), "InvokedProductionVariant": variant},
            {"EndpointName": "image-classifier-pets", "ContentType": "application/x-image", "Body": ANY},
        )

    def fails(self, code, status=400, *, original_status=None, message="no"):
        fields = {"OriginalStatusCode": original_status, "OriginalMessage": message} if original_status else {}
        self.stubber.add_client_error("invoke_endpoint", code, message, http_status_code=status, modeled_fields=fields)

    @property
    def bodies(self):
        """The images that were sent, from now on."""
        sent = []
        self.client.meta.events.register(
            "before-parameter-build.sagemaker-runtime.InvokeEndpoint", lambda params, **_: sent.append(params["Body"])
        )
        return sent


@pytest.fixture
def event():
    folder = Path(__file__).parent / "events"
    return lambda name: json.loads((folder / f"{name}.json").read_text())


@pytest.fixture
def s3():
    with mock_aws():
        client = SESSION.client("s3")
        client.create_bucket(Bucket=BUCKET)
        for job in ("job-1", "job-2"):
            client.put_object(Bucket=BUCKET, Key=f"pets/models/{job}/model.json", Body=_model_file(LABELS))
        yield client


@pytest.fixture
def runtime(s3):
    runtime = Runtime()
    yield runtime
    runtime.stubber.assert_no_pending_responses()


@pytest.fixture
def inference_with(s3, runtime):
    """A warm function whose environment differs from ENVIRON in the given variables."""

    def build(**environ):
        environment = Environment.from_environ({**ENVIRON, **environ})
        return Inference(
            environment,
            s3=s3,
            endpoint=Endpoint(runtime.client, name=environment.endpoint, pause=runtime.pauses_s.append),
            models=ModelFiles(s3, models_prefix=environment.models_prefix),
            now=lambda: NOW,
        )

    return build


@pytest.fixture
def inference(inference_with):
    return inference_with()


@pytest.fixture
def environ():
    return dict(ENVIRON)


@pytest.fixture
def context():
    return Context()


@pytest.fixture
def photo():
    return _photo


@pytest.fixture
def model_file():
    return _model_file


@pytest.fixture
def trained_on(s3):
    """Say what a model was trained on: the image's side in pixels, or images as they are."""

    def write(job, **pixels):
        s3.put_object(Bucket=BUCKET, Key=f"pets/models/{job}/model.json", Body=_model_file(LABELS, **pixels))

    return write


@pytest.fixture
def upload(s3):
    """Put an image into the bucket and fill the version and the ETag that S3 gave it into the event."""

    def put(event, data=None, *, version=True):
        for record in event["Records"]:
            key = record["s3"]["object"]["key"].replace("+", " ").replace("%2B", "+")
            found = s3.put_object(Bucket=BUCKET, Key=key, Body=_photo() if data is None else data)
            record["s3"]["object"].pop("versionId", None)
            record["s3"]["object"]["eTag"] = found["ETag"].strip('"')
            if version and "VersionId" in found:
                record["s3"]["object"]["versionId"] = found["VersionId"]
        return event

    return put


@pytest.fixture
def stored(s3):
    """The stored record of an image, as JSON."""
    return lambda name: json.loads(s3.get_object(Bucket=BUCKET, Key=f"pets/predictions/{name}.json")["Body"].read())


def _photo(*, size=(40, 30), kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind)
    return out.getvalue()


def _model_file(labels, **pixels):
    canonical = json.dumps(labels, ensure_ascii=False, separators=(",", ":")).encode()
    seen = {"side_px": 32, "fit": "pad", "jpeg_quality": 90, "as_is": False, **pixels}
    document = {"schema": 1, "labels": labels, "sha256": hashlib.sha256(canonical).hexdigest(), "pixels": seen}
    return json.dumps(document).encode()
