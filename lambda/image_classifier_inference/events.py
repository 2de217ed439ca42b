"""One event: every image that it names is tried, and what failed is said at the end.

A failure fails the whole event: Lambda runs it again, and in the end hands it to the failure queue. Running it again
does no harm, because a record is decided once per upload. One JSON line per image goes to the log, never its bytes.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.contracts.errors import ImageClassifierError, PredictionError
from image_classifier_inference.inference import Inference
from image_classifier_inference.uploads import Upload, is_another_event, read_upload, reason_to_skip

CHECK = "check"


class LambdaContext(Protocol):
    """What we ask of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this run."""
        ...


def handle(event: Mapping[str, Any], context: LambdaContext, *, inference: Inference) -> dict[str, int]:
    """Classify every image that the event names. S3 announces itself with an s3:TestEvent, which has no records.

    An event ``{"check": {"bucket": ...}}`` is a deployment's: it asks whether this version can do its work at all.

    Raises:
        PredictionError: names the images that failed; the others have their records.

    """
    if CHECK in event:
        return {"labels": inference.check(event[CHECK]["bucket"], remaining_s=_remaining_s(context))}
    event_records, failures = event.get("Records", ()), []
    for record in event_records:
        try:
            _handle_record(record, context, inference=inference)
        except (ImageClassifierError, BotoCoreError, ClientError) as error:
            key = _key(record)
            failures.append(f"{key}: {error}")
            _log(key=key, status="failed", error=f"{type(error).__name__}: {error}")
    if failures:
        raise PredictionError(f"{len(failures)} of {len(event_records)} image(s) failed: {'; '.join(failures)}")
    return {"images": len(event_records)}


def _key(record: Mapping[str, Any]) -> str:
    """As the event spells it, also of a record that cannot be read."""
    return str(record.get("s3", {}).get("object", {}).get("key", "?"))


def _handle_record(record: Mapping[str, Any], context: LambdaContext, *, inference: Inference) -> None:
    if is_another_event(record):
        _log(key=_key(record), status="skipped", reason="not an upload")
        return
    started, upload = time.perf_counter(), read_upload(record)
    if reason := reason_to_skip(upload, incoming_prefix=inference.environment.incoming_prefix):
        _log(key=upload.image.key, status="skipped", reason=reason)
        return
    outcome = _predict(upload, context, inference=inference)
    _log(key=upload.image.key, **outcome, ms=round((time.perf_counter() - started) * 1000, 1))


def _predict(upload: Upload, context: LambdaContext, *, inference: Inference) -> dict[str, Any]:
    """Classify and store; what is worth a line in the log."""
    prediction = inference.classify(upload, remaining_s=_remaining_s(context))
    if prediction is None:
        return {"status": "skipped", "reason": "deleted or replaced before it was read"}
    return {
        "status": prediction.status,
        "label": prediction.label,
        "confidence": prediction.confidence,
        "reason": prediction.reason.code if prediction.reason else None,
        "endpoint_ms": prediction.times.endpoint_ms,
        "stored": inference.store(prediction),
    }


def _remaining_s(context: LambdaContext) -> Callable[[], float]:
    return lambda: context.get_remaining_time_in_millis() / 1000


def _log(**line: Any) -> None:
    """One line of JSON, as CloudWatch Logs Insights reads it; Lambda's own logger would put words before it."""
    print(json.dumps(line, ensure_ascii=False), flush=True)
