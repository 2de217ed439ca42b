"""Prepares a data set version in S3 from a classifier's source: in one call, or in listing, shards and final step."""

import hashlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.model import DataFormat
from image_classifier.contracts.labels import labels_sha256
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.check_images import CheckImage, check_images
from image_classifier.prepare.classes import decide_labels
from image_classifier.prepare.inspection.inspector import Store
from image_classifier.prepare.known_labels import KnownLabels
from image_classifier.prepare.layout.folders import LISTED, SPLITS
from image_classifier.prepare.preparation import Preparation, list_images, pixels_key, split_settings
from image_classifier.prepare.previous import Previous, write_pointer
from image_classifier.prepare.publish import LIST_NAMES, TEST_MANIFEST, list_entries, publish, test_manifest
from image_classifier.prepare.records import RecordFiles, channel_folder
from image_classifier.prepare.shards.joined import joined
from image_classifier.prepare.shards.listing import Listing, delete_listings, places_unread, sentence, write_listing
from image_classifier.prepare.shards.pending import prepare_pending
from image_classifier.prepare.shards.processes import Connect, Shards
from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.corrected import (
    CorrectedSource,
    accepted_corrections,
    corrected_by,
    only_train,
    with_corrections,
)
from image_classifier.prepare.sources.listed import ListSource
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.sources.source import Source
from image_classifier.prepare.stores import BucketStore, NoStore, stored_keys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


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


def prepare_dataset(
    classifier: Classifier,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
    on_progress: Callable[[str], None] = log.info,
) -> PreparedDataset:
    """Prepare the classifier's images and write its image lists; a run that finds nothing new writes nothing.

    Args:
        classifier: names the source and how its images are prepared and split.
        s3: client for the bucket, and for the source if that is an S3 prefix.
        settings: of the deployment.
        reset_labels: number the classes anew, which lets a class go.
        on_progress: takes a line for people every few seconds.

    Raises:
        DatasetError: the images cannot be trained on, or S3 refuses; says what to do.
        StorageError: S3 does not answer as it should at present.
        LabelsChangedError: a known class is gone.
        ResourceBusyError: another run of the classifier wrote its labels meanwhile.

    """
    listing = list_dataset(classifier, s3=s3, settings=settings, reset_labels=reset_labels, on_progress=on_progress)
    prepared = finish_dataset(
        classifier.name, listing, s3=s3, settings=settings, reset_labels=reset_labels, on_progress=on_progress
    )
    delete_listings(s3, bucket=settings.bucket, keys=Keys(classifier.name))
    return prepared


def list_dataset(
    classifier: Classifier,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
    on_progress: Callable[[str], None] = log.info,
) -> Listing:
    """List the classifier's source, and write the shards of images that must be read; see `shards.listing`.

    Args:
        classifier: names the source and how its images are prepared and split.
        s3: client for the bucket, and for the source if that is an S3 prefix.
        settings: of the deployment.
        reset_labels: number the classes anew, which lets a class go.
        on_progress: takes lines for people.

    Raises:
        DatasetError: the source cannot be listed, or its folders do not say which class or split an image is of.
        StorageError: S3 does not answer as it should at present.
        LabelsChangedError: a known class is gone.

    """
    bucket = settings.bucket
    preparation, source = _preparation(classifier, s3=s3, settings=settings, store=BucketStore(s3, bucket))
    known = KnownLabels.read(s3, bucket=bucket, keys=preparation.keys)
    decide_labels(preparation.layout.classes, previous=known.labels, reset_labels=reset_labels)
    for line in preparation.introduction():
        on_progress(line)
    listing = write_listing(preparation, source, s3=s3, bucket=bucket)
    on_progress(sentence(listing))
    delete_listings(s3, bucket=bucket, keys=preparation.keys, but=listing.run)
    return listing


def finish_dataset(
    classifier: str,
    listing: Listing,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
    connect: Callable[[], Connect] | None = None,
    on_progress: Callable[[str], None] = log.info,
) -> PreparedDataset:
    """Prepare the shards that nothing else has prepared, and write the version; may be called again.

    Reads ``unchanged/`` and ``inspected/`` of the listing; see `shards.listing`. Writes the version's documents.

    Args:
        classifier: its name; everything else is in the listing.
        listing: of `list_dataset`.
        s3: client for the bucket, and for the source if that is an S3 prefix.
        settings: of the deployment.
        reset_labels: as `list_dataset` was given it.
        connect: makes what makes S3 clients in other processes; without it this process does everything.
        on_progress: takes lines for people.

    Raises:
        DatasetError: the images cannot be trained on, or S3 refuses; says what to do.
        StorageError: S3 does not answer as it should at present.
        LabelsChangedError: a known class is gone.
        ResourceBusyError: another run of the classifier wrote its labels meanwhile.
        ObjectGoneError: the listing was deleted.
        PreparationError: a process that prepared images was killed.

    """
    keys, bucket = Keys(classifier), settings.bucket
    shards = Shards(classifier, listing.run, bucket, settings.data_folder)
    prepare_pending(listing, shards, s3=s3, connect=connect, on_progress=on_progress)
    preparation, found = joined(listing, s3=s3, bucket=bucket, keys=keys, data_folder=settings.data_folder)
    known = KnownLabels.read(s3, bucket=bucket, keys=keys)
    labels = decide_labels(preparation.layout.classes, previous=known.labels, reset_labels=reset_labels)
    dataset = preparation.assembled(found, labels=labels, inspector=preparation.inspector(known=preparation.previous))
    report = preparation.report(dataset)
    report["corrections"] = corrected_by(dataset, s3=s3, bucket=bucket, keys=keys)
    if preparation.classifier.format == "recordio":
        version = keys.version(dataset.fingerprint)
        RecordFiles(s3, bucket, keys, version, list_entries(dataset)).write()
    publish(dataset, report, lambda: preparation.page(dataset, report), s3=s3, bucket=bucket, keys=keys)
    known.replace(dataset.labels, s3=s3, bucket=bucket, keys=keys)  # known once a version with them is complete
    if preparation.previous.fingerprint != dataset.fingerprint:
        write_pointer(s3, bucket=bucket, keys=keys, fingerprint=dataset.fingerprint)
    for warning in report["warnings"]:
        on_progress(f"Warning: {warning}")
    return _prepared(dataset, preparation.classifier.format, bucket=bucket, keys=keys)


def plan_dataset(
    classifier: Classifier,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
    on_progress: Callable[[str], None] = log.info,
) -> PreparedDataset:
    """Return the result of `prepare_dataset` with the same fingerprint; every image is inspected, nothing is written.

    Raises:
        DatasetError: as `prepare_dataset`.
        LabelsChangedError: a known class is gone.

    """
    keys, bucket = Keys(classifier.name), settings.bucket
    preparation, _ = _preparation(classifier, s3=s3, settings=settings, store=NoStore())
    known = KnownLabels.read(s3, bucket=bucket, keys=keys)
    labels = decide_labels(preparation.layout.classes, previous=known.labels, reset_labels=reset_labels)
    return _prepared(preparation.dataset(labels, on_progress=on_progress), classifier.format, bucket=bucket, keys=keys)


def count_unread(classifier: Classifier, *, s3: "S3Client", settings: Settings) -> int:
    """Return how many images of the source a run must read; the source is listed, and no image is read.

    Raises:
        DatasetError: the source cannot be listed, or its folders do not say which class or split an image is of.

    """
    preparation, _ = _preparation(classifier, s3=s3, settings=settings, store=NoStore())
    return len(places_unread(preparation))


def _preparation(
    classifier: Classifier, *, s3: "S3Client", settings: Settings, store: Store
) -> tuple[Preparation, CorrectedSource]:
    keys, bucket = Keys(classifier.name), settings.bucket
    source = _source(classifier, s3=s3, settings=settings)
    listed = list_images(classifier, source)
    classes = (*listed.classes, *classifier.accepted_classes)
    corrections = accepted_corrections(s3, bucket=bucket, keys=keys, classes=classes)
    layout = with_corrections(listed, corrections)
    split, key = split_settings(classifier, layout), pixels_key(classifier)
    corrected = CorrectedSource(source, s3, bucket, corrections)
    preparation = Preparation(
        classifier,
        corrected,
        layout,
        store,
        stored=frozenset().union(*(stored_keys(s3, bucket=bucket, prefix=keys.split(part)) for part in SPLITS)),
        previous=Previous.read(s3, bucket=bucket, keys=keys, split=split, pixels_key=key),
        only_train=only_train(corrections),
    )
    return preparation, corrected


def _source(classifier: Classifier, *, s3: "S3Client", settings: Settings) -> Source:
    source = open_source(classifier, s3=s3, data_folder=settings.data_folder)
    if isinstance(source, BucketSource | ListSource):
        source.check_apart_from(settings.bucket, Keys(classifier.name))
    return source


def _prepared(dataset: Dataset, data_format: DataFormat, *, bucket: str, keys: Keys) -> PreparedDataset:
    version = keys.version(dataset.fingerprint)
    uploaded = sum(image.uploaded for image in dataset.images)
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
