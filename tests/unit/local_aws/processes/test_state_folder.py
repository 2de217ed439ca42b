"""Checks that one process at a time holds a state folder's lock, and that the folder is its owner's alone."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.errors import StateInUseError
from local_aws.processes.state_folder import StateLock, make_private, write_atomically

INCLUDE = Path(__file__).parents[4] / "include"


@pytest.fixture
def lock(tmp_path: Path) -> StateLock:
    return StateLock(tmp_path, name="server")


def test_a_second_process_is_refused_with_the_id_of_the_first(lock: StateLock) -> None:
    with lock.held(), pytest.raises(StateInUseError, match=rf"Another process \({os.getpid()}\) works in"), lock.held():
        pass


def test_the_holder_is_known_while_it_holds_the_lock(lock: StateLock) -> None:
    assert lock.holder() is None
    with lock.held():
        assert lock.holder() == os.getpid()
    assert lock.holder() is None


def test_a_process_id_without_a_lock_is_not_a_holder(lock: StateLock, tmp_path: Path) -> None:
    with lock.held():
        pass
    (tmp_path / "server.pid").write_text("1")

    assert lock.holder() is None


def test_two_processes_that_test_the_lock_do_not_see_each_other(lock: StateLock, tmp_path: Path) -> None:
    (tmp_path / "server.pid").write_text("1")

    with (tmp_path / "server.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert lock.holder() is None


def test_a_holder_that_has_not_written_its_id_yet_is_unknown(lock: StateLock, tmp_path: Path) -> None:
    with (tmp_path / "server.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lock.holder() is None


def test_the_lock_of_a_process_that_was_killed_is_free(lock: StateLock, tmp_path: Path) -> None:
    program = (
        f"import os, pathlib; from local_aws.processes.state_folder import StateLock\n"
        f"with StateLock(pathlib.Path({str(tmp_path)!r}), name='server').held(): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(INCLUDE)}, check=False)
    assert (tmp_path / "server.pid").exists()

    with lock.held():
        assert lock.holder() == os.getpid()


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.json", "old")
    write_atomically(tmp_path / "a.json", "new")

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "new")]


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
    with StateLock(tmp_path / "new" / "state", name="server").held():
        assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.json"
    write_atomically(file, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, "new")

    assert [found.name for found in tmp_path.iterdir()] == ["keys.json"]
    assert file.read_text() == "old"


def test_an_empty_file_of_the_holders_id_is_no_error(lock: StateLock, tmp_path: Path) -> None:
    with lock.held():
        (tmp_path / "server.pid").write_text("")
        assert lock.holder() is None
