"""`make client-test`: every client does its steps with a local AWS of this run; prints a table, exits 1 on a fault."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data
import yaml
from local_aws_for_clients import environment, running

HERE = Path(__file__).parent
VENVS = HERE.parents[1] / ".venv"
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
COUNTING_IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/count-files:1"
SUCCEEDING_IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/succeed:1"
MARK = "STEP "
TIME_LIMIT_S = 1_800
PASSED, FAULT, CLIENT_FAULT, DEVIATION = "passed", "FAULT", "client's own fault", "explained deviation"


@dataclass(frozen=True)
class Client:
    """A client: the environment it is installed in, the package whose version counts, and its program."""

    venv: str
    package: str
    program: str


CLIENTS = {
    "boto3": Client("local-aws", "boto3", "boto3_waiters.py"),
    "aws-cli": Client("clients-aws-cli", "awscli", "aws_cli.py"),
    "sagemaker-2": Client("clients-sagemaker-2", "sagemaker", "sagemaker_2.py"),
    "sagemaker-3": Client("clients-sagemaker-3", "sagemaker", "sagemaker_3.py"),
    "moto": Client("clients-moto", "moto", "moto_oracle.py"),
}


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    step: str
    client: str
    version: str
    outcome: str
    detail: str = ""


def main() -> int:
    """Run the clients that are asked for; 0 if every step of theirs passed or is marked as the client's own fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CLIENTS, action="append", help="this client alone; may be repeated")
    parser.add_argument("--keep", type=Path, help="folder for logs and state that stays (default: one that is removed)")
    options = parser.parse_args()
    steps = yaml.safe_load((HERE / "steps.yaml").read_text())
    with tempfile.TemporaryDirectory(prefix="client-test-") as scratch:
        folder = (options.keep or Path(scratch)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        rows = list(run(options.only or list(CLIENTS), steps=steps, folder=folder))
    print(table(rows))
    return any(row.outcome == FAULT for row in rows)


def run(names: list[str], *, steps: list[dict[str, Any]], folder: Path) -> Iterator[Row]:
    """Start a local AWS, let each client do its steps one after the other, and give the rows of the table."""
    data.write(folder / "data")
    with running(folder) as ready:
        for name in names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            reports = reports_of(name, ready=ready, folder=folder)
            listed = moto_tests(reports) if name == "moto" else steps
            yield from compared(name, version_of(CLIENTS[name]), reports=reports, steps=listed)


def moto_tests(reports: Mapping[str, Any]) -> list[dict[str, Any]]:
    """moto's tests as steps: those that ran, and those whose deviation moto_deviations.yaml explains."""
    reasons = {
        test: entry["reason"]
        for entry in yaml.safe_load((HERE / "moto_deviations.yaml").read_text())
        for test in entry["tests"]
    }
    return [
        {"step": test, "clients": ["moto"], "client_faults": {"moto": reasons[test]} if test in reasons else {}}
        for test in dict.fromkeys([*reports, *reasons])
    ]


def reports_of(name: str, *, ready: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """What a client's program reported, by step."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(configuration(name, ready=ready, folder=folder)))
    aws = {key: value for key, value in ready["aws"].items() if not key.startswith("AWS_ENDPOINT_URL_")}
    env = environment(folder, **aws, CLIENT_TEST_CONFIGURATION=str(file))
    env.pop("PYTHONPATH")  # the programs see their client and nothing of this project
    command = [str(python_of(CLIENTS[name])), str(HERE / "programs" / CLIENTS[name].program)]
    with (folder / f"{name}.log").open("wb") as log:
        done = subprocess.run(
            command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=log, check=False, timeout=TIME_LIMIT_S
        )
    # A progress bar of the client's may stand before a report in its line.
    lines = (line.partition(MARK)[2] for line in done.stdout.decode(errors="replace").splitlines())
    reports = [json.loads(line) for line in lines if line]
    return {report["step"]: report for report in reports}


def configuration(name: str, *, ready: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What programs/reporting.py gives to a client's program."""
    settings = ready["settings"]
    return {
        "bucket": settings["IMAGE_CLASSIFIER_BUCKET"],
        "role": settings["IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN"],
        "image": IMAGE,
        "counting_image": COUNTING_IMAGE,
        "succeeding_image": SUCCEEDING_IMAGE,
        "store": str(folder / "state" / "sagemaker" / "sagemaker.sqlite"),
        "prefix": f"client-{name}",
        "data": str(folder / "data"),
        "hyperparameters": data.HYPERPARAMETERS,
    }


def compared(
    name: str, version: str, *, reports: Mapping[str, dict[str, Any]], steps: list[dict[str, Any]]
) -> Iterator[Row]:
    """A row for each step of the client's list."""
    for step in (step for step in steps if name in step["clients"]):
        proof = step.get("client_faults", {}).get(name)
        report = reports.get(step["step"])
        if report is None:
            yield Row(step["step"], name, version, FAULT, "the program did not get as far")
        elif proof and report["problem"]:
            yield Row(step["step"], name, version, DEVIATION if name == "moto" else CLIENT_FAULT, proof)
        elif proof:
            yield Row(step["step"], name, version, FAULT, "passed, but the list explains why it fails")
        else:
            outcome = FAULT if report["problem"] else PASSED
            yield Row(step["step"], name, version, outcome, report["problem"] or f"{report['seconds']} s")


def python_of(client: Client) -> Path:
    return VENVS / client.venv / "bin" / "python"


def version_of(client: Client) -> str:
    """The version of the client's package in its environment."""
    code = f"import importlib.metadata; print(importlib.metadata.version({client.package!r}))"
    asked = subprocess.run([str(python_of(client)), "-c", code], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def table(rows: list[Row]) -> str:
    """Rows in columns, and how many of each outcome there are for each client."""
    cells = [("step", "client", "version", "outcome", "")]
    cells += [(row.step, row.client, row.version, row.outcome, row.detail) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    padded = ([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4]] for line in cells)
    lines = ["  ".join(line) for line in padded]
    for client in dict.fromkeys(row.client for row in rows):
        outcomes = [row.outcome for row in rows if row.client == client]
        counts = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in (PASSED, CLIENT_FAULT, DEVIATION, FAULT))
        lines.append(f"{client}: {counts}")
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
