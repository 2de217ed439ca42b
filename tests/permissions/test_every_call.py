"""Every kind of run once, under the shipped policies alone; `make record-calls` keeps the calls.

The tests share one laptop and build on each other, in the order of the file.
"""

import json
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.classifiers import SHADES
from tests.permissions.conftest import CLASSIFIER, DAG_ID, Laptop
from tests.permissions.edited_policies import without

from laptop import demo
from laptop.place import LaptopError

pytestmark = pytest.mark.timeout(900)


def uploaded(laptop: Laptop, name: str) -> str:
    """The label of an image that is uploaded now; after two epochs it is either of the two."""
    aws = demo.Aws(laptop.place)
    image = laptop.place.images / "shades/validation/dark/00.png"
    sent = demo.upload(aws, CLASSIFIER, "dark", image, name=name)
    return str(demo.await_records(aws, CLASSIFIER, [sent])[sent.key].label)


def test_a_first_model_is_trained_and_answers(laptop: Laptop) -> None:
    laptop.write_classifier()
    laptop.run_and_check()
    assert uploaded(laptop, "first.png") in SHADES


def test_a_second_model_takes_over(laptop: Laptop) -> None:
    laptop.write_classifier(epochs=3)
    laptop.run_and_check()
    assert uploaded(laptop, "second.png") in SHADES


def test_images_are_classified_again(laptop: Laptop) -> None:
    laptop.run_and_check("image_classifier_classify_existing", classifier=CLASSIFIER, again=True)


def test_the_trigger_goes_through_a_queue_and_back(laptop: Laptop) -> None:
    laptop.write_classifier(epochs=3, trigger="queue")
    laptop.run_and_check()
    assert uploaded(laptop, "queue.png") in SHADES
    laptop.write_classifier(epochs=3, trigger="direct")
    laptop.run_and_check()
    assert uploaded(laptop, "direct.png") in SHADES


def test_the_watch_dag_drains_the_failure_queue(laptop: Laptop) -> None:
    queue = next(url for url in laptop.sqs.list_queues()["QueueUrls"] if "FailureQueue" in url)
    laptop.sqs.send_message(QueueUrl=queue, MessageBody="{}")

    run = laptop.run_and_check("image_classifier_watch", expected="failed", grace_s=0)

    states = {task["task_id"]: task["state"] for task in laptop.api.tasks(run.dag_id, run.run_id)}
    assert states["drain_failure_queue"] == "failed"  # the message cannot be read, so it stays and is reported
    assert states["watch_classifier"] == "success"
    laptop.sqs.purge_queue(QueueUrl=queue)


def test_the_earlier_model_comes_back(laptop: Laptop) -> None:
    laptop.run_and_check("image_classifier_roll_back", classifier=CLASSIFIER, reason="a test")
    assert uploaded(laptop, "back.png") in SHADES


@pytest.mark.parametrize("page", ["overview", "gallery", "models", "upload", "corrections", "sample"])
def test_the_pages_work_with_the_api_servers_own_policy(laptop: Laptop, page: str) -> None:
    assert "may not read" not in laptop.page(f"{CLASSIFIER}/{page}")


def test_a_job_that_is_killed_is_stopped(laptop: Laptop) -> None:
    plan = laptop.place.aws_state / "faults.json"
    plan.write_text(json.dumps([{"fault": "slow_download", "seconds": 300}]))
    run_id = laptop.api.trigger(DAG_ID, {"epochs": 4})
    try:
        while (state := laptop.task(run_id, "train.train_model")) not in ("deferred", "success", "failed"):
            pass
        assert state == "deferred"
        laptop.mark_failed(run_id, "train.train_model")
        laptop.run_and_check("image_classifier_watch")  # finds the job if the triggerer had not taken it over yet
        while (status := laptop.job_status()) in ("InProgress", "Stopping"):
            pass
        assert status == "Stopped"
    finally:
        plan.unlink()


@pytest.mark.parametrize(
    ("policy", "sid", "told"),
    [
        ("AirflowPolicy", "PassRoleToSageMaker", "iam:PassRole"),
        ("TrainingPolicy", "WriteModels", "s3:PutObject"),
        ("HostingPolicy", "ReadModelsAndImages", "Could not find model data"),
    ],
)
def test_a_run_fails_without_a_statement(laptop: Laptop, policy: str, sid: str, told: str) -> None:
    epochs = {"AirflowPolicy": 5, "TrainingPolicy": 6, "HostingPolicy": 7}[policy]
    with without(laptop.iam, policy, sid):
        run = laptop.run_and_check(expected="failed", epochs=epochs)
    assert told in str(run.explain_failure())


def test_an_upload_has_no_record_without_the_functions_statement(laptop: Laptop, monkeypatch: Any) -> None:
    monkeypatch.setattr(demo, "PREDICTION_WAIT_S", 20)
    with without(laptop.iam, "FunctionPolicy", "KeepPredictions"), pytest.raises(LaptopError):
        uploaded(laptop, "denied.png")


def test_a_page_says_what_it_may_not_read(laptop: Laptop) -> None:
    with without(laptop.iam, "ApiServerPolicy", "FindRecords"), pytest.raises(urllib.error.HTTPError) as caught:
        laptop.page(f"{CLASSIFIER}/gallery")
    assert "may not" in caught.value.read().decode()


def test_the_classifier_is_torn_down(laptop: Laptop, recorded: Path) -> None:
    laptop.run_and_check("image_classifier_teardown", classifier=CLASSIFIER, confirm=CLASSIFIER)
    assert recorded.stat().st_size
