"""Prepares a data set version in S3 from a classifier's source: lists it, and finishes what the shards hold."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare.classes import decide_labels
from image_classifier.prepare.inspection.inspector import Store
from image_classifier.prepare.known_labels import KnownLabels
from image_classifier.prepare.layout.folders import SPLITS
from image_classifier.prepare.preparation import Preparation, list_images, pixels_key, split_settings
from image_classifier.prepare.prepared import PreparedDataset, prepared_dataset
from image_classifier.prepare.previous import Previous
from image_classifier.prepare.publish import list_entries, publish
from image_classifier.prepare.records import RecordFiles
from image_classifier.prepare.shards.joined import joined
from image_classifier.prepare.shards.listing import (
    Listing,
    delete_listings,
    places_unread,
    sentence,
    unchanged_listing,
    write_listing,
)
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
from image_classifier.prepare.sources.lists.listed import ListSource
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.stores import BucketStore, NoStore, stored_keys
from image_classifier.prepare.unchanged import (
    Scan,
    origin_of,
    prepared_of,
    remember,
    unchanged_result,
    unchanged_version,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


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
    keys, bucket = Keys(classifier.name), settings.bucket
    scan = _scan(classifier, s3=s3, settings=settings)
    unchanged = None if reset_labels else unchanged_version(scan, s3=s3, bucket=bucket, keys=keys)
    if unchanged:
        listing = unchanged_listing(unchanged, runner=classifier.preparation.runner)
    else:
        preparation, source = preparation_of(classifier, scan, s3=s3, bucket=bucket, store=BucketStore(s3, bucket))
        known = KnownLabels.read(s3, bucket=bucket, keys=keys)
        decide_labels(preparation.layout.classes, previous=known.labels, reset_labels=reset_labels)
        for line in preparation.introduction:
            on_progress(line)
        listing = write_listing(preparation, source, s3=s3, bucket=bucket)
    on_progress(sentence(listing))
    delete_listings(s3, bucket=bucket, keys=keys, but=listing.run)
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
        ObjectGoneError: the listing, or the version that had not changed, was deleted.
        PreparationError: a process that prepared images was killed.

    """
    keys, bucket = Keys(classifier), settings.bucket
    if listing.unchanged:
        return unchanged_result(listing.unchanged, s3=s3, bucket=bucket, keys=keys, on_progress=on_progress)
    shards = Shards(classifier, listing.run, bucket, settings.data_folder)
    prepare_pending(listing, shards, s3=s3, connect=connect, on_progress=on_progress)
    preparation, found = joined(listing, s3=s3, bucket=bucket, keys=keys, data_folder=settings.data_folder)
    known = KnownLabels.read(s3, bucket=bucket, keys=keys)
    labels = decide_labels(preparation.layout.classes, previous=known.labels, reset_labels=reset_labels)
    dataset = preparation.assembled(found, labels=labels, inspector=preparation.inspector(known=preparation.previous))
    report = preparation.report(dataset)
    renamed = preparation.classifier.renamed_classes
    report["corrections"] = corrected_by(dataset, s3=s3, bucket=bucket, keys=keys, renamed=renamed)
    if preparation.classifier.format == "recordio":
        version = keys.version(dataset.fingerprint)
        RecordFiles(s3, bucket, keys, version, list_entries(dataset)).write()
    publish(dataset, report, lambda: preparation.page(dataset, report), s3=s3, bucket=bucket, keys=keys)
    known.replace(dataset.labels, s3=s3, bucket=bucket, keys=keys)  # known once a version with them is complete
    prepared = prepared_dataset(dataset, preparation.classifier.format, bucket=bucket, keys=keys)
    origin = "" if dataset.may_differ else preparation.origin
    remember(prepared, origin, images=listing.images, s3=s3, bucket=bucket, keys=keys)
    for warning in report["warnings"]:
        on_progress(f"Warning: {warning}")
    return prepared


def plan_dataset(
    classifier: Classifier,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
) -> PreparedDataset:
    """Return what `finish_dataset` would, with the same fingerprint; every image is inspected, nothing is written.

    Raises:
        DatasetError: the images cannot be trained on, or S3 refuses; says what to do.
        LabelsChangedError: a known class is gone.

    """
    keys, bucket = Keys(classifier.name), settings.bucket
    scan = _scan(classifier, s3=s3, settings=settings)
    unchanged = None if reset_labels else unchanged_version(scan, s3=s3, bucket=bucket, keys=keys)
    if unchanged:
        return prepared_of(unchanged)
    preparation, _ = preparation_of(classifier, scan, s3=s3, bucket=bucket, store=NoStore())
    known = KnownLabels.read(s3, bucket=bucket, keys=keys)
    labels = decide_labels(preparation.layout.classes, previous=known.labels, reset_labels=reset_labels)
    for line in preparation.introduction:
        log.info(line)
    dataset = preparation.dataset(labels, on_progress=log.info)
    return prepared_dataset(dataset, classifier.format, bucket=bucket, keys=keys)


def count_unread(classifier: Classifier, *, s3: "S3Client", settings: Settings) -> int:
    """Return how many images of the source a run must read; the source is listed, and no image is read.

    Raises:
        DatasetError: the source cannot be listed, or its folders do not say which class or split an image is of.

    """
    keys, bucket = Keys(classifier.name), settings.bucket
    scan = _scan(classifier, s3=s3, settings=settings)
    if unchanged_version(scan, s3=s3, bucket=bucket, keys=keys):
        return 0
    preparation, _ = preparation_of(classifier, scan, s3=s3, bucket=bucket, store=NoStore())
    return len(places_unread(preparation))


def _scan(classifier: Classifier, *, s3: "S3Client", settings: Settings) -> Scan:
    """List the source, and meanwhile the prepared images in S3."""
    keys, bucket = Keys(classifier.name), settings.bucket
    source = open_source(classifier, s3=s3, data_folder=settings.data_folder)
    if isinstance(source, BucketSource | ListSource):
        source.check_apart_from(bucket, keys)
    with ThreadPoolExecutor(1, thread_name_prefix="stored") as thread:
        stored = thread.submit(stored_keys, s3, bucket=bucket, prefixes=[keys.split(split) for split in SPLITS])
        files = source.files()
        origin = origin_of(classifier, source, files, s3=s3, bucket=bucket)
    return Scan(source, files, origin, stored.result())


def preparation_of(
    classifier: Classifier, scan: Scan, *, s3: "S3Client", bucket: str, store: Store
) -> tuple[Preparation, CorrectedSource]:
    """Return the preparation of a listed source with the accepted corrections, and the source that reads both."""
    keys = Keys(classifier.name)
    listed = list_images(classifier, scan.source, scan.files)
    classes = (*listed.classes, *classifier.accepted_classes)
    corrections = accepted_corrections(
        s3, bucket=bucket, keys=keys, classes=classes, renamed=classifier.renamed_classes
    )
    layout = with_corrections(listed, corrections)
    split, key = split_settings(classifier, layout), pixels_key(classifier)
    corrected = CorrectedSource(scan.source, s3, bucket, corrections)
    preparation = Preparation(
        classifier,
        corrected,
        layout,
        store,
        stored=scan.stored,
        previous=Previous.read(s3, bucket=bucket, keys=keys, split=split, pixels_key=key),
        only_train=only_train(corrections),
        origin=scan.origin,
    )
    return preparation, corrected
