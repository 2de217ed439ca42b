"""Keeps the batch of a run in S3, so that a run that is cleared as a whole finds its transform job again.

Airflow gives a cleared run another start, and deletes what its tasks returned. The job's name follows from the batch.
"""

import hashlib
import json
import logging
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.clients import Clients
from image_classifier.classify_existing.batch import Batch, batches_prefix, delete_batch, plan_batch
from image_classifier.classify_existing.run import Request

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def key_of_run(request: Request, *, dag_id: str, run_id: str) -> str:
    """Return the key at which a run keeps its batch; another run with the same id and other params has another key."""
    digest = hashlib.sha256(json.dumps([dag_id, run_id, request.prefix, request.again]).encode()).hexdigest()
    return f"{batches_prefix(request.target.classifier)}runs/{digest[:16]}.json"


def keep(s3: "S3Client", batch: Batch, *, key: str) -> None:
    """Store the batch of a run."""
    body = batch.model_dump_json().encode()
    storage.write(s3, bucket=batch.bucket, key=key, body=body, content_type="application/json")


def find(clients: Clients, *, bucket: str, key: str) -> Batch | None:
    """Return the batch that the run has begun, with the live function's settings of now.

    Returns None if it has begun none, or if another model is live by now: then its images and answers are deleted.

    Raises:
        ResourceBusyError: there is one, and a deployment is under way.

    """
    found = storage.read(clients.s3, bucket=bucket, key=key)
    if found is None:
        return None
    begun = Batch.model_validate_json(found[0])
    batch = plan_batch(clients, begun.target, started_ms=begun.started_ms, shares=begun.shares)
    if batch.model == begun.model:
        log.info("This run goes on with what it began at %s", batch.started.isoformat(timespec="seconds"))
        return batch
    log.warning("Another model is live than when this run began, so it begins anew")
    forget(clients.s3, begun, key=key)
    return None


def forget(s3: "S3Client", batch: Batch, *, key: str) -> int:
    """Delete the batch's own objects, and then the batch; return how many objects."""
    count = delete_batch(s3, batch)
    storage.delete(s3, bucket=batch.bucket, keys=[key])
    return count
