"""Parses Dag files as Airflow's Dag processor does, errors of serialization included."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.dag_processing.processor import _serialize_dags
from airflow.sdk import DAG

DAGS = Path(__file__).parents[2] / "dags"


@dataclass(frozen=True)
class Parsed:
    """What the processor sends to the database: Dags that could be serialized, and import errors by file."""

    dags: dict[str, DAG]
    serialized: dict[str, dict[str, Any]]
    import_errors: dict[str, str]


def _parse(folder: Path = DAGS) -> Parsed:
    bag = BundleDagBag(str(folder), bundle_path=folder, bundle_name="dags-folder")
    serialized, errors = _serialize_dags(bag, structlog.get_logger())
    by_id = {dag.dag_id: dag.data["dag"] for dag in serialized}
    return Parsed({name: bag.dags[name] for name in by_id}, by_id, {**bag.import_errors, **errors})


@pytest.fixture(scope="session")
def shipped() -> Parsed:
    """The Dags of the repository as it is."""
    return _parse()


@pytest.fixture(scope="session")
def parsed() -> Callable[[Path], Parsed]:
    """Parse the Dag files of a folder."""
    return _parse


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Parsed]:
    """Parse with classifier files of one's own, given as folders."""

    def parse_folders(*folders: Path) -> Parsed:
        monkeypatch.setenv("IMAGE_CLASSIFIER_CLASSIFIERS", os.pathsep.join(map(str, folders)))
        return _parse()

    return parse_folders
