"""Runs moto's own SageMaker tests, taken from its source distribution, against the local AWS.

Each test is a step. moto_adaptation.py says what is changed in the tests; their assertions stay as moto wrote them.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from moto_adaptation import adapt
from reporting import MARK

MODULES = (
    "endpoint",
    "hyper_parameter_tuning_job",
    "model_package_groups",
    "model_packages",
    "models",
    "processing",
    "training",
    "transform",
)
REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "moto.txt"


class Reports:
    """Prints a report for each test when it has ended."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test's call, or a fixture of it that failed."""
        if report.when == "call" or (report.when == "setup" and not report.passed):
            problem = "" if report.passed else _first_line(report)
            test = report.nodeid.rpartition("/")[2].replace(".py::", "::")
            result = {"step": test, "problem": problem, "seconds": round(report.duration, 1)}
            print(MARK + json.dumps(result), flush=True)


def main() -> int:
    """Unpack, adapt and run; 0 if pytest ran, whatever the tests' results."""
    folder = Path.cwd() / "moto"
    tests = _unpacked(_downloaded(folder), folder=folder)
    files = [str(tests / f"test_sagemaker_{module}.py") for module in MODULES]
    for file in map(Path, files):
        file.write_text(adapt(file.read_text()))
    options = ["-p", "moto_adaptation", "-p", "no:cacheprovider", "--timeout=120", "-q", "--tb=short", "--capture=sys"]
    code = pytest.main([*options, f"--rootdir={tests}", *files], plugins=[Reports()])
    return 0 if code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) else int(code)


def _downloaded(folder: Path) -> Path:
    """The source distribution of the installed release, by its hash."""
    folder.mkdir(exist_ok=True)
    pins = re.findall(r"^moto==(?:.+\\\n)+.+$", REQUIREMENTS.read_text(), flags=re.MULTILINE)
    (folder / "moto.txt").write_text("\n".join(pins) + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=moto", "--require-hashes"]
    proxies_and_indexes = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*command, "--requirement=moto.txt"], cwd=folder, env=proxies_and_indexes, check=True)
    return folder / f"moto-{importlib.metadata.version('moto')}.tar.gz"


def _unpacked(archive: Path, *, folder: Path) -> Path:
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz") / "tests" / "test_sagemaker"


def _first_line(report: pytest.TestReport) -> str:
    lines = [line[4:] for line in str(report.longrepr).splitlines() if line.startswith("E   ")]
    return (lines or [str(report.longrepr).strip()[-200:]])[0][:300]


if __name__ == "__main__":
    sys.exit(main())
