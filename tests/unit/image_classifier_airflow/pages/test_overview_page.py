"""Checks the overview page by requests."""

import re
from datetime import UTC, datetime, timedelta

from tests.pages.written import Written

from image_classifier.connect.deployment import Deployment, write_deployment
from image_classifier.watch.seen import Seen


def show(client):
    """The page's text, without tags."""
    answer = client.get("/cats/overview")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def deploy(bucket, **values):
    deployment = Deployment(
        classifier="cats", training_job="job-1", endpoint_config="c", function_version="1", alias_arn="a",
        bucket="pictures", **values,
    )  # fmt: skip
    write_deployment(bucket.s3, deployment)


def see(bucket, *, minutes_ago=1, **values):
    seen = Seen(at=datetime.now(UTC) - timedelta(minutes=minutes_ago), **values)
    bucket.put("cats/watch/seen.json", seen.model_dump_json().encode())


def test_a_classifier_without_predictions_says_what_to_do_first(client, bucket):
    text = show(client("viewer"))

    assert "There are no predictions yet" in text
    assert "cats_train_and_deploy" in text
    assert "The Dag image_classifier_watch has not run yet." in text


def test_the_figures_of_the_predictions_are_shown(client, bucket):
    bucket.add("a.png")
    bucket.add("b.png", status="unsure", label="dog")

    text = show(client("viewer"))

    assert "2026-11-28 2" in text
    assert "Unsure 50.0%" in text
    assert "0.90 s median" in text


def test_what_the_endpoint_costs_a_day_is_shown(client, bucket):
    deploy(bucket, instance_type="ml.m5.large", instance_count=2, usd_per_hour=0.25)

    assert "12.00 USD 2 x ml.m5.large" in show(client("viewer"))


def test_a_price_that_is_not_known_is_not_guessed(client, bucket):
    deploy(bucket)

    assert "the price is not known until the next run" in show(client("viewer"))


def test_findings_and_endpoint_are_those_of_the_watch_dag(client, bucket):
    see(bucket, endpoint_status="Updating", findings={"alias": "The alias differs."}, without_record=3,
        last_pass=datetime.now(UTC))  # fmt: skip

    text = show(client("viewer"))

    assert "Open findings The alias differs." in text
    assert "Endpoint Updating" in text
    assert "Images without a record 3" in text
    assert "paused?" not in text


def test_the_endpoint_s_state_names_who_saw_it_and_when(client, bucket):
    see(bucket)

    assert re.search(r"Endpoint none as image_classifier_watch saw it at 20[-0-9: ]+ UTC", show(client("viewer")))


def test_a_watch_dag_that_does_not_run_is_noticed(client, bucket):
    see(bucket, minutes_ago=45)

    assert "45 minutes ago: is the Dag paused?" in show(client("viewer"))


def test_a_deployment_after_the_watch_dag_s_run_is_not_called_none(client, bucket):
    see(bucket)
    deploy(bucket)

    text = show(client("viewer"))

    recorded = "The deployment of image-classifier-cats was recorded at 20[-0-9: ]+ UTC"
    assert re.search(f"Endpoint not looked at yet {recorded}", text)
    assert re.search(
        r"Before that, image_classifier_watch ran last at 20[-0-9: ]+ UTC; it runs every ten minutes", text
    )
    assert "Images without a record not counted yet" in text


def test_a_deployment_before_the_watch_dag_s_first_run_is_named(client, bucket):
    deploy(bucket)

    text = show(client("viewer"))

    assert "Endpoint not looked at yet The deployment of image-classifier-cats was recorded at" in text
    assert "The Dag image_classifier_watch has not run yet." in text


def test_an_endpoint_that_is_gone_since_the_deployment_is_called_none(client, bucket):
    deploy(bucket)
    see(bucket, minutes_ago=-1)

    assert "Endpoint none as image_classifier_watch saw it" in show(client("viewer"))


def test_a_state_before_the_deployment_is_shown_with_its_time(client, bucket):
    see(bucket, endpoint_status="InService")
    deploy(bucket)

    assert "Endpoint InService The deployment of image-classifier-cats was recorded at" in show(client("viewer"))


def test_how_good_the_model_is_stands_on_the_overview(client, bucket):
    written = Written(bucket.s3, "pictures", "cats", labels=("cat", "dog"))
    report = written.model("job-1", fingerprint="1" * 64, right=0.9, of_each=20)
    deploy(bucket)
    bucket.add("a.png")
    answer = {"key": "cats/incoming/a.png", "answer": "label", "label": "cat"}
    assert "Accuracy on uploads not measured" in show(client("viewer"))
    client("editor").post("/cats/corrections", json={"reason": "random", "answers": [answer]})

    text = show(client("viewer"))

    assert f"Accuracy on test images {report.accuracy.value:.1%}" in text
    assert "Accuracy on uploads 100.0%" in text


def test_a_model_without_an_evaluation_is_not_called_good(client, bucket):
    deploy(bucket)

    assert "Accuracy on test images unknown the model was not evaluated" in show(client("viewer"))


def test_failed_and_rejected_images_have_links_of_their_own(client, bucket):
    bucket.add("a.png", status="failed")
    page = client("viewer").get("/cats/overview").text

    assert 'Failed</dt><dd><a href="gallery?status=failed">100.0%' in page
    assert 'Rejected</dt><dd><a href="gallery?status=rejected">0.0%' in page
