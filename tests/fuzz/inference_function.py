"""Gives the inference function random files and events for some minutes, within 1,024 MB, and checks each result.

Run it with ``make fuzz``; MINUTES is 10 by default, SEED the first of the random numbers. Files are those of the corpus
with bytes changed, cut out, repeated and put together; events are S3's with any value in any place. Checked is that

- the function raises nothing but its own error, and for a queue nothing at all,
- a whole image that is uploaded beside a broken record or message has its record,
- every record can be read, is about the uploaded bytes, and is `predicted` exactly if the endpoint was asked,
- what the endpoint is asked about is a square JPEG of the model's size.
"""

import contextlib
import io
import json
import os
import random
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from typing import Any

from PIL import Image
from tests.unit.image_classifier_inference.memory_aws import BUCKET, Context, MemoryAws, etag
from tests.unit.odd_images import corpus

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction
from image_classifier_inference.events import handle

MEMORY_BYTES = 1024 * 1024 * 1024
SIDE_PX = 32
PREFIX, RECORDS = "pets/incoming/", "pets/predictions/"
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 1e308, float("inf"), float("nan"), "", "0", "a" * 2000, "\ud800", "%", "%ff%00"),
    *("../..", "\0", "2026-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "null", [], {}, [[]]),
    *({"Records": []}, "aws:sqs", "aws:s3", "ObjectCreated:*", "ObjectRemoved:Delete", f"{PREFIX}good.jpg"),
)


class WrongResultError(Exception):
    """The function did what it must not do; the message says what."""


class Checked(MemoryAws):
    """The memory's AWS, whose endpoint looks at what it is asked, and a warm function."""

    def __init__(self) -> None:
        super().__init__()
        self.function = self.inference()

    def handle(self, records: list[Any]) -> Any:
        """Invoke the function."""
        return handle({"Records": records}, Context(), inference=self.function)

    def _invoke(self, *, Body: Any, **request: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        body = Body if isinstance(Body, bytes) else Body.getvalue()
        with Image.open(io.BytesIO(body)) as image:
            if (image.format, image.size, image.mode) != ("JPEG", (SIDE_PX, SIDE_PX), "RGB"):
                raise WrongResultError(f"the endpoint was asked about {image.format} {image.size} {image.mode}")
        return super()._invoke(Body=body, **request)


def changed_file(choice: random.Random, files: list[bytes]) -> bytes:
    """One file of the corpus with one to four changes."""
    data = bytearray(choice.choice(files))
    for _ in range(choice.randint(1, 4)):
        at = choice.randrange(len(data) + 1)
        some = choice.randbytes(choice.choice((1, 1, 2, 4, 16)))
        end = min(len(data), at + choice.choice((1, 4, 64, len(data))))
        kind = choice.randrange(6)
        if kind == 0:
            data[at : at + len(some)] = some
        elif kind == 1:
            data[at:at] = some
        elif kind == 2:
            del data[at:end]
        elif kind == 3:
            data[at:at] = data[at:end]
        elif kind == 4 and data:
            data[min(at, len(data) - 1)] ^= 1 << choice.randrange(8)
        else:
            other = choice.choice(files)
            data[at:end] = other[choice.randrange(len(other) + 1) :][: end - at]
    return bytes(data)


def upload(aws: MemoryAws, name: str, body: bytes) -> dict[str, Any]:
    """Store an image; returns S3's record of the event."""
    described = {"size": len(body), "eTag": etag(body), "versionId": aws.write(PREFIX + name, body), "sequencer": "0A"}
    return {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": PREFIX + name, **described}},
    }


def changed_value(choice: random.Random, value: Any) -> Any:
    """The value with one of its parts, or all of it, replaced or left out."""
    if isinstance(value, dict) and value and choice.random() < 0.85:
        name = choice.choice(sorted(value))
        if choice.random() < 0.2:
            return {key: part for key, part in value.items() if key != name}
        return {**value, name: changed_value(choice, value[name])}
    if isinstance(value, list) and value and choice.random() < 0.85:
        place = choice.randrange(len(value))
        return [*value[:place], changed_value(choice, value[place]), *value[place + 1 :]]
    return choice.choice(VALUES)


def try_file(aws: Checked, choice: random.Random, files: list[bytes]) -> str:
    """Upload one changed file; returns the record's status or reason."""
    body = changed_file(choice, files)
    aws.handle([upload(aws, "a.jpg", body)])
    [(key, record)] = aws.records().items()
    read = Prediction.from_json(json.dumps(record).encode())
    if key != f"{RECORDS}a.jpg.json" or (read.image.etag, read.image.bytes) != (etag(body), len(body)):
        raise WrongResultError(f"the record {key} is about {read.image}")
    if (read.status == "predicted") != (aws.asked == 1) or read.status not in ("predicted", "rejected"):
        raise WrongResultError(f"the endpoint was asked {aws.asked} times, and the record is {read.status}")
    return read.reason.code if read.reason else read.status


def try_event(aws: Checked, choice: random.Random, photo: bytes) -> str:
    """Send a changed record or message with a good one behind it; returns how the invocation ended."""
    record = upload(aws, "bad.jpg", photo)
    for _ in range(choice.randint(1, 3)):
        record = changed_value(choice, record)
    good = upload(aws, "good.jpg", photo)
    if choice.random() < 0.5:
        end = _sent_through_a_queue(aws, choice, record, good)
    else:
        try:
            aws.handle([record, good])
            end = "event done"
        except PredictionError:
            end = "event failed"
    for stored in aws.records().values():
        Prediction.from_json(json.dumps(stored).encode())
    if f"{RECORDS}good.jpg.json" not in aws.records():
        raise WrongResultError("the good image has no record")
    return end


def _sent_through_a_queue(aws: Checked, choice: random.Random, record: Any, good: Any) -> str:
    body = json.dumps({"Records": [record]})
    if choice.random() < 0.2:
        body = body[: choice.randrange(len(body))]
    bodies = {"bad": body, "good": json.dumps({"Records": [good]})}
    messages = [{"messageId": name, "eventSource": "aws:sqs", "body": text} for name, text in bodies.items()]
    answer = aws.handle(messages)
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    if "good" in failed or len(failed) > 1:
        raise WrongResultError(f"messages {failed} failed")
    return f"queue: {len(failed)} failed"


def main() -> int:
    """Print what was tried; return 1 if a result was wrong, with the seed that shows it again."""
    minutes, first = float(os.environ.get("MINUTES", "10")), int(os.environ.get("SEED", "0"))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    warnings.simplefilter("ignore")
    files = [body for _, body in corpus.files().values()]
    photo = corpus.files()["baseline JPEG"][1]
    end, seed, results, slowest = time.monotonic() + 60 * minutes, first, Counter[str](), (0.0, 0)
    aws = Checked()
    while time.monotonic() < end:
        choice, began = random.Random(seed), time.monotonic()
        aws.empty()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                results[try_file(aws, choice, files) if seed % 3 else try_event(aws, choice, photo)] += 1
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            print(f"SEED={seed}:\n{traceback.format_exc()}", file=sys.stderr)
            return 1
        slowest, seed = max(slowest, (time.monotonic() - began, seed)), seed + 1
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seed - first} files and events in {minutes:g} minutes, from SEED={first}; at most {memory_mb:.0f} MB")
    print(f"slowest {slowest[0]:.2f} s (SEED={slowest[1]}); results: {dict(results.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
