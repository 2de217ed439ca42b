"""Runs the local AWS: starts MiniStack and the SageMaker server, deploys the stack and writes ready.json."""

import contextlib
import functools
import http.client
import logging
import os
import threading
from collections.abc import Iterator, Mapping

from local_aws import stack
from local_aws.clients import ROOT_SECRET, client
from local_aws.errors import PortInUseError
from local_aws.keys import AIRFLOW_USER, API_SERVER_USER, UPLOAD_USER, Keys
from local_aws.processes.ports import becomes_free
from local_aws.processes.state_folder import StateLock
from local_aws.processes.supervisor import StopRequested, Supervisor
from local_aws.ready_file import ReadyFile, ready_content
from local_aws.servers import HOST, LocalAws, environment, ministack_command, sagemaker_command

log = logging.getLogger(__name__)

MINISTACK = "ministack"
SAGEMAKER = "sagemaker"
_READY_LIMIT_S = 120
_FREE_PORT_LIMIT_S = 3
_STOP_GRACE_S = 15


def run(local_aws: LocalAws, *, stop: threading.Event, environ: Mapping[str, str]) -> None:
    """Run until `stop` is set.

    Raises:
        LocalAwsError: a server cannot start, or ended without a stop request.

    """
    ready = ReadyFile(local_aws.state)
    supervisor = Supervisor(local_aws.state / "logs", stop_requested=stop, stop_grace_s=_STOP_GRACE_S)
    with StateLock(local_aws.state, name="local-aws").held():
        ready.remove()
        _refuse_ports_in_use(local_aws)
        keys = Keys(local_aws.state)
        os.environ[ROOT_SECRET] = keys.root().secret  # for the clients of this process and of its children
        with contextlib.suppress(StopRequested), _servers(local_aws, supervisor=supervisor, environ=environ):
            try:
                settings = stack.deploy(local_aws.endpoint_url(HOST))
                iam = client("iam", endpoint_url=local_aws.endpoint_url(HOST))
                users = {"airflow": AIRFLOW_USER, "api_server": API_SERVER_USER, "uploads": UPLOAD_USER}
                made = {name: keys.of_user(user, iam=iam) for name, user in users.items()}
                ready.write(ready_content(local_aws, settings=settings, **made))
                log.info("The local AWS is ready; %s says how to use it", ready.path)
                supervisor.watch()
            finally:
                ready.remove()
    log.info("The local AWS has stopped")


def _refuse_ports_in_use(local_aws: LocalAws) -> None:
    for port, option, server in (
        (local_aws.ports.ministack, "--port", "MiniStack"),
        (local_aws.ports.sagemaker, "--sagemaker-port", "the SageMaker server"),
    ):
        if not becomes_free(port, address=local_aws.bind, within_s=_FREE_PORT_LIMIT_S):
            raise PortInUseError(
                f"Port {port} of {local_aws.bind}, meant for {server}, is used by another program; "
                f"stop that program or choose another port with {option}."
            )


@contextlib.contextmanager
def _servers(local_aws: LocalAws, *, supervisor: Supervisor, environ: Mapping[str, str]) -> Iterator[None]:
    env = environment(environ)
    try:
        for name, command, port in (
            (MINISTACK, ministack_command(local_aws), local_aws.ports.ministack),
            (SAGEMAKER, sagemaker_command(local_aws), local_aws.ports.sagemaker),
        ):
            supervisor.start(name, command, env=env)
            supervisor.wait_until(functools.partial(_answers, port), what=name, limit_s=_READY_LIMIT_S)
        yield
    finally:
        for name in (SAGEMAKER, MINISTACK):  # what SageMaker stops still writes to S3 and to the logs
            supervisor.stop([name])


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")  # an answer of any status is enough
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
