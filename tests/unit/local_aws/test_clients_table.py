"""Checks the table of `make client-test`: a client's reports against the list of steps."""

import importlib.util
import sys
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[2] / "clients"
STEPS = [
    {"step": "upload", "clients": ["boto3"]},
    {"step": "train", "clients": ["boto3"], "client_faults": {"boto3": "its waiter gives up"}},
    {"step": "tune", "clients": ["aws-cli"]},
]
PASSED, FAILED = {"problem": "", "seconds": 1.5}, {"problem": "ValueError: no", "seconds": 1.0}


@pytest.fixture
def run(monkeypatch):
    """tests/clients/run.py, which is started as a program."""
    monkeypatch.syspath_prepend(str(CLIENTS))
    spec = importlib.util.spec_from_file_location("run_of_clients", CLIENTS / "run.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("reports", "outcomes"),
    [
        ({"upload": PASSED, "train": FAILED}, ["passed", "client's own fault"]),
        ({"upload": FAILED, "train": FAILED}, ["FAULT", "client's own fault"]),
        ({"train": FAILED}, ["FAULT", "client's own fault"]),
        ({"upload": PASSED, "train": PASSED}, ["passed", "FAULT"]),
        ({"upload": PASSED}, ["passed", "FAULT"]),
    ],
    ids=["as marked", "a fault", "not reached", "marked but passed", "marked and not reached"],
)
def test_a_step_passes_or_is_marked_as_the_clients_own_fault(run, reports, outcomes):
    rows = list(run.compared("boto3", "1.0", reports=reports, steps=STEPS))

    assert [row.step for row in rows] == ["upload", "train"]
    assert [row.outcome for row in rows] == outcomes


def test_the_table_counts_what_each_client_did(run):
    rows = list(run.compared("boto3", "1.0", reports={"upload": PASSED, "train": FAILED}, steps=STEPS))

    last = run.table(rows).splitlines()[-1]

    assert last == "boto3: 1 passed, 1 client's own fault, 0 explained deviation, 0 FAULT"
