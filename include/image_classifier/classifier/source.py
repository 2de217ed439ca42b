"""Defines the source in a classifier's file: where the images are, and the columns of a list of images."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BeforeValidator, Field, model_validator

from image_classifier.classifier.file_kinds import LIST_ENDINGS, kind_of, no_source
from image_classifier.classifier.parts import Part

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?")
_PATH_STYLE = re.compile(r"s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?")

Column = Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=0)]


def plain_value(value: Any) -> str:
    """Return the value of a column as text that is the same for 1, 1.0 and "1", and for true and "True"."""
    return str(value).strip().lower().removesuffix(".0")


Value = Annotated[str, BeforeValidator(plain_value)]


class Columns(Part):
    """The columns of a CSV file or keys of JSON Lines; without a header a column is a number that counts from 0.

    Several label columns are those of a table with a column for each class, which holds 1 in the rows of its images.
    ``annotations.label`` is a value in an object of JSON. In a source of folders they are those of its lists.
    Paths are relative to ``folder``, which is relative to the list's own folder. ``splits`` says which split a value of
    the column ``split`` means: ``{0: train, 1: validation, 2: test}``.
    """

    path: Column | None = None
    label: Column | Annotated[tuple[Column, ...], Field(min_length=2)] | None = None
    split: Column | None = None
    splits: dict[Value, Literal["train", "validation", "test"]] = Field(default_factory=dict)
    folder: str = ""

    @model_validator(mode="after")
    def _splits_of_a_column(self) -> Self:
        if self.splits and self.split is None:
            raise ValueError("splits says what the values of a column mean: name the column with columns.split.")
        return self

    @property
    def labels(self) -> tuple[str | int, ...]:
        """The columns of the label; empty if none is named."""
        if self.label is None:
            return ()
        return self.label if isinstance(self.label, tuple) else (self.label,)


def is_list(source: str) -> bool:
    """Return whether a source is a list of images, by its suffix."""
    return PurePosixPath(source).suffix.lower() in LIST_ENDINGS


def source_problem(source: str) -> str | None:
    """Return a sentence on what is wrong with the text of a source and what to write instead; None if it is valid."""
    scheme, colon, rest = source.partition(":")
    lowered = scheme.lower()
    if lowered == "arn" and colon:
        return _instead(_of_arn(source))
    if not rest.startswith("//") and lowered != "s3":
        return None  # a folder
    if scheme == "s3":
        return None if _is_s3_address(source) else _no_s3_source(source)
    if lowered in ("s3", "s3a", "s3n"):
        return _instead(f"s3:{rest}")
    if lowered in ("http", "https"):
        return _instead(_of_web_address(source))
    if lowered == "file":
        return f"Write the folder alone: {urlsplit(source).path}."
    return f"Images are read from a folder or from S3, and not from {scheme}:// addresses. Copy them to one of these."


def _is_s3_address(source: str) -> bool:
    bucket, _, key = source.removeprefix("s3://").partition("/")
    return source.startswith("s3://") and bool(bucket) and (source.endswith("/") or (bool(key) and is_list(key)))


def _no_s3_source(source: str) -> str:
    message = "An S3 source reads s3://bucket/prefix/, or names a list of images."
    return f"{message} {source} is none: {no_source(source)}" if kind_of(source) else message


def _instead(address: str | None) -> str:
    if address is not None and kind_of(address):
        return _no_s3_source(address)
    if address is None:
        return "Images are read from a folder or from S3. Copy them there, and write s3://bucket/prefix/."
    whole = address if is_list(address) or address.endswith("/") else f"{address}/"
    return f"Write {whole}."


def _of_arn(arn: str) -> str | None:
    """Convert ``arn:aws:s3:::bucket/prefix`` to s3://bucket/prefix; None if it is not such an ARN."""
    parts = arn.split(":", 5)
    is_bucket = len(parts) == 6 and parts[2] == "s3" and not parts[3] and parts[5]
    return f"s3://{parts[5].rstrip('*')}" if is_bucket else None


def _of_web_address(address: str) -> str | None:
    """Convert an address of S3's REST API or console to s3://bucket/prefix; None if it is not one."""
    url = urlsplit(address)
    host, path = url.hostname or "", unquote(url.path).lstrip("/")
    if host.endswith("console.aws.amazon.com") and path.startswith("s3/buckets/"):
        prefix = parse_qs(url.query).get("prefix", [""])[0]
        return f"s3://{path.removeprefix('s3/buckets/').partition('/')[0]}/{prefix}"
    if _PATH_STYLE.fullmatch(host) and path:
        return f"s3://{path}"
    found = _VIRTUAL_HOST.fullmatch(host)
    return f"s3://{found['bucket']}/{path}" if found else None
