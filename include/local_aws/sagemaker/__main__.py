"""Serves SageMaker until SIGTERM or SIGINT: ``python -m local_aws.sagemaker --state DIR --port N``."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import uvicorn

from local_aws.errors import DamagedStateError, StateInUseError
from local_aws.faults.counting import Faults
from local_aws.foreign_requests import ForeignRequests, host_names
from local_aws.http_protocol import HttpProtocol
from local_aws.keys import KEYS_FILE, where_keys_are
from local_aws.pages import pages
from local_aws.processes.state_folder import OTHERS, StateLock
from local_aws.sagemaker.app import Service, create_app
from local_aws.sagemaker.aws import Aws
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.images import DEFAULT_COMMANDS, Images, parse_command
from local_aws.sagemaker.platform import Platform
from local_aws.sagemaker.protocol.authorization import Authorizer
from local_aws.sagemaker.store import Store

GRACE_S = 3
KEEP_ALIVE_S = 75  # longer than clients keep an idle connection, so that they close it and not the server


class StartError(Exception):
    """The server cannot start."""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.umask(OTHERS)
    state: Path = arguments.state.absolute()
    try:
        with _locked(state), _listening(arguments.bind, arguments.port) as listener:
            _serve(arguments, state=state, listener=listener)
    except (StartError, DamagedStateError) as error:
        sys.exit(str(error))


def _serve(arguments: argparse.Namespace, *, state: Path, listener: socket.socket) -> None:
    platform = Platform(
        aws=Aws(arguments.aws_endpoint_url, enforces_iam=arguments.enforce_iam),
        store=Store(state / "sagemaker.sqlite"),
        images=Images(DEFAULT_COMMANDS | dict(arguments.image)),
        limits=Limits(**{field.name: getattr(arguments, field.name) for field in fields(Limits)}),
        faults=Faults(arguments.faults),
        state=state,
    )
    own_url = f"http://127.0.0.1:{arguments.port}"
    shown = pages(endpoint_url=arguments.aws_endpoint_url, sagemaker_endpoint_url=own_url)
    names = host_names(arguments.name, arguments.bind, *arguments.accept_host)
    hint = where_keys_are(state.parent / KEYS_FILE)
    authorizer = Authorizer(arguments.aws_endpoint_url, hint=hint) if arguments.enforce_iam else None
    config = uvicorn.Config(
        ForeignRequests(create_app(Service(platform), pages=[shown], authorizer=authorizer), names=names),
        loop="uvloop",
        http=HttpProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Hold the state folder, because two servers in one folder would end each other's jobs."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(StateLock(state, name="sagemaker").held())
        except StateInUseError as error:
            raise StartError(str(error)) from error
        except OSError as error:
            raise StartError(
                f"The state folder {state} cannot be written to ({error.strerror}); name another with --state."
            ) from error
        yield


def _listening(address: str, port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's delay off only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartError(
            f"Port {port} of {address} cannot be used ({error}); stop what uses it, or name another with --port."
        ) from error
    return listener


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_aws.sagemaker", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of what survives a restart")
    # This machine alone, unless an argument says otherwise: the server runs programs for whoever can reach it.
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--name", default="127.0.0.1", help="host name or address that clients use")
    parser.add_argument("--accept-host", action="append", default=[], metavar="NAME", help="another such name")
    parser.add_argument("--port", type=int, default=4567)
    parser.add_argument(
        "--aws-endpoint-url", default="http://127.0.0.1:4566", help="where S3, IAM and CloudWatch Logs are"
    )
    parser.add_argument(
        "--image",
        type=parse_command,
        action="append",
        default=[],
        metavar="REPOSITORY=COMMAND",
        help="the program that runs for an image of an ECR repository; train or serve is appended",
    )
    parser.add_argument("--faults", type=Path, help="the fault plan, a JSON file; read again whenever it changes")
    parser.add_argument("--enforce-iam", action="store_true", help="check callers, and act as the roles of jobs")
    for field in fields(Limits):
        kind = int if isinstance(field.default, int) else float
        option = f"--{field.name.replace('_', '-')}"
        parser.add_argument(option, type=kind, default=field.default, help=f"default {field.default}")
    return parser.parse_args()


if __name__ == "__main__":
    main()
