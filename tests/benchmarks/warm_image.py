"""What a warm function spends on one photograph of 500 x 375 pixels, without S3 and the endpoint: at most 6 ms.

The clients answer from memory. Everything else is done: the event, the pixels, the record, the thumbnail, the log line.

PYTHONPATH=include:lambda .venv/airflow/bin/python tests/benchmarks/warm_image.py [JPEG]
"""

import contextlib
import io
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from measured import load
from PIL import Image

from image_classifier.contracts.labels import labels_document
from image_classifier_inference.endpoint import Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.events import handle
from image_classifier_inference.inference import Inference
from image_classifier_inference.models import ModelFiles

MOST_MS, IMAGES, SIZE, SIDE_PX = 6.0, 200, (500, 375), 224
LABELS = [f"class {number}" for number in range(10)]
MODEL = {
    **json.loads(labels_document(LABELS)),
    "pixels": {"side_px": SIDE_PX, "fit": "pad", "jpeg_quality": 90, "as_is": False},
}
ENVIRON = {
    "CLASSIFIER": "pets",
    "ENDPOINT": "image-classifier-pets",
    "ENDPOINT_CONFIG": "image-classifier-pets-0123",
    "TRAINING_JOB": "job",
    "UNSURE_BELOW": "0.5",
    "CALIBRATE": "true",
    "MODELS_PREFIX": "pets/models/",
    "INCOMING_PREFIX": "pets/incoming/",
    "PREDICTIONS_PREFIX": "pets/predictions/",
    "THUMBNAILS_PREFIX": "pets/thumbnails/",
    "LOG_PREFIX": "pets/predictions-log/",
}


class S3:
    """A bucket that holds the photograph and model.json, and forgets what is written."""

    def __init__(self, photograph: bytes) -> None:
        """Store the photograph, which stands under every other key."""
        self.photograph, self.model = photograph, json.dumps(MODEL).encode()

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.model if Key.endswith("model.json") else self.photograph)}

    def put_object(self, **_: Any) -> dict[str, Any]:
        return {}


class Runtime:
    """An endpoint that answers at once."""

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps([0.1] * len(LABELS)).encode()), "InvokedProductionVariant": "job"}


class Context:
    """An invocation with a minute left."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def photograph() -> bytes:
    """A JPEG as a camera writes it, with colour and detail."""
    gradient = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize(SIZE) for turn in (0, 90, 180)])
    noise = Image.effect_noise(SIZE, 40).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(gradient, noise, 0.3).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def event(size: int) -> dict[str, Any]:
    found = {"key": "pets/incoming/cat.jpg", "size": size, "eTag": "etag", "versionId": "v", "sequencer": "0055"}
    record = {"s3": {"bucket": {"name": "pictures"}, "object": found}, "eventTime": "2026-01-01T00:00:00.000Z"}
    return {"Records": [{**record, "eventName": "ObjectCreated:Put", "eventSource": "aws:s3"}]}


def main(image: bytes) -> None:
    """Print the medians of wall and CPU time."""
    s3: Any = S3(image)
    runtime: Any = Runtime()
    environment = Environment.from_environ(ENVIRON)
    endpoint, models = Endpoint(runtime, name="e"), ModelFiles(s3, models_prefix=environment.models_prefix)
    inference = Inference(environment, s3=s3, endpoint=endpoint, models=models)
    uploaded, times = event(len(image)), []
    with Path(os.devnull).open("w") as log, contextlib.redirect_stdout(log):
        for _ in range(IMAGES + 10):
            started, cpu_started = time.perf_counter(), time.process_time()
            handle(uploaded, Context(), inference=inference)
            times.append((time.perf_counter() - started, time.process_time() - cpu_started))
    wall, cpu = (statistics.median(column) * 1000 for column in zip(*times[10:], strict=True))
    print(f"Median of {IMAGES} images of {len(image):,} bytes; {load()}.")
    print(f"a warm image: {cpu:.1f} ms CPU (at most {MOST_MS:g}), {wall:.1f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else photograph())
