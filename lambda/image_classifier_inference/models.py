"""Reads the pixel parameters and the labels of each model once."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from image_classifier.contracts.models import Model, parse_model

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True)
class ModelFiles:
    """Reads ``<models_prefix><training job>/model.json``; these files never change, so a warm function keeps them."""

    s3: "S3Client"
    models_prefix: str
    _read: dict[str, Model] = field(default_factory=dict)

    def of(self, training_job: str, *, bucket: str) -> Model:
        """Return the model of a training job.

        Raises:
            PredictionError: the file is not a valid model.json.

        """
        if training_job not in self._read:
            key = f"{self.models_prefix}{training_job}/model.json"
            self._read[training_job] = parse_model(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read(), key=key)
        return self._read[training_job]
