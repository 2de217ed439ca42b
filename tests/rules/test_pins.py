"""Checks that every lock file of an environment with Airflow has what the package needs."""

import re
import tomllib
from pathlib import Path

import pytest

from laptop.environments import OLDEST_ENVIRONMENT

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = [re.sub(r"\[.*\]", "", dependency) for dependency in PROJECT["dependencies"]]
OLDEST = OLDEST_ENVIRONMENT.requirements(dev=False).hashed
FILES = ["requirements.txt", "requirements-dev.txt", "requirements-containers.txt", OLDEST]


def pins(file: str) -> dict[str, str]:
    """The releases of a lock file, by the package's name."""
    lines = re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^\s;]+)", (ROOT / file).read_text(), re.MULTILINE)
    return dict(lines)


@pytest.mark.parametrize("file", FILES)
def test_a_lock_file_has_every_package_that_the_project_needs(file):
    names = [re.split(r"[<>=~!]", dependency)[0] for dependency in NEEDED]

    assert [name for name in names if name not in pins(file)] == [], "make lock"


@pytest.mark.parametrize("file", FILES)
def test_a_lock_file_has_the_releases_that_the_project_pins(file):
    pinned = dict(dependency.split("==") for dependency in NEEDED if "==" in dependency)

    assert {name: pins(file)[name] for name in pinned} == pinned


def test_the_oldest_airflow_that_is_tested_is_the_oldest_that_is_taken():
    [airflow] = [dependency for dependency in NEEDED if dependency.startswith("apache-airflow>=")]

    assert re.search(r">=([\d.]+)", airflow)[1] == pins(OLDEST)["apache-airflow"]
