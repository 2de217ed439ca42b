"""The algorithm's image holds what the program needs, and no more."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INCLUDE = ROOT / "include"
PROGRAM = INCLUDE / "image_classification_algorithm"


def imported_from(package: str, file: Path) -> set[str]:
    """The package's modules that a file imports, its own `from package import module` included."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith(f"{package}.")}
    return found


def shared_modules() -> set[str]:
    """Modules of image_classifier that the program imports, and those that they import."""
    wanted = {name for file in PROGRAM.rglob("*.py") for name in imported_from("image_classifier", file)}
    seen: set[str] = set()
    while new := wanted - seen:
        seen |= new
        wanted |= {
            name
            for module in new
            for name in imported_from("image_classifier", INCLUDE / f"image_classifier/{module}.py")
        }
    return seen


def instructions() -> str:
    """The Dockerfile, an instruction a line."""
    return (PROGRAM / "Dockerfile").read_text().replace("\\\n", " ")


def copied() -> set[str]:
    """What the Dockerfile copies, less the places it is copied to."""
    lines = [line.split()[1:-1] for line in instructions().splitlines() if line.startswith("COPY ")]
    return {source for sources in lines for source in sources}


def test_the_image_has_exactly_the_modules_that_the_program_imports():
    shared = {f"include/image_classifier/{name}.py" for name in {"__init__", *shared_modules()}}

    assert {source for source in copied() if "/image_classifier/" in source} == shared
    assert "include/image_classification_algorithm" in copied()


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
