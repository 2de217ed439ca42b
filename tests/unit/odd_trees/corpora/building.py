"""Describes public data sets as they look when unzipped, and writes them with small generated images."""

import io
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml
from PIL import Image
from tests.unit.odd_trees.building import write

FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ""), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".ppm", ".pgm"), "PPM"),
    ".png": "PNG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".bmp": "BMP",
    ".gif": "GIF",
}
COUNT = 8  # images of a class
MAC = b"\0\5\26\7\0\2\0\0Mac OS X        "  # how the files begin that macOS adds to archives


@dataclass(frozen=True)
class Step:
    """What a person tries with an unzipped data set, and what must happen.

    Attributes:
        says: parts of the refusal; empty if the source is accepted.
        source: below the top folder.
        options: other fields of the classifier's file.
        does: what the person changes before, with the top folder.
        classes: of an accepted source.
        images: the number of listed images by split; None for those that this package splits.
        ignored: the number of files outside class folders.
        warns: parts of the warnings, each of which must be given.

    """

    says: Sequence[str] = ()
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    does: Callable[[Path], object] | None = None
    classes: Sequence[str] = ()
    images: Mapping[str | None, int] = field(default_factory=dict)
    ignored: int = 0
    warns: Sequence[str] = ()


@dataclass(frozen=True)
class Corpus:
    """A data set.

    Attributes:
        images: paths of images; of a mapping, the value is the path whose pixels it has.
        texts: the content by path of the other files.
        steps: what a person does, in order; only the last source is accepted.

    """

    images: Iterable[str] | Mapping[str, str]
    steps: Sequence[Step]
    texts: Mapping[str, str | bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def build(self, folder: Path) -> Path:
        pixels = self.images if isinstance(self.images, Mapping) else {name: name for name in self.images}
        for name, like in pixels.items():
            write(folder / name, picture(like, suffix=PurePosixPath(name).suffix))
        for name, text in self.texts.items():
            write(folder / name, text.encode() if isinstance(text, str) else text)
        for name, target in self.links.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(target)
        return folder


def picture(name: str, *, suffix: str) -> bytes:
    """Return an image file of random squares that depend on the name alone."""
    kind = FORMATS.get(suffix.lower(), "JPEG")
    squares = np.random.default_rng(zlib.crc32(name.encode(errors="surrogateescape"))).integers(0, 256, (9, 9, 3))
    out = io.BytesIO()
    Image.fromarray(squares.astype(np.uint8)).resize((36, 36), Image.Resampling.NEAREST).save(out, kind)
    return out.getvalue()


def below(*folders: str, file: str = "{}.jpg", count: int = COUNT, start: int = 1) -> list[str]:
    """Return files of each folder; ``{}`` is a number and ``{name}`` the folder's own name."""
    return [
        f"{folder}/{file.format(number, name=PurePosixPath(folder).name)}"
        for folder in folders
        for number in range(start, start + count)
    ]


def under(top: str, names: Iterable[str]) -> list[str]:
    return [f"{top}/{name}" for name in names]


def with_copies(names: Sequence[str], *tops: str) -> dict[str, str]:
    """Return images, and the same images again below each of these folders."""
    return {**{name: name for name in names}, **{f"{top}/{name}": name for top in tops for name in names}}


def table(header: str, rows: Iterable[Sequence[object]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def stem(name: str) -> str:
    return PurePosixPath(name).stem


def base(name: str) -> str:
    return PurePosixPath(name).name


def cycle(names: Sequence[str], labels: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return each name with one of the labels in turn."""
    return [(name, labels[at % len(labels)]) for at, name in enumerate(names)]


def onehot(at: int, count: int, *, yes: str = "1.0", no: str = "0.0") -> list[str]:
    return [yes if place == at % count else no for place in range(count)]


def accepted(classes: Sequence[str], images: Mapping[str | None, int], **more: Any) -> list[Step]:
    """Return the step of a source that is accepted; ``more`` may have fields of the file."""
    return [_step(classes=classes, images=images, **more)]


def refused(*says: str, **more: Any) -> list[Step]:
    """Return the step of a source that is refused with these words."""
    return [_step(says=says, **more)]


def use(folder: str, classes: Sequence[str], images: Mapping[str | None, int], **more: Any) -> list[Step]:
    """Return the steps of a data set that is in a folder, which the refusal of the top folder names."""
    return [*refused(f"add /{folder} to `source`"), *accepted(classes, images, source=folder, **more)]


def use_list(name: str, columns: str, classes: Sequence[str], images: Mapping[str | None, int]) -> list[Step]:
    """Return the steps of a data set with a list, which the refusal of the top folder names with its columns."""
    read = yaml.safe_load(f"{{{columns}}}")
    return [
        *refused(f"/{name} (DATA for `make demo`) and `columns: {{{columns}}}`"),
        *accepted(classes, images, source=name, columns=read),
    ]


def use_lists(columns: str, classes: Sequence[str], images: Mapping[str | None, int], **more: Any) -> list[Step]:
    """Return the steps of a folder whose refusal names its lists with their columns."""
    read = yaml.safe_load(f"{{{columns}}}")
    advice = refused("let `source` be", f"`columns: {{{columns}}}`")
    return [*advice, *accepted(classes, images, columns=read, **more)]


def _step(**fields: Any) -> Step:
    own = {name: value for name, value in fields.items() if name in Step.__dataclass_fields__}
    options = {name.removesuffix("_of_file"): value for name, value in fields.items() if name not in own}
    return Step(options=options, **own)


def renamed(names: Mapping[str, str]) -> Callable[[Path], None]:
    """Return what renames folders of a data set."""

    def rename(folder: Path) -> None:
        for old, new in names.items():
            (folder / old).rename(folder / new)

    return rename


def split(*splits: str, classes: tuple[str, ...], file: str = "{}.jpg", count: int = COUNT, top: str = "") -> list[str]:
    """Return the files of the classes in each split's folder."""
    folders = [f"{one}/{name}" for one in splits for name in classes]
    return below(*(under(top, folders) if top else folders), file=file, count=count)
