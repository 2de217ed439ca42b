"""Checks that only the expected functions of MiniStack are replaced."""

from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

from local_aws.errors import MinistackChangedError
from local_aws.faults.counting import Faults
from local_aws.ministack.patches import iam_patches, patches
from local_aws.ministack.patching import Patch, apply, difference, source_sha256


def original() -> str:
    return "original"


@pytest.fixture
def module() -> Any:
    made = ModuleType("ministack.made_up")
    made.original = original  # type: ignore[attr-defined]
    return made


def patch(module: ModuleType, **changes: Any) -> Patch:
    settings = {
        "name": "original",
        "source_sha256": source_sha256(original),
        "replacement": lambda _: lambda: "patched",
    }
    return Patch(module=module, **{**settings, **changes})


def test_what_is_as_it_was_is_replaced(module: Any) -> None:
    apply([patch(module)])
    assert module.original() == "patched"


def test_a_replacement_may_use_the_original(module: Any) -> None:
    apply([patch(module, replacement=lambda first: lambda: first() + " and more")])
    assert module.original() == "original and more"


def test_a_changed_or_absent_function_stops_the_start_without_patches(module: Any) -> None:
    changed, gone = patch(module, source_sha256="0123456789abcdef"), patch(module, name="gone")
    with pytest.raises(MinistackChangedError) as caught:
        apply([patch(module), changed, gone])
    assert "ministack.made_up.original has changed" in str(caught.value)
    assert "ministack.made_up.gone is gone" in str(caught.value)
    assert module.original() == "original"


def test_the_installed_ministack_is_the_one_the_patches_were_written_for() -> None:
    found = [
        *patches(mock.MagicMock(), journal=mock.MagicMock(), faults=Faults()),
        *iam_patches(mock.MagicMock(), keys=Path("keys.json")),
    ]
    assert len(found) == 60
    assert [problem for item in found if (problem := difference(item))] == []
