"""# Train and deploy

Trains a model on labelled images and deploys it to an endpoint; then every image that is uploaded under `incoming/`
gets a prediction. There is one Dag per file in `include/classifiers/`.

| group | what it does | what it costs |
|---|---|---|
| prepare | inspects the images, uploads those that changed, writes the image lists | S3 requests |
| train | trains, or tunes; with the same images and settings it reuses the existing model | the instances |
| evaluate | scores the test images with the new model and, if needed, with the live model | minutes of an instance |
| promote | decides whether the model goes live, or asks a person; if it is refused, the run ends here | nothing |
| deploy | updates the endpoint and invokes it with known images | the endpoint, **until the teardown** |
| connect | deploys the inference function and the bucket's event notification | nothing without uploads |
| check | uploads one known image and waits for its prediction record | one request |

**Only plan** changes nothing. **Safe to repeat**: existing resources are reused. **Ending** `train_model` stops its
job. With `preparation.runner: processing` the group prepare also starts instances.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, TaskGroup, chain

from image_classifier.classifier import Classifier
from image_classifier_airflow.approval_tasks import approval_tasks
from image_classifier_airflow.assets import CHANGES, schedule_of
from image_classifier_airflow.check_tasks import checked
from image_classifier_airflow.classifiers import train_and_deploy_dag_id, usable_classifiers
from image_classifier_airflow.defaults import dag_arguments
from image_classifier_airflow.operators.function import LambdaFunctionOperator
from image_classifier_airflow.operators.hosting import EndpointConfigOperator, EndpointOperator, ModelOperator
from image_classifier_airflow.operators.notification import UploadTriggerOperator
from image_classifier_airflow.operators.training import TrainingJobOperator
from image_classifier_airflow.operators.transform import TransformJobOperator
from image_classifier_airflow.params import train_params
from image_classifier_airflow.preparation_tasks import prepared
from image_classifier_airflow.steps import gate, step
from image_classifier_airflow.steps.evaluate_and_promote import EvaluationSteps
from image_classifier_airflow.steps.train_and_deploy import Steps
from image_classifier_airflow.tuning_tasks import tuned

POLL_S = 5


def train_and_deploy(classifier: Classifier) -> DAG:
    """Build the Dag of one classifier."""
    steps, evaluation = Steps(classifier), EvaluationSteps(classifier)
    with DAG(
        train_and_deploy_dag_id(classifier.name),
        doc_md=f"{__doc__}\n\n## {classifier.name}\n\n{classifier.description}",
        schedule=schedule_of(classifier),
        **dag_arguments(classifier),
    ) as dag:
        with TaskGroup("prepare"):
            first_task, dataset = prepared(classifier)
            applied = step(steps.apply_trigger)()
            chain(gate(steps.plan, execution_timeout=timedelta(hours=12))(), [first_task, applied])
            training = step(steps.plan_training, multiple_outputs=True)(dataset)
            chain(applied, training)
            asked = {name: training[name] for name in ("config", "alternatives", "force", "accept_time_limit")}

        with TaskGroup("train"):
            train = TrainingJobOperator  # the job has its own limit, time_limit_s
            first = train(task_id="train_model", **asked, poll_interval_s=POLL_S, execution_timeout=None).output
            job = tuned(classifier, dataset, training, first)

        with TaskGroup("evaluate"):
            scoring = step(evaluation.plan_evaluation, multiple_outputs=True)(dataset, job)
            scored = [TransformJobOperator(task_id=f"score_{a}", config=scoring[a]) for a in ("candidate", "champion")]
            reported = step(evaluation.write_report)(dataset, job, training["config"], scoring)
            chain(ModelOperator(task_id="create_model", config=scoring["model"]), scored, reported)

        with TaskGroup("promote"):
            decided = gate(evaluation.decide, outlets=[CHANGES])(dataset, job, scoring)
            approved = approval_tasks(classifier, evaluation, dataset=dataset, job=job, training=training)

        with TaskGroup("deploy") as deploy:
            plan = step(steps.plan_deployment, multiple_outputs=True)(dataset, job)
            chain(
                EndpointConfigOperator(task_id="create_endpoint_config", config=plan["endpoint_config"]),
                EndpointOperator(
                    task_id="deploy_endpoint", config=plan["endpoint"], sample=plan["sample"], poll_interval_s=POLL_S
                ),
                step(steps.test_endpoint)(dataset, job),
            )

        with TaskGroup("connect") as connect:
            deployed = LambdaFunctionOperator(task_id="deploy_function", config=plan["function"], multiple_outputs=True)
            function: Any = deployed.output
            triggered = UploadTriggerOperator(
                task_id="set_upload_trigger", config=plan["upload_trigger"], function_arn=function["alias_arn"]
            )
            record = step(steps.record_deployment, outlets=[CHANGES])
            chain(triggered, record(function, plan["endpoint_config"], job))

        with TaskGroup("check") as check:
            chain(*checked(classifier, dataset=dataset, job=job))

        tidied = [step(steps.delete_unreferenced_images)(dataset), step(steps.delete_old_models)()]
        chain(reported, decided, *approved, deploy, connect, check, tidied, step(steps.report)(job, reported))
    dag.params = train_params(classifier)  # set last, because every operator would copy all params, which takes 0.1 s
    return dag


for usable in usable_classifiers():  # an invalid file becomes a separate import error
    train_and_deploy(usable)
