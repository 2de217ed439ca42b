"""# Watch every classifier

Every ten minutes:

1. `drain_failure_queue` turns each failed event into a replay, or into a record with status `failed` and its reason.
2. `watch_classifier`, one mapped task per classifier file, compares the event notification, S3's permission, the
   function's alias and the endpoint with what was deployed last, and restores or reports what differs (`watch` in the
   file). It finds uploaded images without a record and hands them to the function again, and moves the log of records
   into the day's index. It fails while a finding is open; `notify` sends each finding once.
3. `stop_orphaned_jobs` stops training jobs whose task is over: it was ended by hand while the triggerer was down, its
   run timed out, or its worker was lost. A task that will be tried again keeps its job and adopts it.
4. `check_endpoints_wanted` fails while an endpoint exists that no classifier file describes, and names it. Nothing is
   deleted: use the Dag `image_classifier_teardown`, or put the file back.
5. `runs_for_corrections` counts the corrections since each model was trained; `retrain` starts a run of a classifier
   that has `retrain_after_corrections` of them or more.

A classifier with up to 20,000 images is looked through in every run; a larger one as often as 6,000 listings a day
allow, at least once in 24 hours. Only resources of this deployment's bucket are looked at. A job knows its task by the
tags `image-classifier-dag`, `-run` and `-task`; MaxRuntimeInSeconds is the final safeguard.
"""

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, chain

from image_classifier_airflow.params import watch_params
from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import mapped, step
from image_classifier_airflow.steps import watch as steps

with DAG(
    dag_id="image_classifier_watch",
    description="Checks that every upload gets its prediction, and that nothing costs money without a use.",
    schedule=timedelta(minutes=10),
    catchup=False,
    max_active_runs=1,
    params=watch_params(),
    is_paused_upon_creation=False,  # enabled by default: it is a safety net
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
    names = step(steps.classifiers)()
    chain(step(steps.drain_failure_queue)(), mapped(steps.watch_classifier, trigger_rule="all_done")(name=names))
    step(steps.stop_orphaned_jobs)()
    step(steps.check_endpoints_wanted)()
    retrain = TriggerDagRunOperator.partial(task_id="retrain", skip_when_already_exists=True)
    retrain.expand_kwargs(step(steps.runs_for_corrections)())
