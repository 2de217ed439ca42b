"""# Tear a classifier down

Deletes what `<classifier>_train_and_deploy` made: first what receives uploads, then what costs, then what is stored.

1. `list_resources` writes the list of what will be deleted into its log, and deletes nothing. It fails while a run of
   the classifier's own Dag is active, or its schedule is on: these would create everything again.
2. The event notification goes, training jobs are stopped, function, endpoint, endpoint configs, models and logs go.
   What is being created or changed is waited for: AWS lets nobody delete it before.
3. `delete_objects` removes every version of every object of the classifier, less what the form says to keep.
4. `check_nothing_costs` fails while a run is active that may create something again, deletes what such a run has
   created since, and fails if anything is left.

**Type the classifier's name twice** in the trigger form. **Safe to repeat**: what is gone stays gone. What others own
is never touched: a resource must have the classifier's name and carry the tag `image-classifier: <classifier>`. The
bucket, the roles and the failure queue belong to the deployment and stay; so does the record of past training jobs,
which AWS keeps and which costs nothing. `even_while_active` skips the first check: the training job is stopped and the
endpoint deleted under the run, whose tasks then fail and are not tried again.
"""

from datetime import timedelta

from airflow.sdk import DAG, chain

from image_classifier.classifier import classifier_files, classifier_folders
from image_classifier_airflow.params import teardown_params
from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import step
from image_classifier_airflow.steps import teardown as steps

with DAG(
    dag_id="image_classifier_teardown",
    description="Deletes everything of one classifier, after listing it.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    params=teardown_params(classifier_files(classifier_folders())),
    default_args={
        "owner": "image-classifier",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=6),
    },
    doc_md=__doc__,
    tags=["image-classifier"],
):
    chain(
        step(steps.list_resources)(),
        step(steps.delete_upload_trigger)(),
        step(steps.stop_training_jobs)(),
        step(steps.delete_function)(),
        step(steps.delete_endpoint)(),
        step(steps.delete_endpoint_configs)(),
        step(steps.delete_models)(),
        step(steps.delete_logs)(),
        step(steps.delete_objects)(),
        step(steps.check_nothing_costs, retries=10)(),  # a run whose resources were deleted may take minutes to end
    )
