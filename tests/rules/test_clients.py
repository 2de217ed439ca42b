"""Checks that the steps of `make client-test` and the programs that do them agree."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "clients"
STEPS = yaml.safe_load((CLIENTS / "steps.yaml").read_text())
PROGRAMS = {
    "boto3": "boto3_waiters.py",
    "aws-cli": "aws_cli.py",
    "sagemaker-2": "sagemaker_2.py",
    "sagemaker-3": "sagemaker_3.py",
}


@pytest.mark.parametrize("client", PROGRAMS)
def test_a_client_does_the_steps_of_its_list_and_no_others(client):
    done = re.findall(r'with step\("([^"]+)"\)', (CLIENTS / "programs" / PROGRAMS[client]).read_text())

    assert sorted(done) == sorted(step["step"] for step in STEPS if client in step["clients"])


def test_every_step_says_what_must_be_true():
    assert [step["step"] for step in STEPS if not step["expect"]] == []
    assert len({step["step"] for step in STEPS}) == len(STEPS)


def test_a_clients_own_fault_has_its_proof():
    marked = [proof for step in STEPS for proof in step.get("client_faults", {}).values()]

    assert [proof for proof in marked if len(proof) < 40] == []


def test_each_deviation_from_motos_tests_has_a_reason_and_stands_once():
    entries = yaml.safe_load((CLIENTS / "moto_deviations.yaml").read_text())
    tests = [test for entry in entries for test in entry["tests"]]

    assert [entry for entry in entries if len(entry["reason"]) < 40] == []
    assert len(set(tests)) == len(tests)


@pytest.mark.parametrize("client", ["moto", *sorted(PROGRAMS.keys() - {"boto3"})])
def test_a_client_is_pinned_by_hash(client):
    requirements = (CLIENTS / "requirements" / f"{client}.txt").read_text()
    pins = re.findall(r"^[a-z0-9].*$", requirements, re.MULTILINE | re.IGNORECASE)

    assert pins
    assert [pin for pin in pins if "==" not in pin] == []
    assert requirements.count("--hash=sha256:") >= len(pins)


NAMES = {
    "boto3": "boto3 and its waiters",
    "aws-cli": "AWS CLI",
    "sagemaker-2": "SageMaker SDK v2",
    "sagemaker-3": "SageMaker SDK v3",
}
PACKAGES = {"aws-cli": "awscli", "sagemaker-2": "sagemaker", "sagemaker-3": "sagemaker", "moto": "moto"}
README = (ROOT / "include/local_aws/README.md").read_text()


def version(client: str) -> str:
    """The release of a client that `make client-test` installs."""
    file, package = ROOT / "requirements-local-aws-dev.txt", "boto3"
    if client != "boto3":
        file, package = CLIENTS / "requirements" / f"{client}.txt", PACKAGES[client]
    [found] = re.findall(rf"^{package}(?:\[[^]]*\])?==([^\s;]+)", file.read_text(), re.MULTILINE)
    return found


@pytest.mark.parametrize("client", PROGRAMS)
def test_the_readme_says_what_this_release_of_a_client_passes(client):
    steps = [step for step in STEPS if client in step["clients"]]
    faults = [step for step in steps if client in step.get("client_faults", {})]

    assert f"| {NAMES[client]} | {version(client)} | {len(steps) - len(faults)} of {len(steps)} |" in README


def test_the_readme_counts_motos_tests():
    entries = yaml.safe_load((CLIENTS / "moto_deviations.yaml").read_text())
    explained = sum(len(entry["tests"]) for entry in entries)
    [(release, total, passed)] = re.findall(r"SageMaker tests \(([\d.]+), (\d+) of them.*?\n?.*?: (\d+) pass", README)

    assert release == version("moto")
    assert int(total) == int(passed) + explained
