"""Defines the one runtime of functions, which is that of this interpreter, and the packages that AWS adds to it."""

import importlib.metadata
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def runtime() -> str:
    """Return Lambda's name of this interpreter, for example python3.12."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def architecture() -> str:
    """Return Lambda's name of this machine's architecture: x86_64 or arm64."""
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, machine)


def link_runtime_packages(folder: Path) -> None:
    """Fill `folder` with links to boto3 and its dependencies, which AWS adds to a function's own files.

    A package that is missing in a function's zip is then missing here as on AWS, whatever else this environment has.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for distribution in _closure("boto3"):
        for name in _top_level_names(distribution):
            (folder / name).symlink_to(Path(str(distribution.locate_file(name))).resolve())


def _closure(name: str) -> Iterator[importlib.metadata.Distribution]:
    waiting, seen = [name], set()
    while waiting:
        distribution = importlib.metadata.distribution(waiting.pop())
        if distribution.name not in seen:
            seen.add(distribution.name)
            yield distribution
            waiting += [_name(text) for text in distribution.requires or () if "extra ==" not in text]


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _top_level_names(distribution: importlib.metadata.Distribution) -> set[str]:
    names = {path.parts[0] for path in distribution.files or ()}
    return {name for name in names if name not in {"..", "__pycache__", "bin"}}
