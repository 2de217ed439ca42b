"""Reads and writes the model artifact: three files with the built-in algorithm's names, our contents and no pickle.

`image-classification-NNNN.params` is an ONNX graph from pixels to probabilities; `image-classification-symbol.json`
describes the model and the program that made it; `model-shapes.json` holds the shape of the graph's input.
"""

import json
import tarfile
import zlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from image_classification_algorithm.errors import ClientError

SYMBOL_FILE = "image-classification-symbol.json"
SHAPES_FILE = "model-shapes.json"
FORMAT, VERSION = "image_classification_algorithm", 1
NOTE = (
    "Written by image_classification_algorithm, an open program that keeps the contract of SageMaker's built-in image "
    "classification algorithm. The params file is an ONNX graph; MXNet and the built-in algorithm cannot read it."
)


@dataclass(frozen=True)
class Description:
    """Describes a model, and names the params file that is served."""

    params: str
    network: str
    num_layers: int
    num_classes: int
    image_shape: str
    multi_label: bool
    epoch: int
    validation_accuracy: float | None
    made_by: dict[str, str]

    @property
    def image_size_px(self) -> tuple[int, int]:
        """The height and width of the images that the graph takes."""
        _, height, width = self._shape
        return height, width

    @property
    def channels(self) -> int:
        """The number of channels of the images that the graph takes: 3 for RGB, 1 for grey."""
        return self._shape[0]

    @property
    def _shape(self) -> tuple[int, int, int]:
        channels, height, width = (int(number) for number in self.image_shape.split(","))
        return channels, height, width


@dataclass(frozen=True)
class Artifact:
    """A model that was read: its description and its ONNX graph."""

    description: Description
    graph: bytes


def params_file(epoch: int) -> str:
    """Return the file name of the weights after this many epochs."""
    return f"image-classification-{epoch:04d}.params"


def epoch_of(params: str) -> int:
    """Return the number of epochs after which a weights file of this name was written."""
    return int(Path(params).stem.rpartition("-")[2])


def write(folder: Path, description: Description, *, graph: bytes) -> None:
    """Write the three files; the description last, so that it never names weights that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    height, width = description.image_size_px
    shapes = [{"name": "image", "shape": [1, height, width, description.channels], "type": "uint8"}]
    replace_file(folder / description.params, graph)
    replace_file(folder / SHAPES_FILE, json.dumps(shapes).encode())
    content = {"format": FORMAT, "version": VERSION, "note": NOTE, **asdict(description)}
    replace_file(folder / SYMBOL_FILE, json.dumps(content, indent=2).encode())


def write_params(folder: Path, name: str, *, graph: bytes) -> None:
    """Write weights that are kept beside the weights that are served."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / name, graph)


def read(folder: Path) -> Artifact:
    """Read the model in a folder, or in the model.tar.gz in that folder.

    Raises:
        ClientError: there is no model, it is damaged, or another program made it.

    """
    if (folder / SYMBOL_FILE).is_file():
        description = _description((folder / SYMBOL_FILE).read_bytes(), where=str(folder / SYMBOL_FILE))
        return Artifact(description, _graph(folder / description.params))
    if (folder / "model.tar.gz").is_file():
        return _read_archive(folder / "model.tar.gz")
    raise ClientError(f"There is no model in {folder}: {SYMBOL_FILE} is missing.")


def _read_archive(archive: Path) -> Artifact:
    """Read members by name without unpacking, so no path in the archive can lead outside the folder."""
    try:
        with tarfile.open(archive) as tar:
            members = {Path(member.name).as_posix(): member for member in tar.getmembers() if member.isfile()}

            def content(name: str) -> bytes:
                stream = tar.extractfile(members[name]) if name in members else None
                if stream is None:
                    raise ClientError(f"{archive} is not a model: it holds no {name}.")
                return stream.read()

            description = _description(content(SYMBOL_FILE), where=f"{archive}:{SYMBOL_FILE}")
            return Artifact(description, content(description.params))
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ClientError(f"{archive} cannot be unpacked: it is no tar.gz, or damaged.") from error


def _description(text: bytes, *, where: str) -> Description:
    content = _document(text, where=where)
    if content.get("format") != FORMAT:
        raise ClientError(f"{where} was not written by image_classification_algorithm; {_maker(content)}")
    if content.get("version") != VERSION:
        raise ClientError(f"{where} has version {content.get('version')!r}; this program reads version {VERSION}.")
    missing = [field.name for field in fields(Description) if field.name not in content]
    if missing:
        raise ClientError(f"{where} lacks {', '.join(missing)}.")
    description = Description(**{field.name: content[field.name] for field in fields(Description)})
    if Path(description.params).name != description.params:
        raise ClientError(f"{where} names params outside its folder: {description.params!r}.")
    return description


def _document(text: bytes, *, where: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ClientError(f"{where} is not JSON: {error}.") from error
    return content if isinstance(content, dict) else {}


def _maker(content: dict[str, Any]) -> str:
    if "arg_nodes" in content and "heads" in content:
        return (
            "it is an MXNet model, as SageMaker's built-in image classification algorithm makes them, and only that "
            "algorithm can use it: train one here instead."
        )
    return f"its format is {content.get('format')!r}."


def _graph(path: Path) -> bytes:
    if not path.is_file():
        raise ClientError(f"{path} is missing, though the model's description names it.")
    return path.read_bytes()


def replace_file(path: Path, content: bytes) -> None:
    """Replace the file atomically: a reader, also after a kill, finds the whole old file or the whole new one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
