"""Shows one prediction, and sends the bytes of images, which are never decoded here."""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import modified, read
from image_classifier.aws.settings import bucket_from_env
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_keys import MAX_KEY_BYTES, correction_key, record_key, thumbnail_key
from image_classifier.gallery.earlier_answers import EarlierAnswer, earlier_answers
from image_classifier.gallery.picture import LARGEST_PICTURE_BYTES, picture_type, read_up_to
from image_classifier.prepare.report.schema import TRAITS
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking, Visitor
from image_classifier_airflow.pages.labels import RECENT, known_labels, shortcuts
from image_classifier_airflow.pages.rendering import page

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)
router = APIRouter()

SPLITS = ("train", "validation", "test")
SMALL_BYTES = 262_144  # the largest original that is sent if an earlier release wrote no thumbnail
# An image that is opened in a tab of its own may not run scripts.
PICTURE_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=300"}

ImageKey = Annotated[str, Query(min_length=1, max_length=MAX_KEY_BYTES)]


@dataclass(frozen=True)
class Place:
    """The S3 keys of one image's objects."""

    bucket: str
    image: str
    record: str
    thumbnail: str
    correction: str


def place_of(visitor: Visitor, key: str) -> Place:
    """Return the S3 keys of an image of this classifier; a key below another classifier's prefix is refused."""
    keys = Keys(visitor.classifier.name)
    if not key.startswith(keys.incoming):
        raise HTTPException(404, f"The classifier {visitor.classifier.name} has no image of this key.")
    return Place(
        bucket_from_env(),
        key,
        record_key(key, incoming_prefix=keys.incoming, predictions_prefix=keys.predictions),
        thumbnail_key(key, incoming_prefix=keys.incoming, thumbnails_prefix=keys.thumbnails),
        correction_key(key, incoming_prefix=keys.incoming, corrections_prefix=keys.corrections),
    )


@router.get("/{classifier}/image")
def show_image(visitor: Looking, key: ImageKey) -> Response:
    """Show one prediction with all fields of its record."""
    place, s3 = place_of(visitor, key), storage.s3_of_page(visitor.classifier)
    found = read(s3, bucket=place.bucket, key=place.record)
    if found is None:
        raise HTTPException(404, f"There is no prediction record of {key}: it was deleted, or has not come yet.")
    record = Prediction.from_json(found[0])
    rows = storage.records(visitor.classifier).newest(RECENT).rows
    labels = known_labels(visitor.classifier, rows)
    return page(
        "image.html",
        visitor=visitor,
        active="gallery",
        record=record,
        is_gone=modified(s3, bucket=place.bucket, key=key) is None,
        place=place,
        stored=storage.corrections(visitor.classifier).current(key),
        labels=labels,
        keys_of_labels=shortcuts(labels),
        reason="search",
        traits=[TRAITS.get(code, code) for code in record.traits],
        earlier=_earlier(s3, place),
    )


def _earlier(s3: "S3Client", place: Place) -> list[EarlierAnswer] | None:
    """Return the earlier answers; None without the permission to list versions, which the rest does not need."""
    try:
        return earlier_answers(s3, bucket=place.bucket, record=place.record, correction=place.correction)
    except DatasetError as error:
        log.warning("%s", error)
        return None


@router.get("/{classifier}/thumbnail")
def send_thumbnail(visitor: Looking, key: ImageKey) -> Response:
    """Send the thumbnail that the inference function wrote, or a small original."""
    place, s3 = place_of(visitor, key), storage.s3_of_page(visitor.classifier)
    found = read(s3, bucket=place.bucket, key=place.thumbnail)
    if found:
        return _picture(found[0])
    return _picture(read_up_to(s3, bucket=place.bucket, key=place.image, most_bytes=SMALL_BYTES))


@router.get("/{classifier}/picture")
def send_picture(visitor: Looking, key: ImageKey) -> Response:
    """Send the uploaded image, or its thumbnail if a browser cannot show it."""
    place, s3 = place_of(visitor, key), storage.s3_of_page(visitor.classifier)
    original = read_up_to(s3, bucket=place.bucket, key=place.image, most_bytes=LARGEST_PICTURE_BYTES)
    if original and picture_type(original):
        return _picture(original)
    found = read(s3, bucket=place.bucket, key=place.thumbnail)
    return _picture(found[0] if found else None)


@router.get("/{classifier}/prepared")
def send_prepared(visitor: Looking, key: ImageKey) -> Response:
    """Send an image as it was prepared for training or testing."""
    keys = Keys(visitor.classifier.name)
    if not key.startswith(tuple(keys.split(split) for split in SPLITS)):
        raise HTTPException(404, f"The classifier {visitor.classifier.name} has no prepared image of this key.")
    s3, bucket = storage.s3_of_page(visitor.classifier), bucket_from_env()
    return _picture(read_up_to(s3, bucket=bucket, key=key, most_bytes=LARGEST_PICTURE_BYTES))


def _picture(content: bytes | None) -> Response:
    """Send an image; 204 if it does not exist or a browser cannot show it.

    A rejected file often has no picture, and a browser would report each 404 as an error of the page.
    """
    kind = picture_type(content) if content else None
    if content is None or kind is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return Response(content, media_type=kind, headers=PICTURE_HEADERS)
