"""Writes the records of one share of a batch from the transform job's answers, as the function writes records."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.classify_existing.batch import Batch
from image_classifier.classify_existing.batch_parts import PartLine, part_keys, read_part
from image_classifier.classify_existing.records import store_record, write_log_entry
from image_classifier.classify_existing.replays import current_image
from image_classifier.contracts import pixels, predictions
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.models import Model
from image_classifier.contracts.predictions import Image, Prediction, Times, instant
from image_classifier.contracts.record_keys import thumbnail_key
from image_classifier.contracts.record_order import is_same_upload
from image_classifier.evaluate.results import find_results, read_result

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

THREADS = 8
MOST_NAMED = 5


@dataclass(frozen=True)
class _Writing:
    """What the record of one image needs; `answers` are the keys of the answers by prepared image."""

    s3: "S3Client"
    batch: Batch
    model: Model
    generation: int
    answers: Mapping[str, str]

    def write(self, line: PartLine) -> str | None:
        """Store record, thumbnail and log entry; returns the image's key if the job gave no answer for it.

        Nothing is stored of an image that was deleted or uploaded again since: a job takes hours, in which a person may
        have deleted all that was made from it. The function classifies the later upload.
        """
        found = current_image(self.s3, bucket=self.batch.bucket, key=line["key"])
        if found is None or (found[0].version_id, found[0].etag) != (line["version_id"], line["etag"]):
            return None
        prepared = f"{self.batch.images}{line['prepared']}"
        if line["prepared"] and prepared not in self.answers:
            return line["key"]
        record = replace(self._record(line, prepared), generation=self.generation)
        current = store_record(self.s3, self.batch.target, record)
        if is_same_upload(current, record):
            if record.thumbnail is not None:
                self._write_thumbnail(prepared, key=record.thumbnail)
            write_log_entry(self.s3, self.batch.target, current)
        return None

    def _record(self, line: PartLine, prepared: str) -> Prediction:
        image = Image(
            bucket=self.batch.bucket,
            key=line["key"],
            version_id=line["version_id"],
            etag=line["etag"],
            bytes=line["bytes"],
            sequencer=None,
            width=line["width"] or None,
            height=line["height"] or None,
        )
        times = _times(line["uploaded"])
        if not line["prepared"]:
            return predictions.rejected(image, code=line["code"], sentence=line["sentence"], times=times)
        record = predictions.predicted(
            image,
            probabilities=read_result(self.s3, bucket=self.batch.bucket, key=self.answers[prepared]),
            labels=self.model.labels,
            unsure_below=self._unsure_below(),
            model=self._answered_by(),
            times=times,
            temperature=self.model.temperature if self.batch.calibrate else 1.0,
        )
        thumbnail, traits = self._thumbnail_key(line["key"]), tuple(line.get("traits", ()))
        return replace(record, thumbnail=thumbnail, traits=traits)

    def _answered_by(self) -> predictions.Model:
        batch = self.batch
        return predictions.Model(
            training_job=batch.training_job,
            endpoint=batch.endpoint,
            endpoint_config=batch.endpoint_config,
            labels_sha256=self.model.labels_sha256,
        )

    def _unsure_below(self) -> float:
        own = self.batch.unsure_below
        return self.model.proposed[self.batch.calibrate] if own is None else own

    def _thumbnail_key(self, key: str) -> str:
        keys = self.batch.target.keys
        return thumbnail_key(key, incoming_prefix=keys.incoming, thumbnails_prefix=keys.thumbnails)

    def _write_thumbnail(self, prepared: str, *, key: str) -> None:
        body = pixels.thumbnail(storage.read_written(self.s3, bucket=self.batch.bucket, key=prepared))
        self.s3.put_object(Bucket=self.batch.bucket, Key=key, Body=body, ContentType="image/jpeg")


def write_records(s3: "S3Client", batch: Batch, *, share: int, generation: int) -> int:
    """Write the records of one share; returns how many images it has. It may be called again.

    Raises:
        PredictionError: the job gave no answer for some images; names the first ones. The others have their records.

    """
    parts = part_keys(s3, bucket=batch.bucket, prefix=batch.prefix, share=share)
    prepared = [batch.images + line["prepared"] for key in parts for line in read_part(s3, batch.bucket, key)]
    answers = find_results(s3, bucket=batch.bucket, prefix=batch.output, keys=prepared)
    writing = _Writing(s3, batch, batch.read_model(s3), generation, answers)
    unanswered: list[str] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for key in parts:
            unanswered += [found for found in pool.map(writing.write, read_part(s3, batch.bucket, key)) if found]
            log.info("The records of %s are written", key)
    if unanswered:
        message = (
            f"The transform job answered for all but {len(unanswered)} images, such as "
            f"{', '.join(unanswered[:MOST_NAMED])}; see its log. A run of this Dag without them costs no job: they are "
            "classified through the endpoint."
        )
        raise PredictionError(message)
    return len(prepared)


def _times(uploaded: str) -> Times:
    now = datetime.now(UTC)
    return Times(
        uploaded=uploaded,
        predicted=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        endpoint_ms=None,
        total_ms=round(max(0.0, (now - instant(uploaded)).total_seconds() * 1000), 1),
    )
