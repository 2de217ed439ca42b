"""Packs and unpacks model artifacts: equal files give equal archives, and no file is unpacked outside its folder."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_COMPRESSION = 1  # weights compress badly, and a higher level takes longer


class ArtifactError(Exception):
    """A model artifact cannot be unpacked."""


def pack(*folders: Path, to: Path) -> None:
    """Write every file of the folders to `to`, without names, owners or times of this machine.

    Of files with the same name the one in the first folder is taken.
    """
    files = {path.relative_to(folder).as_posix(): path for folder in reversed(folders) for path in folder.rglob("*")}
    with (
        to.open("wb") as raw,
        gzip.GzipFile("", "wb", _COMPRESSION, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", dereference=True, format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in sorted(files.items()):
            archive.add(path, arcname=name, recursive=False, filter=_anonymous)


def unpack(artifact: Path, *, to: Path) -> None:
    """Unpack a model.tar.gz below `to`.

    Raises:
        ArtifactError: the file is not a gzip-compressed tar archive, or a member's path is outside `to`.

    """
    to.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(artifact, "r:gz") as archive:
            for member in archive:
                _unpack_member(archive, member, to=to)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise ArtifactError(
            f"{artifact.name} is not a gzip-compressed tar archive that can be unpacked: {error}"
        ) from error


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, *, to: Path) -> None:
    """Unpack a folder or a file. Python's own safe way, the filter "data", is not in the 3.11.2 of Debian 12."""
    target = (to / member.name).resolve()
    if not target.is_relative_to(to.resolve()):
        raise tarfile.TarError(f"{member.name} would land outside")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member) if member.isfile() else None
    if content is None:
        raise tarfile.TarError(f"{member.name} is neither a file nor a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)
    target.chmod(0o700 if member.mode & 0o100 else 0o600)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member
