"""One local AWS per folder, and a file that is either whole or not there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.errors import StateInUseError
from local_aws.state_folder import ReadyFile, locked, make_private

INCLUDE = Path(__file__).parents[3] / "include"


def test_the_folder_is_kept_to_one_process_and_the_other_is_told_which(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(StateInUseError) as caught, locked(tmp_path):
        pass
    assert f"process {os.getpid()}" in str(caught.value)
    assert "--state" in str(caught.value)


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    program = (
        f"import os, pathlib; from local_aws.state_folder import locked\n"
        f"with locked(pathlib.Path({str(tmp_path)!r})): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(INCLUDE)}, check=False)
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_ready_json_appears_whole_and_goes(tmp_path: Path) -> None:
    ready = ReadyFile(tmp_path)
    ready.write({"pid": 1})
    assert json.loads(ready.path.read_text()) == {"pid": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
    ready.remove()
    ready.remove()
    assert not ready.path.exists()


def test_what_an_older_version_left_open_is_closed_to_other_users(tmp_path: Path) -> None:
    state, outside = tmp_path / "state", tmp_path / "outside"
    (state / "objects").mkdir(parents=True)
    (state / "objects" / "image").touch()
    (state / "objects" / "program").touch(mode=0o755)
    outside.touch()
    (state / "link").symlink_to(outside)
    for path, mode in ((state, 0o755), (state / "objects", 0o2775), (state / "objects/image", 0o644), (outside, 0o644)):
        path.chmod(mode)

    make_private(state)

    found = {path.name: path.stat().st_mode & 0o7777 for path in (state, *state.rglob("*"))}
    assert found == {"state": 0o700, "objects": 0o700, "image": 0o600, "program": 0o700, "link": 0o644}


def test_a_new_state_folder_is_closed_to_other_users(tmp_path: Path) -> None:
    with locked(tmp_path / "new" / "state"):
        assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700
