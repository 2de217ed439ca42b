"""# Classify images that are already in the bucket

The trigger only classifies uploads after it was set. This Dag classifies images that are below `incoming/` already:

* images without a current record, such as uploads before the trigger was set, or
* with **Again**, all images, with the live model. Their records then have a higher generation; an image that is
  uploaded in the meantime keeps the record of its upload.

1. `plan` counts the images, and fails if they may cost more than `max_cost_usd`.
2. Up to **Transform above** images: `classify`, one mapped task per share, invokes the inference function for a bounded
   number of images at a time. The function and S3 cost about 3 US dollars for 100,000 images; the endpoint costs by the
   hour, with or without requests.
3. More images: `prepare_images` prepares each as the model sees it, `transform` runs one batch transform job on the
   machine of `evaluation.instance_type`, and `write_records` writes the same records as the function.
   `delete_prepared_images` deletes the job's input and output.

**Safe to repeat**: a retried or cleared task leaves out what was done since the run began, and starts no second job.
So does a run that is cleared as a whole after a failure: it goes on with the images that it has prepared and with its
job, whether that runs or has completed. It begins anew, and pays for another job, only if another model is live by
then. A job that failed because of its images is not repeated; start a new run.
"""

from datetime import timedelta

from airflow.sdk import DAG, chain

from image_classifier.classifier import classifier_files, classifier_folders
from image_classifier_airflow.operators.transform import TransformJobOperator
from image_classifier_airflow.params import classify_existing_params
from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import classify_existing as steps
from image_classifier_airflow.steps import mapped, step

with DAG(
    dag_id="image_classifier_classify_existing",
    description="Classifies images that were uploaded before the trigger was set, or all again with the live model.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    params=classify_existing_params(classifier_files(classifier_folders())),
    default_args={
        "owner": "image-classifier",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(hours=12),
    },
    doc_md=__doc__,
    tags=["image-classifier"],
):
    plan = step(steps.plan, multiple_outputs=True)()
    mapped(steps.classify)(step(steps.endpoint_shares)(plan["shares"]))
    shares = step(steps.transform_shares)(plan["transform_shares"])
    prepared = mapped(steps.prepare_images)(shares)
    request = step(steps.plan_transform)()
    chain(
        prepared,
        request,
        TransformJobOperator(task_id="transform", config=request, aws_conn_id=plan["aws_conn_id"]),
        mapped(steps.write_records)(shares),
        step(steps.delete_prepared_images)(),
    )
