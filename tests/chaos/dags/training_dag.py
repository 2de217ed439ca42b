"""The same request to our training operator and to the provider's, waiting in the triggerer and on a worker.

Four Dags of one task, `<side>_<where it waits>`: the run's conf holds the request. What differs is the operator alone.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import DAG

from image_classifier_airflow.operators.training import TrainingJobOperator
from image_classifier_airflow.retries import RETRY_POLICY

LOOK_S = 1
SIDES: dict[str, tuple[type, dict[str, Any]]] = {
    "ours": (TrainingJobOperator, {"poll_interval_s": LOOK_S, "retry_policy": RETRY_POLICY}),
    "stock": (SageMakerTrainingOperator, {"check_interval": LOOK_S, "print_log": False}),
}

for side, (operator, arguments) in SIDES.items():
    for waits in ("deferred", "on_worker"):
        with DAG(
            dag_id=f"{side}_{waits}",
            schedule=None,
            params={"request": {}},
            render_template_as_native_obj=True,
            default_args={"retries": 2, "retry_delay": timedelta(seconds=3)},
        ):
            operator(
                task_id="train",
                config="{{ params.request }}",
                deferrable=waits == "deferred",
                **arguments,
            )
