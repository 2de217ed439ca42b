"""What a model answered for each test image: predictions.jsonl, from which later models are compared with it."""

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
    """A model's answer for one test image; ``probabilities`` are in the order of the model's own labels."""

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
    """The results as classes; of equally likely ones the first, as the inference function takes it."""
    found = []
    for image in images:
        if (values := results.get(image.key)) is not None:
            predicted = labels[max(range(len(values)), key=values.__getitem__)]
            found.append(Answer(image.key, image.sha256, image.label, predicted, tuple(values)))
    return tuple(found)


def write_answers(s3: "S3Client", answers: Sequence[Answer], *, bucket: str, evaluation: str) -> None:
    """Store them at the evaluation's prefix."""
    body = "".join(json.dumps(asdict(one)) + "\n" for one in answers).encode()
    storage.write(s3, bucket=bucket, key=evaluation + FILE, body=body, content_type="application/jsonl")


def read_answers(s3: "S3Client", *, bucket: str, evaluation: str) -> tuple[Answer, ...] | None:
    """The stored ones; None if there are none."""
    found = storage.read(s3, bucket=bucket, key=evaluation + FILE)
    if found is None:
        return None
    lines = (json.loads(line) for line in found[0].decode().splitlines())
    return tuple(Answer(**{**line, "probabilities": tuple(line["probabilities"])}) for line in lines)
