"""Checks uploads and deletions by requests."""

import json
import re

import pytest

from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.prepare.inspection.inspector import file_name
from image_classifier.prepare.preparation import pixel_parameters
from image_classifier_airflow.pages import app, audit, uploads

BYTES = {"Content-Type": "application/octet-stream", "Accept": "application/json"}
JSON = {"Accept": "application/json"}
PNG = b"\x89PNG\r\n\x1a\npixels"


@pytest.fixture(autouse=True)
def noted(monkeypatch):
    """The lines of the audit log."""
    lines = []
    monkeypatch.setattr(audit, "note", lambda visitor, **what: lines.append((visitor.name, what)))
    return lines


def upload(client, content=PNG, *, name="a cat.png", **headers):
    return client.post("/cats/uploads", params={"name": name}, content=content, headers={**BYTES, **headers})


def test_an_upload_goes_to_incoming_under_the_user_s_name(client, bucket):
    answer = upload(client("editor")).json()

    assert answer["key"].startswith("cats/incoming/editor/")
    assert answer["key"].endswith("-a_cat.png")
    assert bucket.s3.get_object(Bucket="pictures", Key=answer["key"])["Body"].read() == PNG


def test_the_same_file_takes_the_same_key_and_another_file_another(client, bucket):
    keys = [upload(client("editor"), content).json()["key"] for content in (PNG, PNG, PNG + b"!")]

    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("../../dogs/incoming/a.png", "a.png"),
        ("C:\\pictures\\a.png", "a.png"),
        ("..", "_"),
        ("a?b#c%2f.png", "a_b_c_2f.png"),
        ("Käse 猫.png", "Käse_猫.png"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
    ],
)
def test_no_name_leaves_the_folder_of_the_user(name, part):
    assert uploads.safe(name) == part


def test_who_may_look_only_cannot_upload(client, bucket):
    assert upload(client("viewer")).status_code == 403
    assert bucket.keys("cats/incoming/") == []
    assert "not upload to it" in client("viewer").get("/cats/upload").text


def test_an_empty_file_is_refused(client, bucket):
    answer = upload(client("editor"), b"")

    assert (answer.status_code, "is empty" in answer.text) == (422, True)


@pytest.mark.parametrize(("more", "status"), [(b"", 200), (b"!", 413)])
def test_a_file_that_no_page_could_show_is_refused(client, bucket, monkeypatch, more, status):
    monkeypatch.setattr(uploads, "LARGEST_PICTURE_BYTES", len(PNG))

    assert upload(client("editor"), PNG + more).status_code == status
    assert len(bucket.keys("cats/incoming/")) == (status == 200)


@pytest.mark.parametrize("headers", [{"Content-Length": str(app.MOST_BYTES + 1)}, {"Content-Length": "x"}])
def test_a_body_that_is_too_large_is_refused_unread(client, bucket, headers):
    assert upload(client(None), **headers).status_code == 413


def test_a_body_of_unknown_length_is_refused_unread(client, bucket):
    assert upload(client(None), iter([PNG])).status_code == 413


def test_a_prediction_appears_once_its_record_is_of_this_upload(client, bucket):
    key = "cats/incoming/a.png"
    ask = client("viewer").get
    assert ask("/cats/prediction", params={"key": key}).json() == {"state": "waiting"}
    bucket.add("a.png", confidence=0.9)

    told = ask("/cats/prediction", params={"key": key}).json()

    assert (told["state"], told["label"], told["confidence"]) == ("predicted", "cat", 0.9)
    assert ask("/cats/prediction", params={"key": key, "version": "later"}).json() == {"state": "waiting"}


@pytest.mark.parametrize("revision", ["", "-2"])  # -2: of a file that release 0.1 prepared wrongly
def test_an_image_is_deleted_with_its_prepared_copy_and_an_audit_log_line(client, bucket, noted, revision):
    bucket.add("a.png")
    classifier = Classifier.from_file(next(iter(classifier_files(classifier_folders()))))
    content = bucket.s3.get_object(Bucket="pictures", Key="cats/incoming/a.png")["Body"].read()
    name = file_name(content, parameters=pixel_parameters(classifier), unmodified=False, revision=revision)
    bucket.put(f"cats/dataset/train/cat/{name}", b"prepared")

    answer = client("editor").post("/cats/delete", json={"key": "cats/incoming/a.png"}, headers=JSON)

    assert (answer.status_code, answer.json()) == (200, {"deleted": 4})
    [left] = bucket.keys("cats/")
    assert re.fullmatch("cats/predictions-index/deleted-[0-9a-f]{64}", left)  # of the image, but without its name
    assert noted == [("editor", {"event": "image_classifier_delete", "key": "cats/incoming/a.png"})]


def test_who_may_look_only_cannot_delete(client, bucket, noted):
    bucket.add("a.png")

    assert client("viewer").post("/cats/delete", json={"key": "cats/incoming/a.png"}).status_code == 403
    assert "data-delete" not in client("viewer").get("/cats/image", params={"key": "cats/incoming/a.png"}).text
    assert (len(bucket.keys("cats/incoming/")), noted) == (1, [])


def test_an_image_of_another_classifier_cannot_be_deleted(client, bucket, noted):
    bucket.put("dogs/incoming/a.png", PNG)

    answer = client("editor").post("/cats/delete", json={"key": "dogs/incoming/a.png"}, headers=JSON)

    assert (answer.status_code, noted) == (404, [])
    assert json.loads(answer.text)["detail"].startswith("The classifier cats has no image")
