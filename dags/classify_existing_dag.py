"""# Classify images that are there already

The trigger classifies uploads from the moment it is set. This Dag classifies what is below `incoming/` already:

* images without a current record, as those that were there before the trigger, or
* with **Again**, all images with the present model. Their records then have a higher generation; an image that is
  uploaded meanwhile keeps the record of its upload.

1. `plan` counts the images and refuses the run if they may cost more than `max_cost_usd`. The endpoint is paid by the
   hour, whether it is asked or not; the function and S3 cost about 3 US dollars for 100,000 images.
2. `classify`, one mapped task per share, invokes the inference function for a bounded number of images at a time.

**Safe to repeat**: a task that is tried again leaves out what was classified since the run began.
"""

from datetime import timedelta

from airflow.sdk import DAG, chain

from image_classifier.classifier import classifier_files, classifier_folders
from image_classifier_airflow.params import classify_existing_params
from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import classify_existing as steps
from image_classifier_airflow.steps import mapped, step

with DAG(
    dag_id="image_classifier_classify_existing",
    description="Classifies images that were there before the trigger, or all again with the present model.",
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
    shares = step(steps.plan)()
    chain(shares, mapped(steps.classify)(share=shares))
