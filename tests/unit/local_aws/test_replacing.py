"""A function of MiniStack is replaced only if it is the function that was read."""

from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

from local_aws.errors import MinistackChangedError
from local_aws.faults.counting import Faults
from local_aws.ministack.cures import cures, iam_cures
from local_aws.ministack.replacing import Cure, apply, difference, source_sha256


def original() -> str:
    return "original"


@pytest.fixture
def module() -> Any:
    made = ModuleType("ministack.made_up")
    made.original = original  # type: ignore[attr-defined]
    return made


def cure(module: ModuleType, **changes: Any) -> Cure:
    settings = {"name": "original", "source_sha256": source_sha256(original), "replacement": lambda _: lambda: "cured"}
    return Cure(module=module, **{**settings, **changes})


def test_what_is_as_it_was_is_replaced(module: Any) -> None:
    apply([cure(module)])
    assert module.original() == "cured"


def test_a_replacement_may_use_the_original(module: Any) -> None:
    apply([cure(module, replacement=lambda first: lambda: first() + " and more")])
    assert module.original() == "original and more"


def test_what_has_changed_or_is_gone_stops_the_start_and_nothing_is_replaced(module: Any) -> None:
    changed, gone = cure(module, source_sha256="0123456789abcdef"), cure(module, name="gone")
    with pytest.raises(MinistackChangedError) as caught:
        apply([cure(module), changed, gone])
    assert "ministack.made_up.original has changed" in str(caught.value)
    assert "ministack.made_up.gone is gone" in str(caught.value)
    assert module.original() == "original"


def test_the_installed_ministack_is_the_one_the_cures_were_written_for() -> None:
    found = [*cures(mock.MagicMock(), faults=Faults()), *iam_cures(mock.MagicMock(), keys=Path("keys.json"))]
    assert len(found) == 34
    assert [problem for item in found if (problem := difference(item))] == []
