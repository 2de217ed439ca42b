"""Checks that the examples of a channel are the same in every format."""

import gc
import shutil
import weakref

import pytest

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.formats.channels import read_channel
from image_classification_algorithm.formats.examples import examples
from image_classification_algorithm.formats.recordio.pipes import Kept
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.recordio import MAGIC, ImageRecord, encoded, packed

FOUR = ("train", "validation", "train_lst", "validation_lst")
IMAGE = {"ContentType": "application/x-image"}
RECORD = {"ContentType": "application/x-recordio"}
RECORD_PIPE = RECORD | {"TrainingInputMode": "Pipe"}
MANIFEST_PIPE = RECORD_PIPE | {"RecordWrapperType": "RecordIO"}


def examples_of(folders):
    return list(examples(read_channel(folders, "train")))


@pytest.fixture
def folder_with(configure):
    """A job whose train channel is a folder with copies of files."""

    def make(*files, names=(), **given):
        folders = configure(*names, **given)
        folders.channel("train").mkdir(parents=True)
        for file in files:
            shutil.copy(file, folders.channel("train"))
        return folders

    return make


@pytest.fixture
def image_files(folder_with, im2rec):
    folders = folder_with(*(im2rec / "images").iterdir(), names=FOUR, **IMAGE)
    folders.channel("train_lst").mkdir()
    shutil.copy(im2rec / "multi.lst", folders.channel("train_lst"))
    return folders


@pytest.fixture
def record_file(folder_with, im2rec):
    return folder_with(im2rec / "multi.rec", im2rec / "multi.idx", **RECORD)


@pytest.fixture
def record_pipe(configure, feed, im2rec):
    folders = configure(**RECORD_PIPE)
    feed(folders.channel("train_0"), (im2rec / "multi.rec").read_bytes())
    return folders


@pytest.fixture
def manifest_pipe(configure, feed, im2rec):
    folders = configure(**MANIFEST_PIPE)
    records = []
    for entry in image_list.parse((im2rec / "multi.lst").read_text()):
        records += [(im2rec / "images" / entry.path).read_bytes(), str(list(entry.labels)).encode()]
    feed(folders.channel("train_0"), b"".join(map(encoded, records)))
    return folders


@pytest.mark.parametrize("source", ["image_files", "record_file", "record_pipe", "manifest_pipe"])
def test_images_and_labels_are_those_of_the_list_in_its_order(request, im2rec, source):
    found = examples_of(request.getfixturevalue(source))
    entries = image_list.parse((im2rec / "multi.lst").read_text())
    images = [(im2rec / "images" / entry.path).read_bytes() for entry in entries]
    assert [example.labels for example in found] == [entry.labels for entry in entries]
    assert [example.read() for example in reversed(found)] == images[::-1]
    assert [example.read() for example in found] == images


@pytest.mark.parametrize("source", ["image_files", "record_file", "record_pipe", "manifest_pipe"])
def test_each_example_has_a_name_of_its_own(request, source):
    found = examples_of(request.getfixturevalue(source))
    assert len({example.name for example in found}) == len(found) == 5


def test_a_record_is_named_by_its_file_and_place(record_file):
    path = record_file.channel("train") / "multi.rec"
    assert [example.name for example in examples_of(record_file)][:2] == [f"{path} at byte 0", f"{path} at byte 780"]


def test_images_of_a_pipe_are_kept_as_long_as_they_can_be_read():
    kept = Kept()
    alive, first, second = weakref.ref(kept), kept.keep(b"first"), kept.keep(b"second")
    del kept
    assert (second(), first(), second()) == (b"second", b"first", b"second")
    del first, second
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (b"2", (2,)),
        (b'"2"', (2,)),
        (b"[1, 0, 1]", (1, 0, 1)),
        (b'"[1, 0, 1]"', (1, 0, 1)),
        (b"[]", ()),
        (b"2.0", (2,)),
    ],
)
def test_a_manifests_label_is_a_number_or_a_list_quoted_or_not(configure, feed, label, expected):
    folders = configure(**MANIFEST_PIPE)
    feed(folders.channel("train_0"), encoded(b"image") + encoded(label))
    assert [example.labels for example in examples_of(folders)] == [expected]


@pytest.mark.parametrize(
    "label",
    [b"cat", b'"cat"', b"[1, [0]]", b'["a"]', b"null", b"true", b"{}", b"", b"\xff\xd8", b"[" * 9999, b"9" * 999],
)
def test_a_manifests_label_that_is_none_is_named_with_its_place(configure, feed, label):
    folders = configure(**MANIFEST_PIPE)
    feed(folders.channel("train_0"), encoded(b"image") + encoded(label))
    with pytest.raises(
        ClientError, match=r"at byte 16 of .*train_0: .* is neither a number.*must name the image first"
    ):
        examples_of(folders)


def test_images_and_labels_alternate(configure, feed):
    folders = configure(**MANIFEST_PIPE)
    feed(folders.channel("train_0"), encoded(b"image") + encoded(b"0") + encoded(b"image" + MAGIC))
    with pytest.raises(ClientError, match=r"at byte 28 of .*train_0: no label follows this image"):
        examples_of(folders)


def test_a_rec_file_wrapped_once_more_is_recognized(configure, feed):
    folders = configure(**MANIFEST_PIPE)
    feed(folders.channel("train_0"), encoded(encoded(packed(ImageRecord((0.0,), 0, b"image")))))
    with pytest.raises(ClientError, match=r"it holds a \.rec file, which needs no RecordWrapperType"):
        examples_of(folders)


def test_rec_files_of_a_pipe_follow_each_other(configure, feed, im2rec):
    folders = configure(**RECORD_PIPE)
    feed(folders.channel("train_0"), (im2rec / "single.rec").read_bytes() * 2)
    found = examples_of(folders)
    assert len(found) == 16
    assert found[0].read() == found[8].read()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (RECORD_PIPE, "Unable to start training. Empty .rec file in train channel."),
        (MANIFEST_PIPE, "Unable to start training. Empty augmented manifest in train channel."),
    ],
)
def test_an_empty_pipe_is_refused(configure, feed, given, sentence):
    folders = configure(**given)
    feed(folders.channel("train_0"), b"")
    with pytest.raises(ClientError) as raised:
        examples_of(folders)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("given", [RECORD_PIPE, MANIFEST_PIPE])
def test_a_pipe_that_is_not_there_is_a_missing_channel(configure, given):
    with pytest.raises(ClientError, match=r"The train channel is missing: .* has no pipe train_0 beside it"):
        examples_of(configure(**given))


def test_an_empty_rec_file_is_refused_in_the_containers_words(folder_with):
    folders = folder_with(**RECORD)
    (folders.channel("train") / "a.rec").touch()
    with pytest.raises(ClientError) as raised:
        examples_of(folders)
    assert str(raised.value) == "Unable to start training. Empty .rec file in train channel."


@pytest.mark.parametrize("count", [0, 2])
def test_a_channel_holds_exactly_one_rec_file(folder_with, count):
    folders = folder_with(**RECORD)
    for number in range(count):
        (folders.channel("train") / f"{number}.rec").write_bytes(encoded(b""))
    with pytest.raises(ClientError, match=f"The train channel must hold exactly one .rec file; found {count} in"):
        examples_of(folders)


@pytest.mark.parametrize(("names", "given"), [((), RECORD), (FOUR, IMAGE)])
def test_a_folder_that_is_not_there_is_a_missing_channel(configure, names, given):
    with pytest.raises(ClientError, match=r"The train channel is missing: .* is not a folder"):
        examples_of(configure(*names, **given))


def test_a_file_that_is_not_recordio_is_named(folder_with, im2rec):
    folders = folder_with(**RECORD)
    path = folders.channel("train") / "a.rec"
    path.write_bytes((im2rec / "single.rec").read_bytes()[:-30])
    with pytest.raises(ClientError, match=rf"Unable to parse record at byte 2632 of {path}: it ends after"):
        examples_of(folders)


def test_a_record_without_an_image_record_is_named(folder_with):
    folders = folder_with(**RECORD)
    path = folders.channel("train") / "a.rec"
    path.write_bytes(encoded(b"no header"))
    with pytest.raises(ClientError, match=rf"at byte 0 of {path}: 9 bytes cannot hold"):
        examples_of(folders)
