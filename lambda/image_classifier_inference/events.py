"""One event: every image that it names is classified, and what failed is reported at the end.

S3 invokes the function directly, or through an SQS queue. A failure in a direct event fails the whole event: Lambda
runs it again, and in the end hands it to the failure queue. Of a queue's messages only those that failed are reported,
and SQS delivers them again. Both do no harm, because a record is decided once per upload.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.contracts.errors import ImageClassifierError, PredictionError
from image_classifier_inference.inference import Inference
from image_classifier_inference.log_lines import image_line, write
from image_classifier_inference.uploads import Upload, is_another_event, read_upload, reason_to_skip

CHECK = "check"
SQS = "aws:sqs"
FAILURES = (ImageClassifierError, BotoCoreError, ClientError)


class LambdaContext(Protocol):
    """What we ask of Lambda's context."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this run."""
        ...


def handle(event: Mapping[str, Any], context: LambdaContext, *, inference: Inference) -> dict[str, Any]:
    """Classify every image that the event names. S3 announces itself with an s3:TestEvent, which has no records.

    An event ``{"check": {"bucket": ...}}`` is a deployment's: it asks whether this version can do its work at all.

    Returns:
        ``images``, their number; for a queue's event ``batchItemFailures``, the messages to deliver again; for a check
        ``labels``, how many the model has.

    Raises:
        PredictionError: names the images that failed; the others have their records. Not for a queue's event.

    """
    if CHECK in event:
        return {"labels": inference.check(event[CHECK]["bucket"], remaining_s=_remaining_s(context))}
    event_records = event.get("Records", ())
    if any(record.get("eventSource") == SQS for record in event_records):
        return {"batchItemFailures": list(_failed_messages(event_records, context, inference=inference))}
    failures = _classify_all(event_records, context, inference=inference)
    if failures:
        raise PredictionError(f"{len(failures)} of {len(event_records)} image(s) failed: {'; '.join(failures)}")
    return {"images": len(event_records)}


def _failed_messages(
    messages: list[Mapping[str, Any]], context: LambdaContext, *, inference: Inference
) -> Iterator[dict[str, str]]:
    """Classify what each message of a queue names; yields those to deliver again, as Lambda wants them named."""
    for message in messages:
        try:
            s3_event = json.loads(message["body"])
            failures = _classify_all(s3_event.get("Records", ()), context, inference=inference)
        except (ValueError, AttributeError) as error:
            write(key="?", status="failed", error=f"The message {message['messageId']} is no S3 event: {error!r}")
            failures = ["?"]
        if failures:
            yield {"itemIdentifier": message["messageId"]}


def _classify_all(event_records: Any, context: LambdaContext, *, inference: Inference) -> list[str]:
    """Classify every image of an S3 event; returns a sentence for each that failed."""
    failures = []
    for record in event_records:
        try:
            _handle_record(record, context, inference=inference)
        except FAILURES as error:
            key = _key(record)
            failures.append(f"{key}: {error}")
            line = {"key": key, "status": "failed", "error": f"{type(error).__name__}: {error}"}
            write(**image_line(line, classifier=inference.environment.classifier))
    return failures


def _key(record: Any) -> str:
    """As the event spells it, also of a record that cannot be read."""
    for name in ("s3", "object", "key"):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record if isinstance(record, str) else "?"


def _handle_record(record: Mapping[str, Any], context: LambdaContext, *, inference: Inference) -> None:
    if is_another_event(record):
        write(key=_key(record), status="skipped", reason="not an upload")
        return
    started, upload = time.perf_counter(), read_upload(record)
    if reason := reason_to_skip(upload, incoming_prefix=inference.environment.incoming_prefix):
        write(key=upload.image.key, status="skipped", reason=reason)
        return
    line = {"key": upload.image.key, "request_id": getattr(context, "aws_request_id", None)}
    line |= _predict(upload, context, inference=inference)
    line["ms"] = round((time.perf_counter() - started) * 1000, 1)
    write(**image_line(line, classifier=inference.environment.classifier))


def _predict(upload: Upload, context: LambdaContext, *, inference: Inference) -> dict[str, Any]:
    """Classify and store; returns the log line's fields."""
    classified = inference.classify(upload, remaining_s=_remaining_s(context))
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
        "stored": inference.store(classified),
    }


def _remaining_s(context: LambdaContext) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000
