"""Starts the AWS of a laptop and runs it until SIGTERM or SIGINT: ``python -m local_aws --state DIR``."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from local_aws.errors import LocalAwsError, OptionError
from local_aws.processes.state_folder import OTHERS
from local_aws.running import run
from local_aws.servers import HOST, LocalAws, Ports


def main(arguments: list[str] | None = None) -> int:
    """Run the local AWS; return 0 after SIGTERM or SIGINT, and 1 after an error, which is printed."""
    options = _parser().parse_args(arguments)
    os.umask(OTHERS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    ports = Ports(ministack=options.port, sagemaker=options.sagemaker_port)
    try:
        local_aws = LocalAws(
            options.state.resolve(),
            ports,
            options.bind,
            name=options.name,
            other_names=tuple(options.accept_host),
            images=tuple(options.image),
            enforces_iam=enforces_iam(os.environ),
            records_calls=options.record_calls,
        )
        run(local_aws, stop=stop, environ=os.environ)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_aws", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder for everything it keeps")
    parser.add_argument("--port", type=int, default=4566, help="port of S3, Lambda, SQS, IAM, Logs (default: 4566)")
    parser.add_argument("--sagemaker-port", type=int, default=4567, help="port of SageMaker (default: 4567)")
    parser.add_argument(
        "--bind", default=HOST, help="address it listens at (default: %(default)s); who reaches it can run programs"
    )
    parser.add_argument("--name", default=HOST, help="host name or address that ready.json gives to clients")
    parser.add_argument(
        "--accept-host", action="append", default=[], metavar="NAME", help="another host name that clients use"
    )
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="REPOSITORY=COMMAND",
        help="the program that runs for an image of an ECR repository, as for the SageMaker server; may be repeated",
    )
    parser.add_argument(
        "--record-calls",
        action="store_true",
        default=os.environ.get("LOCAL_AWS_RECORD_CALLS") == "1",
        help="write what IAM has allowed to DIR/calls.jsonl; so does LOCAL_AWS_RECORD_CALLS=1",
    )
    return parser


def enforces_iam(environ: Mapping[str, str]) -> bool:
    """Return whether IAM is enforced: unless the variable LOCAL_AWS_IAM is ``off``.

    Raises:
        OptionError: it says something else.

    """
    said = environ.get("LOCAL_AWS_IAM", "enforce")
    if said not in ("enforce", "off"):
        raise OptionError(f"LOCAL_AWS_IAM is {said!r}; set it to enforce or off, or leave it out.")
    return said == "enforce"


if __name__ == "__main__":
    sys.exit(main())
