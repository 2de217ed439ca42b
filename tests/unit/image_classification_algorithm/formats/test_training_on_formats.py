"""Checks that training gives the same result in every format."""

import json
import os
import signal
import threading

import numpy as np
import pytest

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import train
from image_classification_algorithm.formats.examples import Example
from image_classification_algorithm.training import images as images_module
from image_classification_algorithm.training.images import load, read_split
from image_classification_algorithm.training.stopping import StopRequest, StopRequestedError
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters
from image_classifier.contracts.training.recordio import encoded, pack_files

SPLITS = ("train", "validation")


@pytest.fixture
def as_format(make_job, configure, feed):
    """Turn the image files of a job into another format; both fixtures write below the same folder."""

    def turn(name, **hyperparameters):
        folders = make_job(**hyperparameters)
        for split in SPLITS if name != "image files" else ():
            entries = image_list.parse((folders.channel(f"{split}_lst") / f"{split}.lst").read_text())
            root, rec = folders.channel(split), folders.base / f"{split}.rec"
            pack_files(entries, root=root, rec=rec)
            pairs = [((root / entry.path).read_bytes(), json.dumps(entry.labels).encode()) for entry in entries]
            for file in [*root.iterdir(), folders.channel(f"{split}_lst") / f"{split}.lst"]:
                file.unlink()
            if name == "RecordIO file":
                rec.rename(root / rec.name)
            elif name == "RecordIO pipe":
                feed(folders.channel(f"{split}_0"), rec.read_bytes())
            else:
                feed(folders.channel(f"{split}_0"), b"".join(encoded(record) for pair in pairs for record in pair))
        if name != "image files":
            configure(
                ContentType="application/x-recordio",
                TrainingInputMode="File" if name == "RecordIO file" else "Pipe",
                RecordWrapperType="RecordIO" if name == "manifest pipe" else "None",
            )
        return folders

    return turn


@pytest.fixture
def sigterm_of_this_process():
    """Let a test listen for SIGTERM, and nobody after it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(params=["single label", "multi-label"])
def labelled(request):
    return {} if request.param == "single label" else {"columns": 2, "multi_label": "1"}


@pytest.fixture
def graph_of_image_files(tmp_path_factory, make_job, labelled):
    """The model of the job that has files and lists."""
    folders = make_job(epochs="2", **labelled)
    assert train(folders) == 0
    graph = artifact.read(folders.model).graph
    folders.base.rename(tmp_path_factory.mktemp("done") / "ml")
    return graph


@pytest.mark.parametrize("name", ["RecordIO file", "RecordIO pipe", "manifest pipe"])
@pytest.mark.parametrize("cache_bytes", [0, 10**6], ids=["decoded in every epoch", "decoded once"])
def test_the_same_images_give_the_same_model(as_format, labelled, graph_of_image_files, name, cache_bytes, monkeypatch):
    monkeypatch.setattr(images_module, "cache_bytes", lambda: cache_bytes)
    folders = as_format(name, epochs="2", **labelled)
    assert train(folders) == 0
    assert artifact.read(folders.model).graph == graph_of_image_files


def test_recordio_needs_no_resize(as_format):
    assert train(as_format("RecordIO file", resize=None)) == 0


def test_images_still_need_resize(as_format):
    folders = as_format("image files", resize=None)
    assert train(folders) == 1
    assert "The hyperparameter resize is required" in folders.failure.read_text()


@pytest.mark.parametrize("shape", ["3,8,9", "3,9,8"])
def test_without_resize_an_image_smaller_than_image_shape_fails_the_job(as_format, shape):
    folders = as_format("RecordIO file", resize=None, image_shape=shape)
    assert train(folders) == 1
    assert f"at byte 0 has 8 x 8 pixels, fewer than image_shape {shape}; set resize." in folders.failure.read_text()


def test_an_image_that_cannot_be_read_takes_its_label_with_it(as_format):
    folders = as_format("image files")
    (folders.channel("train") / "2.png").write_bytes(b"no image")
    given = JobHyperparameters.from_strings({"num_classes": "2", "num_training_samples": "100", "resize": "224"})
    images = read_split(folders, "train", hyperparameters=given, stop=StopRequest(), room_bytes=0)
    assert [example.labels for example in images.examples] == [(label,) for label in images.labels]
    assert len(images) == 15


def test_a_mismatch_of_labels_fails_the_job_in_the_containers_words(as_format):
    folders = as_format("RecordIO file", columns=2, multi_label="1", num_classes="3")
    assert train(folders) == 1
    assert folders.failure.read_text() == (
        "ClientError: Mismatch between number of labels in the multi-label data (2) and the num_classes parameter (3)."
    )


def test_the_log_names_the_label_format_of_multi_label_jobs(as_format, capsys):
    train(as_format("image files", columns=2, multi_label="1"))
    assert "label-format is multi-hot" in capsys.readouterr().out


def test_the_log_says_where_images_are_looked_for(as_format, capsys):
    folders = as_format("RecordIO file")
    train(folders)
    out = capsys.readouterr().out
    assert f"Searching for .rec files in {folders.channel('train')}." in out
    assert "record files" not in out


def test_the_log_says_that_a_channel_is_a_pipe(as_format, capsys):
    folders = as_format("RecordIO pipe")
    train(folders)
    sentence = f"The channel 'train' is in pipe input mode under {folders.channel('train')}."
    assert sentence in capsys.readouterr().out


def test_a_stop_is_heard_while_a_pipe_has_nothing_to_say(configure, sigterm_of_this_process):
    folders = configure(ContentType="application/x-recordio", TrainingInputMode="Pipe")
    pipe = folders.channel("train").with_name("train_0")
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)  # somebody who writes nothing
    stop = StopRequest()
    stop.listen()
    given = JobHyperparameters.from_strings({"num_classes": "2", "num_training_samples": "100"})
    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGTERM]).start()
    with pytest.raises(StopRequestedError):
        read_split(folders, "train", hyperparameters=given, stop=stop, room_bytes=0)
    os.close(writer)


def test_a_slow_channel_is_followed_while_it_is_read(as_format, monkeypatch, capsys):
    monkeypatch.setattr(images_module, "SECONDS_PER_LINE", 0)
    train(as_format("RecordIO pipe"))
    assert "Found 16 images in the train channel" in capsys.readouterr().out


def test_a_grey_image_shape_gives_one_channel(picture_bytes):
    given = JobHyperparameters.model_construct(image_shape="1,8,8", resize=8)
    example = Example((0.0,), "a.png", lambda: picture_bytes("PNG"))
    colour = load(example, JobHyperparameters.model_construct(image_shape="3,8,8", resize=8))
    grey = load(example, given)
    assert grey.shape == (8, 8, 1)
    assert np.abs(grey[..., 0] - colour @ (0.299, 0.587, 0.114)).max() <= 1
