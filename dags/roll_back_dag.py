"""# Go back to an earlier model

Deploys an earlier model of the registry again, even if its endpoint config was deleted. Labels, pixel parameters and
model change together, because the function reads them for the model that answers.

1. `plan` finds the version by its number or training job; the default is the newest approved version that is not live.
   It changes nothing. It fails while a run of the classifier's own Dag is active, or if the model's artifact was
   deleted.
2. The next tasks deploy model, endpoint config and endpoint, invoke the endpoint with a known image, and deploy the
   function.
3. `mark_versions` approves the version and rejects the one that was live before, with the reason.

Scheduled and unchanged runs do not promote the rejected model again; changed images or settings train another one. To
deploy the rejected model again, run this Dag with it, or the classifier's own Dag with `promote_version`.

**Safe to repeat**: a run that is cleared as a whole deploys the same version again. To go back one version further,
start a new run.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, chain

from image_classifier.classifier import classifier_files, classifier_folders
from image_classifier_airflow.assets import CHANGES
from image_classifier_airflow.operators.function import LambdaFunctionOperator
from image_classifier_airflow.operators.hosting import EndpointConfigOperator, EndpointOperator, ModelOperator
from image_classifier_airflow.params import roll_back_params
from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import roll_back as steps
from image_classifier_airflow.steps import step

with DAG(
    dag_id="image_classifier_roll_back",
    description="Deploys an earlier model of the registry again.",
    schedule=None,
    is_paused_upon_creation=False,  # it runs only if a person starts it, who should not wait
    catchup=False,
    max_active_runs=1,
    params=roll_back_params(classifier_files(classifier_folders())),
    default_args={
        "owner": "image-classifier",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=1),
    },
    doc_md=__doc__,
    tags=["image-classifier"],
):
    plan = step(steps.plan, multiple_outputs=True)()
    conn: Any = {"aws_conn_id": plan["aws_conn_id"]}
    function = LambdaFunctionOperator(task_id="deploy_function", config=plan["function"], **conn)
    chain(
        ModelOperator(task_id="create_model", config=plan["model"], **conn),
        EndpointConfigOperator(task_id="create_endpoint_config", config=plan["endpoint_config"], **conn),
        EndpointOperator(task_id="deploy_endpoint", config=plan["endpoint"], sample=plan["sample"], **conn),
        function,
        step(steps.record_deployment, outlets=[CHANGES])(function.output, plan),
        step(steps.mark_versions)(plan),
    )
