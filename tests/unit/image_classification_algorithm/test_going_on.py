"""Incremental training, and jobs that were interrupted."""

import json

import pytest

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import train
from image_classification_algorithm.artifact import SYMBOL_FILE
from image_classification_algorithm.networks.onnx_graph import weights
from image_classification_algorithm.training.checkpoints import FILE
from image_classification_algorithm.training.epochs import Trainer


@pytest.fixture
def parent(make_job):
    """A job that was trained once and has its own model as parent."""
    folders = make_job(epochs="1")
    assert train(folders) == 0
    folders.model.rename(folders.channel("model"))
    return folders


def change(folders, **hyperparameters):
    given = json.loads(folders.hyperparameters.read_text())
    folders.hyperparameters.write_text(json.dumps({**given, **hyperparameters}))


def test_incremental_training_starts_from_the_parents_weights(parent, capsys):
    change(parent, learning_rate="0", epochs="1")
    before = artifact.read(parent.channel("model"))
    assert train(parent) == 0
    assert f"Incremental training: starting from {before.description.params}" in capsys.readouterr().out
    old, new = weights(before.graph), weights(artifact.read(parent.model).graph)
    trained = [name for name in old if "running" not in name]
    assert trained
    assert all((old[name] == new[name]).all() for name in trained)


@pytest.mark.parametrize(
    ("hyperparameters", "sentence"),
    [
        ({"num_layers": "32"}, "has num_layers 20; this job has 32"),
        ({"num_classes": "3"}, "has num_classes 2; this job has 3"),
        ({"image_shape": "3,8,7"}, "has image_shape 3,8,8; this job has 3,8,7"),
    ],
)
def test_a_parent_of_another_shape_is_a_client_error(parent, hyperparameters, sentence):
    change(parent, **hyperparameters)
    assert train(parent) == 1
    assert parent.failure.read_text().startswith("ClientError: ")
    assert sentence in parent.failure.read_text()


def test_a_parent_of_the_built_in_algorithms_is_refused_by_name(parent):
    (parent.channel("model") / SYMBOL_FILE).write_text('{"arg_nodes": [], "heads": []}')
    assert train(parent) == 1
    assert "it is an MXNet model" in parent.failure.read_text()


class KilledError(BaseException):
    """What a machine that goes away looks like."""


@pytest.fixture
def kill_in_epoch_2(monkeypatch):
    """Lose the machine in a job's third epoch; the next one has the checkpoints and nothing else."""

    def kill(folders):
        epoch_of = Trainer._epoch

        def killed(self, epoch):
            if epoch == 2:
                raise KilledError
            return epoch_of(self, epoch)

        folders.checkpoints.mkdir()
        with monkeypatch.context() as patched:
            patched.setattr(Trainer, "_epoch", killed)
            with pytest.raises(KilledError):
                train(folders)
        for path in folders.model.iterdir():
            path.unlink()

    return kill


@pytest.mark.parametrize("optimizer", ["nag", "adam"])
def test_an_interrupted_job_ends_with_the_model_it_would_have_had(make_job, capsys, kill_in_epoch_2, optimizer):
    folders = make_job(epochs="4", optimizer=optimizer, augmentation_type="crop", resize="9")
    assert train(folders) == 0
    uninterrupted = artifact.read(folders.model)

    kill_in_epoch_2(folders)

    assert train(folders) == 0
    assert f"Resuming from {folders.checkpoints / FILE} after epoch 1" in capsys.readouterr().out
    resumed = artifact.read(folders.model)
    assert resumed.description == uninterrupted.description
    assert resumed.graph == uninterrupted.graph


def test_models_that_were_asked_for_before_an_interruption_are_in_the_artifact(make_job, kill_in_epoch_2):
    folders = make_job(epochs="4", checkpoint_frequency="1")
    assert train(folders) == 0
    uninterrupted = {path.name: path.read_bytes() for path in folders.model.iterdir()}

    kill_in_epoch_2(folders)

    assert train(folders) == 0
    assert {path.name: path.read_bytes() for path in folders.model.iterdir()} == uninterrupted
    assert len(uninterrupted) == 4 + 2


def test_models_of_another_job_in_the_checkpoints_stay_out_of_the_artifact(make_job, kill_in_epoch_2):
    folders = make_job(epochs="4", checkpoint_frequency="1")
    kill_in_epoch_2(folders)

    change(folders, learning_rate="0.02", epochs="1")

    assert train(folders) == 0
    params = "image-classification-0001.params"
    assert [path.name for path in folders.model.glob("*.params")] == [params]
    assert (folders.checkpoints / params).read_bytes() == (folders.model / params).read_bytes()


def test_a_checkpoint_of_other_hyperparameters_is_left_alone(make_job, capsys):
    folders = make_job()
    folders.checkpoints.mkdir()
    assert train(folders) == 0
    change(folders, learning_rate="0.02")
    assert train(folders) == 0
    assert "is of a job with other hyperparameters" in capsys.readouterr().out


def test_without_a_checkpoints_folder_nothing_is_saved(make_job):
    folders = make_job()
    assert train(folders) == 0
    assert not folders.checkpoints.exists()
