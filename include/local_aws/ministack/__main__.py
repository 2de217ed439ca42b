"""Runs MiniStack with its patches: ``python -m local_aws.ministack --state DIR --port N``."""

import argparse
import os
import signal
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from local_aws.clients import ACCESS_KEY, REGION, root_secret
from local_aws.errors import LocalAwsError
from local_aws.foreign_requests import ForeignRequests, host_names
from local_aws.http_protocol import HttpProtocol
from local_aws.processes.state_folder import OTHERS, make_private

HOST = "127.0.0.1"
KEEP_ALIVE_S = 75  # longer than clients keep an idle connection, so that they close it and not the server
GRACE_S = 3


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.ministack", description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--bind", default=HOST)
    parser.add_argument("--name", default=HOST)
    parser.add_argument("--accept-host", action="append", default=[], metavar="NAME")
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--sagemaker-endpoint-url", default="http://127.0.0.1:4567")
    parser.add_argument("--faults", type=Path, help="the fault plan, a JSON file; read again whenever it changes")
    parser.add_argument("--enforce-iam", action="store_true", help="check signatures and evaluate policies")
    parser.add_argument("--record-calls", type=Path, metavar="FILE", help="write what IAM allows, a JSON line each")
    options = parser.parse_args(arguments)
    os.umask(OTHERS)
    make_private(options.state)
    os.environ.update(_settings(options))  # MiniStack reads its settings while it is imported
    try:
        serve(options)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _settings(options: argparse.Namespace) -> dict[str, str]:
    return {
        "BIND_HOST": options.bind,
        "GATEWAY_PORT": str(options.port),
        "MINISTACK_HOST": options.name,  # a request to <bucket>.<name> is for the bucket, one to <name> is not
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # The root user's key.
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": root_secret(),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(options.state / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(options.state / "s3"),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": os.environ.get("LOCAL_AWS_FUNCTION_CONCURRENCY", "1000"),
        # Set because the user's environment may use these general names for other programs.
        "AUTH": str(options.enforce_iam).lower(),
        "LAMBDA_STRICT": "0",
        "SERVICES": "",
        "USE_SSL": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        # No Docker: a socket that does not exist keeps MiniStack from looking for one.
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }


def serve(options: argparse.Namespace) -> None:
    """Apply the patches and serve."""
    from local_aws.ministack.application import Options, application  # after the settings: this imports MiniStack

    chosen = Options(
        options.state,
        options.port,
        options.sagemaker_endpoint_url,
        faults=options.faults,
        enforce_iam=options.enforce_iam,
        calls=options.record_calls,
    )
    names = host_names(options.name, options.bind, *options.accept_host)
    app = ForeignRequests(application(chosen), names=names)
    _serve(app, address=options.bind, port=options.port)


def _serve(app: ASGIApp, *, address: str, port: int) -> None:
    """Serve with uvicorn and uvloop, which take a tenth of the processor time of an upload.

    asyncio's event loop takes four times as much for a request, and MiniStack's own server, hypercorn, still more.
    """
    config = uvicorn.Config(
        app,
        host=address,
        port=port,
        loop="uvloop",
        http=HttpProtocol,
        lifespan="on",
        log_level=os.environ["LOG_LEVEL"].lower(),
        access_log=False,
        date_header=False,  # MiniStack sends its own
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    # uvicorn ends in an orderly way, and then raises the signal again: its default action would be a failure.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    sys.exit(main())
