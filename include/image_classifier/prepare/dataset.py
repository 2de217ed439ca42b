"""The way of the images, from the source to a version of the data set in S3 that a training job can name."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.labels import labels_document, labels_sha256, parse_labels
from image_classifier.contracts.pixels import PixelParameters, Prepared
from image_classifier.prepare import report
from image_classifier.prepare.assemble import Dataset, assemble
from image_classifier.prepare.classes import decide_labels
from image_classifier.prepare.inspection import Inspector, Rejected, progress
from image_classifier.prepare.layout import SPLITS, read_layout
from image_classifier.prepare.publish import JSON, LIST_NAMES, TEST_MANIFEST, publish, test_manifest
from image_classifier.prepare.source import BucketSource, Source, open_source
from image_classifier.prepare.split import Fractions

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Store = Callable[[str, Prepared], None]
CHECK_IMAGES = 5


class CheckImage(BaseModel):
    """A validation image whose label is known; the smoke test asks the endpoint about it."""

    model_config = ConfigDict(frozen=True)

    key: str
    label: str


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
    train_lst_uri: str
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
    keys, bucket = Keys(classifier.name), settings.bucket
    source = _source(classifier, s3=s3, settings=settings)
    known = _KnownLabels.read(s3, bucket=bucket, keys=keys)
    inspector = _inspector(classifier, source=source, s3=s3, bucket=bucket, store=store_in(s3, bucket=bucket))
    dataset = _assembled(classifier, inspector, known, reset_labels=reset_labels, on_progress=on_progress)
    warnings = report.warnings_of(dataset, side_px=classifier.hyperparameters.side_px)
    publish(dataset, s3=s3, bucket=bucket, keys=keys, warnings=warnings)
    known.replace(dataset.labels, s3=s3, bucket=bucket, keys=keys)  # last: known once a version with them is complete
    for warning in warnings:
        on_progress(f"Warning: {warning}")
    return _prepared(dataset, bucket=bucket, keys=keys)


def plan_dataset(
    classifier: Classifier,
    *,
    s3: "S3Client",
    settings: Settings,
    reset_labels: bool = False,
    on_progress: Callable[[str], None] = log.info,
) -> PreparedDataset:
    """What `prepare_dataset` would return, with the same fingerprint; every image is inspected, and nothing is written.

    Raises:
        DatasetError: as `prepare_dataset`.
        LabelsChangedError: a known class is gone.

    """
    keys, bucket = Keys(classifier.name), settings.bucket
    source = _source(classifier, s3=s3, settings=settings)
    known = _KnownLabels.read(s3, bucket=bucket, keys=keys)
    inspector = _inspector(classifier, source=source, s3=s3, bucket=bucket, store=_store_nowhere)
    dataset = _assembled(classifier, inspector, known, reset_labels=reset_labels, on_progress=on_progress)
    return _prepared(dataset, bucket=bucket, keys=keys)


def _source(classifier: Classifier, *, s3: "S3Client", settings: Settings) -> Source:
    source = open_source(classifier.source, s3=s3, data_folder=settings.data_folder)
    if isinstance(source, BucketSource):
        source.check_apart_from(settings.bucket, Keys(classifier.name))
    return source


@dataclass(frozen=True)
class _KnownLabels:
    """The label space of the newest version, and the ETag of the object that holds it (a model's own is beside it)."""

    labels: tuple[str, ...]
    etag: str | None

    @classmethod
    def read(cls, s3: "S3Client", *, bucket: str, keys: Keys) -> "_KnownLabels":
        found = storage.read(s3, bucket=bucket, key=cls.key(keys))
        if found is None:
            return cls((), None)
        try:
            return cls(parse_labels(found[0]), found[1])
        except DatasetError as error:
            message = f"s3://{bucket}/{cls.key(keys)}: {error} Restore an earlier version of the object, or delete it."
            raise DatasetError(message) from error

    @staticmethod
    def key(keys: Keys) -> str:
        return f"{keys.dataset}labels.json"

    def replace(self, labels: tuple[str, ...], *, s3: "S3Client", bucket: str, keys: Keys) -> None:
        if labels != self.labels:
            document = labels_document(labels)
            storage.write_if_unchanged(
                s3, bucket=bucket, key=self.key(keys), body=document, content_type=JSON, etag=self.etag
            )


def _assembled(
    classifier: Classifier,
    inspector: Inspector,
    known: _KnownLabels,
    *,
    reset_labels: bool,
    on_progress: Callable[[str], None],
) -> Dataset:
    source = inspector.source
    layout = read_layout(source.names(), where=source.where)
    if layout.has_test:
        inspector = replace(inspector, split_of=_fractions(classifier, test=0.0).split_of)
    on_progress(f"{len(layout.images):,} images of {len(layout.classes)} classes in {source.where}")
    dataset = assemble(
        inspector.all(layout.images, report=progress(on_progress, total=len(layout.images))),
        layout=layout,
        labels=decide_labels(layout.classes, previous=known.labels, reset_labels=reset_labels),
        where=source.where,
        pixels_key=inspector.pixels_key,
        seed=classifier.seed,
    )
    return _store_the_moved(inspector, dataset)


def store_in(s3: "S3Client", *, bucket: str) -> Store:
    """Stores prepared images in a bucket."""

    def store(key: str, prepared: Prepared) -> None:
        content_type = "image/png" if key.endswith(".png") else "image/jpeg"
        storage.write(s3, bucket=bucket, key=key, body=prepared.jpeg, content_type=content_type)

    return store


def _store_nowhere(key: str, prepared: Prepared) -> None:
    """The place of a prepared image whose data set is only planned."""


def _inspector(classifier: Classifier, *, source: Source, s3: "S3Client", bucket: str, store: Store) -> Inspector:
    keys = Keys(classifier.name)
    listings = [storage.list_objects(s3, bucket=bucket, prefix=keys.split(split)) for split in SPLITS]
    return Inspector(
        source=source,
        store=store,
        keys=keys,
        parameters=PixelParameters(
            side_px=classifier.hyperparameters.side_px,
            fit=classifier.pixels.fit,
            jpeg_quality=classifier.pixels.jpeg_quality,
        ),
        unmodified=classifier.pixels.unmodified,
        split_of=_fractions(classifier, test=classifier.test_fraction).split_of,
        stored=frozenset(key for listing in listings for key, stored in listing.items() if stored.size_bytes),
    )


def _fractions(classifier: Classifier, *, test: float) -> Fractions:
    return Fractions(classifier.seed, validation=classifier.validation_fraction, test=test)


def _store_the_moved(inspector: Inspector, dataset: Dataset) -> Dataset:
    """Store under its other split what `fill_splits` moved in tiny classes; the first copy stays, unreferenced."""
    inspected_as = {one.sha256: one.split for one in dataset.chosen.images}
    images = []
    for image in dataset.images:
        if image.split == inspected_as[image.sha256]:
            images.append(image)
            continue
        again = inspector.one(replace(image.image, split=image.split))
        if isinstance(again, Rejected) or again.sha256 != image.sha256:
            message = f"{image.image.name!r} in {dataset.where} was changed or removed meanwhile; run this task again."
            raise DatasetError(message)
        images.append(again)
    return replace(dataset, images=tuple(images))


def _prepared(dataset: Dataset, *, bucket: str, keys: Keys) -> PreparedDataset:
    version = keys.version(dataset.fingerprint)
    uploaded = sum(image.uploaded for image in dataset.images)
    folders = {split: version + name.partition("/")[0] + "/" for split, name in LIST_NAMES.items()}
    return PreparedDataset(
        fingerprint=dataset.fingerprint,
        labels_key=f"{version}labels.json",
        labels_sha256=labels_sha256(dataset.labels),
        num_classes=len(dataset.labels),
        num_training_samples=len(dataset.of("train")),
        num_validation_samples=len(dataset.of("validation")),
        num_test_samples=len(dataset.of("test")),
        train_uri=f"s3://{bucket}/{keys.split('train')}",
        validation_uri=f"s3://{bucket}/{keys.split('validation')}",
        train_lst_uri=f"s3://{bucket}/{folders['train']}",
        validation_lst_uri=f"s3://{bucket}/{folders['validation']}",
        test_manifest_key=f"{version}{TEST_MANIFEST}" if dataset.of("test") else "",
        test_manifest_sha256=hashlib.sha256(test_manifest(dataset, bucket=bucket, keys=keys)).hexdigest(),
        report_key=f"{version}report.json",
        check_images=_check_images(dataset, keys=keys),
        uploaded=uploaded,
        unchanged=len(dataset.images) - uploaded,
        rejected=len(dataset.rejected),
    )


def _check_images(dataset: Dataset, *, keys: Keys) -> tuple[CheckImage, ...]:
    """The first validation image of each class, then the second of each, until there are five."""
    validation = dataset.of("validation")
    by_class = [[image for image in validation if image.image.class_name == label] for label in dataset.labels]
    in_turn = (image for image in chain.from_iterable(zip_longest(*by_class)) if image)
    return tuple(
        CheckImage(key=keys.split(image.split) + image.path, label=image.image.class_name)
        for image in islice(in_turn, CHECK_IMAGES)
    )
