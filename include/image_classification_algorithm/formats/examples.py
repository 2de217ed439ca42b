"""Yields the images of a channel with their labels, whatever the format of the channel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.formats.channels import Channel, Format
from image_classification_algorithm.formats.recordio import image_records, pipes
from image_classification_algorithm.formats.recordio.records import records
from image_classification_algorithm.job_log import log
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.image_list import DatasetError  # type: ignore[attr-defined]  # what parse() raises

BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled image.

    Attributes:
        labels: as the channel holds them; `labels.py` checks them.
        name: where the image is, for messages.
        read: returns the bytes of the image file; may be called often and from any thread. The bytes are not kept in
            memory.

    """

    labels: tuple[float, ...]
    name: str
    read: Callable[[], bytes]


def examples(channel: Channel) -> Iterator[Example]:
    """Yield every example of a channel in the channel's order.

    Raises:
        ClientError: the channel's files are missing, damaged, or not what its content type says.

    """
    sources = {
        Format.IMAGE_FILES: _image_files,
        Format.RECORD_FILE: _record_file,
        Format.RECORD_PIPE: _record_pipe,
        Format.MANIFEST_PIPE: _manifest_pipe,
    }
    return sources[channel.format](channel)


def _image_files(channel: Channel) -> Iterator[Example]:
    if not channel.path.is_dir():
        raise channel.missing("is not a folder")
    lists = channel.list_path
    log.info("Searching for .lst files in %s.", lists)
    file = _only(lists, ".lst", channel=f"{channel.name}_lst")
    log.info("Creating record files for %s", file.name)
    try:
        entries = image_list.parse(file.read_text("utf-8"))
    except (DatasetError, UnicodeDecodeError) as error:
        raise ClientError(f"{file.name} in the {channel.name}_lst channel cannot be used: {error}") from error
    if not entries:
        raise ClientError(f"Unable to start training. Empty .lst file in {channel.name}_lst channel.")
    for entry in entries:
        path = channel.path / entry.path
        yield Example(entry.labels, str(path), path.read_bytes)


def _record_file(channel: Channel) -> Iterator[Example]:
    if not channel.path.is_dir():
        raise channel.missing("is not a folder")
    log.info("Searching for .rec files in %s.", channel.path)
    path = _only(channel.path, ".rec", channel=channel.name)
    if not path.stat().st_size:
        raise _empty(channel)
    with path.open("rb", buffering=BUFFER_BYTES) as stream:
        for offset, content in records(stream, name=str(path)):
            labels = image_records.unpacked(content, name=str(path), offset=offset).labels
            yield Example(labels, f"{path} at byte {offset}", partial(_image_at, path, offset))


def _image_at(path: Path, offset: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(offset)
        _, content = next(records(stream, name=str(path), offset=offset))
    return image_records.unpacked(content, name=str(path), offset=offset).image


def _record_pipe(channel: Channel) -> Iterator[Example]:
    kept = pipes.Kept()
    found = False
    for offset, content in pipes.records_of(channel):
        found = True
        record = image_records.unpacked(content, name=str(channel.pipe), offset=offset)
        yield Example(record.labels, f"{channel.pipe} at byte {offset}", kept.keep(record.image))
    if not found:
        raise _empty(channel)


def _manifest_pipe(channel: Channel) -> Iterator[Example]:
    kept = pipes.Kept()
    found = False
    for offset, image, labels in pipes.pairs_of(channel):
        found = True
        yield Example(labels, f"{channel.pipe} at byte {offset}", kept.keep(image))
    if not found:
        raise ClientError(f"Unable to start training. Empty augmented manifest in {channel.name} channel.")


def _empty(channel: Channel) -> ClientError:
    return ClientError(f"Unable to start training. Empty .rec file in {channel.name} channel.")


def _only(folder: Path, suffix: str, *, channel: str) -> Path:
    files = sorted(folder.glob(f"*{suffix}"))
    if len(files) != 1:
        raise ClientError(f"The {channel} channel must hold exactly one {suffix} file; found {len(files)} in {folder}.")
    return files[0]
