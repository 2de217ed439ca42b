"""Defines the arguments of commands that read a source: the fields of a classifier's file that say how it is read."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

FIELDS = ("layout", "include", "exclude", "columns", "classes")


def add_inspect_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `inspect` to the command's parser."""
    parser.add_argument("source", help="a folder, a list such as labels.csv, or s3://bucket/prefix/")
    add_fields(parser)
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="folder for report.json and report.html")


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Add an argument for each of FIELDS to a command's parser."""
    parser.add_argument(
        "--layout", choices=("classes", "splits"), help="the meaning of the top folders, if it is ambiguous"
    )
    for name in ("include", "exclude"):
        text = f"`{name}` of a classifier's file: a pattern of paths below the source, as 'cat/*'; may be repeated"
        parser.add_argument(f"--{name}", action="append", default=[], metavar="PATTERN", help=text)
    text = "`columns` of a classifier's file, for a list: '{path: image_id, label: dx}'"
    parser.add_argument("--columns", type=_mapping, default={}, metavar="YAML", help=text)
    text = "`classes` of a classifier's file: '{cat: [tabby, siamese]}'"
    parser.add_argument("--classes", type=_mapping, default={}, metavar="YAML", help=text)


def fields_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a classifier's file among the parsed arguments."""
    return {name: getattr(options, name) for name in FIELDS}


def hint(message: str, *, option: Callable[[str], str] = "--{}".format) -> str:
    """Return a sentence on the options that a refusal speaks of as fields of a classifier's file; empty if of none.

    Args:
        message: the refusal.
        option: gives the option of a field as the command writes it.

    """
    said = {name: f"`{name}:" in message or f"`{name}`" in message for name in FIELDS}
    spoken = [option(name) for name in FIELDS if said[name] or (name == "columns" and "columns." in message)]
    return f" (Here these fields are options: {', '.join(spoken)}.)" if spoken else ""


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form '{{name: value}}'")
    return found
