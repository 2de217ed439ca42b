"""Runs the commands behind the Makefile: `python -m laptop demo [--data SOURCE] | up | down | status | airflow ...`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from image_classifier.prepare.inspect_arguments import add_fields, fields_of
from laptop import demo, supervisor
from laptop.airflow_settings import USER, leave_own_aws_alone, password
from laptop.health import unhealthy_services
from laptop.place import AIRFLOW_PYTHON, LaptopError, Place
from laptop.services import Services
from local_aws.processes.state_folder import OTHERS


def main() -> None:
    parser = argparse.ArgumentParser(prog="laptop", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demonstration = commands.add_parser("demo")
    demonstration.add_argument(
        "--data", type=Path, help="your own labelled images: a folder, or a list such as labels.csv"
    )
    add_fields(demonstration)
    for name in ("up", "down", "status"):
        commands.add_parser(name)
    commands.add_parser("airflow", add_help=False).add_argument("words", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    os.umask(OTHERS)
    try:
        run(arguments)
    except LaptopError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The services still run; `make down` stops them.")


def run(arguments: argparse.Namespace) -> None:
    """Carry out one command."""
    command = arguments.command
    for variable in ("NO_PROXY", "no_proxy"):  # no proxy for the local services
        os.environ[variable] = ",".join(filter(None, [os.environ.get(variable), "127.0.0.1", "localhost"]))
    leave_own_aws_alone(os.environ)
    place = Place.from_env()
    if command == "demo":
        demo.demonstrate(place, arguments.data, fields=fields_of(arguments))
    elif command == "up":
        supervisor.start(place)
        print_status(place)
    elif command == "down":
        stopped = supervisor.stop(place)
        print("Stopped. Models and predictions are kept in " + str(place.state) if stopped else "Nothing was running.")
    elif command == "airflow":
        become_airflow(place, arguments.words)
    else:
        print_status(place)


def become_airflow(place: Place, words: Sequence[str]) -> None:
    """Replace this process by Airflow's command line, with the settings of the scheduler that runs here.

    Raises:
        LaptopError: nothing is running, or it is not ready yet.

    """
    if supervisor.is_running(place) is None or not supervisor.status(place).get("ready"):
        raise LaptopError("Airflow's command line needs the services: `make up` starts them.")
    environment = Services(place.last_start()).environment("scheduler")
    os.execve(AIRFLOW_PYTHON, [str(AIRFLOW_PYTHON), "-m", "airflow", *words], environment)  # noqa: S606 - no shell is needed


def print_status(place: Place) -> None:
    """Print which services run and their addresses, or which part ended and why."""
    pid, status = supervisor.is_running(place), supervisor.status(place)
    if pid is None or "stopped" in status:
        print(
            f"{_end(place, status)}Nothing is running here. `make up` starts the local AWS and Airflow, `make demo` "
            "runs the demonstration."
        )
        return
    place = place.last_start()
    failing = unhealthy_services(place)
    print(
        f"{'Running' if not failing else 'Not ready: ' + ', '.join(failing)} (process {pid}):\n"
        f"  Airflow          {place.airflow_url}   user {USER}, password {password(place)}\n"
        f"  S3, Lambda, ...  http://127.0.0.1:{place.aws_port}\n"
        f"  SageMaker        http://127.0.0.1:{place.sagemaker_port}\n"
        f"  Logs             {place.logs}"
    )


def _end(place: Place, status: supervisor.Status) -> str:
    """Return lines about services that ended by themselves or were killed; empty after `make down`."""
    if "stopped" in status:
        return f"It ended: {status['stopped']}\n"
    if "ready" in status:
        return (
            "It ended without `make down`: it was killed, or the machine was restarted. `make up` starts it again at "
            f"{place.airflow_url} with all models and predictions.\n"
        )
    return ""


if __name__ == "__main__":
    main()
