"""Sets Airflow's configuration and Hypothesis's settings, which the first import reads, and garbage collection."""

import gc
import os
import tempfile
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).parents[1]

_airflow_home = tempfile.TemporaryDirectory(prefix="airflow-tests-", ignore_cleanup_errors=True)  # until the tests end
for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "IMAGE_CLASSIFIER_"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": _airflow_home.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}

# How long an example takes says how much the machine has to do, and nothing about the code.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collection, and collect less often: that took a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
