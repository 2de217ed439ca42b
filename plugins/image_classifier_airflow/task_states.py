"""Reads from Airflow's API the states of tasks and runs, and whether another try of a task will follow."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowRuntimeError

from image_classifier.aws.jobs.owners import Owner

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

log = logging.getLogger(__name__)

# No try of the task follows these.
FINISHED = {"success", "failed", "skipped", "upstream_failed", "removed"}
ASKS = "promote.ask"  # the task that waits for a person's answer
ACTIVE = ["running", "queued"]  # states of a run that may still change the deployment
# In these states a try runs or will run. "restarting" is not one: a user cleared the task while it ran.
GOES_ON = {"running", "queued", "scheduled", "deferred", "up_for_retry", "up_for_reschedule", None}


def owner(task_instance: "RuntimeTaskInstanceProtocol") -> Owner:
    """Return the task as the owner of a job."""
    index = task_instance.map_index
    suffix = "" if index is None or index < 0 else f"_{index}"
    return Owner(task_instance.dag_id, task_instance.run_id, f"{task_instance.task_id}{suffix}")


def is_given_up(task_instance: "RuntimeTaskInstanceProtocol") -> bool:
    """Return whether a user ended this task while it runs; False also if Airflow does not answer."""
    owner_task = owner(task_instance)
    try:
        states = states_of_run(task_instance, dag_id=owner_task.dag_id, run_id=owner_task.run_id)
    except AirflowRuntimeError as error:
        log.warning("Airflow does not say whether this task is still wanted: %s", error)
        return False
    return owner_task.task not in states or states[owner_task.task] not in GOES_ON


def runs_at_work(task_instance: "RuntimeTaskInstanceProtocol", *, dag_id: str) -> int:
    """Count the active runs of the Dag, except those that wait for a person's answer and so change nothing."""
    active = task_instance.get_dr_count(dag_id=dag_id, states=ACTIVE)
    waiting = task_instance.get_ti_count(dag_id=dag_id, task_ids=[ASKS], states=["awaiting_input"]) if active else 0
    return active - waiting


def states_of_run(
    task_instance: "RuntimeTaskInstanceProtocol", *, dag_id: str, run_id: str
) -> Mapping[str, str | None]:
    """Return the states of a run's tasks by task id; empty if the run does not exist."""
    states: dict[str, dict[str, str | None]] = task_instance.get_task_states(dag_id=dag_id, run_ids=[run_id])
    return states.get(run_id, {})
