"""Updates an endpoint with the provider's operator, as a baseline for deploy_endpoint of the shipped Dag."""

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerEndpointOperator
from airflow.sdk import DAG

with DAG(
    dag_id="stock_endpoint",
    schedule=None,
    params={"request": {}},
    render_template_as_native_obj=True,
    default_args={"retries": 0},
):
    SageMakerEndpointOperator(
        task_id="deploy",
        config="{{ params.request }}",
        operation="update",
        check_interval=5,
        deferrable=True,
    )
