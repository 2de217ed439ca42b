"""What a client's program reports: a line of JSON for each step, read by run.py. Standard library only.

Used inside the environments of the clients, which have nothing of this project.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "STEP "
WAIT_S = 300.0


class StepFailedError(Exception):
    """What the client saw is not what the step expects."""


def configuration() -> dict[str, Any]:
    """What run.py prepared.

    Keys: ``bucket``, ``role``, ``image``, ``counting_image``, ``prefix`` (of names and keys), ``data`` (a folder),
    ``hyperparameters``.
    """
    found: dict[str, Any] = json.loads(Path(os.environ["CLIENT_TEST_CONFIGURATION"]).read_text())
    return found


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Report a step as passed, or as failed with the error's first line; the steps after it go on."""
    begin, problem = time.monotonic(), ""
    try:
        yield
    except Exception as error:  # noqa: BLE001  a client may raise anything, and the next steps are to be tried
        traceback.print_exc(file=sys.stderr)
        lines = f"{type(error).__name__}: {error}".strip().splitlines()
        problem = " ".join(lines[:3])[:500]
    seconds = round(time.monotonic() - begin, 1)
    print(MARK + json.dumps({"step": name, "problem": problem, "seconds": seconds}), flush=True)


def expect(found: object, wanted: object, *, what: str) -> None:
    """Fail the step unless a value is as it must be."""
    if found != wanted:
        raise StepFailedError(f"{what} is {found!r}, expected {wanted!r}")


def until(look: Any, *, what: str) -> Any:
    """What `look` returns as soon as it is true."""
    deadline = time.monotonic() + WAIT_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise StepFailedError(f"{what} did not come within {WAIT_S:.0f} s")
        time.sleep(0.5)
    return found


def predictions(body: bytes | str) -> list[float]:
    """The output of a transform job for an image: a JSON line with the list, as AWS's notebooks read it."""
    return probabilities(json.dumps(json.loads(body)["prediction"]))


def probabilities(body: bytes | str) -> list[float]:
    """The answer to an image: a JSON list with a probability for each of the two classes."""
    values = [float(value) for value in json.loads(body)]
    expect(len(values), 2, what="the number of probabilities")
    expect(round(sum(values), 3), 1.0, what="the sum of the probabilities")
    return values
