"""Checks incremental training, and jobs that continue after an interruption."""

import io
import json
import shutil
import tarfile
from functools import partial

import pytest
import torch

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import train
from image_classification_algorithm.artifact import SYMBOL_FILE
from image_classification_algorithm.networks.onnx_graph import weights
from image_classification_algorithm.training.checkpoints import FILE
from image_classification_algorithm.training.epochs import Trainer
from image_classifier.contracts.training import image_list


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


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda _: b"", lambda _: bytes(99)])
def test_a_damaged_archive_of_the_parent_is_a_client_error(parent, damage):
    channel = parent.channel("model")
    files = [(path.name, path.read_bytes()) for path in channel.iterdir()]
    shutil.rmtree(channel)
    channel.mkdir()
    with tarfile.open(channel / "model.tar.gz", "w:gz") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (channel / "model.tar.gz").write_bytes(damage((channel / "model.tar.gz").read_bytes()))
    assert train(parent) == 1
    sentence = f"ClientError: {channel / 'model.tar.gz'} cannot be unpacked: it is no tar.gz, or damaged."
    assert parent.failure.read_text() == sentence


def test_damaged_weights_of_the_parent_are_a_client_error(parent):
    params = next(parent.channel("model").glob("*.params"))
    params.write_bytes(params.read_bytes()[:-1000])
    assert train(parent) == 1
    sentence = f"ClientError: The model in the model channel is damaged: {params.name} cannot be read."
    assert parent.failure.read_text() == sentence


class KilledError(BaseException):
    """What a machine that goes away looks like."""


@pytest.fixture
def kill_in_epoch_2(monkeypatch):
    """Lose the machine in a job's third epoch; the next one has the checkpoints and nothing else."""

    def kill(folders):
        epoch_of = Trainer.run_epoch

        def killed(self, epoch):
            if epoch == 2:
                raise KilledError
            return epoch_of(self, epoch)

        folders.checkpoints.mkdir()
        with monkeypatch.context() as patched:
            patched.setattr(Trainer, "run_epoch", killed)
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


def test_an_interrupted_job_of_mixed_precision_keeps_the_scale_of_its_loss(make_job, kill_in_epoch_2, monkeypatch):
    made, scaler_of = [], torch.amp.GradScaler

    def scaler(device, *, enabled):
        made.append(scaler_of(device, enabled=not enabled, init_scale=16.0, growth_interval=3))
        return made[-1]

    monkeypatch.setattr(torch.amp, "GradScaler", scaler)  # a CPU has none otherwise
    folders = make_job(epochs="4", mini_batch_size="8")
    assert train(folders) == 0

    kill_in_epoch_2(folders)

    assert train(folders) == 0
    uninterrupted, _, resumed = (one.state_dict() for one in made)
    assert uninterrupted == resumed
    assert uninterrupted["scale"] > 16.0


def test_checkpoints_from_before_an_interruption_are_in_the_artifact(make_job, kill_in_epoch_2):
    folders = make_job(epochs="4", checkpoint_frequency="1")
    assert train(folders) == 0
    uninterrupted = {path.name: path.read_bytes() for path in folders.model.iterdir()}

    kill_in_epoch_2(folders)

    assert train(folders) == 0
    assert {path.name: path.read_bytes() for path in folders.model.iterdir()} == uninterrupted
    assert len(uninterrupted) == 4 + 2


def test_a_model_that_the_checkpoints_lack_does_not_end_the_job(make_job, kill_in_epoch_2, capsys):
    folders = make_job(epochs="4", checkpoint_frequency="1")
    kill_in_epoch_2(folders)
    (folders.checkpoints / "image-classification-0001.params").unlink()

    assert train(folders) == 0
    assert "lack 1 models of checkpoint_frequency" in capsys.readouterr().out
    wanted = {f"image-classification-000{number}.params" for number in (2, 3, 4)}
    assert wanted <= {path.name for path in folders.model.glob("*.params")}


def test_models_of_another_job_in_the_checkpoints_stay_out_of_the_artifact(make_job, kill_in_epoch_2):
    folders = make_job(epochs="4", checkpoint_frequency="1")
    kill_in_epoch_2(folders)

    change(folders, learning_rate="0.02", epochs="1")

    assert train(folders) == 0
    params = "image-classification-0001.params"
    assert [path.name for path in folders.model.glob("*.params")] == [params]
    assert (folders.checkpoints / params).read_bytes() == (folders.model / params).read_bytes()


def other_labels(folders):
    path = folders.channel("train_lst") / "train.lst"
    entries = image_list.parse(path.read_text())
    path.write_text("".join(f"{entry.index}\t{1 - entry.labels[0]:f}\t{entry.path}\n" for entry in entries))


def another_image(folders):
    (folders.channel("train") / "0.png").write_bytes((folders.channel("train") / "2.png").read_bytes())


def a_parent(folders):
    shutil.copytree(folders.model, folders.channel("model"))


@pytest.mark.parametrize(
    "other",
    [partial(change, learning_rate="0.02"), other_labels, another_image, a_parent],
    ids=["hyperparameters", "labels", "image", "parent"],
)
def test_a_checkpoint_of_another_job_is_left_alone(make_job, capsys, other):
    folders = make_job()
    folders.checkpoints.mkdir()
    assert train(folders) == 0
    other(folders)
    capsys.readouterr()
    assert train(folders) == 0
    out = capsys.readouterr().out
    assert "is of a job with other hyperparameters, images or parent model" in out
    assert "Train-accuracy" in out


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda _: b"",
        lambda _: bytes(1000),
        lambda content: content[:2000] + bytes(500) + content[2500:],
    ],
    ids=["half", "empty", "zeros", "a hole"],
)
def test_a_damaged_checkpoint_costs_the_epochs_and_not_the_job(make_job, capsys, damage):
    folders = make_job()
    folders.checkpoints.mkdir()
    assert train(folders) == 0
    (folders.checkpoints / FILE).write_bytes(damage((folders.checkpoints / FILE).read_bytes()))
    capsys.readouterr()
    assert train(folders) == 0
    out = capsys.readouterr().out
    assert f"{folders.checkpoints / FILE} is damaged; training starts from the beginning." in out
    assert "Train-accuracy" in out


EARLY = {
    "early_stopping": "True",
    "early_stopping_min_epochs": "1",
    "early_stopping_patience": "3",
    "epochs": "9",
    "checkpoint_frequency": "1",
}


@pytest.mark.parametrize("accuracies", [[0.2, 0.5, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5]])
def test_an_interrupted_job_stops_as_early_as_it_would_have(make_job, capsys, kill_in_epoch_2, monkeypatch, accuracies):
    monkeypatch.setattr(Trainer, "validate", lambda _, epoch: ({"accuracy": accuracies[epoch]}, 0.5))
    folders = make_job(**EARLY)
    assert train(folders) == 0
    uninterrupted = {path.name: path.read_bytes() for path in folders.model.iterdir()}
    assert len(list(folders.model.glob("*.params"))) == len(accuracies)

    kill_in_epoch_2(folders)
    assert train(folders) == 0
    assert {path.name: path.read_bytes() for path in folders.model.iterdir()} == uninterrupted

    capsys.readouterr()
    assert train(folders) == 0
    out = capsys.readouterr().out
    assert f"Early stopping after epoch {len(accuracies) - 1}" in out
    assert "Train-accuracy" not in out


def test_without_a_checkpoints_folder_nothing_is_saved(make_job):
    folders = make_job()
    assert train(folders) == 0
    assert not folders.checkpoints.exists()
