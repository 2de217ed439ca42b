"""Files as cameras, programs and broken transfers leave them: the inspection's verdict, and the picture that it shows.

`tests/unit/image_classifier_inference/test_corpus.py` gives the same files to the function.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from tests.unit.odd_images import corpus
from tests.unit.odd_images.makers import noise, saved
from tests.unit.odd_images.pictured import pictured

from image_classifier.classifier import Classifier
from image_classifier.contracts.pixels import PADDING, PixelParameters, measure, picture, prepare
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspection.inspector import Inspected, Rejected
from image_classifier.prepare.picked import Found
from image_classifier.prepare.preparation import Preparation, list_images, pixel_parameters
from image_classifier.prepare.previous import Previous
from image_classifier.prepare.report.schema import TRAITS
from image_classifier.prepare.sources.folder import FolderSource

FILES = corpus.files()
PICTURED = pictured()
SHAPE = {"image_shape": "3,32,32", "num_layers": 20}
CLASSIFIER = Classifier(name="pets", source="images", hyperparameters=SHAPE, max_left_out=0.99, test_fraction=0)
PARAMETERS = pixel_parameters(CLASSIFIER)


class MemoryStore:
    """Keeps the prepared images by their keys."""

    def __init__(self):
        self.images = {}

    def put(self, key, prepared):
        self.images[key] = prepared.jpeg

    def copy(self, key, *, to):
        self.images[to] = self.images[key]

    def finish(self):
        pass


@dataclass(frozen=True)
class Inspection:
    """What a run finds out about every file, by its name in the corpus."""

    found: dict[str, Inspected | Rejected]
    dataset: Dataset
    store: MemoryStore


def ending(name):
    return (PICTURED[name].ending and f".{PICTURED[name].ending}") if name in PICTURED else ".jpg"


@pytest.fixture(scope="module")
def inspection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    names = {f"odd/{number}{ending(name)}": name for number, name in enumerate(FILES)}
    for place in ("odd", "plain"):
        (folder / place).mkdir()
    for file, name in names.items():
        (folder / file).write_bytes(FILES[name][1])
    for number in range(8):
        (folder / "plain" / f"{number}.png").write_bytes(saved(noise(size=(40 + number, 40))))
    source, store = FolderSource(folder), MemoryStore()
    layout = list_images(CLASSIFIER, source)
    preparation = Preparation(CLASSIFIER, source, layout, store)
    inspector = preparation.inspector(known=Previous())
    found = list(inspector.all(layout.images, report=lambda one: None))
    dataset = preparation.assembled(Found(found), labels=layout.classes, inspector=inspector)
    by_name = {names[one.image.name]: one for one in found if one.image.class_name == "odd"}
    return Inspection(by_name, dataset, store)


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_verdict_that_it_must_have(name, inspection):
    expected, found = FILES[name][0], inspection.found[name]

    verdict = found.code if isinstance(found, Rejected) else "predicted"
    assert verdict in expected.split("|")
    if isinstance(found, Rejected):
        assert found.reason.endswith(".")


@pytest.mark.parametrize("name", [name for name, (status, _) in FILES.items() if status == "predicted"])
def test_the_data_set_stores_the_pixels_that_the_function_sends(name, inspection):
    found = inspection.found[name]

    key = f"pets/dataset/{found.split}/{found.path}"
    assert inspection.store.images[key] == prepare(FILES[name][1], PARAMETERS).jpeg


@pytest.mark.parametrize("name", PICTURED)
def test_an_accepted_file_shows_the_values_that_it_was_made_from(name):
    wanted = PICTURED[name].shows.astype(int)
    height, width, _ = wanted.shape
    side = max(width, height)

    square = np.asarray(picture(PICTURED[name].data, PixelParameters(side)).square).astype(int)

    top, left = (side - height) // 2, (side - width) // 2
    inside = square[top : top + height, left : left + width]
    assert np.abs(inside - wanted).mean() <= PICTURED[name].differs
    square[top : top + height, left : left + width] = PADDING
    assert (square == PADDING).all()


@pytest.mark.parametrize("name", PICTURED)
def test_the_inspection_names_what_the_prepared_copy_has_lost(name, inspection):
    found = inspection.found[name]

    assert tuple(sorted(found.facts.traits)) == PICTURED[name].traits
    height, width, _ = PICTURED[name].shows.shape
    assert (found.facts.width, found.facts.height) == (width, height) == measure(PICTURED[name].data, PARAMETERS)


def test_every_trait_is_in_the_corpus(inspection):
    seen = {trait for one in inspection.found.values() if isinstance(one, Inspected) for trait in one.facts.traits}

    assert seen == set(TRAITS)


def test_every_file_is_used_or_left_out_with_a_reason(inspection):
    dataset = inspection.dataset
    used = [one.image.name for one in dataset.images]
    left = [one.image.name for one, _ in (*dataset.chosen.duplicates, *dataset.chosen.leaks)]
    rejected = [one.image.name for one in dataset.rejected]

    assert len(used) + len(left) + len(rejected) == len(FILES) + 8
    assert len({*used, *left, *rejected}) == len(FILES) + 8
    assert len(rejected) == sum(status != "predicted" for status, _ in FILES.values())


def test_the_corpus_is_as_large_as_it_is_said_to_be():
    assert len(FILES) >= 250
    assert len(PICTURED) >= 80
    assert len({data for _, data in FILES.values()}) >= 240
