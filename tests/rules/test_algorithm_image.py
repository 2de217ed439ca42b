"""The algorithm's image holds what the program needs, and no more."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INCLUDE = ROOT / "include"
PROGRAM = INCLUDE / "image_classification_algorithm"


def instructions() -> str:
    """The Dockerfile, an instruction a line."""
    return (PROGRAM / "Dockerfile").read_text().replace("\\\n", " ")


def copied() -> set[str]:
    """What the Dockerfile copies, less the places it is copied to."""
    lines = [line.split()[1:-1] for line in instructions().splitlines() if line.startswith("COPY ")]
    return {source for sources in lines for source in sources}


def test_the_image_has_the_program_and_the_contracts_that_it_imports():
    assert {source for source in copied() if source.startswith("include/")} == {
        "include/image_classification_algorithm",
        "include/image_classifier/__init__.py",
        "include/image_classifier/contracts",
    }


def test_the_build_is_sent_exactly_what_it_copies():
    lines = (PROGRAM / "Dockerfile.dockerignore").read_text().splitlines()

    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied()
    assert "*" in lines


def test_the_image_has_the_very_packages_that_the_tests_ran_with():
    def pins(name: str) -> set[str]:
        return set((ROOT / name).read_text().replace("\\\n", "").splitlines())

    assert pins("requirements-algorithm.txt") < pins("requirements-local-aws.txt")


def test_every_package_is_checked_by_its_hash_but_torch():
    installs = re.findall(r"pip install (.*?)-r (\S+)", instructions())

    assert {file for options, file in installs if "--require-hashes" not in options} == {"requirements-torch.txt"}
    assert {file for _, file in installs} == {source for source in copied() if source.startswith("requirements")}


def test_train_and_serve_follow_the_entry_point():
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", instructions(), re.MULTILINE)

    assert ast.literal_eval(entry)[-1] == "/opt/program/image_classification_algorithm/entrypoint.sh"
    assert not re.search(r"^CMD ", instructions(), re.MULTILINE)
