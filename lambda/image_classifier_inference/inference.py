"""From one upload to its prediction record: the story of the function."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from image_classifier import pixels, predictions
from image_classifier.errors import ImageRejectedError
from image_classifier.predictions import Image, Model, Prediction, Times
from image_classifier_inference import records, uploads
from image_classifier_inference.endpoint import Answer, Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.labels import LabelFiles
from image_classifier_inference.uploads import Upload

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Inference:
    """What a warm function keeps: its environment and its clients."""

    environment: Environment
    s3: "S3Client"
    endpoint: Endpoint
    labels: LabelFiles
    now: Callable[[], datetime] = _now

    def classify(self, upload: Upload, *, remaining_s: Callable[[], float]) -> Prediction | None:
        """The prediction for one upload; None if the image was deleted before it could be read.

        Raises:
            EndpointError: the endpoint gave no answer.
            PredictionError: its answer does not fit its model's labels.

        """
        try:
            self._check_size(upload.image)
            data = uploads.download(self.s3, upload.image)
            if data is None:
                return None
            prepare = pixels.keep if self.environment.as_is else pixels.prepare
            prepared = prepare(data, self.environment.pixels)
        except ImageRejectedError as error:
            times = self._times(upload, endpoint_ms=None)
            return predictions.rejected(upload.image, code=error.code, sentence=str(error), times=times)
        image = _with_size(upload.image, prepared)
        return self._predicted(upload, image, self.endpoint.ask(prepared.jpeg, remaining_s=remaining_s))

    def store(self, prediction: Prediction) -> bool:
        """Write the record, unless a later upload has one; says whether it was written."""
        key = predictions.record_key(
            prediction.image.key,
            incoming_prefix=self.environment.incoming_prefix,
            predictions_prefix=self.environment.predictions_prefix,
        )
        return records.store(self.s3, prediction, key=key, pause=self.endpoint.pause)

    def _check_size(self, image: Image) -> None:
        """Reject by the event's size what need not be downloaded."""
        limit = self.environment.pixels.max_image_bytes
        if image.bytes == 0:
            raise ImageRejectedError("empty", "The file is empty (0 bytes).")
        if image.bytes > limit:
            raise ImageRejectedError("too_large", f"The file has {image.bytes:,} bytes; at most {limit:,} are read.")

    def _predicted(self, upload: Upload, image: Image, answer: Answer) -> Prediction:
        labels = self.labels.of(answer.variant, bucket=image.bucket)
        model = Model(
            training_job=answer.variant,
            endpoint=self.environment.endpoint,
            # Known for the model of this deployment only; an update of the endpoint may let another one answer.
            endpoint_config=self.environment.endpoint_config
            if answer.variant == self.environment.training_job
            else None,
            labels_sha256=labels.sha256,
        )
        return predictions.predicted(
            image,
            probabilities=answer.probabilities,
            labels=labels.names,
            unsure_below=self.environment.unsure_below,
            model=model,
            times=self._times(upload, endpoint_ms=answer.endpoint_ms),
        )

    def _times(self, upload: Upload, *, endpoint_ms: float | None) -> Times:
        now = self.now()
        elapsed = (now - datetime.fromisoformat(upload.uploaded)).total_seconds() * 1000
        return Times(
            uploaded=upload.uploaded,
            predicted=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            endpoint_ms=endpoint_ms,
            total_ms=round(max(0.0, elapsed), 1),  # the clocks of S3 and of the function are not one
        )


def _with_size(image: Image, prepared: pixels.Prepared) -> Image:
    return Image(**{**vars(image), "width": prepared.width, "height": prepared.height})
