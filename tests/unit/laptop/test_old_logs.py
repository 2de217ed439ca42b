"""Checks which logs of Airflow are removed."""

from __future__ import annotations

import os
from pathlib import Path

from laptop.old_logs import LOG_DAYS, remove_old_logs

NOW_S = 1_764_500_000.0
DAY_S = 86_400


def file(path: Path, *, age_days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("line")
    age(path, age_days)
    return path


def age(path: Path, age_days: float) -> None:
    os.utime(path, (NOW_S - age_days * DAY_S,) * 2)


def test_old_logs_are_removed_and_later_their_folders(tmp_path: Path) -> None:
    old = file(tmp_path / "dag_id=d/run_id=old/task_id=t/attempt=1.log", age_days=LOG_DAYS + 1)
    new = file(tmp_path / "dag_id=d/run_id=new/task_id=t/attempt=1.log", age_days=LOG_DAYS - 1)

    remove_old_logs(tmp_path, now_s=NOW_S)

    assert (old.exists(), old.parent.exists(), new.exists()) == (False, True, True)
    for folder in (old.parent, old.parents[1]):
        age(folder, 2)
        remove_old_logs(tmp_path, now_s=NOW_S)
    assert not old.parents[1].exists()
    assert new.exists()


def test_an_empty_folder_that_a_task_has_just_made_is_left(tmp_path: Path) -> None:
    (tmp_path / "run_id=new").mkdir()
    age(tmp_path / "run_id=new", 0.1)

    remove_old_logs(tmp_path, now_s=NOW_S)

    assert (tmp_path / "run_id=new").exists()
