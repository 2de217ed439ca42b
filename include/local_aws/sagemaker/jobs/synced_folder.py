"""Keeps a folder and an S3 prefix equal: restores it before a job's program runs, uploads it during and after."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.sagemaker.aws import split_s3_uri
from local_aws.sagemaker.jobs.downloads import relative_path

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws

_Seen = tuple[int, int]


class SyncedFolder:
    """A folder of checkpoints or outputs, and the S3 prefix that stores it."""

    def __init__(self, folder: Path, *, uri: str, aws: Aws) -> None:
        """Make `folder`; nothing is copied yet."""
        self._folder = folder
        self._bucket, key = split_s3_uri(uri)
        self._prefix = f"{key.rstrip('/')}/" if key else ""
        self._aws = aws
        self._sent: dict[Path, _Seen] = {}
        self._last_look: dict[Path, _Seen] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def restore(self) -> None:
        """Download what an earlier job left at the prefix."""
        for item in self._aws.objects(f"s3://{self._bucket}/{self._prefix}"):
            if item.key.endswith("/"):
                continue
            target = self._folder / relative_path(item.key, prefix=self._prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._aws.s3.download_file(item.bucket, item.key, str(target))
        self._sent = self._look()

    def sync(self, *, everything: bool = False) -> None:
        """Upload the changed files that were equal at the last two calls; with `everything`, all changed files."""
        now = self._look()
        for file, seen in now.items():
            is_unchanged = everything or self._last_look.get(file) == seen
            if is_unchanged and self._sent.get(file) != seen:
                key = self._prefix + file.relative_to(self._folder).as_posix()
                with contextlib.suppress(FileNotFoundError):  # the program keeps only its newest files
                    self._aws.s3.upload_file(str(file), self._bucket, key)
                    self._sent[file] = seen
        self._last_look = now

    def _look(self) -> dict[Path, _Seen]:
        seen: dict[Path, _Seen] = {}
        for folder, _, names in os.walk(self._folder):  # skips folders that were deleted in the meantime
            for file in (Path(folder, name) for name in names):
                with contextlib.suppress(FileNotFoundError):  # renamed at this moment
                    status = file.stat()
                    if stat.S_ISREG(status.st_mode):
                        seen[file] = (status.st_mtime_ns, status.st_size)
        return seen
