"""# Delete a classifier's resources

Deletes everything that `<classifier>_train_and_deploy` created: first the trigger, then what costs, then stored
objects.

1. `list_resources` logs the resources that will be deleted, and deletes nothing. It fails while a run of the
   classifier's own Dag is active, or its schedule is on, because these would create everything again.
2. The next tasks delete the event notification, stop jobs, and delete function, endpoint, endpoint configs, models and
   logs. They wait for resources that are being created or changed, which AWS does not delete before.
3. `delete_objects` deletes every version of every object of the classifier, except what the form says to keep.
4. `check_nothing_costs` fails while a run is active that may create resources, deletes what such a run has created in
   the meantime, and fails if anything is left.

**Type the classifier's name twice** in the trigger form. **Safe to repeat**: resources that are deleted already are
skipped. Only resources with the classifier's name and the tag `image-classifier: <classifier>` are deleted. The bucket,
the roles and the failure queue belong to the deployment and stay; so do the descriptions of past jobs, which AWS keeps
free of charge. `even_while_active` skips the first check: the training job is stopped and the endpoint is
deleted during the run, whose tasks then fail and are not retried.
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
    description="Lists and deletes all resources of one classifier.",
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
