"""Creates and stores the prediction record of one upload."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from image_classifier.contracts import answers, pixels, predictions, record_keys
from image_classifier.contracts.errors import EndpointError, ImageRejectedError, ModelRefusalError
from image_classifier.contracts.models import Model
from image_classifier.contracts.predictions import Image, Prediction, Times
from image_classifier.contracts.record_order import is_same_upload
from image_classifier_inference import records, uploads
from image_classifier_inference.endpoint import Answer, Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.models import ModelFiles
from image_classifier_inference.uploads import Upload

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

NO_UPLOAD = ".check/none"  # no object is stored under this name
MOST_MODELS = 4  # an update has two models, and it may start and be rolled back while one image is classified


@dataclass(frozen=True)
class Asked:
    """An answer, the model that gave it, and the image as it was sent."""

    model: Model
    prepared: pixels.Prepared
    answer: Answer


@dataclass(frozen=True)
class Classified:
    """A record, and its thumbnail and endpoint time; a rejected image has neither of the two."""

    prediction: Prediction
    thumbnail: bytes | None = None
    endpoint_request_id: str | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Inference:
    """The environment and the clients that a warm function keeps."""

    environment: Environment
    s3: "S3Client"
    endpoint: Endpoint
    models: ModelFiles
    now: Callable[[], datetime] = _now

    def within(self, remaining_s: Callable[[], float]) -> "Inference":
        """Return the same for one invocation; `remaining_s` returns the seconds that it has left."""
        return replace(self, endpoint=replace(self.endpoint, remaining_s=remaining_s))

    def classify(self, upload: Upload) -> Classified | None:
        """Return the prediction for one upload, or None if the image was deleted before it could be read.

        Raises:
            EndpointError: the endpoint gave no answer.
            PredictionError: the endpoint's answer does not fit its model's labels.

        """
        try:
            self._check_size(upload.image)
            data = uploads.download(self.s3, upload.image)
            if data is None:
                return None
            asked = self._ask(data, bucket=upload.image.bucket)
        except ImageRejectedError as error:
            times = self._times(upload, endpoint_ms=None)
            record = predictions.rejected(upload.image, code=error.code, sentence=str(error), times=times)
            return Classified(replace(record, generation=upload.generation))
        record = replace(
            self._predicted(upload, _with_size(upload.image, asked.prepared), asked),
            thumbnail=self._thumbnail_key(upload.image.key),
            generation=upload.generation,
            traits=asked.prepared.traits,
        )
        return Classified(record, pixels.thumbnail(asked.prepared.jpeg), asked.answer.request_id)

    def check(self, bucket: str) -> int:
        """Check without an upload that the function can read S3, invoke the endpoint and write a record.

        Returns the number of the model's labels.

        Raises:
            EndpointError: the endpoint gave no answer.
            PredictionError: the endpoint's answer does not fit its model's labels.
            ClientError: the function lacks a permission on S3.

        """
        environment = self.environment
        uploads.download(self.s3, Image(bucket, f"{environment.incoming_prefix}{NO_UPLOAD}", None, None, 0, None))
        for prefix in (environment.predictions_prefix, environment.thumbnails_prefix, environment.log_prefix):
            records.check_writable(self.s3, bucket=bucket, key=f"{prefix}{NO_UPLOAD}.json")
        asked = self._ask(pixels.blank(), bucket=bucket)
        labels, job = asked.model.labels, asked.answer.variant
        answers.check_probabilities(asked.answer.probabilities, num_labels=len(labels), training_job=job)
        return len(labels)

    def store(self, classified: Classified) -> bool:
        """Write the record, its thumbnail and its log entry, unless a later upload's record is stored.

        The thumbnail and the log entry are written after the record. If the function ends in between, the retry writes
        them. Returns whether the record was written.
        """
        prediction, image = classified.prediction, classified.prediction.image
        current = records.store(self.s3, prediction, key=self._record_key(image.key), pause=self.endpoint.pause)
        if is_same_upload(current, prediction):
            if classified.thumbnail is not None and prediction.thumbnail is not None:
                records.write_thumbnail(self.s3, classified.thumbnail, bucket=image.bucket, key=prediction.thumbnail)
            log_key = record_keys.log_key(current, log_prefix=self.environment.log_prefix)
            records.write_log_entry(self.s3, current, bucket=image.bucket, key=log_key)
        return current is prediction

    def _record_key(self, key: str) -> str:
        environment = self.environment
        return record_keys.record_key(
            key, incoming_prefix=environment.incoming_prefix, predictions_prefix=environment.predictions_prefix
        )

    def _thumbnail_key(self, key: str) -> str:
        environment = self.environment
        return record_keys.thumbnail_key(
            key, incoming_prefix=environment.incoming_prefix, thumbnails_prefix=environment.thumbnails_prefix
        )

    def _check_size(self, image: Image) -> None:
        """Reject an empty or too large file by the size in the event, before it is downloaded."""
        limit = pixels.MAX_IMAGE_BYTES
        if image.bytes == 0:
            raise ImageRejectedError("empty", "The file is empty (0 bytes).")
        if image.bytes > limit:
            raise ImageRejectedError("too_large", f"The file has {image.bytes:,} bytes; at most {limit:,} are read.")

    def _ask(self, data: bytes, *, bucket: str) -> Asked:
        """Ask the endpoint; repeat with the other model's pixels if an update let another model answer."""
        training_job = self.environment.training_job
        for _ in range(MOST_MODELS):
            model = self.models.of(training_job, bucket=bucket)
            prepared = model.prepare(data)
            answer = self._answer(prepared, model)
            answered = self.models.of(answer.variant, bucket=bucket)
            if answered.same_preprocessing(model):
                return Asked(answered, prepared, answer)
            training_job = answer.variant
        message = (
            f"Endpoint {self.endpoint.name} changed its model with each of {MOST_MODELS} answers; the event is retried"
        )
        raise EndpointError(message)

    def _answer(self, prepared: pixels.Prepared, model: Model) -> Answer:
        """Ask the endpoint; a refusal rejects an unmodified image, and is an error for one that we prepared."""
        try:
            return self.endpoint.ask(prepared.jpeg)
        except ModelRefusalError as error:
            if not model.unmodified:
                raise
            sentence = f"{error}. Images go to this model as they are (pixels.unmodified)."
            raise ImageRejectedError("refused", sentence) from error

    def _predicted(self, upload: Upload, image: Image, asked: Asked) -> Prediction:
        answer = asked.answer
        model = predictions.Model(
            training_job=answer.variant,
            endpoint=self.environment.endpoint,
            # This is only known for this deployment's model; during an update another one may answer.
            endpoint_config=self.environment.endpoint_config
            if answer.variant == self.environment.training_job
            else None,
            labels_sha256=asked.model.labels_sha256,
        )
        return predictions.predicted(
            image,
            probabilities=answer.probabilities,
            labels=asked.model.labels,
            unsure_below=self._unsure_below(asked.model),
            model=model,
            times=self._times(upload, endpoint_ms=answer.endpoint_ms),
            temperature=asked.model.temperature if self.environment.calibrate else 1.0,
        )

    def _unsure_below(self, model: Model) -> float:
        """Return the classifier's threshold; with auto, the one of the model that answered."""
        if self.environment.unsure_below is not None:
            return self.environment.unsure_below
        return model.proposed[self.environment.calibrate]

    def _times(self, upload: Upload, *, endpoint_ms: float | None) -> Times:
        now = self.now()
        elapsed = (now - datetime.fromisoformat(upload.uploaded)).total_seconds() * 1000
        return Times(
            uploaded=upload.uploaded,
            predicted=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            endpoint_ms=endpoint_ms,
            total_ms=round(max(0.0, elapsed), 1),  # the clocks of S3 and of the function differ
        )


def _with_size(image: Image, prepared: pixels.Prepared) -> Image:
    return Image(**{**vars(image), "width": prepared.width, "height": prepared.height})
