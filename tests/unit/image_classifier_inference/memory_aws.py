"""Contains S3 and an endpoint in memory, which answer the requests that the function's own clients build."""

import hashlib
import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config

from image_classifier_inference.endpoint import Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.inference import Inference
from image_classifier_inference.models import ModelFiles

BUCKET = "pictures"
JOB = "job-2"
LABELS = ["cat", "dog"]
NOW = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
ENVIRON = {
    "CLASSIFIER": "pets",
    "ENDPOINT": "image-classifier-pets",
    "ENDPOINT_CONFIG": "image-classifier-pets-0123",
    "TRAINING_JOB": JOB,
    "UNSURE_BELOW": "0.6",
    "MODELS_PREFIX": "pets/models/",
    "INCOMING_PREFIX": "pets/incoming/",
    "PREDICTIONS_PREFIX": "pets/predictions/",
    "THUMBNAILS_PREFIX": "pets/thumbnails/",
    "LOG_PREFIX": "pets/predictions-log/",
}
MISSING, CONFLICT = 404, 412
MOST_KEY_BYTES = 1024


class MemoryAws:
    """One bucket with versions, and an endpoint that gives every image `probabilities`."""

    def __init__(self, probabilities: tuple[float, ...] = (0.1, 0.9)) -> None:
        self.probabilities = probabilities
        self._params: dict[str, Any] = {}
        self.s3, self.runtime = (self._client(name) for name in ("s3", "sagemaker-runtime"))
        self.empty()

    def empty(self) -> None:
        """Leave nothing but the model's file."""
        self.asked = 0
        self.sent = b""  # what the endpoint was asked about last
        self.objects: dict[str, list[bytes | None]] = {}  # by key, the versions' bytes, oldest first; None is deleted
        self.write(f"pets/models/{JOB}/model.json", _model_file())

    def inference(self) -> Inference:
        """A warm function that uses these clients."""
        environment = Environment.from_environ(ENVIRON)
        endpoint = Endpoint(self.runtime, name=environment.endpoint, pause=lambda _: None)
        return Inference(
            environment,
            s3=self.s3,
            endpoint=endpoint,
            models=ModelFiles(self.s3, models_prefix=environment.models_prefix),
            now=lambda: NOW,
        )

    def write(self, key: str, body: bytes | None) -> str:
        """Store a version of an object; returns its id."""
        self.objects.setdefault(key, []).append(body)
        return f"v{len(self.objects[key])}"

    def records(self) -> dict[str, dict[str, Any]]:
        """Every stored prediction record by its key."""
        return {
            key: json.loads(versions[-1])
            for key, versions in self.objects.items()
            if key.startswith(ENVIRON["PREDICTIONS_PREFIX"]) and versions[-1] is not None
        }

    def _client(self, service: str) -> Any:
        client = SESSION.client(service, config=Config(retries={"total_max_attempts": 1}))
        client.meta.events.register("provide-client-params", self._remember)
        client.meta.events.register("before-call", self._answer)
        return client

    def _remember(self, params: dict[str, Any], **_: Any) -> None:
        self._params = params

    def _answer(self, model: Any, **_: Any) -> Any:
        answers = {"GetObject": self._get, "PutObject": self._put, "InvokeEndpoint": self._invoke}
        answer = answers[model.name](**self._params)
        answer.setdefault("ResponseMetadata", {"HTTPStatusCode": 200, "RequestId": "request-1"})
        return SimpleNamespace(status_code=answer["ResponseMetadata"]["HTTPStatusCode"]), answer

    def _get(self, *, Key: str, VersionId: str = "", IfMatch: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        versions = self.objects.get(Key, [])
        ids = [f"v{number}" for number in range(1, len(versions) + 1)]
        if VersionId and VersionId not in ids:
            return _error("NoSuchVersion", MISSING)
        found = versions[ids.index(VersionId)] if VersionId else versions[-1] if versions else None
        if found is None:
            return _error("NoSuchKey", MISSING)
        if IfMatch and IfMatch.strip('"') != etag(found):
            return _error("PreconditionFailed", CONFLICT)
        return {"Body": io.BytesIO(found), "ETag": f'"{etag(found)}"'}

    def _put(
        self,
        *,
        Key: str,  # noqa: N803
        Body: Any,  # noqa: N803
        IfMatch: str = "",  # noqa: N803
        IfNoneMatch: str = "",  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        if len(Key.encode()) > MOST_KEY_BYTES:
            return _error("KeyTooLongError", 400)
        body = Body if isinstance(Body, bytes) else Body.getvalue()  # botocore makes a file of it
        found = self.objects.get(Key, [None])[-1]
        if (IfNoneMatch and found is not None) or (IfMatch and (found is None or IfMatch.strip('"') != etag(found))):
            return _error("PreconditionFailed", CONFLICT)
        self.write(Key, body)
        return {"ETag": f'"{etag(body)}"'}

    def _invoke(self, *, Body: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.asked += 1
        self.sent = Body if isinstance(Body, bytes) else Body.getvalue()
        return {"Body": io.BytesIO(json.dumps(self.probabilities).encode()), "InvokedProductionVariant": JOB}


class Context:
    """Lambda's context with a fixed time left."""

    aws_request_id = "request-1"

    def __init__(self, remaining_s: float = 60.0) -> None:
        self.remaining_s = remaining_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self.remaining_s * 1000)


def etag(body: bytes) -> str:
    """As S3 computes it."""
    return hashlib.md5(body).hexdigest()


def _error(code: str, status: int) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}


def _model_file() -> bytes:
    canonical = json.dumps(LABELS, separators=(",", ":")).encode()
    seen = {"side_px": 32, "fit": "pad", "jpeg_quality": 90, "as_is": False}
    document = {"schema": 1, "labels": LABELS, "sha256": hashlib.sha256(canonical).hexdigest(), "pixels": seen}
    return json.dumps(document).encode()
