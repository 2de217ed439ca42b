"""# Watch every classifier

Every ten minutes:

1. `drain_failure_queue` invokes the function again for each failed event, or writes a record with status `failed`. It
   fails while a message stays in the queue.
2. `watch_classifier`, one mapped task per classifier file, compares the event notification, S3's permission, the
   function's alias and the endpoint with the last deployment, and restores or reports differences (`watch` in the
   file). It invokes the function again for uploaded images without a record, and moves the log of records into the
   daily index. It fails while a finding is open; `notify` sends each finding once.
3. `stop_orphaned_jobs` stops jobs whose task has ended: a user ended it while the triggerer was down, its run timed
   out, or its worker was lost. A task that will be retried keeps its job and adopts it.
4. `check_endpoints_wanted` fails while an endpoint exists that no classifier file describes, and names it. Nothing is
   deleted: use the Dag `image_classifier_teardown`, or restore the file.
5. `runs_for_corrections` counts the corrections since each model was trained; `retrain` starts a run of each classifier
   with at least `retrain_after_corrections` of them.

Up to 20,000 images of a classifier are compared with their records in every run, more as often as 6,000 listings a day
allow, at least once in 24 hours. Only resources of this deployment's bucket are checked. The tags
`image-classifier-dag`, `-run` and `-task` of a job name its task; MaxRuntimeInSeconds is the final safeguard.
"""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, chain

from image_classifier_airflow.defaults import RUN_TYPES
from image_classifier_airflow.params import watch_params
from image_classifier_airflow.retries import RETRY_POLICY
from image_classifier_airflow.steps import mapped, step
from image_classifier_airflow.steps import watch as steps

with DAG(
    dag_id="image_classifier_watch",
    description="Checks that every upload has its prediction, and that no unused resource costs money.",
    schedule=timedelta(minutes=10),
    catchup=False,
    max_active_runs=1,
    allowed_run_types=RUN_TYPES,
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
    drained = step(steps.drain_failure_queue)()
    watched = mapped(steps.watch_classifier, trigger_rule="all_done")(names)
    # The last tasks decide the state of a run, and `watch_classifier` runs after a failure of the queue's task, too.
    chain(drained, watched)
    chain([names, drained, watched], EmptyOperator(task_id="no_open_finding"))
    step(steps.stop_orphaned_jobs)()
    step(steps.check_endpoints_wanted)()
    retrain = TriggerDagRunOperator.partial(
        task_id="retrain",
        skip_when_already_exists=True,
        on_success_callback=steps.remember_run,
        on_skipped_callback=steps.remember_run,
    )
    retrain.expand_kwargs(step(steps.runs_for_corrections)())
