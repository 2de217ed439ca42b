"""Replaces single functions of MiniStack, after a check that their source is the expected one."""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from local_aws.errors import MinistackChangedError


@dataclass(frozen=True)
class Patch:
    """A function of MiniStack, the hash of the source that the patch was written for, and its replacement.

    `replacement` gets the original function, so that it can call it.
    """

    module: ModuleType
    name: str
    source_sha256: str
    replacement: Callable[[Callable[..., Any]], Callable[..., object]]

    @property
    def target(self) -> str:
        """The dotted name of the function."""
        return f"{self.module.__name__}.{self.name}"


def apply(patches: Iterable[Patch]) -> None:
    """Apply every patch, or none.

    Raises:
        MinistackChangedError: names every function that is gone or not what it was.

    """
    patches = list(patches)
    problems = [problem for patch in patches if (problem := difference(patch))]
    if problems:
        message = (
            "This MiniStack is not the one the patches in local_aws/ministack were written for. "
            f"Install the pinned version, or read the new source and adapt the patches: {'; '.join(problems)}."
        )
        raise MinistackChangedError(message)
    for patch in patches:
        setattr(patch.module, patch.name, patch.replacement(getattr(patch.module, patch.name)))


def difference(patch: Patch) -> str | None:
    """Return a text on how the function differs from the expected one, or None if it does not differ."""
    original = getattr(patch.module, patch.name, None)
    if original is None:
        return f"{patch.target} is gone"
    found = source_sha256(original)
    return None if found == patch.source_sha256 else f"{patch.target} has changed (sha256 {found})"


def source_sha256(function: Callable[..., object]) -> str:
    """Return the hash of a function's source, decorators included."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]
