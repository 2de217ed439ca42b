"""The watch Dag asks Airflow for the task behind each job, and the classifiers' files for the endpoints."""

from types import SimpleNamespace

import pytest

from image_classifier.aws.jobs.owners import Owner
from image_classifier.corrections.due import Due
from image_classifier_airflow.steps import clients, watch

JOB = "image-classifier-cats-01234567-89abcdef"
TAGS = {tag["Key"]: tag["Value"] for tag in Owner("dag", "run", "train").tags()}


@pytest.fixture(autouse=True)
def deployment(monkeypatch, bucket, tmp_path, jobs):
    monkeypatch.setenv("IMAGE_CLASSIFIER_CLASSIFIERS", str(tmp_path))
    monkeypatch.setattr(clients, "sagemaker", lambda _conn: jobs)
    jobs.has(JOB, tags=TAGS, OutputDataConfig={"S3OutputPath": "s3://a-bucket/cats/models"})


def task_instance(states):
    return SimpleNamespace(get_task_states=lambda dag_id, run_ids: states)


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "upstream_failed", "removed"])
def test_a_job_of_a_task_that_is_over_is_stopped(state):
    assert watch.stop_orphaned_jobs(task_instance({"run": {"train": state}})) == [JOB]


@pytest.mark.parametrize("state", ["running", "deferred", "queued", "scheduled", "up_for_retry", "restarting", None])
def test_a_job_of_a_task_that_continues_is_not(state):
    assert watch.stop_orphaned_jobs(task_instance({"run": {"train": state}})) == []


@pytest.mark.parametrize("states", [{}, {"run": {"other": "failed"}}])
def test_a_job_of_a_run_that_airflow_does_not_have_is_not(states):
    assert watch.stop_orphaned_jobs(task_instance(states)) == []


def test_a_run_starts_for_the_corrections_of_a_classifier_without_active_run(monkeypatch, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\nretrain_after_corrections: 20\naccepted_classes: [emu]")
    (tmp_path / "dogs.yaml").write_text("source: dogs")
    asked = []

    def corrections_due(*_, classifier, bucket, wanted, accepted_classes):
        asked.append((classifier, bucket, wanted, accepted_classes))
        return Due(25, "2026-11-28T09:00:00+00:00")

    monkeypatch.setattr(clients, "s3", lambda _conn: None)
    monkeypatch.setattr("image_classifier.corrections.due.corrections_due", corrections_due)

    [start] = watch.runs_for_corrections(SimpleNamespace(get_dr_count=lambda dag_id, states: 0))
    active = watch.runs_for_corrections(SimpleNamespace(get_dr_count=lambda dag_id, states: 1))

    assert start["trigger_dag_id"] == "cats_train_and_deploy"
    assert start["trigger_run_id"] == "corrections__2026-11-28T09:00:00+00:00"
    assert asked == [("cats", "a-bucket", 20, ("emu",))]
    assert active == []


def test_an_unreadable_file_still_describes_its_endpoint(monkeypatch, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\naws_conn_id: other")
    (tmp_path / "broken.yaml").write_text("source: [")
    asked = []

    def check(client, *, bucket, classifiers):
        asked.append((client, bucket, classifiers))

    monkeypatch.setattr(clients, "sagemaker", lambda conn: conn)
    monkeypatch.setattr("image_classifier.watch.unused_endpoints.check_endpoints_wanted", check)
    watch.check_endpoints_wanted()

    assert asked == [(conn, "a-bucket", ["broken", "cats"]) for conn in ("aws_default", "other")]
