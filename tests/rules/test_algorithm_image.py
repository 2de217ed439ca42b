"""Checks that the two images hold what their programs need, and no more."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INCLUDE = ROOT / "include"
PROGRAM = INCLUDE / "image_classification_algorithm"


def instructions(stage: str = "") -> str:
    """The Dockerfile, an instruction a line; with `stage` those of this stage alone."""
    text = (PROGRAM / "Dockerfile").read_text().replace("\\\n", " ")
    if not stage:
        return text
    after = re.split(rf"^FROM .* AS {stage}$", text, flags=re.MULTILINE)[1]
    return re.split(r"^FROM .*$", after, flags=re.MULTILINE)[0]


def copied(stage: str = "") -> set[str]:
    """What the Dockerfile copies, less the places it is copied to."""
    lines = [line.split()[1:-1] for line in instructions(stage).splitlines() if line.startswith("COPY ")]
    return {source for sources in lines for source in sources}


def test_the_algorithms_image_has_the_program_and_its_contracts():
    assert {source for source in copied("algorithm") if source.startswith("include/")} == {
        "include/image_classification_algorithm",
        "include/image_classifier/__init__.py",
        "include/image_classifier/contracts",
    }


def test_the_preparations_image_has_all_that_its_program_imports(tmp_path):
    for source in copied("preparation"):
        if source.startswith("include/"):
            target = tmp_path / source.removeprefix("include/")
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(ROOT / source)
    command = [sys.executable, "-c", "import image_preparation.__main__, image_classifier.contracts.decoding, obstore"]

    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True)

    assert done.stderr == ""


def test_the_algorithm_is_what_a_build_without_a_target_makes():
    assert re.findall(r"^FROM .* AS (\w+)$", instructions(), re.MULTILINE) == ["python", "preparation", "algorithm"]


def test_the_build_is_sent_exactly_what_it_copies():
    lines = (PROGRAM / "Dockerfile.dockerignore").read_text().splitlines()

    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied()
    assert "*" in lines


def test_the_image_has_the_very_packages_that_the_tests_ran_with():
    def pins(name: str) -> set[str]:
        return set((ROOT / name).read_text().replace("\\\n", "").splitlines())

    for image in ("algorithm", "preparation"):
        assert pins(f"requirements-{image}.txt") < pins("requirements-local-aws.txt")


def test_both_images_decode_with_the_release_of_pillow_that_airflow_has():
    pins = [
        re.findall(r"^(?:pillow|pi-heif)==\S+", (ROOT / f"requirements{image}.txt").read_text(), re.MULTILINE)
        for image in ("", "-preparation", "-algorithm")
    ]

    assert pins[0] == pins[1]
    assert set(pins[2]) < set(pins[0])


def test_every_package_is_checked_by_its_hash_but_torch():
    installs = re.findall(r"pip install (.*?)-r (\S+)", instructions())

    assert {file for options, file in installs if "--require-hashes" not in options} == {"requirements-torch.txt"}
    assert {file for _, file in installs} == {source for source in copied() if source.startswith("requirements")}


def test_train_and_serve_follow_the_entry_point():
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", instructions("algorithm"), re.MULTILINE)

    assert ast.literal_eval(entry)[-1] == "/opt/program/image_classification_algorithm/entrypoint.sh"
    assert not re.search(r"^CMD ", instructions(), re.MULTILINE)
