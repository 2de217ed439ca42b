"""Starts MiniStack and the SageMaker server, deploys the stack, says when it is ready and ends everything again."""

import contextlib
import http.client
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws import stack
from local_aws.children import Child, start_child
from local_aws.clients import ACCOUNT, REGION, ROOT_SECRET, client
from local_aws.errors import ChildEndedError, NotReadyError, PortInUseError
from local_aws.keys import AIRFLOW_USER, UPLOAD_USER, Key, Keys
from local_aws.state_folder import ReadyFile, locked

log = logging.getLogger(__name__)

HOST = "127.0.0.1"  # where its own parts, and the functions it runs, reach each other
_READY_LIMIT_S = 120
_STOP_GRACE_S = 15
_FREE_PORT_LIMIT_S = 3  # children of a killed process need a moment to end
_POLL_S = 0.1
_LAST_LOG_LINES = 15


@dataclass(frozen=True)
class Ports:
    """Where the two servers listen."""

    ministack: int
    sagemaker: int


@dataclass(frozen=True)
class LocalAws:
    """One local AWS: the folder it keeps its state in, its ports, where it listens and what others call it."""

    state: Path
    ports: Ports
    bind: str = HOST
    name: str = HOST
    other_names: tuple[str, ...] = ()
    images: tuple[str, ...] = ()  # further ones of the SageMaker server, as REPOSITORY=COMMAND
    enforces_iam: bool = True
    records_calls: bool = False

    def endpoint_url(self, host: str) -> str:
        """Where everything but SageMaker answers."""
        return f"http://{host}:{self.ports.ministack}"

    def sagemaker_endpoint_url(self, host: str) -> str:
        """Where SageMaker and its runtime answer."""
        return f"http://{host}:{self.ports.sagemaker}"

    @property
    def fault_plan(self) -> Path:
        """What is to go wrong: a file that is not there unless somebody wants to see it."""
        return self.state / "faults.json"

    def aws_environment(self, host: str, key: Key) -> dict[str, str]:
        """What a client needs in its environment to reach this AWS under the name `host`, with a key."""
        return {
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url(host),
            "AWS_ENDPOINT_URL_SAGEMAKER": self.sagemaker_endpoint_url(host),
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.sagemaker_endpoint_url(host),
        }

    def log_file(self, name: str) -> Path:
        """Where a child's output goes."""
        return self.state / "logs" / f"{name}.log"


class _Stopped(Exception):  # noqa: N818  not an error: somebody asked for it
    pass


def run(local_aws: LocalAws, *, stop: threading.Event, environ: Mapping[str, str]) -> None:
    """Run until `stop` is set.

    Raises:
        LocalAwsError: it cannot start, or a part of it ended by itself.

    """
    ready = ReadyFile(local_aws.state)
    with locked(local_aws.state):
        ready.remove()
        _refuse_ports_in_use(local_aws)
        keys = Keys(local_aws.state)
        os.environ[ROOT_SECRET] = keys.root().secret  # for the clients of this process and of its children
        with contextlib.suppress(_Stopped), _children(local_aws, stop=stop, environ=environ) as children:
            try:
                settings = stack.deploy(local_aws.endpoint_url(HOST))
                iam = client("iam", endpoint_url=local_aws.endpoint_url(HOST))
                airflow, uploads = (keys.of_user(user, iam=iam) for user in (AIRFLOW_USER, UPLOAD_USER))
                ready.write(as_told(local_aws, settings=settings, airflow=airflow, uploads=uploads))
                log.info("The local AWS is ready; %s says how to use it", ready.path)
                _watch(children, stop=stop, local_aws=local_aws)
            finally:
                ready.remove()
    log.info("The local AWS has stopped")


def as_told(local_aws: LocalAws, *, settings: Mapping[str, str], airflow: Key, uploads: Key) -> dict[str, Any]:
    """What ready.json says, to whoever reaches this AWS under its name; ``aws`` has the key that Airflow uses."""
    return {
        "endpoint_url": local_aws.endpoint_url(local_aws.name),
        "sagemaker_endpoint_url": local_aws.sagemaker_endpoint_url(local_aws.name),
        "region": REGION,
        "account": ACCOUNT,
        "settings": dict(settings),
        "aws": local_aws.aws_environment(local_aws.name, airflow),
        "uploads": {"AWS_ACCESS_KEY_ID": uploads.access_key, "AWS_SECRET_ACCESS_KEY": uploads.secret},
        "pid": os.getpid(),
    }


def _refuse_ports_in_use(local_aws: LocalAws) -> None:
    for port, option, what in (
        (local_aws.ports.ministack, "--port", "MiniStack"),
        (local_aws.ports.sagemaker, "--sagemaker-port", "the SageMaker server"),
    ):
        deadline = time.monotonic() + _FREE_PORT_LIMIT_S
        while not _is_free(local_aws.bind, port):
            if time.monotonic() > deadline:
                message = (
                    f"Port {port} of {local_aws.bind}, meant for {what}, is used by another program; "
                    f"stop that program or choose another port with {option}."
                )
                raise PortInUseError(message)
            time.sleep(_POLL_S)


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def _children(local_aws: LocalAws, *, stop: threading.Event, environ: Mapping[str, str]) -> Iterator[dict[str, Child]]:
    children: dict[str, Child] = {}
    env = _environment(environ)
    try:
        children["ministack"] = _start("ministack", ministack_command(local_aws), local_aws=local_aws, env=env)
        _wait_until_it_answers(local_aws, "ministack", local_aws.ports.ministack, children=children, stop=stop)
        children["sagemaker"] = _start("sagemaker", sagemaker_command(local_aws), local_aws=local_aws, env=env)
        _wait_until_it_answers(local_aws, "sagemaker", local_aws.ports.sagemaker, children=children, stop=stop)
        yield children
    finally:
        # SageMaker first: what it stops still writes to S3 and to the logs.
        for name in reversed(list(children)):
            children[name].stop(_STOP_GRACE_S)


def ministack_command(local_aws: LocalAws) -> list[str]:
    """How MiniStack is started. Its functions run beside it, so they reach SageMaker there and not by name."""
    return [
        *(sys.executable, "-m", "local_aws.ministack", "--state", str(local_aws.state / "ministack")),
        *_addresses(local_aws, port=local_aws.ports.ministack),
        *("--sagemaker-endpoint-url", local_aws.sagemaker_endpoint_url(HOST)),
        *("--faults", str(local_aws.fault_plan)),
        *(["--enforce-iam"] if local_aws.enforces_iam else []),
        *(["--record-calls", str(local_aws.state / "calls.jsonl")] if local_aws.records_calls else []),
    ]


def sagemaker_command(local_aws: LocalAws) -> list[str]:
    """How the SageMaker server is started; its jobs run beside it."""
    return [
        *(sys.executable, "-m", "local_aws.sagemaker", "--state", str(local_aws.state / "sagemaker")),
        *_addresses(local_aws, port=local_aws.ports.sagemaker),
        *("--aws-endpoint-url", local_aws.endpoint_url(HOST)),
        *(f"--image={image}" for image in local_aws.images),
        *("--faults", str(local_aws.fault_plan)),
        *(["--enforce-iam"] if local_aws.enforces_iam else []),
    ]


def _addresses(local_aws: LocalAws, *, port: int) -> list[str]:
    others = [argument for name in local_aws.other_names for argument in ("--accept-host", name)]
    return ["--bind", local_aws.bind, "--name", local_aws.name, *others, "--port", str(port)]


def _start(name: str, command: Sequence[str], *, local_aws: LocalAws, env: Mapping[str, str]) -> Child:
    child = start_child(command, env=env, log_file=local_aws.log_file(name))
    log.info("%s started (process %d)", name, child.pid)
    return child


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The children's environment: nothing that would lead them to the person's real AWS, or through a proxy."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("AWS_", "MINISTACK_", "LOCALSTACK_")) and not name.upper().endswith("_PROXY")
    }
    include = str(Path(__file__).parents[1])
    root = {name: os.environ[name] for name in (ROOT_SECRET,) if name in os.environ}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}  # in place of those in ~/.aws
    return {**kept, **root, **files, "PYTHONPATH": include, "PYTHONUNBUFFERED": "1"}


def _wait_until_it_answers(
    local_aws: LocalAws, name: str, port: int, *, children: Mapping[str, Child], stop: threading.Event
) -> None:
    deadline = time.monotonic() + _READY_LIMIT_S
    while not _answers(port):
        _complain_about_ended(children, local_aws=local_aws)
        if stop.wait(_POLL_S):
            raise _Stopped
        if time.monotonic() > deadline:
            raise NotReadyError(f"{name} does not answer after {_READY_LIMIT_S} s; see {local_aws.log_file(name)}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")  # any answer will do
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _watch(children: Mapping[str, Child], *, stop: threading.Event, local_aws: LocalAws) -> None:
    while not stop.wait(_POLL_S):
        _complain_about_ended(children, local_aws=local_aws)


def _complain_about_ended(children: Mapping[str, Child], *, local_aws: LocalAws) -> None:
    for name, child in children.items():
        if not child.running:
            file = local_aws.log_file(name)
            last = "\n".join(file.read_text(errors="replace").splitlines()[-_LAST_LOG_LINES:])
            how = _how_it_ended(child.returncode)
            raise ChildEndedError(f"{name} {how}, so the rest was stopped too. The end of {file}:\n{last}")


def _how_it_ended(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"was killed by signal {-returncode}"
    return f"ended by itself with exit code {returncode}"
