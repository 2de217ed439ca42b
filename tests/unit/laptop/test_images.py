"""The demonstration's images: a folder of one's own, split into what is trained on and what is held out."""

from pathlib import Path

import pytest
import yaml

from image_classifier.classifier import Classifier
from laptop import images
from laptop.place import LaptopError, Place


@pytest.fixture
def place(tmp_path):
    return Place(state=tmp_path / "state")


def folder_of_images(root: Path, *, classes: dict[str, int]) -> Path:
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number:03}.jpg").write_bytes(f"{name} {number}".encode())
    return root


def linked(folder: Path) -> set[Path]:
    return {link.resolve() for link in folder.rglob("*.jpg")}


def test_no_held_out_image_is_trained_on(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", classes={"cat": 30, "dog": 30})

    images.own(place, data)

    trained, held_out = linked(place.images / "pets"), linked(place.held_out / "pets")
    assert len(held_out) == 6
    assert trained | held_out == linked(data)
    assert not trained & held_out


def test_the_same_images_are_held_out_every_time(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", classes={"cat": 30, "dog": 30})

    first = images.own(place, data)

    assert images.own(place, data) == first


def test_images_split_by_their_owner_stay_where_they_were_put(place, tmp_path):
    data = tmp_path / "pets"
    folder_of_images(data / "train", classes={"cat": 20, "dog": 20})
    folder_of_images(data / "validation", classes={"cat": 20, "dog": 20})

    images.own(place, data)

    assert linked(place.images / "pets" / "train") == linked(data / "train")
    assert linked(place.held_out / "pets") < linked(data / "validation")


def test_uploads_come_from_every_class_in_turn(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", classes={"cat": 400, "dog": 400, "hen": 400})

    uploads = images.own(place, data).uploads

    assert len(uploads) == 20
    assert [label for label, _ in uploads[:4]] == ["cat", "dog", "hen", "cat"]


def test_a_classifier_file_is_written_that_names_the_images(place, tmp_path):
    images.own(place, folder_of_images(tmp_path / "My Pets!", classes={"cat": 20, "dog": 20}))

    written = yaml.safe_load((place.classifiers / "my-pets.yaml").read_text())
    assert written["source"] == "my-pets"


@pytest.mark.parametrize(
    ("classes", "batch_size"),
    [({"cat": 700, "dog": 700}, 32), ({"cat": 40, "dog": 5, "hen": 60}, 8), ({"cat": 5, "dog": 5, "hen": 5}, 2)],
)
def test_a_batch_is_no_larger_than_what_validates(place, tmp_path, classes, batch_size):
    images.own(place, folder_of_images(tmp_path / "pets", classes=classes))

    classifier = Classifier.from_file(place.classifiers / "pets.yaml")
    assert classifier.hyperparameters.mini_batch_size == batch_size
    assert classifier.hyperparameters.use_pretrained_model


def test_a_batch_is_no_larger_than_the_smaller_split(place, tmp_path):
    folder_of_images(tmp_path / "pets/train", classes={"cat": 50, "dog": 50})
    folder_of_images(tmp_path / "pets/validation", classes={"cat": 5, "dog": 5})

    images.own(place, tmp_path / "pets")

    written = yaml.safe_load((place.classifiers / "pets.yaml").read_text())
    assert written["hyperparameters"]["mini_batch_size"] == 8


def test_a_folder_without_classes_is_refused_by_name(place, tmp_path):
    (tmp_path / "empty").mkdir()

    with pytest.raises(LaptopError, match=r"empty must hold one folder of images per class, at least two; found: none"):
        images.own(place, tmp_path / "empty")


def test_a_folder_that_is_not_there_is_refused_by_name(place, tmp_path):
    with pytest.raises(LaptopError, match=r"nowhere is not a folder"):
        images.own(place, tmp_path / "nowhere")


def test_two_folders_of_one_name_do_not_become_one_classifier(place, tmp_path):
    images.own(place, folder_of_images(tmp_path / "a/pets", classes={"cat": 20, "dog": 20}))

    with pytest.raises(LaptopError, match=r"The classifier pets exists already"):
        images.own(place, folder_of_images(tmp_path / "b/pets", classes={"cow": 20, "hen": 20}))


def test_a_shipped_classifier_keeps_its_name(place, tmp_path):
    data = folder_of_images(tmp_path / "digits", classes={"0": 20, "1": 20})

    assert images.own(place, data).classifier == "my-digits"
