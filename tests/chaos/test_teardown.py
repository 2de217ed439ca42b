"""Checks that a teardown at any point of a run leaves no billed resource."""

import pytest
from tests.chaos.airflow_runs import Run, until

from image_classifier.aws.names import endpoint_name

pytestmark = pytest.mark.timeout(900)


def torn_down(airflow, aws, classifier: str, run: Run) -> tuple[bool, str]:
    """Run the shipped Dag; once the torn run has ended as well, list what carries the classifier's tag."""
    conf = {"classifier": classifier, "confirm": classifier, "even_while_active": True}
    state = airflow.ordered_run("image_classifier_teardown", f"of-{classifier}", conf=conf).await_end()
    ended = run.await_end()
    left = aws.billable(classifier)
    found = f"teardown {state}, the run itself {ended}; left: {', '.join(left) or 'nothing'}"
    return state == "success" and not left, found


def status(aws, classifier: str) -> str:
    listed = aws.sagemaker.list_endpoints(NameContains=endpoint_name(classifier))["Endpoints"]
    return next((found["EndpointStatus"] for found in listed), "")


def test_a_teardown_while_the_model_trains_leaves_nothing_that_costs(airflow, aws, faults, row):
    faults({"fault": "slow_download", "seconds": 600, "where": {"TrainingJobName": "*-training-*"}})
    run = airflow.ordered_run("training_train_and_deploy", "torn", conf={})
    run.await_task("train.train_model", ["deferred"], seconds=400)

    row.check_ours(*torn_down(airflow, aws, "training", run))


def test_a_teardown_during_the_endpoints_creation_leaves_no_cost(airflow, aws, faults, row):
    faults({"fault": "slow_endpoint", "seconds": 45, "where": {"EndpointName": endpoint_name("creating")}})
    run = airflow.ordered_run("creating_train_and_deploy", "torn", conf={})
    until(lambda: status(aws, "creating") == "Creating", seconds=600, what="the endpoint's creation")

    row.check_ours(*torn_down(airflow, aws, "creating", run))


def test_a_teardown_during_the_endpoints_update_leaves_no_cost(airflow, aws, seed, faults, row):
    faults({"fault": "slow_endpoint", "seconds": 45, "where": {"EndpointName": endpoint_name("seed")}})
    run = airflow.ordered_run("seed_train_and_deploy", "torn", conf={"epochs": 4})
    until(lambda: status(aws, "seed") == "Updating", seconds=600, what="the endpoint's update")

    row.check_ours(*torn_down(airflow, aws, "seed", run))


def test_a_teardown_during_the_functions_deployment_leaves_no_cost(airflow, aws, first_run, row):
    second = first_run("second")
    second.clear("connect.deploy_function")
    second.await_task("connect.deploy_function", ["running"], tries=2)

    row.check_ours(*torn_down(airflow, aws, "second", second))
