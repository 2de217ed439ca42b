"""`python -m local_aws.sagemaker --state DIR --port N`: serve SageMaker on this machine until told to stop."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import fields
from pathlib import Path

import uvicorn

from local_aws.sagemaker.app import Service, create_app
from local_aws.sagemaker.aws import Aws
from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.images import DEFAULT_COMMANDS, Images, parse_command
from local_aws.sagemaker.store import Store

GRACE_S = 3


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    state: Path = arguments.state.absolute()
    service = Service(
        aws=Aws(arguments.aws_endpoint_url),
        store=Store(state / "sagemaker.sqlite"),
        images=Images(DEFAULT_COMMANDS | dict(arguments.image)),
        limits=Limits(**{field.name: getattr(arguments, field.name) for field in fields(Limits)}),
        state=state,
    )
    # Bound to this machine alone: the server runs programs for whoever can reach it.
    uvicorn.run(
        create_app(service),
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_S,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_aws.sagemaker", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of what survives a restart")
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
        help="the program that stands for an ECR repository; train or serve is appended",
    )
    for field in fields(Limits):
        kind = int if isinstance(field.default, int) else float
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=kind, default=field.default, help=f"default {field.default}"
        )
    return parser.parse_args()


if __name__ == "__main__":
    main()
