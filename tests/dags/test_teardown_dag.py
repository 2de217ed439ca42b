from itertools import pairwise

import pytest
from airflow.sdk.exceptions import ParamValidationError


@pytest.fixture
def dag(shipped):
    return shipped.dags["image_classifier_teardown"]


def test_it_lists_first_and_deletes_in_an_order_that_creates_nothing(dag):
    assert [task.task_id for task in dag.topological_sort()] == [
        "list_resources",
        "delete_upload_trigger",  # no upload starts a function that is about to go
        "stop_training_jobs",  # a running job still writes to the bucket
        "delete_function",
        "delete_endpoint",
        "delete_endpoint_configs",  # a config must outlive its endpoint
        "delete_models",
        "delete_logs",  # after those who write them
        "delete_objects",
        "check_nothing_costs",
    ]


def test_every_task_waits_for_the_one_before(dag):
    tasks = dag.topological_sort()

    assert all(then.upstream_task_ids == {first.task_id} for first, then in pairwise(tasks))


def test_nobody_but_a_person_starts_it(dag):
    assert dag.schedule is None
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("name", ["classifier", "confirm"])
def test_the_name_has_no_default_so_nothing_is_deleted_by_a_click(dag, name):
    with pytest.raises(ParamValidationError, match="no default"):
        dag.params.get_param(name).resolve()


@pytest.mark.parametrize("name", ["", "Digits", "digits/", "*", "a" * 25])
def test_the_form_takes_only_what_may_be_a_classifiers_name(dag, name):
    with pytest.raises(ParamValidationError):
        dag.params.get_param("classifier").resolve(name)


def test_the_form_proposes_the_classifiers_there_are(dag):
    assert dag.params.get_param("classifier").schema["examples"] == ["digits"]


def test_everything_goes_unless_it_is_said_to_stay(dag):
    keep = {name: dag.params[name] for name in dag.params if name.startswith("keep_")}

    assert keep == {"keep_images": False, "keep_models": False, "keep_predictions": False}
