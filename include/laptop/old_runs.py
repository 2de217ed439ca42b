"""Removes old runs of the Dag `image_classifier_watch`, by which Airflow's database grows by 4 MB a day."""

import subprocess
from datetime import UTC, datetime, timedelta

from laptop.airflow_api import AirflowApi
from laptop.airflow_settings import configuration
from laptop.old_logs import LOG_DAYS
from laptop.place import AIRFLOW_PYTHON, ROOT, LaptopError, Place
from local_aws.processes.supervisor import log_end

WATCH = "image_classifier_watch"
_CLEAN = ("db", "clean", "--yes", "--skip-archive", "--dag-ids", WATCH)
_TABLES = ("--tables", "dag_run,task_instance,task_instance_history,xcom,log")
_BATCHES = ("--batch-size", "100")  # SQLite is locked while one is removed


def remove_old_runs(place: Place) -> None:
    """Remove the watch Dag's runs that began more than `LOG_DAYS` days ago, but for the last scheduled one.

    Raises:
        LaptopError: Airflow does not answer, or has removed none.

    """
    before = (datetime.now(UTC) - timedelta(days=LOG_DAYS)).isoformat(timespec="seconds")
    airflow = AirflowApi(place)
    found = _count(airflow, before)
    if found <= 1:
        return  # the command takes as long as a start of Airflow
    command = [str(AIRFLOW_PYTHON), "-m", "airflow", *_CLEAN, "--clean-before-timestamp", before, *_TABLES, *_BATCHES]
    file = place.logs / "airflow-db-clean.log"
    with file.open("wb") as log:
        subprocess.run(command, env=configuration(place), cwd=ROOT, stdout=log, stderr=log, check=False)
    # The exit status says nothing: Airflow 3.3.2 fails on the table of deadlines, which has no column of Dags.
    if _count(airflow, before) >= found:
        raise LaptopError(f"Airflow has not removed old runs of {WATCH}. The end of {file}:\n{log_end(file)}")


def _count(airflow: AirflowApi, before: str) -> int:
    """Return how many runs began before then."""
    old = {"dag_ids": [WATCH], "start_date_lte": before, "page_limit": 1}
    return int(airflow.call("POST", "/api/v2/dags/~/dagRuns/list", old)["total_entries"])
