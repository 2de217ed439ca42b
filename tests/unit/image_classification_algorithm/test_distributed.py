"""Checks hosts that train one network together, as processes that share a folder."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.training import distributed, job
from image_classification_algorithm.training.batches import shuffled_batches
from image_classification_algorithm.training.configuration import log_parameters
from image_classification_algorithm.training.distributed import ALONE, Hosts
from image_classification_algorithm.training.model_store import Score
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

PROGRAM = Path(__file__).with_name("host_program.py")
INCLUDE = Path(__file__).parents[3] / "include"


class Ended:
    """What a host left."""

    def __init__(self, process):
        self.out, self.err = process.communicate(timeout=100)
        self.status = process.returncode
        last = self.out.strip().rpartition("\n")[2]
        self.found = json.loads(last) if self.status == 0 else {}

    @property
    def weights(self):
        return [number for values in self.found["weights"].values() for number in flat(values)]


def flat(values):
    return [number for value in values for number in flat(value)] if isinstance(values, list) else [values]


@pytest.fixture
def run_hosts(tmp_path):
    """Start the hosts of a job and wait for their end."""

    def run(count, **given):
        folder = tmp_path / f"{count} hosts"
        names = [f"algo-{number}" for number in range(1, count + 1)]
        return [Ended(process) for process in [start(folder, name, names, given) for name in names]]

    def start(meeting, name, names, given):
        base = meeting / name
        for folder in (base / "input/config", base / "model", meeting / "hosts"):
            folder.mkdir(parents=True, exist_ok=True)
        resources = {"current_host": name, "hosts": names, "network_interface_name": "lo"}
        (base / "input/config/resourceconfig.json").write_text(json.dumps(resources))
        (base / "given.json").write_text(json.dumps(given))
        variables = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_LOCAL_HOSTS_FOLDER": str(meeting / "hosts")}
        env = {**variables, "PYTHONPATH": str(INCLUDE), "OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, str(PROGRAM)], env=env, **pipes)

    return run


def test_two_hosts_train_what_one_trains_with_the_batches_of_both(run_hosts):
    together = run_hosts(2, batch_size=4, seeds={"1": 7})
    (alone,) = run_hosts(1, batch_size=8)

    hosts = [*together, alone]
    assert [host.status for host in hosts] == [0, 0, 0], [host.err for host in hosts]
    assert together[0].weights == together[1].weights == pytest.approx(alone.weights, abs=1e-5)
    assert [bool(host.found["files"]) for host in together] == [True, False]
    assert "Validation-accuracy" in together[0].out
    assert "Epoch" not in together[1].out
    assert "This is algo-2, host 2 of 2." in together[1].out
    accuracies = [re.findall(r"Validation-accuracy=(.*)", host.out) for host in (together[0], alone)]
    assert accuracies[0] == accuracies[1]


@pytest.mark.parametrize("host", [0, 1])
def test_all_hosts_stop_when_one_is_asked_to(run_hosts, host):
    ended = run_hosts(2, batch_size=4, stops=host, after=0)

    assert [each.status for each in ended] == [0, 0], ended[host].err
    assert len(re.findall("Validation-accuracy", ended[0].out)) == 1
    assert "The job was stopped" in ended[0].out


def test_a_host_whose_peer_is_gone_fails_and_says_so(run_hosts):
    first, second = run_hosts(2, batch_size=4, dies=0)

    assert (first.status, second.status) == (3, 1)
    assert second.err.startswith("AlgorithmError: A host of this job is gone, or does not answer: ")


def test_hosts_end_well_while_gloo_still_frees_tensors(run_hosts):
    hosts = run_hosts(2, batch_size=4, pending=1000)

    assert [(host.status, host.err) for host in hosts] == [(0, ""), (0, "")]


def test_hosts_that_see_different_images_do_not_train(run_hosts):
    for host in run_hosts(2, batch_size=4, images={"1": 23}):
        assert host.status == 1
        assert host.err.startswith(
            "AlgorithmError: The hosts of the job differ in the number of training images: from 23 to 24."
        )


def test_every_position_of_a_batch_goes_to_one_host():
    batches = [shuffled_batches(10, batch_size=2, epoch=0, hosts=Hosts(rank, 2)) for rank in (0, 1)]

    assert [len(batch) for host in batches for batch in host] == [2, 2, 2, 2]
    joined = [sorted(first + second) for first, second in zip(*batches, strict=True)]
    assert joined == [sorted(batch) for batch in shuffled_batches(10, batch_size=4, epoch=0)]


def test_a_job_of_two_hosts_needs_a_batch_for_each():
    given = JobHyperparameters.model_validate({"num_classes": 2, "num_training_samples": 7, "mini_batch_size": 4})

    with pytest.raises(ClientError, match="bigger or equal to the mini_batch_size times the 2 hosts"):
        job.check_count(7, hyperparameters=given, hosts=2)


@pytest.mark.parametrize(
    ("kv_store", "hosts", "lines"),
    [
        (None, 1, ["kv_store: device"]),
        ("dist_sync", 1, ["kv_store: device", "kv_store dist_sync acts on several machines only; this job has one."]),
        ("dist_sync", 2, ["kv_store: dist_sync"]),
        (
            "dist_async",
            2,
            [
                "kv_store: dist_sync",
                "kv_store dist_async: this program waits for all machines after each batch, as dist_sync does.",
            ],
        ),
    ],
)
def test_the_log_says_how_the_hosts_keep_together(kv_store, hosts, lines, capsys):
    given = JobHyperparameters.model_validate({"num_classes": 2, "num_training_samples": 32, "kv_store": kv_store})

    log_parameters(given, device="cpu", hosts=hosts)

    printed = capsys.readouterr().out
    assert all(line in printed for line in lines)
    assert len([line for line in printed.splitlines() if "] kv_store" in line]) >= len(lines)


def test_a_hosts_name_is_waited_for_until_it_resolves(monkeypatch):
    answers = [OSError("not yet"), OSError("not yet"), []]

    def resolve(host, port):
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(distributed, "WAIT_S", 0)

    distributed.wait_for_name("algo-1")

    assert answers == []


def test_a_host_alone_waits_for_nobody():
    assert ALONE.is_first
    assert ALONE.any(True)
    assert ALONE.from_first(lambda: Score(0.5, 0.7)) == Score(0.5, 0.7)
    assert ALONE.same(3, what="it") == 3
