"""Checks that continuous integration runs every target on every supported Python, with read permissions only."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from laptop.environments import SUPPORTED

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
FILES = sorted(file for file in GITHUB.rglob("*.yml") if file.name != "dependabot.yml")
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    return {name: job for file in (GITHUB / "workflows").iterdir() for name, job in load(file)["jobs"].items()}


def load(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_action_of_others_is_pinned_to_a_commit_and_names_its_version(file):
    used = re.findall(r"uses: (?!\./)(.*)", file.read_text())

    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


def test_no_workflow_may_write_or_keeps_credentials():
    for file in (GITHUB / "workflows").iterdir():
        assert load(file)["permissions"] == {"contents": "read"}
        assert file.read_text().count("actions/checkout@") == file.read_text().count("persist-credentials: false")


def test_tests_run_on_every_python_that_the_package_supports(jobs):
    (major, oldest), (_, newest) = SUPPORTED
    every = [f"{major}.{minor}" for minor in range(oldest, newest + 1)]

    assert jobs["unit"]["strategy"]["matrix"]["python"] == jobs["e2e"]["strategy"]["matrix"]["python"] == every


def test_every_job_ends_some_day_and_runs_what_the_makefile_has(jobs):
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]

    assert all(job["timeout-minutes"] for job in jobs.values())
    assert commands
    assert [
        command for command in commands if not re.search(rf"^{command.removeprefix('make ')}:", MAKEFILE, re.M)
    ] == []


def test_a_commits_hooks_fetch_nothing():
    config = load(ROOT / ".pre-commit-config.yaml")

    assert {repository["repo"] for repository in config["repos"]} == {"local"}
