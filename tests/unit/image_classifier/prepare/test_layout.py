import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.folders import read_layout
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.selection import Selection
from image_classifier.prepare.layout.split_folders import few
from image_classifier.prepare.sources.source import File


def layout(*names, choice=None):
    return read_layout([File(name) for name in names], where="folder x", choice=choice)


def refused(*names, choice=None):
    with pytest.raises(DatasetError) as caught:
        layout(*names, choice=choice)
    assert "folder x" in str(caught.value)
    return str(caught.value)


def test_class_folders_alone_leave_the_split_open():
    found = layout("dog/1.jpg", "cat/2.jpg", "cat/1.jpg")

    assert found.classes == ("cat", "dog")
    assert found.splits == ()
    assert list(found.images) == [
        Listed("cat/1.jpg", "cat", None),
        Listed("cat/2.jpg", "cat", None),
        Listed("dog/1.jpg", "dog", None),
    ]


def test_train_and_validation_folders_decide_the_split():
    found = layout("train/cat/1.jpg", "train/dog/1.jpg", "validation/cat/2.jpg")

    assert found.splits == ("train", "validation")
    assert found.classes == ("cat", "dog")
    assert found.images[-1] == Listed("validation/cat/2.jpg", "cat", "validation")
    assert found.images[0].split == "train"


def test_folders_below_a_class_belong_to_it():
    found = layout("cat/2024/may/1.jpg", "dog/1.jpg", "dog/train/2.jpg", "cat/2024/", "dog/train/")

    assert [(image.name, image.class_name) for image in found.images] == [
        ("cat/2024/may/1.jpg", "cat"),
        ("dog/1.jpg", "dog"),
        ("dog/train/2.jpg", "dog"),
    ]


def test_hidden_files_and_folders_do_not_exist():
    found = layout("cat/1.jpg", "cat/.DS_Store", "dog/1.jpg", ".git/x", "dog/.thumbs/1.jpg", ".hidden", "cat/", ".git/")

    assert [image.name for image in found.images] == ["cat/1.jpg", "dog/1.jpg"]
    assert (found.classes, found.ignored) == (("cat", "dog"), ())


@pytest.mark.parametrize(
    "names",
    [("cat/1", "dog/1", "README.md"), ("train/cat/1", "train/dog/1", "validation/cat/2", "train/README.md")],
)
def test_files_outside_the_classes_are_named_but_not_used(names):
    assert layout(*names).ignored == (names[-1],)


def test_a_nameless_folder_of_s3_is_no_class():
    assert layout("/odd.jpg", "cat/1", "dog/1").ignored == ("/odd.jpg",)


def test_a_mac_s_and_linux_s_spelling_are_one_class():
    found = layout("train/cafe\u0301/1", "train/x/1", "validation/caf\u00e9/1")

    assert found.classes == ("caf\u00e9", "x")


def test_classes_that_differ_in_case_are_two():
    assert layout("Cat/1", "cat/1").classes == ("Cat", "cat")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "found no folder"),
        (("a.jpg", "b.jpg"), "found 2 files that are in no class folder"),
        (("train/1.jpg", "validation/1.jpg"), "found 2 files that are in no class folder"),
        (("cat/1.jpg",), "Only one class in folder x: 'cat'"),
        (("train/cat/1", "validation/cat/2"), "Only one class"),
        (("cat/1.jpg", "dog/"), "Classes without a training image in folder x: 'dog'"),
        (("train/cat/1", "train/dog/", "validation/cat/1"), "Classes without a training image in folder x: 'dog'"),
        (("train/cat/1", "train/dog/1", "validation/"), "Validation of folder x has no image in a class folder"),
        (("train/cat/1", "train/dog/1", "validation/cat/"), "Validation of folder x has no image in a class folder"),
        (("train/cat/1", "train/dog/1", "validation/dgo/1"), "that train lacks, in folder x: 'dgo'"),
        (("train/cat/1", "train/dog/1", "validation/cat/1", "test/dgo/1"), "Test has classes that train lacks"),
        (("train/cat/1", "validation/cat/1", "cat/1"), "not clear which folders"),
        (("bus/1", "train/1"), "If they are classes, put `layout: classes`"),
        (("b\udcff/1", "cat/1"), "not Unicode text"),
        (("data.dvc", "README.md"), "DVC keeps the files of 'data.dvc' elsewhere: download them by `dvc pull`"),
        (("all.csv", "README.md"), "If images elsewhere are listed in 'all.csv', use that as the source."),
        (("README.md",), "their names end in .md. Images are files such as .jpg and .png."),
    ],
)
def test_folders_that_do_not_make_a_data_set_are_refused(names, said):
    assert said in refused(*names)


def test_a_class_called_train_is_possible_below_train():
    names = ("train/train/1", "train/bus/1", "validation/train/1")

    assert layout(*names).classes == ("bus", "train")


def test_of_very_many_folders_a_few_are_named():
    message = refused(*(f"class{number:02}/" for number in range(20)))

    assert "'class07' and 12 more" in message


def test_a_long_name_is_cut_in_a_message():
    assert few(["a" * 200, "b" * 201]) == f"'{'a' * 200}', '{'b' * 200}…'"


@given(st.lists(st.text("ab/. ", min_size=1, max_size=8)))
def test_any_names_make_a_layout_or_a_data_set_error(names):
    try:
        found = layout(*names)
    except DatasetError:
        return
    assert {image.class_name for image in found.images} == set(found.classes)


def test_a_source_may_name_its_test_images_too():
    names = ("train/cat/1", "train/dog/1", "validation/cat/2", "test/dog/3")

    found = layout(*names)

    assert found.has_test
    assert [(image.name, image.split) for image in found.images if image.split == "test"] == [("test/dog/3", "test")]
    assert not layout(*names[:3]).has_test


def test_the_images_of_a_class_share_the_text_of_its_name():
    files = [File(f"{name}/{number}.jpg") for name in ("cat", "dog") for number in range(3)]
    layout = read_layout(files, where="here")
    assert len({id(image.class_name) for image in layout.images}) == 2


@pytest.mark.parametrize(("written", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_pattern_means_names_whose_accents_are_written_otherwise(written, on_disk):
    pattern, name = unicodedata.normalize(written, "möwe/*"), unicodedata.normalize(on_disk, "möwe/1.jpg")
    file = Classifier(name="gulls", source="gulls", include=[pattern], exclude=[pattern])

    assert not Selection(exclude=file.exclude).chooses(name)
    assert Selection(include=file.include).chooses(name)
    assert not Selection(include=file.include).chooses("mowe/1.jpg")


@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_classes_of_the_file_are_the_folders_however_accents_are_written(written):
    new, old, other = (unicodedata.normalize(written, name) for name in ("Vögel", "Möwe", "Krähe"))

    made = Classifier(name="birds", source="x", classes={new: [old]}, accepted_classes=[other])

    assert made.renamed_classes == {"Möwe": "Vögel"}
    assert made.accepted_classes == ("Krähe",)


def test_hidden_folders_beside_the_classes_are_warned_of():
    in_s3 = (".NET/1.jpg", ".git/objects/2.jpg", ".ipynb_checkpoints/1.jpg", "__MACOSX/._1.jpg", "cat/.old/1.jpg")

    assert [one for one in layout("cat/1.jpg", "dog/1.jpg", *in_s3).warnings if "hidden" in one] == [
        "The folders '.NET' are hidden, by the beginnings of their names, and their images are not used. If they are "
        "classes, rename them."
    ]


def test_a_few_names_of_masks_are_no_masks():
    images = [f"{kind}/{at}.jpg" for kind in ("cat", "dog") for at in range(9)]

    assert len(layout(*images, "cat/1_mask.jpg", "cat/x_mask.jpg", "dog/x_mask.jpg", "dog/y_mask.jpg").images) == 22
    assert "'cat/0_mask.jpg' beside 'cat/0.jpg'" in refused(*images, *(f"cat/{at}_mask.jpg" for at in range(9)))
