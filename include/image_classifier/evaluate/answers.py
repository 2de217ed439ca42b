"""Reads and writes predictions.jsonl, a model's answers for the test images; later models are compared with them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.evaluate.images import VersionImage

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FILE = "predictions.jsonl"


@dataclass(frozen=True)
class Answer:
    """A model's answer for one test image; ``probabilities`` has one number per class, in the order of the labels."""

    key: str
    sha256: str
    label: str
    predicted: str
    probabilities: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        return self.label == self.predicted


def answers_of(
    images: Sequence[VersionImage], results: Mapping[str, Sequence[float]], *, labels: Sequence[str]
) -> tuple[Answer, ...]:
    """Convert results to answers; of equally likely classes the first counts, as in the inference function."""
    found = []
    for image in images:
        if (values := results.get(image.key)) is not None:
            predicted = labels[max(range(len(values)), key=values.__getitem__)]
            found.append(Answer(image.key, image.sha256, image.label, predicted, tuple(values)))
    return tuple(found)


def write_answers(s3: "S3Client", answers: Sequence[Answer], *, bucket: str, evaluation: str) -> None:
    """Store the answers as predictions.jsonl below the evaluation's prefix."""
    body = "".join(json.dumps(asdict(one)) + "\n" for one in answers).encode()
    storage.write(s3, bucket=bucket, key=evaluation + FILE, body=body, content_type="application/jsonl")


def read_answers(s3: "S3Client", *, bucket: str, evaluation: str) -> tuple[Answer, ...] | None:
    """Return the stored answers, or None if none are stored."""
    found = storage.read(s3, bucket=bucket, key=evaluation + FILE)
    if found is None:
        return None
    lines = (json.loads(line) for line in found[0].decode().splitlines())
    return tuple(Answer(**{**line, "probabilities": tuple(line["probabilities"])}) for line in lines)
