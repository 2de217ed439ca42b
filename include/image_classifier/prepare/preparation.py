"""Assembles the data set of a classifier from its source, and stores the prepared images."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace

from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.pixels import PixelParameters
from image_classifier.prepare.assemble import Assembler, Dataset
from image_classifier.prepare.inspection.inspector import (
    UNMODIFIED_KEY,
    Inspected,
    Inspector,
    Known,
    Rejected,
    Store,
)
from image_classifier.prepare.layout.folders import SPLITS, Layout
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.layout.selection import Selection
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.picked import Found, Picked
from image_classifier.prepare.placement import Placer
from image_classifier.prepare.previous import Previous, SplitSettings
from image_classifier.prepare.progress import Progress
from image_classifier.prepare.report.document import make_report
from image_classifier.prepare.report.schema import Report
from image_classifier.prepare.report.warnings import Trained, warnings_of
from image_classifier.prepare.sources.folders_and_lists import folders_and_lists
from image_classifier.prepare.sources.lists.listed import ListSource
from image_classifier.prepare.sources.source import Files, Source
from image_classifier.prepare.split import Fractions
from image_classifier.prepare.spool import SPLIT_OF_CODE


@dataclass(frozen=True)
class Preparation:
    """One run's preparation.

    Attributes:
        stored: the keys of prepared images that exist already.
        previous: the results of the previous version.
        only_train: the SHA-256 of images that must be in train.
        origin: of the version; see `unchanged.origin_of`.

    """

    classifier: Classifier
    source: Source
    layout: Layout
    store: Store
    stored: Container[str] = frozenset()
    previous: Previous = field(default_factory=Previous)
    only_train: frozenset[str] = frozenset()
    origin: str = ""

    @property
    def keys(self) -> Keys:
        return Keys(self.classifier.name)

    @property
    def fractions(self) -> Fractions:
        return replace(fractions_of(self.classifier, self.layout), only_train=self.only_train)

    @property
    def placer(self) -> Placer:
        return Placer(self.fractions, not self.layout.has_validation, self.previous.placed)

    def dataset(self, labels: Sequence[str], *, on_progress: Callable[[str], None]) -> Dataset:
        """Inspect all images and assign them to splits.

        Raises:
            DatasetError: as `Assembler.assemble`.

        """
        inspector, images = self.inspector(known=self.previous), self.layout.images
        found = inspector.all(images, report=Progress(on_progress, len(images)).count)
        return self.assembled(Found(found), labels=labels, inspector=inspector)

    @property
    def size(self) -> str:
        """How many images and classes the source has."""
        images, classes = len(self.layout.images), len(self.layout.classes)
        return f"{images:,} images of {classes} classes in {self.source.where}"

    @property
    def introduction(self) -> tuple[str, str]:
        """What the source holds, and what its classes are."""
        return self.size, self.layout.level

    def assembled(self, found: Found, *, labels: Sequence[str], inspector: Inspector) -> Dataset:
        """Assemble the data set from the inspection's results.

        Args:
            found: every image of the layout.
            labels: the labels by class index.
            inspector: stores the images whose final split differs from their own.

        Raises:
            DatasetError: as `Assembler.assemble`; or an image was changed in the meantime.

        """
        assembler = Assembler(
            where=self.source.where,
            layout=self.layout,
            labels=labels,
            pixels_key=pixels_key(self.classifier),
            placer=self.placer,
            max_left_out=self.classifier.max_left_out,
        )
        return self._all_stored(assembler.assemble(found), inspector)

    def report(self, dataset: Dataset) -> Report:
        """Return the report of the data set, with its warnings."""
        hyperparameters = self.classifier.hyperparameters
        trained = Trained(hyperparameters.side_px, hyperparameters.mini_batch_size)
        warnings = warnings_of(dataset, trained=trained)
        split = split_settings(self.classifier, self.layout)
        return make_report(dataset, keys=self.keys, split=split, warnings=warnings)

    def page(self, dataset: Dataset, report: Report) -> bytes:
        """Return the bytes of report.html, with pictures made from the source's files."""
        from image_classifier.prepare.report.page import report_page
        from image_classifier.prepare.report.pictures import pictures, shown_names

        shown = set(shown_names(report))
        images = {image.name: image for image in self.layout.images if image.name in shown}
        for split in SPLITS:
            of_split, prefix = dataset.of(split), self.keys.split(split)
            keys = (prefix + path for path in of_split.paths())
            images |= {key: of_split[place].image for place, key in enumerate(keys) if key in shown}
        return report_page(report, pictures=pictures(report, images, source=self.source))

    def inspector(self, *, known: Known, split_before: Callable[[str], Split | None] | None = None) -> Inspector:
        """Return the inspector of the images.

        Args:
            known: the results of an earlier run.
            split_before: returns the split of an image in the previous version, by its SHA-256; default: `previous`.

        """
        fractions, before_of = self.fractions, split_before or self.previous.split_before

        def split_of(sha256: str, placed: Split | None) -> Split:
            before = before_of(sha256)
            if before and fractions.may_be(before, placed):
                return before
            return fractions.split_of(sha256, placed)

        return Inspector(
            source=self.source,
            store=self.store,
            keys=self.keys,
            parameters=pixel_parameters(self.classifier),
            unmodified=self.classifier.pixels.unmodified,
            split_of=split_of,
            stored=self.stored,
            known=known,
        )

    def _all_stored(self, dataset: Dataset, inspector: Inspector) -> Dataset:
        """Store images whose final split differs from their own, or that were left out before."""
        images = dataset.images
        for position in self._perhaps_not_stored(images):
            at, image = int(images.places[position]), images[position]
            stored_as = SPLIT_OF_CODE[images.spool.own[at]] or image.split
            images.spool.uploaded[at] = self._stored(image, inspector, stored_as=stored_as).uploaded
        self.store.finish()
        return dataset

    def _perhaps_not_stored(self, images: Picked) -> list[int]:
        """Return the positions of images whose split is not the one in which they were stored, or of known ones."""
        moved = images.splits != images.spool.own[images.places]
        if self.previous.has_left_out:
            moved |= images.spool.uploaded[images.places] == 0
        return [int(position) for position in moved.nonzero()[0]]

    def _stored(self, image: Inspected, inspector: Inspector, *, stored_as: Split) -> Inspected:
        key, other = (self.keys.split(split) + image.path for split in (image.split, stored_as))
        if key == other and (image.uploaded or not self.previous.left_out(image.image)):
            return image
        if inspector.has(key):
            return replace(image, uploaded=key not in self.stored)
        if inspector.has(other):
            self.store.copy(other, to=key)
        else:
            reader = replace(inspector, known=Previous(), split_of=lambda *_: image.split)
            again = reader.one(image.image)
            if isinstance(again, Rejected) or again.sha256 != image.sha256:
                message = (
                    f"{image.image.name!r} in {self.source.where} was changed or removed meanwhile; run this again."
                )
                raise DatasetError(message)
        return replace(image, uploaded=True)


def list_images(classifier: Classifier, source: Source, listed: Files | None = None) -> Layout:
    """Return the layout of the classifier's source, which is listed unless its files are given.

    Raises:
        DatasetError: the source cannot be listed, or its folders do not say which class or split an image is of.

    """
    selection = Selection(classifier.include, classifier.exclude, Renaming(classifier.renamed_classes))
    found = source.files() if listed is None else listed
    if isinstance(source, ListSource):
        return source.layout(found, is_chosen=selection.chooses, renaming=selection.renaming)
    files = selection.files(found, where=source.where)
    return folders_and_lists(
        source, files, choice=classifier.layout, columns=classifier.columns, renaming=selection.renaming
    )


def pixel_parameters(classifier: Classifier) -> PixelParameters:
    """Return the parameters with which the classifier's images are prepared."""
    return PixelParameters(
        side_px=classifier.hyperparameters.side_px,
        fit=classifier.pixels.fit,
        jpeg_quality=classifier.pixels.jpeg_quality,
    )


def pixels_key(classifier: Classifier) -> str:
    """Return the parameters that decide the prepared bytes, besides the source's bytes."""
    return UNMODIFIED_KEY if classifier.pixels.unmodified else pixel_parameters(classifier).key()


def fractions_of(classifier: Classifier, layout: Layout) -> Fractions:
    """Return the shares of validation and test; with test images of the source there are no others."""
    test = 0.0 if layout.has_test else classifier.test_fraction
    return Fractions(classifier.seed, validation=classifier.validation_fraction, test=test)


def split_settings(classifier: Classifier, layout: Layout) -> SplitSettings:
    """Return the settings that decide the split, besides the images."""
    return SplitSettings(classifier.seed, classifier.validation_fraction, classifier.test_fraction, layout.splits)
