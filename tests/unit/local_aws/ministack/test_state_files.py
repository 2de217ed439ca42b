"""Checks that a state is written when it changed, and that a damaged one is not written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.errors import DamagedStateError
from local_aws.ministack import state_files
from local_aws.ministack.modules import persistence


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(state_files, "_written", {})
    return tmp_path


def test_a_saved_state_is_loaded_as_it_was() -> None:
    state_files.save("s3", {"body": b"\x00\xff"})

    assert persistence.load_state("s3") == {"body": b"\x00\xff"}


def test_an_unchanged_state_is_not_written_again(folder: Path) -> None:
    state_files.save("s3", {"a": 1})
    first = (folder / "s3.json").stat().st_ino
    state_files.save("s3", {"a": 1})
    same = (folder / "s3.json").stat().st_ino
    state_files.save("s3", {"a": 2})

    assert first == same
    assert persistence.load_state("s3") == {"a": 2}


def test_a_state_that_cannot_be_written_raises_and_leaves_the_earlier(folder: Path) -> None:
    state_files.save("s3", {"a": 1})
    (folder / "s3.part").mkdir()

    with pytest.raises(OSError, match="directory"):
        state_files.save("s3", {"a": 2})

    assert persistence.load_state("s3") == {"a": 1}


@pytest.mark.parametrize("text", ["", '{"payload": {"a"'])
def test_a_damaged_state_is_named_before_the_start(text: str, folder: Path) -> None:
    (folder / "s3.json").write_text(text)

    with pytest.raises(DamagedStateError, match=r"s3\.json is damaged .* backup"):
        state_files.check(["iam", "s3"])

    assert (folder / "s3.json").read_text() == text


def test_sound_and_absent_states_are_accepted() -> None:
    state_files.save("s3", {"a": 1})

    assert state_files.check(["s3", "iam"]) is None  # type: ignore[func-returns-value]
