"""Packs the prepared images of a version into one RecordIO file per channel, so that no GPU waits for it.

Below the version's prefix:

recordio/train/train.rec             the train channel: the records in the order of train.lst, as im2rec writes them
recordio/validation/validation.rec   the validation channel
recordio/index/{train,validation}.idx            an offset for each record, for readers that want one
recordio/parts/{train,validation}-<n>.{rec,idx}  the files' parts, until all are there

The algorithm takes exactly one .rec file in a channel, and the index is not its business. Source: the page "Image
Classification - MXNet" of the SageMaker Developer Guide, "Train with RecordIO Format". A part is written in one
request, its index first, and S3 joins the parts. So an interrupted run goes on with the next part. The lists are
written after these files: a version with a train.lst is complete.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import ObjectGoneError
from image_classifier.contracts.training.image_list import Entry
from image_classifier.contracts.training.recordio import encoded, header
from image_classifier.prepare.layout.folders import LISTED
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.stores import open_store

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

log = logging.getLogger(__name__)

FOLDER: Final = "recordio/"
PART_BYTES: Final = 64 << 20  # of images; S3 joins parts of 5 MiB to 5 GiB, 10,000 at most
READERS: Final = 32
BINARY, TEXT = "application/octet-stream", "text/plain"


def delete_superseded(s3: "S3Client", *, bucket: str, keys: Keys, fingerprint: str) -> None:
    """Delete the RecordIO files of all other versions; each is a copy of the images."""
    versions = keys.version("").rstrip("/") + "/"
    listed = storage.list_objects(s3, bucket=bucket, prefix=versions)
    others = [key for key in listed if not key.startswith(keys.version(fingerprint)) and f"/{FOLDER}" in key]
    storage.delete(s3, bucket=bucket, keys=others)


def channel_folder(split: Split) -> str:
    """Return the folder of a channel below the version's prefix."""
    return f"{FOLDER}{split}/"


@dataclass(frozen=True)
class Part:
    """Some of a file's records, packed together.

    Attributes:
        key: of the .rec file in S3; its index has the same name.

    """

    key: str
    entries: tuple[Entry, ...]

    @property
    def index_key(self) -> str:
        return f"{self.key.removesuffix('.rec')}.idx"


@dataclass(frozen=True)
class RecordFiles:
    """The RecordIO files of one version.

    Attributes:
        version: its prefix.
        lists: the entries of its image lists, in their order.

    """

    s3: "S3Client"
    bucket: str
    keys: Keys
    version: str
    lists: Mapping[Split, Sequence[Entry]]

    def write(self) -> None:
        """Write the files that are not there.

        Raises:
            StorageError: S3 does not answer as it should at present.
            DatasetError: S3 refuses.
            ObjectGoneError: a prepared image was deleted.

        """
        for split in LISTED:
            there = storage.list_objects(self.s3, bucket=self.bucket, prefix=self.version + FOLDER)
            if self._file(split) not in there:
                self.write_split(split, there)
        written = storage.list_objects(self.s3, bucket=self.bucket, prefix=f"{self.version}{FOLDER}parts/")
        storage.delete(self.s3, bucket=self.bucket, keys=list(written))

    def _file(self, split: Split) -> str:
        return f"{self.version}{channel_folder(split)}{split}.rec"

    def write_split(self, split: Split, there: Mapping[str, storage.Stored]) -> None:
        """Write the parts of a split that are not stored yet, its index, and its file of all parts."""
        parts, lengths, index = self._parts(split), list[int](), list[str]()
        for part in parts:
            length = there[part.key].size_bytes if part.key in there else self.pack(part, split)
            offsets = storage.read_written(self.s3, bucket=self.bucket, key=part.index_key).decode()
            index += _moved(offsets, by=sum(lengths))
            lengths.append(length)
        body = "".join(index).encode()
        key = f"{self.version}{FOLDER}index/{split}.idx"
        storage.write(self.s3, bucket=self.bucket, key=key, body=body, content_type=TEXT)
        self._join(parts, self._file(split))
        log.info("Wrote s3://%s/%s: %d records", self.bucket, self._file(split), len(self.lists[split]))

    def _parts(self, split: Split) -> list[Part]:
        """Split the list into parts whose images have PART_BYTES together."""
        folder = self.keys.split(split)
        stored = storage.list_objects(self.s3, bucket=self.bucket, prefix=folder)
        parts, start, size = list[Part](), 0, 0
        entries = tuple(self.lists[split])
        for end, entry in enumerate(entries, start=1):
            if (image := stored.get(folder + entry.path)) is None:
                message = f"s3://{self.bucket}/{folder}{entry.path} is gone: it was deleted since. Start a new run."
                raise ObjectGoneError(message)
            size += image.size_bytes
            if size >= PART_BYTES or end == len(entries):
                key = f"{self.version}{FOLDER}parts/{split}-{start:09}-{end:09}.rec"
                parts.append(Part(key, entries[start:end]))
                start, size = end, 0
        return parts

    def pack(self, part: Part, split: Split) -> int:
        """Write the index of a part, then the part; return its length in bytes."""
        store = open_store(self.s3, self.bucket)
        keys = [self.keys.split(split) + entry.path for entry in part.entries]
        records, offsets, length = list[bytes](), list[str](), 0
        with ThreadPoolExecutor(READERS, thread_name_prefix="read") as readers:
            for entry, image in zip(part.entries, readers.map(store.read, keys), strict=True):
                records.append(encoded(header(entry.labels, entry.index), image))
                offsets.append(f"{entry.index}\t{length}\n")
                length += len(records[-1])
        index = "".join(offsets).encode()
        storage.write(self.s3, bucket=self.bucket, key=part.index_key, body=index, content_type=TEXT)
        storage.write(self.s3, bucket=self.bucket, key=part.key, body=b"".join(records), content_type=BINARY)
        return length

    def _join(self, parts: Sequence[Part], key: str) -> None:
        """Let S3 join the parts to one object, which appears complete or not at all.

        Of an upload that is not completed, the bucket's lifecycle rule deletes what was copied.
        """
        s3, bucket = self.s3, self.bucket
        with storage.naming(bucket, key, doing="write"):
            upload = s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType=BINARY)["UploadId"]
            done: list[CompletedPartTypeDef] = []
            for number, part in enumerate(parts, start=1):
                copied = s3.upload_part_copy(
                    Bucket=bucket,
                    Key=key,
                    CopySource={"Bucket": bucket, "Key": part.key},
                    PartNumber=number,
                    UploadId=upload,
                )
                done.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
            s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": done})


def _moved(index: str, *, by: int) -> Iterator[str]:
    """Return the lines of an index with a number of bytes added to the offsets."""
    for line in index.splitlines():
        record, _, offset = line.partition("\t")
        yield f"{record}\t{int(offset) + by}\n"
