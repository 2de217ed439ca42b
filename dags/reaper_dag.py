"""# Stop what nobody waits for

A training job costs until it ends, and an endpoint until it is deleted. Every ten minutes:

1. `stop_orphaned_jobs` stops the training jobs whose task is over: it was ended by hand while the triggerer was down,
   its run timed out, or its worker died for good. A task that will be tried again keeps its job and adopts it.
2. `check_endpoints_wanted` is **red while an endpoint costs that no classifier's file wants**, and names it. Delete it
   with the Dag `image_classifier_teardown`, or put the file back. Nothing is deleted here.

A job knows its task by its tags `image-classifier-dag`, `-run` and `-task`. A job of a run that this Airflow does not
know is left alone: it may be another Airflow's. Only what is trained into this deployment's bucket, or serves from it,
is looked at. The last net is the job's own time limit.
"""

from datetime import timedelta

from airflow.sdk import DAG

from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import reaper as steps
from image_classifier_airflow.steps import step

with DAG(
    dag_id="image_classifier_reaper",
    description="Stops training jobs that nobody waits for; red while an endpoint costs that nobody wants.",
    schedule=timedelta(minutes=10),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,  # a net that has to be put up by hand is none
    default_args={
        "owner": "image-classifier",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(minutes=8),
    },
    doc_md=__doc__,
    tags=["image-classifier"],
):
    step(steps.stop_orphaned_jobs)()
    step(steps.check_endpoints_wanted)()
