"""Checks a training job, from its folders to its model."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import main, train
from image_classification_algorithm.folders import BASE_VARIABLE, Folders
from image_classification_algorithm.serving.model import Model
from image_classification_algorithm.training import batches, epochs, images, job
from image_classification_algorithm.training.epochs import Trainer
from image_classification_algorithm.training.stopping import StopRequest

LINE = re.compile(r"^\[(?P<ts>[^\]]+?) (?P<level>[A-Z]+) \d+\] (?P<msg>.*)$")
METRIC = re.compile(r"Epoch\[(?P<epoch>\d+)\] (?P<split>Train|Validation)-(?P<metric>[\w]+)=(?P<value>[-+0-9.eE]+|nan)")
BATCH = re.compile(r"Epoch\[(?P<epoch>\d+)\] Batch \[(?P<batch>\d+)\](?:\s|#011)*Speed: (?P<speed>[0-9.]+) samples/sec")
BEST = re.compile(r"Storing the best model with validation accuracy: (?P<best>[0-9.]+)")
FOLDER = Path(__file__).resolve().parents[3] / "include"


@pytest.fixture
def run(make_job, capsys):
    """Run a job and give its exit status, log lines and folders."""

    def run_job(**hyperparameters):
        folders = make_job(**hyperparameters)
        status = train(folders)
        return status, capsys.readouterr().out.splitlines(), folders

    return run_job


@pytest.fixture
def validation_accuracies(monkeypatch):
    """Make the epochs of a job validate as a test wants them to."""

    def set_to(*accuracies, losses=None):
        left = list(zip(accuracies, losses or [0.5] * len(accuracies), strict=True))

        def validate(*_):
            accuracy, loss = left.pop(0)
            return {"accuracy": accuracy}, loss

        monkeypatch.setattr(Trainer, "validate", validate)

    return set_to


def test_every_line_has_the_shape_of_the_containers(run):
    status, lines, _ = run()
    assert status == 0
    assert [line for line in lines if not LINE.match(line)] == []


def test_each_epoch_tells_train_and_validation_accuracy(run):
    _, lines, _ = run(epochs="2")
    found = [match.group("epoch", "split", "metric") for line in lines if (match := METRIC.search(line))]
    assert found == [
        ("0", "Train", "accuracy"),
        ("0", "Validation", "accuracy"),
        ("1", "Train", "accuracy"),
        ("1", "Validation", "accuracy"),
    ]


def test_top_k_adds_its_own_lines(run):
    _, lines, _ = run(num_classes="3", top_k="2")
    assert any("Epoch[0] Train-top_k_accuracy_2=" in line for line in lines)
    assert any("Epoch[0] Validation-top_k_accuracy_2=" in line for line in lines)


def test_a_progress_line_comes_every_twenty_batches(run):
    _, lines, _ = run(images=42, num_training_samples="42", mini_batch_size="1")
    matches = [match for line in lines if (match := BATCH.search(line))]
    assert [match["batch"] for match in matches] == ["20", "40"]
    assert all("\tSpeed: " in match.string and "samples/sec\taccuracy=" in match.string for match in matches)


def test_slow_reading_and_validating_are_followed_too(run, monkeypatch):
    monkeypatch.setattr(images, "IMAGES_A_PART", 4)
    monkeypatch.setattr(images, "SECONDS_PER_LINE", 0)
    monkeypatch.setattr(epochs, "SECONDS_PER_LINE", 0)
    monkeypatch.setattr(batches, "VALIDATION_BATCH_PX", 1)
    _, lines, _ = run()
    text = "\n".join(lines)
    assert "Read 12 of 16 images" in text
    assert "Epoch[0] Validating, batch [1]" in text


def test_the_start_of_the_log_repeats_the_configuration(run):
    _, lines, folders = run()
    text = "\n".join(lines)
    for part in (
        f"Merging with provided configuration from {folders.hyperparameters}: {{",
        "Final configuration: {",
        f"Searching for .lst files in {folders.channel('train_lst')}.",
        "Creating record files for train.lst",
        "---- Parameters ----",
        "checkpoint_frequency not set, will store the best model",
    ):
        assert part in text


def test_the_best_model_is_stored_not_the_last(run, validation_accuracies):
    validation_accuracies(0.5, 0.9, 0.7)
    _, lines, folders = run(epochs="3")
    assert [match["best"] for line in lines if (match := BEST.search(line))] == ["0.500000", "0.900000"]
    assert sorted(path.name for path in folders.model.iterdir()) == [
        "image-classification-0002.params",
        "image-classification-symbol.json",
        "model-shapes.json",
    ]
    description = artifact.read(folders.model).description
    assert (description.epoch, description.validation_accuracy) == (2, 0.9)


def test_of_models_as_accurate_the_surer_one_is_stored(run, validation_accuracies):
    validation_accuracies(0.5, 1.0, 1.0, 1.0, 0.5, losses=[0.1, 0.5, 0.2, 0.3, 0.0])
    _, _, folders = run(epochs="5")
    description = artifact.read(folders.model).description
    assert (description.epoch, description.validation_accuracy) == (3, 1.0)


def test_a_training_that_diverges_ends_with_the_model_before(run, validation_accuracies):
    validation_accuracies(0.5, 0.9, 0.9, losses=[0.5, 0.4, float("nan")])
    status, lines, folders = run(epochs="9")
    assert status == 0
    assert "The training diverged and ends; the best model so far is kept. It had optimizer sgd with" in lines[-1]
    assert artifact.read(folders.model).description.epoch == 2


def test_the_saved_line_names_the_file(run):
    _, lines, folders = run()
    assert any(
        line.endswith(f'Saved checkpoint to "{folders.model}/image-classification-0001.params"') for line in lines
    )


def test_checkpoint_frequency_keeps_every_checkpoint_beside_the_best(run, validation_accuracies):
    validation_accuracies(0.5, 0.6, 0.9, 0.7, 0.1)
    _, _, folders = run(epochs="5", checkpoint_frequency="2")
    names = sorted(path.name for path in folders.model.glob("*.params"))
    assert names == [f"image-classification-000{number}.params" for number in (2, 3, 4)]
    assert artifact.read(folders.model).description.params == "image-classification-0003.params"


def test_early_stopping_ends_the_job(run, validation_accuracies):
    validation_accuracies(0.5, 0.5, 0.5)
    _, lines, _ = run(epochs="9", early_stopping="True", early_stopping_min_epochs="2", early_stopping_patience="2")
    assert any("Early stopping after epoch 2" in line for line in lines)


def test_a_real_job_learns_and_its_model_answers(run):
    status, _, folders = run(epochs="6", images=32, num_training_samples="32")
    assert status == 0
    model = Model.load(folders.model)
    for path in folders.channel("validation").iterdir():
        probabilities = model.predict(path.read_bytes())
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert probabilities.index(max(probabilities)) == int(path.stem) % 2


def test_two_jobs_give_the_same_model(make_job):
    folders = make_job(augmentation_type="crop_color_transform", resize="10")
    graphs = []
    for _ in range(2):
        assert train(folders) == 0
        graphs.append(artifact.read(folders.model).graph)
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("optimizer", ["sgd", "nag", "adam", "rmsprop"])
def test_every_optimizer_trains(run, optimizer):
    status, lines, _ = run(optimizer=optimizer, epochs="3", learning_rate="0.002")
    accuracies = [
        float(match["value"]) for line in lines if (match := METRIC.search(line)) and match["split"] == "Train"
    ]
    assert status == 0
    assert accuracies[-1] > 0.5


@pytest.mark.parametrize("kind", ["crop", "crop_color", "crop_color_transform"])
def test_every_augmentation_trains(run, kind):
    assert run(augmentation_type=kind, resize="10")[0] == 0


@pytest.mark.parametrize("augmentation", [None, "crop_color_transform"])
def test_a_grey_model_learns_and_answers(run, augmentation):
    status, _, folders = run(
        image_shape="1,8,8", epochs="6", images=32, num_training_samples="32", augmentation_type=augmentation
    )
    assert status == 0
    assert Model.load(folders.model).predict((folders.channel("validation") / "101.png").read_bytes())[1] > 0.5


def test_a_list_with_two_labels_needs_multi_label(run):
    status, _, folders = run(columns=2)
    assert status == 1
    assert "set multi_label to 1" in folders.failure.read_text()


def test_multi_label_trains_with_weighted_loss(make_job):
    folders = make_job(columns=2, multi_label="1", use_weighted_loss="1")
    assert train(folders) == 0
    assert artifact.read(folders.model).description.multi_label
    probabilities = Model.load(folders.model).predict((folders.channel("validation") / "100.png").read_bytes())
    assert sum(probabilities) != pytest.approx(1, abs=1e-4)


def test_float16_on_a_processor_says_that_it_is_float32(run):
    _, lines, _ = run(precision_dtype="float16")
    assert any("a CPU computes in float32" in line for line in lines)


def failure_of(folders: Folders, out: list[str]) -> str:
    sentence = folders.failure.read_text()
    prefix, _, rest = sentence.partition(": ")
    log_prefix = {"ClientError": "Customer Error", "AlgorithmError": "Algorithm Error"}[prefix]
    assert any(" ERROR " in line and line.endswith(f"{log_prefix}: {rest}") for line in out)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("hyperparameters", "sentence"),
    [
        ({"colour": "red"}, "ClientError: Additional properties are not allowed ('colour' was unexpected)"),
        ({"num_classes": None}, "ClientError: 'num_classes' is a required property"),
        ({"resize": None}, "ClientError: The hyperparameter resize is required"),
        ({"num_classes": "1"}, "has label 1; labels are whole numbers from 0 to 0"),
        ({"images": 3}, "must be bigger or equal to the mini_batch_size"),
        ({"learning_rate": "1", "optimizer": "adam", "beta_2": "0", "eps": "0", "epochs": "3"}, "diverged"),
        (
            {"optimizer": "adam", "eps": "0", "mini_batch_size": "16", "num_layers": "18"},
            "adam with learning_rate 0.01",
        ),
        ({"optimizer": "adam", "beta_1": "1"}, "adam needs beta_1 and beta_2 below 1: they are 1.0 and 0.999."),
        ({"mini_batch_size": "1", "num_layers": "18"}, "the last layers of ResNet-18 see a single pixel"),
    ],
)
def test_what_the_owner_must_change_is_a_client_error(run, hyperparameters, sentence):
    status, lines, folders = run(**hyperparameters)
    assert status == 1
    assert sentence in failure_of(folders, lines)


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda folders: (folders.channel("train_lst") / "two.lst").write_text(""), "exactly one .lst file; found 2"),
        (lambda folders: (folders.channel("train_lst") / "train.lst").unlink(), "exactly one .lst file; found 0"),
        (lambda folders: (folders.channel("train_lst") / "train.lst").write_text(""), "Empty .lst file in train_lst"),
        (lambda folders: (folders.channel("train_lst") / "train.lst").write_text("0\tx\ta.png"), "Line 1 of the image"),
        (
            lambda folders: folders.channel("validation").rename(folders.base / "away"),
            "The validation channel is missing",
        ),
        (lambda folders: folders.hyperparameters.write_text("{"), "is not JSON"),
        (lambda folders: folders.hyperparameters.unlink(), "There are no hyperparameters"),
    ],
)
def test_a_broken_channel_is_a_client_error(make_job, capsys, break_it, sentence):
    folders = make_job()
    break_it(folders)
    assert train(folders) == 1
    failure = failure_of(folders, capsys.readouterr().out.splitlines())
    assert failure.startswith("ClientError: ")
    assert sentence in failure


def test_what_nobody_foresaw_is_an_algorithm_error(make_job, capsys, monkeypatch):
    folders = make_job()
    monkeypatch.setattr(job, "run", lambda *_: (_ for _ in ()).throw(RuntimeError("out of luck")))
    assert train(folders) == 1
    assert failure_of(folders, capsys.readouterr().out.splitlines()) == "AlgorithmError: RuntimeError: out of luck"


def test_a_bad_image_is_named_and_left_out(make_job, capsys):
    folders = make_job()
    (folders.channel("train") / "3.png").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    assert train(folders) == 0
    out = capsys.readouterr().out
    assert f"imread read blank (None) image for file: {folders.channel('train') / '3.png'}" in out
    assert "num_training_samples is 16, but the train channel has 15 images" in out


def test_a_failure_that_cannot_be_written_is_in_the_log(make_job, capsys):
    folders = make_job(num_classes="1")
    folders.failure.parent.write_text("no folder")
    assert train(folders) == 1
    out = capsys.readouterr().out
    assert "has label 1; labels are whole numbers from 0 to 0" in out
    assert f"{folders.failure} could not be written" in out


def test_the_objective_of_a_tuning_job_is_no_hyperparameter(run):
    status, _, _ = run(_tuning_objective_metric="validation:accuracy")
    assert status == 0


def test_no_readable_image_is_a_client_error(make_job):
    folders = make_job()
    for path in folders.channel("train").iterdir():
        path.unlink()
    assert train(folders) == 1
    assert "No image of the train channel can be read" in folders.failure.read_text()


class StopAtCheck(StopRequest):
    """Asked to stop when the training looks for the n-th time."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def check(self) -> None:
        self.left -= 1
        self.requested = self.left <= 0
        super().check()


@pytest.mark.parametrize(
    ("check", "epoch", "validated"),
    [
        # A job looks four times while it reads, then before each of 4 batches of training and 2 of validation.
        (4 + 3, 1, False),
        (4 + 6 + 2, 1, True),
    ],
)
def test_a_stopped_job_leaves_the_best_model_so_far(make_job, check, epoch, validated):
    folders = make_job(epochs="50")
    job.run(folders, StopAtCheck(check))
    description = artifact.read(folders.model).description
    assert description.epoch == epoch
    assert (description.validation_accuracy is not None) == validated
    assert len(Model.load(folders.model).predict((folders.channel("train") / "0.png").read_bytes())) == 2


def test_a_job_stopped_before_it_trained_leaves_no_model(make_job):
    folders = make_job()
    job.run(folders, StopAtCheck(1))
    assert not folders.model.exists()


def test_sigterm_ends_a_running_job_with_status_zero_and_a_model(make_job):
    folders = make_job(epochs="100000")
    process = subprocess.Popen(
        [sys.executable, "-m", "image_classification_algorithm", "train"],
        env={"PYTHONPATH": str(FOLDER), BASE_VARIABLE: str(folders.base), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Saved checkpoint" in line:
            process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 0
    assert lines[0] == "Docker entrypoint called with argument(s): train\n"
    assert "The job was stopped; the model artifact holds" in lines[-1]
    assert Model.load(folders.model)


def test_another_argument_is_refused():
    assert main(["teach"]) == 2
