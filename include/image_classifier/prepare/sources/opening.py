"""Opens the source that a classifier's file names."""

from pathlib import Path
from typing import TYPE_CHECKING

from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.folder import FolderSource

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def open_source(source: str, *, s3: "S3Client", data_folder: Path) -> "BucketSource | FolderSource":
    """The source that a classifier file names; a relative folder starts at the deployment's data folder."""
    if source.startswith("s3://"):
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        return BucketSource(s3, bucket, prefix if prefix.endswith("/") or not prefix else f"{prefix}/")
    return FolderSource((data_folder / Path(source).expanduser()).absolute())
