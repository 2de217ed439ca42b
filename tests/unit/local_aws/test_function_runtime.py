"""Checks that functions have this interpreter's runtime, this machine's architecture, and boto3."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.function_runtime import architecture, link_runtime_packages, runtime


def test_the_runtime_is_lambda_s_name_of_this_python() -> None:
    assert runtime() == f"python3.{sys.version_info.minor}"


@pytest.mark.parametrize(("machine", "name"), [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64")])
def test_the_architecture_is_lambda_s_name_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, machine: str, name: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert architecture() == name


def test_boto3_works_with_the_linked_packages_alone(tmp_path: Path) -> None:
    link_runtime_packages(tmp_path / "packages")
    link_runtime_packages(tmp_path / "packages")  # again, over what was there
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'packages')!r}); import boto3; boto3.client('s3', 'x')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_else_is_linked(tmp_path: Path) -> None:
    link_runtime_packages(tmp_path / "packages")
    names = {path.name.split("-")[0].removesuffix(".py") for path in (tmp_path / "packages").iterdir()}
    expected = {"boto3", "botocore", "jmespath", "s3transfer", "dateutil", "python_dateutil", "six", "urllib3"}
    assert names <= expected
    assert {"boto3", "botocore", "dateutil"} <= names
