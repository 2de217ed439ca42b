"""Classifies every image that an event names, and reports the failures at the end.

S3 invokes the function directly, or through an SQS queue. If an image of a direct event fails, the whole event fails:
Lambda retries it, and finally sends it to the failure queue. For a queue only the failed messages are reported, and SQS
delivers them again. Both may be repeated, because there is one record per upload.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.contracts.errors import ImageClassifierError, PredictionError
from image_classifier.contracts.record_keys import CHECK_FOLDER
from image_classifier_inference.endpoint import READ_TIMEOUT_S, RESERVE_S
from image_classifier_inference.inference import Inference
from image_classifier_inference.log_lines import image_line, write
from image_classifier_inference.uploads import Upload, is_another_event, read_upload, reason_to_skip

CHECK = "check"
SQS = "aws:sqs"
FAILURES = (ImageClassifierError, BotoCoreError, ClientError)


class LambdaContext(Protocol):
    """The attributes of Lambda's context that this module uses."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends this invocation."""
        ...


def handle(event: Mapping[str, Any], context: LambdaContext, *, inference: Inference) -> dict[str, Any]:
    """Classify every image that the event names. The s3:TestEvent of a new notification has no records.

    A deployment sends ``{"check": {"bucket": ...}}`` to find out whether this version works.

    Returns:
        A dict of ``images``, their number; for a queue's event also ``batchItemFailures``, the messages to deliver
        again; for a check only ``labels``, the number of the model's labels.

    Raises:
        PredictionError: the event is of another kind, or images of a direct event failed; the message names them. The
            others have their records.

    """
    inference = inference.within(_remaining_s(context))
    if CHECK in event:
        return {"labels": inference.check(event[CHECK]["bucket"])}
    invocation = _Invocation(inference, request_id=getattr(context, "aws_request_id", None))
    event_records = _records(event)
    if event_records and all(_is_message(record) for record in event_records):
        return {"batchItemFailures": list(invocation.failed_messages(event_records))}
    failures = invocation.classify_all(event_records)
    if failures:
        raise PredictionError(f"{len(failures)} of {len(event_records)} image(s) failed: {'; '.join(failures)}")
    return {"images": len(event_records)}


@dataclass(frozen=True)
class _Invocation:
    """One invocation of the function: what classifies its images, and Lambda's id of the request for the log."""

    inference: Inference
    request_id: str | None

    def failed_messages(self, messages: list[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
        """Classify the images of each message; yield ``{"itemIdentifier": message id}`` for each that failed.

        A message for which no time is left is not begun: if Lambda ended the invocation, SQS would deliver all of them
        again, also those that are done, and after five times the failure queue would get all of them.
        """
        for number, message in enumerate(messages):
            if number and self.inference.endpoint.remaining_s() < READ_TIMEOUT_S + RESERVE_S:
                write(key="?", status="skipped", reason=f"no time is left for the message {message['messageId']}")
                yield {"itemIdentifier": message["messageId"]}
                continue
            try:
                failures = self.classify_all(_records(json.loads(message["body"])))
            except (ValueError, TypeError, RecursionError, PredictionError) as error:
                write(key="?", status="failed", error=f"The message {message['messageId']} is no S3 event: {error!r}")
                failures = ["?"]
            if failures:
                yield {"itemIdentifier": message["messageId"]}

    def classify_all(self, event_records: Any) -> list[str]:
        """Classify every image of an S3 event; return one sentence for each that failed."""
        failures = []
        for record in event_records:
            try:
                self._handle_record(record)
            except FAILURES as error:
                key = _key(record)
                failures.append(f"{key}: {error}")
                self._write_line({"key": key, "status": "failed", "error": f"{type(error).__name__}: {error}"})
        return failures

    def _handle_record(self, record: Any) -> None:
        if not isinstance(record, Mapping):
            raise PredictionError(f"The event's record is not one of an S3 upload: {type(record).__name__}")
        if is_another_event(record):
            write(key=_key(record), status="skipped", reason="not an upload")
            return
        started, upload = time.perf_counter(), read_upload(record)
        if reason := reason_to_skip(upload, incoming_prefix=self.inference.environment.incoming_prefix):
            write(key=upload.image.key, status="skipped", reason=reason)
            return
        line = {"key": upload.image.key, "request_id": self.request_id, **self._predict(upload)}
        line["ms"] = round((time.perf_counter() - started) * 1000, 1)
        self._write_line(line)

    def _predict(self, upload: Upload) -> dict[str, Any]:
        """Classify one image and store its record; return the fields of its log line."""
        classified = self.inference.classify(upload)
        if classified is None:
            return {"status": "skipped", "reason": "deleted or replaced before it was read"}
        prediction = classified.prediction
        return {
            "status": prediction.status,
            "label": prediction.label,
            "confidence": prediction.confidence,
            "reason": prediction.reason.code if prediction.reason else None,
            "endpoint_ms": prediction.times.endpoint_ms,
            "total_ms": prediction.times.total_ms,
            "endpoint_request_id": classified.endpoint_request_id,
            "stored": self.inference.store(classified),
        }

    def _write_line(self, line: Mapping[str, Any]) -> None:
        """Write the log line of an image; the images of checks and canaries are in no metric."""
        environment = self.inference.environment
        is_check = line["key"].startswith(f"{environment.incoming_prefix}{CHECK_FOLDER}")
        write(**(line if is_check else image_line(line, classifier=environment.classifier)))


def _is_message(record: Any) -> bool:
    """Return whether a record is a message of an SQS queue."""
    return isinstance(record, Mapping) and record.get("eventSource") == SQS and "body" in record


def _records(event: Any) -> list[Any]:
    """Return the records of an event; S3's test event has none.

    Raises:
        PredictionError: the event is not of S3 or SQS.

    """
    found = event.get("Records", []) if isinstance(event, Mapping) else None
    if not isinstance(found, list):
        raise PredictionError(f"The event is neither of S3 nor of SQS: its Records are {type(found).__name__}")
    return found


def _key(record: Any) -> str:
    """Return the key as the event spells it, also for a malformed record."""
    for name in ("s3", "object", "key"):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record if isinstance(record, str) else "?"


def _remaining_s(context: LambdaContext) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000
