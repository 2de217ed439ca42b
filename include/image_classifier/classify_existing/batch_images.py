"""Prepares the images of one share of a batch: reads each as it is now, and stores what the model is to see."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import code_of
from image_classifier.classify_existing.batch import Batch
from image_classifier.classify_existing.batch_parts import PartLine, part_key, part_keys, read_part, write_part
from image_classifier.classify_existing.records import ABSENT
from image_classifier.classify_existing.replays import current_image
from image_classifier.classify_existing.run import Request, keys_to_classify
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.models import Model
from image_classifier.contracts.pixels import MAX_IMAGE_BYTES
from image_classifier.contracts.predictions import Image

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

IN_A_PART = 200  # images; a task that is tried again prepares at most so many a second time
THREADS = 8
REPLACED = {"PreconditionFailed", "412"}


@dataclass(frozen=True)
class _Preparing:
    """What preparing one image needs."""

    s3: "S3Client"
    batch: Batch
    model: Model

    def line(self, key: str) -> PartLine | None:
        """Store the prepared image; None if the image was deleted or replaced in the meantime."""
        found = current_image(self.s3, bucket=self.batch.bucket, key=key)
        data = None if found is None else self._read(found[0])
        if found is None or data is None:
            return None
        image, uploaded = found
        try:
            prepared = self.model.prepare(data)
        except ImageRejectedError as error:
            return _line(image, uploaded, code=error.code, sentence=str(error))
        version = f"{key}\n{image.version_id}\n{image.etag}"
        name = f"{hashlib.sha256(version.encode()).hexdigest()[:32]}.jpg"
        self.s3.put_object(
            Bucket=self.batch.bucket, Key=f"{self.batch.images}{name}", Body=prepared.jpeg, ContentType="image/jpeg"
        )
        return _line(
            image, uploaded, prepared=name, width=prepared.width, height=prepared.height, traits=prepared.traits
        )

    def _read(self, image: Image) -> bytes | None:
        """Return the bytes of this version, at most one more than the limit, so that a larger file is rejected."""
        try:
            return self.s3.get_object(**image.object_request())["Body"].read(MAX_IMAGE_BYTES + 1)
        except ClientError as error:
            if code_of(error) in ABSENT | REPLACED:
                return None
            raise


def prepare_share(s3: "S3Client", batch: Batch, request: Request, *, share: int) -> int:
    """Prepare the images of one share that no earlier try has prepared; returns how many images the share has.

    None is added to those of a job that may exist already, which would have no answer for it.
    """
    earlier = part_keys(s3, bucket=batch.bucket, prefix=batch.prefix, share=share)
    done = {line["key"] for key in earlier for line in read_part(s3, batch.bucket, key)}
    if storage.object_exists(s3, bucket=batch.bucket, key=batch.manifest):
        return len(done)
    keys = keys_to_classify(s3, request, share=share, shares=batch.shares)
    preparing = _Preparing(s3, batch, batch.read_model(s3))
    number, count = len(earlier), len(done)
    with ThreadPoolExecutor(THREADS) as pool:
        for some in _parts(key for key in keys if key not in done):
            lines = [line for line in pool.map(preparing.line, some) if line is not None]
            write_part(s3, lines, bucket=batch.bucket, key=part_key(batch.prefix, share=share, number=number))
            number, count = number + 1, count + len(lines)
            log.info("Share %d of %d: %d images prepared", share + 1, batch.shares, count)
    return count


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(keys)
    while some := list(islice(waiting, IN_A_PART)):
        yield some


def _line(
    image: Image,
    uploaded: str,
    *,
    prepared: str = "",
    width: int = 0,
    height: int = 0,
    code: str = "",
    sentence: str = "",
    traits: Sequence[str] = (),
) -> PartLine:
    return PartLine(
        key=image.key,
        version_id=image.version_id,
        etag=image.etag,
        bytes=image.bytes,
        uploaded=uploaded,
        prepared=prepared,
        width=width,
        height=height,
        code=code,
        sentence=sentence,
        traits=list(traits),
    )
