"""Checks that the keys of a local AWS are made once, and again if their file is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.keys import Keys


def test_the_root_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = Keys(tmp_path).root()

    assert Keys(tmp_path).root() == made
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", '{"root": {"acc'])
def test_keys_whose_file_was_cut_off_are_made_again(text: str, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(text)

    made = Keys(tmp_path).root()

    assert Keys(tmp_path).root() == made
