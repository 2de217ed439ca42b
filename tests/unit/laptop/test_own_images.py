"""Checks the demonstration with a folder of your own, of which some images are held out."""

import io
import random
import unicodedata
from pathlib import Path

import pytest
import yaml
from PIL import Image

from image_classifier.classifier import Classifier
from laptop import own_images
from laptop.place import LaptopError, Place


@pytest.fixture
def place(tmp_path):
    return Place(state=tmp_path / "state")


@pytest.fixture(autouse=True)
def small_images(monkeypatch, tmp_path):
    """A template without the pretrained network's large images."""
    root = tmp_path / "root"
    template = root / own_images.TEMPLATE
    template.parent.mkdir(parents=True)
    (root / "include/classifiers").mkdir()
    (root / "include/classifiers/digits.yaml").touch()
    template.write_text('hyperparameters:\n  num_layers: 20\n  image_shape: "3,32,32"\n')
    monkeypatch.setattr(own_images, "ROOT", root)


def picture(name: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), tuple(random.Random(name).randbytes(3))).save(out, "PNG")
    return out.getvalue()


def folder_of_images(root: Path, classes: dict[str, int]) -> Path:
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number:03}.png").write_bytes(picture(f"{root.name} {name} {number}"))
    return root


def linked(folder: Path) -> set[Path]:
    return {link.resolve() for link in folder.rglob("*") if link.is_file()}


def written(place, name="pets"):
    return yaml.safe_load((place.classifiers / f"{name}.yaml").read_text())


def test_no_held_out_image_is_trained_on(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 30, "dog": 30})

    own_images.own(place, data)

    trained, held_out = linked(place.images / "pets"), linked(place.held_out / "pets")
    assert len(held_out) == 6
    assert trained | held_out == linked(data)
    assert not trained & held_out


def test_the_same_images_are_held_out_every_time(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 30, "dog": 30})

    first = own_images.own(place, data)

    assert own_images.own(place, data) == first


def test_images_split_by_their_owner_stay_where_they_were_put(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"seg_train/cat": 20, "seg_train/dog": 20, "val/cat": 20, "val/dog": 20})

    own_images.own(place, data)

    assert linked(place.images / "pets" / "train") == linked(data / "seg_train")
    assert linked(place.held_out / "pets") < linked(data / "val")
    assert written(place)["layout"] == "splits"


def test_test_images_are_used_and_are_what_is_held_out(place, tmp_path):
    classes = {f"{top}/{name}": 20 for top in ("train", "validation", "test") for name in ("cat", "dog")}
    data = folder_of_images(tmp_path / "pets", classes)

    own_images.own(place, data)

    held_out = linked(place.held_out / "pets")
    assert held_out < linked(data / "test")
    assert linked(place.images / "pets" / "test") == linked(data / "test") - held_out
    assert linked(place.images / "pets" / "validation") == linked(data / "validation")


def test_uploads_come_from_every_class_in_turn(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 150, "dog": 150, "hen": 150})

    uploads = own_images.own(place, data).uploads

    assert len(uploads) == 20
    assert [label for label, _ in uploads[:4]] == ["cat", "dog", "hen", "cat"]


def test_a_class_is_called_as_the_model_calls_it(place, tmp_path):
    decomposed = unicodedata.normalize("NFD", "café")
    data = folder_of_images(tmp_path / "drinks", {decomposed: 20, "tea": 20})

    uploads = own_images.own(place, data).uploads

    assert {label for label, _ in uploads} == {unicodedata.normalize("NFC", "café"), "tea"}


def test_images_below_linked_folders_are_used(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 20, "dog": 20})
    elsewhere = folder_of_images(tmp_path / "elsewhere", {"more cats": 10, "hens": 20})
    (data / "cat" / "more").symlink_to(elsewhere / "more cats")
    (data / "hen").symlink_to(elsewhere / "hens")

    own_images.own(place, data)

    used = linked(place.images / "pets") | linked(place.held_out / "pets")
    assert linked(elsewhere / "more cats") | linked(elsewhere / "hens") < used


def test_hidden_folders_are_neither_linked_nor_held_out(place, tmp_path):
    data = folder_of_images(
        tmp_path / "pets", {"cat": 20, "dog": 20, ".trash/cat": 20, "cat/.thumbs": 20, "__MACOSX": 20}
    )

    own_images.own(place, data)

    used = linked(place.images / "pets") | linked(place.held_out / "pets")
    assert used == {file.resolve() for name in ("cat", "dog") for file in (data / name).glob("*.png")}


def test_a_held_out_image_has_no_twin_among_the_others(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 30, "dog": 30})
    for file in [*data.rglob("*.png")]:
        (file.parent / f"copy of {file.name}").write_bytes(file.read_bytes())

    own_images.own(place, data)

    trained, held_out = (
        {file.read_bytes() for file in linked(folder)} for folder in (place.images / "pets", place.held_out / "pets")
    )
    assert held_out
    assert not trained & held_out


@pytest.mark.parametrize(
    ("classes", "batch_size"), [({"cat": 150, "dog": 150}, 32), ({"cat": 40, "dog": 5, "hen": 60}, 16)]
)
def test_a_batch_is_no_larger_than_what_trains_and_validates(place, tmp_path, classes, batch_size):
    own_images.own(place, folder_of_images(tmp_path / "pets", classes))

    classifier = Classifier.from_file(place.classifiers / "pets.yaml")
    assert classifier.hyperparameters.mini_batch_size == batch_size


def test_copies_and_unusable_files_do_not_count_for_the_batch_size(place, tmp_path):
    classes = {"train/cat": 50, "train/dog": 50, "validation/cat": 5, "validation/dog": 5}
    data = folder_of_images(tmp_path / "pets", classes)
    for number in range(9):
        (data / "validation/cat" / f"copy{number}.png").write_bytes((data / "validation/cat/000.png").read_bytes())
        (data / "validation/dog" / f"broken{number}.png").write_bytes(b"no image")

    own_images.own(place, data)

    assert written(place)["hyperparameters"]["mini_batch_size"] == 8


def test_what_is_left_out_is_said(place, tmp_path, capsys):
    data = folder_of_images(tmp_path / "pets", {"cat": 20, "dog": 20})
    (data / "cat" / "broken.png").write_bytes(b"no image")
    (data / "cat" / "notes.txt").write_bytes(b"no image")
    (data / "cat" / "copy.png").write_bytes((data / "cat" / "000.png").read_bytes())

    own_images.own(place, data)

    said = capsys.readouterr().out
    for line in ("cannot be used: 1", "no images: 1", "copies of others: 1", "4 are held out", "The classes are"):
        assert line in said


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({}, r"No classes in folder"),
        ({"cat": 5}, r"Only one class in folder"),
        ({"fold1/cat": 5, "fold1/dog": 5, "fold2/cat": 5, "fold2/dog": 5}, r"LAYOUT=classes for `make demo`"),
        ({"archive/cat": 5, "archive/dog": 5}, r"add /archive to `source`.*DATA for `make demo`"),
    ],
)
def test_what_is_no_data_set_is_refused_as_the_dag_would(place, tmp_path, classes, said):
    data = folder_of_images(tmp_path / "pets", classes)
    data.mkdir(exist_ok=True)

    with pytest.raises(LaptopError, match=said):
        own_images.own(place, data)


def test_the_layout_may_be_given(place, tmp_path):
    classes = {"fold1/cat": 5, "fold1/dog": 5, "fold2/cat": 5, "fold2/dog": 5}
    data = folder_of_images(tmp_path / "pets", classes)

    own_images.own(place, data, {"layout": "classes"})

    assert {label for label, _ in own_images.own(place, data, {"layout": "classes"}).uploads} == {"fold1", "fold2"}
    assert written(place)["layout"] == "classes"


def test_a_file_that_reads_the_links_in_another_way_is_refused(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 20, "dog": 20})
    own_images.own(place, data)
    (data / "train").mkdir()
    for name in ("cat", "dog"):
        (data / name).rename(data / "train" / name)

    with pytest.raises(LaptopError, match=r"says layout: classes, and the folders of .* are splits now"):
        own_images.own(place, data)


def test_what_is_excluded_is_neither_linked_nor_held_out(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 20, "cat/masks": 20, "dog": 20})
    with pytest.raises(LaptopError, match=r"options: LAYOUT=, EXCLUDE="):
        own_images.own(place, data)

    own_images.own(place, data, {"exclude": ["*/masks/*"]})

    used = linked(place.images / "pets") | linked(place.held_out / "pets")
    assert used == {file.resolve() for name in ("cat", "dog") for file in (data / name).glob("*.png")}


def test_joined_classes_are_linked_as_one(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"tabby": 20, "siamese": 20, "dog": 20})

    uploads = own_images.own(place, data, {"classes": {"cat": ["tabby", "siamese"]}}).uploads

    assert {label for label, _ in uploads} == {"cat", "dog"}
    assert linked(place.images / "pets/cat") | linked(place.held_out / "pets/cat") == linked(data / "tabby") | linked(
        data / "siamese"
    )


def list_of_images(folder: Path, labels: dict[str, str]) -> Path:
    """A list of the images of one folder; `labels` has the label of each of the folder's classes."""
    rows = [
        f"{file.relative_to(folder).as_posix()},{label}"
        for name in labels
        for file in (folder / name).iterdir()
        for label in [labels[name]]
    ]
    file = folder / "train.csv"
    file.write_text("\n".join(["picture,breed", *rows]))
    return file


COLUMNS = {"path": "picture", "label": "breed"}


def test_a_list_is_demonstrated_under_the_name_of_its_folder(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"batch1": 30, "batch2": 30})
    file = list_of_images(data, {"batch1": "cat", "batch2": "dog"})

    demonstration = own_images.own(place, file, {"columns": COLUMNS})

    assert demonstration.classifier == "pets"
    assert {label for label, _ in demonstration.uploads} == {"cat", "dog"}
    assert {file.name for _, file in demonstration.uploads} < {file.name for file in data.rglob("*.png")}
    trained, held_out = linked(place.images / "pets"), linked(place.held_out / "pets")
    assert linked(place.images / "pets/cat") < linked(data / "batch1")
    assert (len(trained), len(held_out), trained & held_out) == (54, 6, set())


def test_a_list_of_paths_outside_its_folder_links_below_the_classes(place, tmp_path):
    data = folder_of_images(tmp_path / "elsewhere", {"batch1": 20, "batch2": 20})
    file = tmp_path / "pets" / "labels.csv"
    file.parent.mkdir()
    rows = [f"../elsewhere/batch1/{one.name},cat" for one in (data / "batch1").iterdir()]
    rows += [f"{one},dog" for one in (data / "batch2").iterdir()]
    file.write_text("\n".join(["path,label", *rows]))

    own_images.own(place, file)

    links = [link for link in (place.images / "pets").rglob("*") if link.is_symlink()]
    assert {link.parent for link in links} == {place.images / "pets/cat", place.images / "pets/dog"}
    assert linked(place.images / "pets") | linked(place.held_out / "pets") == linked(data)


def test_the_lists_of_a_folder_s_splits_are_demonstrated(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"train": 30, "valid": 20, "test": 20})
    for part in ("train", "valid", "test"):
        names = sorted(file.name for file in (data / part).iterdir())
        rows = [f"{name}, {at % 2}, {1 - at % 2}" for at, name in enumerate(names)]
        (data / part / "_classes.csv").write_text("\n".join(["filename, cat, dog", *rows]))

    uploads = own_images.own(place, data).uploads

    assert {label for label, _ in uploads} == {"cat", "dog"}
    assert linked(place.held_out / "pets") < linked(data / "test")
    for part, split in (("train", "train"), ("valid", "validation")):
        images = [linked(place.images / f"pets/{split}/{label}") for label in ("cat", "dog")]
        assert set.union(*images) == {file.resolve() for file in (data / part).glob("*.png")}
    assert written(place)["layout"] == "splits"


def test_a_file_that_is_no_list_is_refused_with_what_to_do(place, tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK")

    with pytest.raises(LaptopError, match=r"it is an archive. To use it, unpack it"):
        own_images.own(place, tmp_path / "pets.zip")


@pytest.mark.parametrize("label", ["a/b", "../up", ".hidden"])
def test_a_label_that_cannot_be_a_folder_is_refused(place, tmp_path, label):
    data = folder_of_images(tmp_path / "pets", {"batch1": 20, "batch2": 20})
    file = list_of_images(data, {"batch1": label, "batch2": "dog"})

    with pytest.raises(LaptopError, match=r"cannot be a folder's name.*CLASSES="):
        own_images.own(place, file, {"columns": COLUMNS})

    assert not (place.classifiers / "pets.yaml").exists()


def test_a_wrong_option_is_refused_by_name(place, tmp_path):
    data = folder_of_images(tmp_path / "pets", {"cat": 20, "dog": 20})

    with pytest.raises(LaptopError, match=r"columns"):
        own_images.own(place, data, {"columns": {"colour": "red"}})


def test_a_classifier_file_is_written_that_names_the_images(place, tmp_path):
    own_images.own(place, folder_of_images(tmp_path / "My Pets!", {"cat": 20, "dog": 20}))

    assert written(place, "my-pets")["source"] == "my-pets"


def test_the_template_makes_a_classifier(tmp_path):
    template = Path(__file__).parents[3] / own_images.TEMPLATE
    file = tmp_path / "pets.yaml"
    file.write_text(f"source: pets\n{template.read_text()}  mini_batch_size: 8\n")

    assert Classifier.from_file(file).hyperparameters.use_pretrained_model


def test_a_folder_that_is_not_there_is_refused_by_name(place, tmp_path):
    with pytest.raises(LaptopError, match=r"nowhere is neither a folder nor a list"):
        own_images.own(place, tmp_path / "nowhere")


def test_two_folders_of_one_name_do_not_become_one_classifier(place, tmp_path):
    own_images.own(place, folder_of_images(tmp_path / "a/pets", {"cat": 20, "dog": 20}))

    with pytest.raises(LaptopError, match=r"The classifier pets exists already"):
        own_images.own(place, folder_of_images(tmp_path / "b/pets", {"cow": 20, "hen": 20}))


def test_a_shipped_classifier_keeps_its_name(place, tmp_path):
    data = folder_of_images(tmp_path / "digits", {"0": 20, "1": 20})

    assert own_images.own(place, data).classifier == "my-digits"
