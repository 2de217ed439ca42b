"""Uploads images that people drop on a page, and deletes an image with everything derived from it."""

import functools
import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import naming, read
from image_classifier.aws.settings import bucket_from_env
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import PredictionError, ResourceBusyError
from image_classifier.contracts.predictions import Prediction
from image_classifier.gallery.deletion import Deletion
from image_classifier.gallery.picture import LARGEST_PICTURE_BYTES
from image_classifier_airflow.pages import audit, storage
from image_classifier_airflow.pages.access import Changing, Looking
from image_classifier_airflow.pages.images import ImageKey, place_of
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

MOST_NAME = 120  # characters of a file name or a user name in a key

FileName = Annotated[str, Query(min_length=1, max_length=1024)]
Bytes = Annotated[bytes, Body(media_type="application/octet-stream")]
VersionId = Annotated[str, Query(max_length=1024)]


class Image(BaseModel):
    """The image to delete."""

    model_config = ConfigDict(extra="forbid")

    key: ImageKey


@router.get("/{classifier}/upload")
def show_upload(visitor: Looking) -> Response:
    """Show the page for uploads."""
    incoming = Keys(visitor.classifier.name).incoming
    return page(
        "upload.html",
        visitor=visitor,
        active="upload",
        place=f"s3://{bucket_from_env()}/{incoming}{safe(visitor.name)}/",
        most_bytes=LARGEST_PICTURE_BYTES,
    )


@router.post("/{classifier}/uploads")
def take_upload(visitor: Changing, name: FileName, content: Bytes = b"") -> dict[str, str]:
    """Store one file below incoming/, under the user's name; the same file always has the same key.

    Returns ``key`` and ``version`` (empty in a bucket without versions).
    """
    if not content:
        raise HTTPException(422, f"{name} is empty.")
    if len(content) > LARGEST_PICTURE_BYTES:
        raise HTTPException(413, f"{name} is larger than {LARGEST_PICTURE_BYTES:,} bytes.")
    digest = hashlib.sha256(content).hexdigest()[:8]
    key = f"{Keys(visitor.classifier.name).incoming}{safe(visitor.name)}/{digest}-{safe(name)}"
    bucket = bucket_from_env()
    with naming(bucket, key, doing="write"):
        stored = storage.s3(visitor.classifier).put_object(Bucket=bucket, Key=key, Body=content)
    return {"key": key, "version": stored.get("VersionId", ""), "uploaded": datetime.now(UTC).isoformat()}


@router.get("/{classifier}/prediction")
def tell_prediction(visitor: Looking, key: ImageKey, version: VersionId = "") -> dict[str, Any]:
    """Return the prediction of an upload: ``state`` is waiting, or the record's status with label and confidence."""
    place = place_of(visitor, key)
    found = read(storage.s3(visitor.classifier), bucket=place.bucket, key=place.record)
    if found is None:
        return {"state": "waiting"}
    record = Prediction.from_json(found[0])
    if version and record.image.version_id != version:
        return {"state": "waiting"}  # the record belongs to an earlier upload with this key
    sentence = record.reason.sentence if record.reason else ""
    return {"state": record.status, "label": record.label, "confidence": record.confidence, "sentence": sentence}


@router.post("/{classifier}/delete")
def delete_image(visitor: Changing, image: Image) -> dict[str, int]:
    """Delete an image with everything derived from it, and write to the audit log; return ``deleted``, a number."""
    place, s3 = place_of(visitor, image.key), storage.s3(visitor.classifier)
    audit.note(visitor, event="image_classifier_delete", key=image.key)
    deletion = Deletion(s3, place.bucket, Keys(visitor.classifier.name))
    try:
        deleted = deletion.delete(image.key, prepared=_prepared_names(visitor.classifier, deletion, image.key))
    except ResourceBusyError as error:
        raise HTTPException(409, "The watch Dag is writing the index now. Delete the image again.") from error
    except PredictionError as error:
        raise HTTPException(404, str(error)) from error
    return {"deleted": deleted}


def _prepared_names(classifier: Classifier, deletion: Deletion, key: str) -> set[str]:
    """Return the possible file names of the prepared copies of an image's versions, by the file's present pixels."""
    from image_classifier.contracts.pixels import MAX_IMAGE_BYTES  # of a larger file there is no prepared copy
    from image_classifier.prepare.inspection.inspector import file_name
    from image_classifier.prepare.preparation import pixel_parameters

    name = functools.partial(
        file_name, parameters=pixel_parameters(classifier), unmodified=classifier.pixels.unmodified
    )
    contents = deletion.versions_of(key, most_bytes=MAX_IMAGE_BYTES)
    return {name(content, revision=revision) for content in contents for revision in ("", "-2")}


def safe(name: str) -> str:
    """Return a name for an S3 key, with letters, digits, dots, hyphens and underscores only."""
    return re.sub(r"[^\w.-]+", "_", name.rpartition("/")[2].rpartition("\\")[2])[-MOST_NAME:].lstrip(".") or "_"
