"""Opens the source of a classifier's file."""

from pathlib import Path
from typing import TYPE_CHECKING

from image_classifier.classifier import Classifier
from image_classifier.classifier.source import is_list
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.sources.lists.listed import ListSource, list_in_bucket, list_in_folder

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def open_source(
    classifier: Classifier, *, s3: "S3Client | None", data_folder: Path
) -> BucketSource | FolderSource | ListSource:
    """Open the source of a classifier; a relative folder starts at the deployment's data folder.

    Raises:
        DatasetError: the source is in S3 and there is no client, or it is a list that does not exist.

    """
    source, columns, pays = classifier.source, classifier.columns, classifier.requester_pays
    if not source.startswith("s3://"):
        path = (data_folder / Path(source).expanduser()).absolute()
        if is_list(source) and not path.is_dir():
            return list_in_folder(path, columns=columns, s3=s3, requester_pays=pays)
        return FolderSource(path)
    if s3 is None:
        raise DatasetError(f"Source {source} is in S3, and no AWS is asked here. Give a folder or a list of files.")
    if is_list(source):
        return list_in_bucket(source, columns=columns, s3=s3, requester_pays=pays)
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    return BucketSource(s3, bucket, prefix if prefix.endswith("/") or not prefix else f"{prefix}/", pays)
