"""The same request to our operators of tuning and transform jobs and to the provider's, waiting on a worker.

Four Dags of one task, `<side>_<kind>`: the run's conf holds the operator's config. What differs is the operator alone.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTransformOperator, SageMakerTuningOperator
from airflow.sdk import DAG

from image_classifier_airflow.operators.transform import TransformJobOperator
from image_classifier_airflow.operators.tuning import TuningJobOperator
from image_classifier_airflow.retries import RETRY_POLICY

LOOK_S = 1
OURS: dict[str, Any] = {"poll_interval_s": LOOK_S, "retry_policy": RETRY_POLICY}
STOCK: dict[str, Any] = {"check_interval": LOOK_S}
OPERATORS: dict[str, tuple[type, dict[str, Any]]] = {
    "ours_tuning": (TuningJobOperator, OURS),
    "stock_tuning": (SageMakerTuningOperator, STOCK),
    "ours_transform": (TransformJobOperator, OURS),
    "stock_transform": (SageMakerTransformOperator, STOCK),
}

for dag_id, (operator, arguments) in OPERATORS.items():
    with DAG(
        dag_id=dag_id,
        schedule=None,
        params={"config": {}},
        render_template_as_native_obj=True,
        default_args={"retries": 2, "retry_delay": timedelta(seconds=3)},
    ):
        operator(task_id="job", config="{{ params.config }}", deferrable=False, **arguments)
