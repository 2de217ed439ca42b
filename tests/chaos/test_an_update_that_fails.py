"""Checks that an update that SageMaker rolls back fails the task, and that no client of the endpoint gets an error."""

import pytest
from tests.chaos.airflow_runs import FINISHED, until
from tests.chaos.traffic import Traffic

from image_classifier.aws.names import endpoint_name

pytestmark = pytest.mark.timeout(900)

STOCK = "stock-endpoint"
FEWEST_CALLS = 1000


@pytest.fixture
def stock_endpoint(aws, seed):
    """An endpoint that serves what ours serves."""
    config = aws.sagemaker.describe_endpoint(EndpointName=endpoint_name("seed"))["EndpointConfigName"]
    aws.sagemaker.create_endpoint(EndpointName=STOCK, EndpointConfigName=config)
    until(
        lambda: aws.sagemaker.describe_endpoint(EndpointName=STOCK)["EndpointStatus"] == "InService",
        seconds=300,
        what="an endpoint for the baseline",
    )
    yield config
    aws.sagemaker.delete_endpoint(EndpointName=STOCK)


def test_an_update_that_rolls_back_is_red_and_loses_no_request(
    airflow, aws, seed, faults, row, stock_endpoint, picture
):
    ours = endpoint_name("seed")
    faults({"fault": "failed_update", "after_s": 10, "times": None})
    with Traffic(aws.sagemaker_runtime, endpoint=ours, image=picture) as traffic:
        run = airflow.ordered_run("seed_train_and_deploy", "rolls-back", conf={"epochs": 3})
        task = run.await_task("deploy.deploy_endpoint", FINISHED, seconds=400)
        until(lambda: traffic.calls >= FEWEST_CALLS, seconds=200, what=f"{FEWEST_CALLS} calls")
    serves = aws.sagemaker.describe_endpoint(EndpointName=ours)

    with row.baseline():
        planned = airflow.result(run.dag_id, run.run_id, "deploy.plan_deployment")["endpoint"]
        request = {"EndpointName": STOCK, "EndpointConfigName": planned["EndpointConfigName"]}
        state = airflow.ordered_run("stock_endpoint", "rolls-back", conf={"request": request}).await_end()
        row.set_stock(state == "failed", f"task {state}, though the update was taken back")
    row.check_ours(
        task == "failed"
        and serves["EndpointStatus"] == "InService"
        and serves["EndpointConfigName"] == stock_endpoint
        and len(traffic.answered) == 1
        and not traffic.failures,
        f"task {task}; {traffic.calls} calls, {len(traffic.failures)} failed, "
        f"answered by {len(traffic.answered)} model(s)",
    )
