"""Checks the start and the end of ``python -m local_aws``, and that it is alone in its folder."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from tests.ports import free_port
from tests.waiting import until

from local_aws import clients

INCLUDE = Path(__file__).parents[2] / "include"


class Started:
    def __init__(self, state: Path, *options: str, **variables: str) -> None:
        self.state, self.port, self.sagemaker_port = state, free_port(), free_port()
        self.options = options
        self.process = subprocess.Popen(self.command(), env=environment(**variables), stderr=subprocess.PIPE, text=True)
        until(self.is_ready, seconds=120, what="ready.json")

    @property
    def ready(self) -> Path:
        return self.state / "ready.json"

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[1]
        try:
            ready = json.loads(self.ready.read_text())
        except FileNotFoundError:
            return False
        return ready["pid"] == self.process.pid  # a killed process leaves its file behind until the next start

    def command(self) -> list[str]:
        ports = ["--port", str(self.port), "--sagemaker-port", str(self.sagemaker_port)]
        return [sys.executable, "-m", "local_aws", "--state", str(self.state), *ports, *self.options]

    def end(self, name: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(name)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def processes(self) -> list[tuple[int, str]]:
        listed = subprocess.run(["ps", "-ww", "-eo", "pid,stat,args"], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()[1:]]
        return [(int(row[0]), row[2]) for row in rows if str(self.state) in row[-1] and not row[1].startswith("Z")]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(INCLUDE), **variables}


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    local_aws = Started(tmp_path / "state")
    yield local_aws
    if local_aws.process.poll() is None:
        local_aws.end(signal.SIGTERM)


def test_under_a_name_of_two_words_the_first_is_not_taken_for_a_bucket(tmp_path: Path) -> None:
    started = Started(tmp_path / "state", "--bind", "0.0.0.0", "--name", "aws.localhost", LOCAL_AWS_IAM="off")
    bucket = json.loads(started.ready.read_text())["settings"]["IMAGE_CLASSIFIER_BUCKET"]

    def status(host: str, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", started.port, timeout=10)
        connection.request("HEAD", path, headers={"Host": f"{host}:{started.port}"})
        return connection.getresponse().status

    found = [status("aws.localhost", f"/{bucket}"), status(f"{bucket}.aws.localhost", "/")]
    started.end(signal.SIGTERM)

    assert found == [200, 200]


def test_ready_json_says_how_to_use_it_and_sigterm_ends_it_cleanly(started: Started) -> None:
    ready = json.loads(started.ready.read_text())
    assert ready["endpoint_url"] == f"http://127.0.0.1:{started.port}"
    assert ready["sagemaker_endpoint_url"] == f"http://127.0.0.1:{started.sagemaker_port}"
    assert ready["pid"] == started.process.pid
    assert ready["aws"]["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == ready["sagemaker_endpoint_url"]
    assert ready["settings"]["IMAGE_CLASSIFIER_FUNCTION_RUNTIME"] == f"python3.{sys.version_info.minor}"
    assert ready["settings"]["IMAGE_CLASSIFIER_BUCKET"].startswith("image-classifier-")

    status, _ = started.end(signal.SIGTERM)

    assert status == 0
    assert not started.ready.exists()
    assert started.processes() == []


def test_sagemaker_answers_at_the_address_of_every_other_service(started: Started) -> None:
    ready = json.loads(started.ready.read_text())
    key = (ready["aws"]["AWS_ACCESS_KEY_ID"], ready["aws"]["AWS_SECRET_ACCESS_KEY"])
    session = boto3.Session(*key, region_name=ready["region"])
    sagemaker, runtime = (
        session.client(name, endpoint_url=ready["endpoint_url"]) for name in ("sagemaker", "sagemaker-runtime")
    )

    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    with pytest.raises(clients.ClientError, match="Endpoint image-classifier-none of account 000000000000 not found"):
        runtime.invoke_endpoint(EndpointName="image-classifier-none", Body=b"a" * 1_000_000)
    with pytest.raises(clients.ClientError, match="Member must have length less than or equal to 26214400"):
        runtime.invoke_endpoint(EndpointName="image-classifier-none", Body=b"a" * 27_000_000)


def test_a_second_one_in_the_same_folder_is_refused(started: Started) -> None:
    second = subprocess.run(started.command(), env=environment(), capture_output=True, text=True, check=False)

    assert second.returncode == 1
    assert f"Another process ({started.process.pid}) works in {started.state}" in second.stderr
    assert started.ready.exists()
    assert started.process.poll() is None


def test_it_leaves_nothing_when_it_is_killed_and_starts_again_at_once(started: Started) -> None:
    status, _ = started.end(signal.SIGKILL)
    assert status == -signal.SIGKILL

    again = Started(started.state)

    assert again.end(signal.SIGTERM)[0] == 0
    assert again.processes() == []


@pytest.mark.parametrize("child", ["ministack", "sagemaker"])
def test_when_a_part_of_it_ends_it_says_which_and_ends_the_rest(started: Started, child: str) -> None:
    (pid,) = [pid for pid, words in started.processes() if f"-m local_aws.{child} " in words]
    os.kill(pid, signal.SIGKILL)

    status, said = started.wait()

    assert status == 1
    assert f"{child} was killed by signal 9" in said
    assert not started.ready.exists()
    assert started.processes() == []


@pytest.mark.parametrize("option", ["--port", "--sagemaker-port"])
def test_a_port_in_use_is_named_before_anything_starts(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        free = {"--port": free_port(), "--sagemaker-port": free_port(), option: taken}
        options = [word for name, port in free.items() for word in (name, str(port))]
        command = [sys.executable, "-m", "local_aws", "--state", str(tmp_path / "state"), *options]
        refused = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    assert f"Port {taken} of 127.0.0.1" in refused.stderr
    assert f"choose another port with {option}." in refused.stderr
    assert not (tmp_path / "state" / "logs").exists()
