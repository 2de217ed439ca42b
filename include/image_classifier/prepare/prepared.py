"""Defines the result of a preparation, which travels through XCom."""

import hashlib

from pydantic import BaseModel, ConfigDict

from image_classifier.aws.names import Keys
from image_classifier.classifier.model import DataFormat
from image_classifier.contracts.labels import labels_sha256
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.check_images import CheckImage, check_images
from image_classifier.prepare.layout.folders import LISTED
from image_classifier.prepare.publish import LIST_NAMES, TEST_MANIFEST, test_manifest
from image_classifier.prepare.records import channel_folder


class PreparedDataset(BaseModel):
    """A version of the data set in S3; small, because it travels through XCom. All URIs are prefixes."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    labels_key: str
    labels_sha256: str
    num_classes: int
    num_training_samples: int
    num_validation_samples: int
    num_test_samples: int = 0  # as a run of release 0.1 had it
    train_uri: str
    validation_uri: str
    train_lst_uri: str  # empty with RecordIO, whose records have the labels
    validation_lst_uri: str
    test_manifest_key: str = ""  # empty without a test image
    test_manifest_sha256: str = ""
    report_key: str
    check_images: tuple[CheckImage, ...]
    uploaded: int
    unchanged: int
    rejected: int

    def again(self) -> "PreparedDataset":
        """Return the result of a run that finds nothing new."""
        return self.model_copy(update={"uploaded": 0, "unchanged": self.uploaded + self.unchanged})


def prepared_dataset(dataset: Dataset, data_format: DataFormat, *, bucket: str, keys: Keys) -> PreparedDataset:
    """Return the result for a data set that is in S3, or would be."""
    version = keys.version(dataset.fingerprint)
    uploaded = dataset.images.uploaded
    uris = {name: f"s3://{bucket}/{folder}" for name, folder in _channels(version, data_format, keys).items()}
    return PreparedDataset(
        fingerprint=dataset.fingerprint,
        labels_key=f"{version}labels.json",
        labels_sha256=labels_sha256(dataset.labels),
        num_classes=len(dataset.labels),
        num_training_samples=len(dataset.of("train")),
        num_validation_samples=len(dataset.of("validation")),
        num_test_samples=len(dataset.of("test")),
        train_uri=uris["train"],
        validation_uri=uris["validation"],
        train_lst_uri=uris.get("train_lst", ""),
        validation_lst_uri=uris.get("validation_lst", ""),
        test_manifest_key=f"{version}{TEST_MANIFEST}" if dataset.of("test") else "",
        test_manifest_sha256=hashlib.sha256(test_manifest(dataset, bucket=bucket, keys=keys)).hexdigest(),
        report_key=f"{version}report.json",
        check_images=check_images(dataset, keys=keys),
        uploaded=uploaded,
        unchanged=len(dataset.images) - uploaded,
        rejected=len(dataset.rejected),
    )


def _channels(version: str, data_format: DataFormat, keys: Keys) -> dict[str, str]:
    """Return the folders of the training job's channels."""
    if data_format == "recordio":
        return {split: version + channel_folder(split) for split in LISTED}
    images = {str(split): keys.split(split) for split in LISTED}
    return images | {f"{split}_lst": version + name.rpartition("/")[0] + "/" for split, name in LIST_NAMES.items()}
