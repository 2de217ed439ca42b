"""The net is up without anyone putting it up, and its two tasks do not wait for each other."""

from datetime import timedelta

import pytest


@pytest.fixture
def dag(shipped):
    return shipped.dags["image_classifier_reaper"]


def test_it_runs_by_itself_every_ten_minutes_once_at_a_time(dag):
    assert dag.schedule == timedelta(minutes=10)
    assert (dag.is_paused_upon_creation, dag.catchup, dag.max_active_runs) == (False, False, 1)


def test_an_endpoint_that_nobody_wants_does_not_keep_jobs_running(dag):
    assert dag.task_ids == ["stop_orphaned_jobs", "check_endpoints_wanted"]
    assert [task.upstream_task_ids for task in dag.tasks] == [set(), set()]
