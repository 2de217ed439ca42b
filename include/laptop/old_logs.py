"""Removes old logs of Airflow's tasks: the Dag `image_classifier_watch` alone writes 14 MB of them a day."""

import contextlib
import time
from pathlib import Path

LOG_DAYS = 30  # as long as the package's log groups keep theirs
_DAY_S = 86_400


def remove_old_logs(folder: Path, *, now_s: float | None = None) -> None:
    """Remove files below `folder` that have not changed for `LOG_DAYS` days, and folders empty for a day."""
    now_s = time.time() if now_s is None else now_s
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        with contextlib.suppress(OSError):  # removed in the meantime; or a folder that is not empty
            age_s = now_s - path.lstat().st_mtime
            if path.is_dir() and not path.is_symlink():
                if age_s > _DAY_S:  # a task may be about to write into a new one
                    path.rmdir()
            elif age_s > LOG_DAYS * _DAY_S:
                path.unlink()
