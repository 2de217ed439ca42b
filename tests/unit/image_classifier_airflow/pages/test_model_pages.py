"""Checks the pages of a classifier's models by requests."""

import json
import re
from datetime import UTC, datetime

import pytest
from tests.pages.written import Written

from image_classifier.promote.decision import Answer

NEW, OLD = "image-classifier-cats-1a2b3c4d-99887766", "image-classifier-cats-1a2b3c4d-55443322"
VERSION = "1a2b3c4d" + "0" * 56


@pytest.fixture
def models(bucket):
    """Two models: the older one was replaced by the newer."""
    written = Written(bucket.s3, "pictures", "cats", labels=("cat", "dog"))
    old = written.model(OLD, fingerprint=VERSION, right=0.8, of_each=20)
    written.decision(old, champion=None, at=datetime(2026, 11, 20, tzinfo=UTC))
    new = written.model(NEW, fingerprint=VERSION, right=0.9, of_each=20)
    written.decision(new, champion=OLD, at=datetime(2026, 11, 24, 5, 30, tzinfo=UTC))
    written.deployment(NEW)
    written.seen([NEW, OLD])
    written.reports = {OLD: old, NEW: new}
    return written


def text_of(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def cells(report):
    places = {label: place for place, label in enumerate(report.labels)}
    return {
        (label, predicted): report.confusion_matrix[places[label]][places[predicted]]
        for label in report.labels
        for predicted in report.labels
    }


def shown(client, job, **query):
    """How many test images a page lists."""
    answer = client.get("/cats/test-images", params={"job": job, **query})
    assert answer.status_code == 200
    return answer.text.count('<li class="tile">')


def test_a_classifier_without_models_names_the_dag_that_trains_one(client, bucket):
    assert "There is no model yet" in text_of(client("viewer"), "/cats/models")


def test_all_models_are_listed_and_the_one_that_serves_is_marked(client, models):
    text = text_of(client("viewer"), "/cats/models")

    assert re.search(rf"2 {NEW} serves", text)
    assert re.search(rf"1 {OLD} 20", text)
    assert text.count("serves") == 1
    assert "Approved promote" in text
    assert "Rejected promote" in text


def test_only_who_may_change_the_dag_sees_buttons(client, models):
    assert "data-trigger" not in client("viewer").get("/cats/models").text
    page = client("editor").get("/cats/models").text

    assert 'data-trigger="cats_train_and_deploy"' in page
    assert page.count('data-trigger="image_classifier_roll_back"') == 1
    assert f"&#34;version&#34;: &#34;{OLD}&#34;" in page


def test_before_the_watch_dag_has_run_models_are_listed_without_numbers(client, models):
    models.s3.delete_object(Bucket="pictures", Key="cats/watch/seen.json")

    text = text_of(client("viewer"), "/cats/models")

    assert re.search(rf"not looked at yet {OLD}", text)
    assert "USD not looked at yet promote" in text
    assert "once the Dag image_classifier_watch has run." in text


def test_a_new_model_s_version_waits_for_the_next_run_of_the_watch_dag(client, models):
    seen = json.loads(models.s3.get_object(Bucket="pictures", Key="cats/watch/seen.json")["Body"].read())
    changed = json.dumps({**seen, "versions": []}).encode()
    models.s3.put_object(Bucket="pictures", Key="cats/watch/seen.json", Body=changed)

    text = text_of(client("viewer"), "/cats/models")
    assert "as the Dag image_classifier_watch saw them at 20" in text
    assert re.search(rf"not seen {NEW} serves", text)


def test_a_model_is_shown_with_its_report_and_decision(client, models):
    text = text_of(client("viewer"), f"/cats/model?job={NEW}")

    assert "Run of 2026-11-24 05:30 UTC: promote" in text
    assert f"{models.reports[NEW].accuracy.value:.1%}" in text
    assert "learning_rate 0.0090" in text
    assert "0.21 USD" in text
    assert "epoch 12" in text  # the twelfth, as the terminal counts them


@pytest.mark.parametrize(
    ("mode", "answer", "told"),
    [
        ("approval", {"outcome": "rejected", "by": "ann"}, "rejected by ann, 2026-11-24 09:00:00 UTC"),
        ("approval", {"outcome": "approved", "by": "ben"}, "approved by ben, 2026-11-24 09:00:00 UTC"),
        ("approval", {"outcome": "timed_out"}, "nobody answered in time, so it does not serve, 2026-11-24"),
        ("approval", None, "not answered yet"),
        ("never", None, "not deployed: the mode is never"),
    ],
)
def test_a_person_s_answer_is_shown_with_the_decision(client, models, mode, answer, told):
    said = answer and Answer(at="2026-11-24T09:00:00Z", asked_at="2026-11-24T06:00:00Z", **answer)
    at = datetime(2026, 11, 24, 6, tzinfo=UTC)
    models.decision(models.reports[NEW], champion=OLD, at=at, mode=mode, answer=said)

    assert f"promote {told}" in text_of(client("viewer"), "/cats/models")
    assert told in text_of(client("viewer"), f"/cats/model?job={NEW}").replace("Not deployed", "not deployed")


def test_a_matrix_cell_leads_to_exactly_its_images(client, models):
    for (label, predicted), count in cells(models.reports[OLD]).items():
        assert shown(client("viewer"), OLD, label=label, predicted=predicted) == count


def test_a_class_leads_to_its_right_and_wrong_images(client, models):
    counts = cells(models.reports[OLD])

    assert shown(client("viewer"), OLD, label="cat", right="yes") == counts["cat", "cat"]
    assert shown(client("viewer"), OLD, label="cat", right="no") == counts["cat", "dog"]


def test_two_models_stand_side_by_side_with_the_decision_in_words(client, models):
    text = text_of(client("viewer"), f"/cats/compare?one={NEW}&other={OLD}")

    assert f"Model {NEW} may serve" in text
    assert "learning_rate 0.0090 0.0080" in text


def test_models_of_different_test_images_are_not_compared_silently(client, models):
    other = "image-classifier-cats-ffffffff-00000000"
    models.model(other, fingerprint="f" * 64, right=0.9, of_each=20)

    assert "cannot be compared" in text_of(client("viewer"), f"/cats/compare?one={NEW}&other={other}")


def test_a_report_is_downloaded_and_not_shown_as_a_page_of_airflow(client, models):
    answer = client("viewer").get(f"/cats/report.html?job={NEW}")

    assert answer.headers["content-disposition"].startswith("attachment")
    assert "<title>report</title>" in answer.text


def test_a_model_of_which_nothing_is_known_is_not_found(client, models):
    assert client("viewer").get("/cats/model?job=image-classifier-cats-0-0").status_code == 404


def test_a_report_of_another_release_is_left_out(client, models):
    [key] = [key for key in models_keys(models) if OLD in key and key.endswith("report.json")]
    models.put(key, b'{"schema": 7}')

    assert f"1 {OLD}" in text_of(client("viewer"), "/cats/models")


def models_keys(models):
    found = models.s3.list_objects_v2(Bucket="pictures", Prefix="cats/evaluations/")
    return [one["Key"] for one in found["Contents"]]


def test_only_prepared_images_of_the_classifier_are_sent(client, models, bucket):
    [key, *_] = bucket.keys("cats/dataset/test/cat/")
    bucket.put("cats/dataset/versions/secret.jpg", b"\xff\xd8\xffsecret")

    assert client("viewer").get("/cats/prepared", params={"key": key}).headers["content-type"] == "image/jpeg"
    for other in ("cats/dataset/versions/secret.jpg", "dogs/dataset/test/cat/a.jpg"):
        assert client("viewer").get("/cats/prepared", params={"key": other}).status_code == 404


def test_the_class_with_the_lowest_recall_comes_first(client, bucket):
    labels = ("ant", "bee", "cow", "dog", "elk")
    report = Written(bucket.s3, "pictures", "cats", labels=labels).model(
        NEW, fingerprint=VERSION, right=0.6, of_each=10
    )
    page = client("viewer").get("/cats/model", params={"job": NEW}).text
    table = page[page.index('aria-label="Classes"') : page.index("Confused classes")]

    recalls = {one.label: one.recall.value for one in report.classes}
    expected = sorted(recalls, key=recalls.get)
    assert expected != list(labels)
    assert re.findall('scope="row">([^<]+)<', table) == expected
