"""The provider's endpoint operator, told to update an endpoint: the baseline of our shipped Dag's deploy_endpoint."""

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
