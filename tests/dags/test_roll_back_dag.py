"""Checks that the endpoint is rolled back before the function, and the registry is changed last."""

import pytest


@pytest.fixture
def dag(shipped):
    return shipped.dags["image_classifier_roll_back"]


def test_a_new_dag_is_not_paused_so_a_person_s_run_starts_at_once(dag):
    assert (dag.schedule, dag.is_paused_upon_creation) == (None, False)


def test_the_tasks_follow_each_other(dag):
    order = ["create_model", "create_endpoint_config", "deploy_endpoint", "deploy_function", "record_deployment"]
    for before, after in zip(order, [*order[1:], "mark_versions"], strict=True):
        assert before in dag.get_task(after).upstream_task_ids


def test_every_task_waits_for_the_plan(dag):
    assert [task.task_id for task in dag.tasks if not task.upstream_task_ids] == ["plan"]
