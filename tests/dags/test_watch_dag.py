"""Checks that the watch Dag is enabled by default, and that its checks do not wait for each other."""

from datetime import timedelta

import pytest
from airflow.utils.types import DagRunType


@pytest.fixture
def dag(shipped):
    return shipped.dags["image_classifier_watch"]


def test_it_runs_every_ten_minutes_once_at_a_time(dag):
    assert dag.schedule == timedelta(minutes=10)
    assert (dag.is_paused_upon_creation, dag.catchup, dag.max_active_runs) == (False, False, 1)
    assert {one.value for one in dag.allowed_run_types} == {one.value for one in DagRunType} - {"backfill"}


def test_there_is_one_task_per_classifier_after_the_failure_queue(dag):
    assert dag.get_task("watch_classifier").is_mapped
    assert dag.get_task("watch_classifier").upstream_task_ids == {"classifiers", "drain_failure_queue"}


def test_runs_that_corrections_start_have_own_names_and_start_once(dag):
    retrain = dag.get_task("retrain")

    assert retrain.is_mapped
    assert retrain.upstream_task_ids == {"runs_for_corrections"}
    assert retrain.partial_kwargs["skip_when_already_exists"] is True
    for callback in ("on_success_callback", "on_skipped_callback"):  # and after no failure: the next run tries it again
        assert [called.__name__ for called in retrain.partial_kwargs[callback]] == ["remember_run"]


def test_a_failed_check_does_not_keep_another_from_running(dag):
    assert dag.get_task("watch_classifier").trigger_rule == "all_done"
    for task_id in ("stop_orphaned_jobs", "check_endpoints_wanted", "drain_failure_queue"):
        assert dag.get_task(task_id).upstream_task_ids == set()
