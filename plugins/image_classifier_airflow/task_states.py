"""Asks Airflow which task and run this is, and whether another try of a task will follow."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowRuntimeError

from image_classifier.aws.jobs.owners import Owner

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

log = logging.getLogger(__name__)

# No try of the task comes after these.
FINISHED = {"success", "failed", "skipped", "upstream_failed", "removed"}
ASKS = "promote.ask"  # the task that waits for a person's answer
ACTIVE = ["running", "queued"]  # states of a run that may still change what is deployed
# Here a try runs, or will. Neither is "restarting": a task is that from the moment a user cleared it while it ran.
GOES_ON = {"running", "queued", "scheduled", "deferred", "up_for_retry", "up_for_reschedule", None}


def owner(task_instance: "RuntimeTaskInstanceProtocol") -> Owner:
    """The task, by the names that Airflow's task states have."""
    index = task_instance.map_index
    suffix = "" if index is None or index < 0 else f"_{index}"
    return Owner(task_instance.dag_id, task_instance.run_id, f"{task_instance.task_id}{suffix}")


def is_given_up(task_instance: "RuntimeTaskInstanceProtocol") -> bool:
    """Whether a user ended this task, which still runs; False also if Airflow does not answer."""
    owner_task = owner(task_instance)
    try:
        states = states_of_run(task_instance, dag_id=owner_task.dag_id, run_id=owner_task.run_id)
    except AirflowRuntimeError as error:
        log.warning("Airflow does not say whether this task is still wanted: %s", error)
        return False
    return owner_task.task not in states or states[owner_task.task] not in GOES_ON


def runs_at_work(task_instance: "RuntimeTaskInstanceProtocol", *, dag_id: str) -> int:
    """How many runs of the Dag may change what is deployed; one that waits for a person's answer does not."""
    active = task_instance.get_dr_count(dag_id=dag_id, states=ACTIVE)
    waiting = task_instance.get_ti_count(dag_id=dag_id, task_ids=[ASKS], states=["awaiting_input"]) if active else 0
    return active - waiting


def states_of_run(
    task_instance: "RuntimeTaskInstanceProtocol", *, dag_id: str, run_id: str
) -> Mapping[str, str | None]:
    """The states of a run's tasks, by task; empty if Airflow knows no such run."""
    states: dict[str, dict[str, str | None]] = task_instance.get_task_states(dag_id=dag_id, run_ids=[run_id])
    return states.get(run_id, {})
