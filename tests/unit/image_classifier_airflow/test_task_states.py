"""Checks which runs count as able to change the deployment."""

from types import SimpleNamespace

import pytest

from image_classifier_airflow.task_states import ASKS, is_given_up, runs_at_work


def airflow(*, active, waiting):
    """What Airflow says of the Dag's runs and of the task that asks."""

    def get_ti_count(dag_id, task_ids, states):
        assert (task_ids, states) == ([ASKS], ["awaiting_input"])
        return waiting

    return SimpleNamespace(get_dr_count=lambda dag_id, states: active, get_ti_count=get_ti_count)


@pytest.mark.parametrize(("active", "waiting", "at_work"), [(0, 0, 0), (1, 0, 1), (1, 1, 0), (2, 1, 1)])
def test_a_run_that_waits_for_a_person_changes_nothing_meanwhile(active, waiting, at_work):
    assert runs_at_work(airflow(active=active, waiting=waiting), dag_id="pets_train_and_deploy") == at_work


@pytest.mark.parametrize(
    ("states", "is_over"),
    [
        ({"train": "running"}, False),
        ({"train": "up_for_retry"}, False),
        ({"train": None}, False),
        ({"train": "failed"}, True),
        ({"train": "restarting"}, True),  # a user cleared it
        ({"another": "running"}, True),  # its run was deleted, or the Dag has no such task any more
    ],
)
def test_a_task_is_given_up_once_no_try_of_it_runs_or_follows(states, is_over):
    task = SimpleNamespace(dag_id="d", run_id="r", task_id="train", map_index=-1)
    task.get_task_states = lambda *, dag_id, run_ids: {"r": states}

    assert is_given_up(task) is is_over
