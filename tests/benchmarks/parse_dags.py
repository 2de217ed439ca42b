"""What the Dag files cost to load: against bare imports of the provider (at most 1.5), and with 100 classifiers (1.1).

Each figure is taken in a forked process, as Airflow's Dag processor and workers fork theirs from one that has imported
Airflow. The sides take turns, so that whatever else the machine does falls on both.

PYTHONPATH=include:plugins .venv/airflow/bin/python tests/benchmarks/parse_dags.py [FORKS]
"""

import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
DAG_FILE = ROOT / "dags/train_and_deploy_dag.py"
OTHERS = sorted({*(ROOT / "dags").glob("*_dag.py")} - {DAG_FILE})  # one Dag each, for all classifiers
SHIPPED = ROOT / "include/classifiers/digits.yaml"
CLASSIFIERS = 100
sys.dont_write_bytecode = False  # whatever the environment says: a deployment has the bytecode of its files
os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="airflow-benchmark-"),
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAG_FILE.parent),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
}

from airflow.dag_processing import processor  # noqa: E402, F401 - Airflow reads its configuration when it is imported
from airflow.dag_processing.dagbag import BundleDagBag  # noqa: E402
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager  # noqa: E402
from airflow.sdk.execution_time import task_runner  # noqa: E402, F401
from measured import in_forks, load  # noqa: E402


def imports() -> None:
    """The provider's operators that the Dag file extends, and boto3."""
    for module in ("lambda_function", "s3", "sagemaker"):
        importlib.import_module(f"airflow.providers.amazon.aws.operators.{module}")
    importlib.import_module("boto3")


def parse(classifiers: Path, *, file: Path = DAG_FILE) -> None:
    """Load a Dag file as the Dag processor does."""
    os.environ["IMAGE_CLASSIFIER_CLASSIFIERS"] = str(classifiers)
    bag = BundleDagBag(str(file), safe_mode=False, load_op_links=False, bundle_path=file.parent)
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))


def start_task(classifiers: Path) -> None:
    """Load the Dag file as a task's process does: with the Dag and the task that it is for."""
    with _airflow_parsing_context_manager(dag_id="digits_train_and_deploy", task_id="train.train_model"):
        parse(classifiers)


def folder_of(number: int) -> Path:
    """A folder of that many classifier files, among them digits.yaml."""
    folder = Path(tempfile.mkdtemp(prefix="classifiers-"))
    for name in ["digits", *(f"digits-{index}" for index in range(1, number))]:
        shutil.copy(SHIPPED, folder / f"{name}.yaml")
    return folder


def main(forks: int) -> None:
    """Print the medians and their ratios."""
    one, many = folder_of(1), folder_of(CLASSIFIERS)
    sides: dict[str, Callable[[], None]] = {
        "bare imports": imports,
        "Dag file, 1 classifier": lambda: parse(one),
        "task, 1 classifier": lambda: start_task(one),
        f"task, {CLASSIFIERS} classifiers": lambda: start_task(many),
        **{file.name: partial(parse, one, file=file) for file in OTHERS},
    }
    print(f"Median of {forks} forked processes each, in turn; {load()}.")
    medians = in_forks(sides, forks=forks)
    for name, (wall_s, cpu_s) in medians.items():
        print(f"{name:25} {wall_s * 1000:6.0f} ms, CPU {cpu_s * 1000:6.0f} ms")
    bare, dag, single, hundred, *others = (cpu_s for _, cpu_s in medians.values())
    print(f"Dag file / bare imports: {dag / bare:.2f} (at most 1.5), others {max(others) / bare:.2f} at most")
    print(f"task with {CLASSIFIERS} classifiers / with 1: {hundred / single:.2f} (at most 1.1)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
