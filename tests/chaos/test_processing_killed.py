"""SIGKILL of the worker and of the triggerer while a processing job prepares images: the job is paid once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.chaos.airflow_runs import until
from tests.chaos.aws import IN_PROGRESS
from tests.chaos.classifiers import SOURCE_IN_S3, write_many
from tests.chaos.datasets import await_dataset, content

pytestmark = pytest.mark.timeout(1200)

ON_INSTANCES, ONE_TASK = CLASSIFIERS = ("stored-on-instances", "stored-in-a-task")
IMAGES, BROKEN = 1_100, 5  # two shards, one for each instance
TASK = "prepare.prepare_on_instances"
JOB = f"image-classifier-{ON_INSTANCES}-"
FAULTS = (
    {"fault": "late_answer", "operation": "CreateProcessingJob", "seconds": 15},
    {"fault": "slow_download", "operation": "CreateProcessingJob", "seconds": 150},
)


@pytest.fixture(scope="module")
def in_one_task(airflow, aws, tmp_path_factory):
    """Fingerprint and content as one task makes them."""
    folder = write_many(tmp_path_factory.mktemp("stored"), images=IMAGES, broken=BROKEN)
    prefix = SOURCE_IN_S3.removeprefix(f"s3://{aws.bucket}/")
    files = [file for file in folder.rglob("*") if file.is_file()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda file: aws.s3.upload_file(file, aws.bucket, f"{prefix}{file.relative_to(folder)}"), files))
    run = airflow.ordered_run(f"{ONE_TASK}_train_and_deploy", ONE_TASK, conf={})
    dataset = await_dataset(run)
    run.give_up()
    return dataset["fingerprint"], content(aws, ONE_TASK)


def jobs(aws):
    return [
        job
        for job in aws.sagemaker.list_processing_jobs(NameContains=JOB)["ProcessingJobSummaries"]
        if job["ProcessingJobName"].startswith(JOB)
    ]


def test_a_processing_job_is_paid_once_if_worker_and_triggerer_are_killed(
    services, airflow, aws, in_one_task, faults, row
):
    faults(*FAULTS)
    run = airflow.ordered_run(f"{ON_INSTANCES}_train_and_deploy", ON_INSTANCES, conf={})
    until(lambda: aws.calls("CreateProcessingJob", JOB), seconds=300, what="the job")
    run.kill_process(TASK)
    run.await_task(TASK, ["deferred"], seconds=200, tries=2)
    assert [job["ProcessingJobStatus"] for job in jobs(aws)] == ["InProgress"]
    until(lambda: run.task(TASK)["triggerer_job"], seconds=60, what="a triggerer for the task")
    services.restart("triggerer")

    fingerprint = await_dataset(run)["fingerprint"]

    same = (fingerprint, content(aws, ON_INSTANCES)) == in_one_task
    running = [job for job in jobs(aws) if job["ProcessingJobStatus"] in IN_PROGRESS]
    state = run.await_end(seconds=600)
    cost = run.api.result(run.dag_id, run.run_id, "report")["preparation"] if state == "success" else run.explain()
    found = (
        f"{aws.calls('CreateProcessingJob', JOB)} CreateProcessingJob, {len(running)} run on; "
        f"{'the same' if same else 'another'} data set; the run is {state}; in its report: {cost}"
    )
    row.check_ours(same and len(jobs(aws)) == 1 and not running and cost.startswith("1 processing job, "), found)
