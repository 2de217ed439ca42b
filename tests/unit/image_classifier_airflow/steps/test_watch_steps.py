"""Checks that the watch Dag reads the state of each job's task from Airflow, and the classifier files."""

import json
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError

from image_classifier.aws.jobs.owners import Owner
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError, StorageError, WatchFindingsError
from image_classifier.corrections.due import Due
from image_classifier.watch.failure_queue import Drained
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


def test_corrections_start_a_run_of_a_classifier_without_an_active_one(monkeypatch, tmp_path):
    (tmp_path / "cats.yaml").write_text(
        "source: cats\nretrain_after_corrections: 20\naccepted_classes: [emu]\nclasses: {cat: [tabby]}"
    )
    (tmp_path / "dogs.yaml").write_text("source: dogs")
    asked, made = [], []

    def corrections_due(*_, classifier, bucket, wanted, **more):
        asked.append((classifier, bucket, wanted, more))
        return Due(25, "2026-11-28T09:00:00+00:00")

    monkeypatch.setattr(
        clients, "of_a_classifier", lambda conn: made.append(conn) or SimpleNamespace(s3=1, sagemaker=2)
    )
    monkeypatch.setattr("image_classifier.corrections.due.corrections_due", corrections_due)

    [start] = watch.runs_for_corrections(SimpleNamespace(get_dr_count=lambda dag_id, states: 0))
    active = watch.runs_for_corrections(SimpleNamespace(get_dr_count=lambda dag_id, states: 1))

    assert start["trigger_dag_id"] == "cats_train_and_deploy"
    assert start["trigger_run_id"] == "corrections__2026-11-28T09:00:00+00:00"
    assert asked == [("cats", "a-bucket", 20, {"accepted_classes": ("emu",), "renamed": {"tabby": "cat"}})]
    assert active == []


def test_the_corrections_of_a_started_run_are_counted(aws, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats")
    started = {"trigger_dag_id": "cats_train_and_deploy", "trigger_run_id": "corrections__2026-11-28T09:00:00+00:00"}

    watch.remember_run({"task": SimpleNamespace(**started)})

    stored = aws.s3.get_object(Bucket="a-bucket", Key="cats/corrections-run.json")["Body"].read()
    assert json.loads(stored) == {"counted_until": "2026-11-28T09:00:00+00:00"}


def test_unreadable_corrections_leave_the_runs_of_other_classifiers(monkeypatch, tmp_path):
    made = []
    for name in ("cats", "dogs"):
        (tmp_path / f"{name}.yaml").write_text(f"source: {name}\nretrain_after_corrections: 20")

    def corrections_due(*_, classifier, **__):
        if classifier in broken:
            raise StorageError("S3 refuses.")
        return Due(25, "2026-11-28T09:00:00+00:00")

    monkeypatch.setattr(
        clients, "of_a_classifier", lambda conn: made.append(conn) or SimpleNamespace(s3=1, sagemaker=2)
    )
    monkeypatch.setattr("image_classifier.corrections.due.corrections_due", corrections_due)
    ti = SimpleNamespace(get_dr_count=lambda dag_id, states: 0)

    broken = ["cats"]
    assert [start["trigger_dag_id"] for start in watch.runs_for_corrections(ti)] == ["dogs_train_and_deploy"]
    assert made == ["aws_default"]
    broken = ["cats", "dogs"]
    with pytest.raises(WatchFindingsError, match=r"cats: S3 refuses\.; dogs: S3 refuses\."):
        watch.runs_for_corrections(ti)


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "ExpiredToken"}}, "Any"), AirflowException("no conn")]
)
def test_a_connection_that_does_not_work_leaves_the_jobs_of_others(monkeypatch, tmp_path, jobs, error):
    """The error is raised all the same, when every connection was looked through."""

    def sagemaker(conn):
        if conn == "aws_default":
            raise error
        return jobs

    (tmp_path / "cats.yaml").write_text("source: cats\naws_conn_id: other")
    monkeypatch.setattr(clients, "sagemaker", sagemaker)
    with pytest.raises(type(error)):
        watch.stop_orphaned_jobs(task_instance({"run": {"train": "failed"}}))

    assert jobs.stopped == [JOB]


def test_there_is_one_task_for_each_name_of_a_file(tmp_path):
    for file in ("cats.yaml", "cats.yml", "dogs.yaml"):
        (tmp_path / file).write_text("source: images")
    (tmp_path / "broken.yaml").write_text("source: [")

    assert watch.classifiers() == ["cats", "dogs"]


@pytest.fixture
def checked(monkeypatch):
    """The arguments of the checks of one classifier, which find two things that are new."""
    given = {}

    class Checks:
        def __init__(self, *arguments, **named):
            given.update(named, target=arguments[1])

        def run(self, *, tell):
            given["told"] = tell(["The alias differs.", "An image waits."])
            return {"alias": "The alias differs.", "images": "An image waits."}

    monkeypatch.setattr("image_classifier.watch.classifier_watch.Watch", Checks)
    return given


def test_a_classifiers_task_reads_only_its_file_and_fails_on_its_findings(monkeypatch, tmp_path, checked):
    (tmp_path / "cats.yaml").write_text("source: cats\ntrigger: paused\ncanary_s: 90")
    (tmp_path / "broken.yaml").write_text("source: [")
    sent, read = [], []
    from_file = Classifier.from_file
    monkeypatch.setattr(Classifier, "from_file", lambda file: read.append(file.name) or from_file(file))
    monkeypatch.setattr(watch, "runs_at_work", lambda ti, dag_id: 0)
    monkeypatch.setattr(
        "image_classifier_airflow.notifications.send.send", lambda message, classifier: sent.append(message) or False
    )
    ti = SimpleNamespace(dag_id="image_classifier_watch", run_id="run", log_url="http://log")

    with pytest.raises(WatchFindingsError, match=r"Classifier cats: The alias differs\. An image waits\."):
        watch.watch_classifier("cats", {"grace_s": 5}, ti)

    assert read == ["cats.yaml"]
    assert (checked["is_paused"], checked["canary_s"], checked["may_compare"]) == (True, 90, True)
    assert [message.sentence for message in sent] == ["The alias differs. An image waits."]
    assert checked["told"] is False


@pytest.mark.parametrize(
    ("dag_id", "may_compare"),
    [
        ("cats_train_and_deploy", False),
        ("image_classifier_roll_back", False),
        ("image_classifier_teardown", False),
        ("dogs_train_and_deploy", True),
    ],
)
def test_what_another_run_changes_is_not_restored_meanwhile(tmp_path, checked, monkeypatch, dag_id, may_compare):
    """The event notification that a teardown has deleted would be set again."""
    (tmp_path / "cats.yaml").write_text("source: cats")
    ti = SimpleNamespace(
        get_dr_count=lambda dag_id, states, active=dag_id: int(dag_id == active),
        get_ti_count=lambda **_: 0,
        dag_id="image_classifier_watch",
        run_id="run",
        log_url="http://log",
    )
    with pytest.raises(WatchFindingsError):
        watch.watch_classifier("cats", {"grace_s": 5}, ti)

    assert checked["may_compare"] is may_compare


def test_a_file_that_was_deleted_after_the_run_began_is_named(checked):
    with pytest.raises(ClassifierFileError, match="cats was deleted"):
        watch.watch_classifier("cats", {"grace_s": 5}, SimpleNamespace())


def test_messages_that_stay_in_the_failure_queue_are_named(monkeypatch):
    drained = Drained(replayed=3, unreadable={"m-1": "KeyError: {}"}, unhandled={"m-2": "Throttled"})
    monkeypatch.setattr("image_classifier.watch.failure_queue.FailureQueue.drain", lambda _, is_over: drained)
    queue = SimpleNamespace(get_queue_url=lambda **_: {"QueueUrl": "url"})
    for service in ("sqs", "functions", "s3"):
        monkeypatch.setattr(clients, service, lambda _conn: queue)

    with pytest.raises(WatchFindingsError, match=r"1 are no .*m-1: KeyError.* 1 could not .*m-2: Throttled"):
        watch.drain_failure_queue()
    drained.unreadable.clear()
    drained.unhandled.clear()
    assert watch.drain_failure_queue() == {"replayed": 3, "given_up": 0, "obsolete": 0}


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
