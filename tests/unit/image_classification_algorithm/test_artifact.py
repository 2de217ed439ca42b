"""Checks that the model artifact is written and read, and that another program's is refused."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import serve
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders

DESCRIPTION = Description(
    params="image-classification-0003.params",
    network="resnet",
    num_layers=20,
    num_classes=2,
    image_shape="3,28,30",
    multi_label=False,
    epoch=3,
    validation_accuracy=0.5,
    made_by={"torch": "2"},
)
MXNET_SYMBOL = {"nodes": [], "arg_nodes": [0], "heads": [[0, 0, 0]], "attrs": {"mxnet_version": ["int", 10300]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    artifact.write(tmp_path / "model", DESCRIPTION, graph=b"graph")
    return tmp_path / "model"


def archive(folder: Path, where: Path) -> Path:
    """The folder as SageMaker packs it, in a folder of its own."""
    where.mkdir()
    with tarfile.open(where / "model.tar.gz", "w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, f"./{path.name}")
    return where


def test_it_has_the_three_names_of_the_built_in_algorithms(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "image-classification-0003.params",
        "image-classification-symbol.json",
        "model-shapes.json",
    ]


def test_it_says_plainly_what_it_is(folder):
    content = json.loads((folder / artifact.SYMBOL_FILE).read_text())
    assert (content["format"], content["version"]) == ("image_classification_algorithm", 1)
    assert "the built-in algorithm cannot read it" in content["note"]
    assert (content["num_classes"], content["image_shape"]) == (2, "3,28,30")
    assert json.loads((folder / artifact.SHAPES_FILE).read_text())[0]["shape"] == [1, 28, 30, 3]


def test_reading_undoes_writing(folder):
    read = artifact.read(folder)
    assert (read.description, read.graph) == (DESCRIPTION, b"graph")
    assert read.description.image_size_px == (28, 30)


def test_it_is_read_from_a_model_tar_gz_too(folder, tmp_path):
    read = artifact.read(archive(folder, tmp_path / "channel"))
    assert (read.description, read.graph) == (DESCRIPTION, b"graph")


@pytest.mark.parametrize("packed", [False, True])
def test_a_model_of_the_built_in_algorithm_is_refused_by_name(folder, tmp_path, packed):
    (folder / artifact.SYMBOL_FILE).write_text(json.dumps(MXNET_SYMBOL))
    with pytest.raises(ClientError, match="it is an MXNet model, as SageMaker's built-in image"):
        artifact.read(archive(folder, tmp_path / "channel") if packed else folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "other"}, "its format is 'other'"),
        ({"version": 2}, "has version 2; this program reads version 1"),
        ({"params": "../../secret"}, "names params outside its folder"),
        ({"params": "image-classification-0009.params"}, "is missing, though the model's description names it"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, change, sentence):
    content = json.loads((folder / artifact.SYMBOL_FILE).read_text())
    (folder / artifact.SYMBOL_FILE).write_text(json.dumps({**content, **change}))
    with pytest.raises(ClientError, match=sentence):
        artifact.read(folder)


def test_an_incomplete_description_is_refused(folder):
    (folder / artifact.SYMBOL_FILE).write_text('{"format": "image_classification_algorithm", "version": 1}')
    with pytest.raises(ClientError, match="lacks params, network"):
        artifact.read(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ClientError, match="There is no model"):
        artifact.read(tmp_path)


def test_a_damaged_archive_is_refused(tmp_path):
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ClientError, match="cannot be unpacked"):
        artifact.read(tmp_path)


def test_an_archive_without_a_description_is_refused(tmp_path):
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("other"), io.BytesIO())
    with pytest.raises(ClientError, match=r"holds no image-classification-symbol\.json"):
        artifact.read(tmp_path)


def test_serving_a_foreign_model_ends_with_a_sentence(tmp_path, capsys):
    folders = Folders(tmp_path)
    folders.model.mkdir()
    (folders.model / artifact.SYMBOL_FILE).write_text(json.dumps(MXNET_SYMBOL))
    assert serve(folders) == 1
    assert "Customer Error: " in capsys.readouterr().out
