"""Checks that a step's task calls its function with other tasks' results and variables of Airflow's context."""

from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from botocore.exceptions import ClientError

from image_classifier.contracts.errors import AwsRefusalError
from image_classifier_airflow.operators.step import GateOperator, StepOperator
from image_classifier_airflow.steps import step


class Steps:
    def __init__(self):
        self.links = {"plan": ["a link"]}

    def plan(self, dataset, params):
        """Plans."""
        return {"dataset": dataset, "params": params}


def made(operator, function, **arguments):
    return operator(task_id="t", function=function, **arguments)


def test_the_context_fills_in_the_arguments_that_it_names():
    task = made(StepOperator, Steps().plan, arguments=["cats"])

    assert task.execute({"params": {"spot": True}, "run_id": "r"}) == {"dataset": "cats", "params": {"spot": True}}


def test_the_task_has_the_functions_name_docstring_and_links():
    with DAG("any", schedule=None):
        task = step(Steps().plan, retries=7)("cats").operator

    assert (task.task_id, task.doc_md, task.retries) == ("plan", "Plans.", 7)
    assert task.operator_extra_links == ("a link",)


def test_another_tasks_result_makes_it_an_upstream_task():
    with DAG("any", schedule=None):
        first = step(Steps().plan)("cats")
        second = made(GateOperator, len, arguments=[first])

    assert second.upstream_task_ids == {"plan"}


def test_an_error_of_aws_becomes_ours():
    def refused():
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    with pytest.raises(AwsRefusalError, match=r"^t: "):
        made(StepOperator, refused).execute({})


class Skipped(GateOperator):
    """A gate that remembers what it skips, as Airflow's API would."""

    def skip(self, ti, tasks):
        type(self).skipped = [task.task_id for task in tasks]


@pytest.mark.parametrize(("goes_on", "skipped"), [(True, []), (False, ["later", "last"])])
def test_a_gate_that_is_closed_skips_every_later_task_but_teardowns(goes_on, skipped):
    Skipped.skipped = []
    with DAG("any", schedule=None):
        tasks = [StepOperator(task_id=name, function=len) for name in ("later", "last", "tidy")]
        task = made(Skipped, lambda: goes_on)
        task >> tasks[0] >> tasks[1] >> tasks[2].as_teardown()

    assert task.execute({"task": task, "ti": SimpleNamespace()}) is goes_on
    assert sorted(Skipped.skipped) == sorted(skipped)
