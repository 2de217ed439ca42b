"""Base images are pinned by digest, each by one, and a bot that finds all of them renews it."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted(ROOT.glob("Dockerfile")) + sorted(ROOT.glob("include/*/Dockerfile"))
COMPOSE = (ROOT / "docker-compose.yaml").read_text()
OURS = "image-classifier-"
RENOVATE = json.loads((ROOT / "renovate.json").read_text())


def base_images() -> list[str]:
    """The images of others: the defaults of the Dockerfiles' ARG lines and of docker-compose.yaml's variables."""
    of_dockerfiles = (re.findall(r"^ARG \w+_IMAGE=([^$\s]+)$", file.read_text(), re.M) for file in DOCKERFILES)
    of_compose = re.findall(r"^\s+\w+: \$\{\w+_IMAGE:-(?:\$\{\w+:-)?([^}]+)\}+$", COMPOSE, re.M)
    found = [image for images in of_dockerfiles for image in images] + of_compose
    return sorted({image for image in found if not image.startswith(OURS)})


@pytest.mark.parametrize("image", base_images())
def test_a_base_image_names_its_release_and_its_digest(image):
    assert re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*@sha256:[0-9a-f]{64}", image)


def test_a_base_image_has_one_digest_in_all_files():
    names = [image.split("@")[0] for image in base_images()]

    assert len(names) == len(set(names)) >= 4


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_a_dockerfile_starts_from_an_image_of_an_arg_line_or_from_a_stage(file):
    text = file.read_text()
    known = {f"${{{name}}}" for name in re.findall(r"^ARG (\w+)=", text, re.M)}
    known |= set(re.findall(r"^FROM \S+ AS (\w+)", text, re.M))

    assert [image for image in re.findall(r"^FROM (\S+)", text, re.M) if image not in known] == []


def test_renovate_renews_the_images_digests_and_nothing_else():
    assert "docker:pinDigests" in RENOVATE["extends"]
    assert RENOVATE["enabledManagers"] == ["dockerfile", "docker-compose"]
    assert all(image.startswith(OURS) for image in RENOVATE["ignoreDeps"])


def test_dependabot_watches_what_renovate_does_not():
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]

    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}
