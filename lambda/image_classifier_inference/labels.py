"""The labels of the model that answered: index to name, read once per model and proved to be unharmed."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from image_classifier.errors import PredictionError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True)
class Labels:
    """The names of a model's classes; the position is the index in the model's answer."""

    names: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class LabelFiles:
    """``<models_prefix><training job>/labels.json``, kept for as long as the function stays warm: they never change."""

    s3: "S3Client"
    models_prefix: str
    _read: dict[str, Labels] = field(default_factory=dict)

    def of(self, training_job: str, *, bucket: str) -> Labels:
        """The labels of a training job's model.

        Raises:
            PredictionError: the file is not what was written beside the model.

        """
        if training_job not in self._read:
            key = f"{self.models_prefix}{training_job}/labels.json"
            self._read[training_job] = _parse(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read(), key=key)
        return self._read[training_job]


def _parse(data: bytes, *, key: str) -> Labels:
    try:
        document = json.loads(data)
        names, sha256 = document["labels"], document["sha256"]
    except (ValueError, LookupError, TypeError) as error:
        raise PredictionError(f"{key} is not a file of labels ({error!r}); run the classifier's Dag again") from error
    canonical = json.dumps(names, ensure_ascii=False, separators=(",", ":")).encode()
    if hashlib.sha256(canonical).hexdigest() != sha256:
        raise PredictionError(f"{key} was changed: its labels do not have its own sha256 {sha256}; run the Dag again")
    return Labels(tuple(names), sha256)
