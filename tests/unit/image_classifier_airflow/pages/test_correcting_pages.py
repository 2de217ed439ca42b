"""Checks the blind random sample and the list of corrections by requests."""

import hashlib
import json
import re

import pytest

from .conftest import BUCKET, record  # isort: skip
from .test_gallery_page import correct, labelled  # isort: skip


@pytest.fixture
def pictures(bucket):
    bucket.add("a.png", confidence=0.99, minute=1)
    bucket.add("b.png", label="dog", second="cat", confidence=0.55, status="unsure", minute=2)
    bucket.add("broken.png", status="rejected", minute=3)
    return bucket


def text_of(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_the_sample_does_not_show_what_the_model_said(client, pictures):
    page = client("editor").get("/cats/sample").text

    tiles = page[page.index('role="listbox"') :]
    assert tiles.count("<li") == 2
    assert "data-label=" not in tiles
    assert "0.99" not in tiles
    assert "unsure" not in tiles
    assert "Right as predicted" not in page


def test_the_sample_shows_neither_other_corrections_nor_names_of_images(client, bucket):
    bucket.add("cat/a.png")
    correct(client("editor"), labelled("cat/a.png", "dog"))

    page = client("editor").get("/cats/sample").text
    tiles = page[page.index('role="listbox"') :]

    seen = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", tiles))
    assert "Image 1" in seen
    assert not re.search(r"cat|dog|editor", seen)
    assert "title=" not in tiles
    assert "data-answer" not in tiles  # it would be shown in another style, and passed over
    assert 'data-key="cats/incoming/cat/a.png"' in tiles


def test_a_correction_is_of_the_version_that_the_record_is_of(client, bucket):
    """An image that was uploaded again has its record later, or not before the trigger is resumed."""
    bucket.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    image = bucket.add("a.png")["image"]
    version = bucket.s3.head_object(Bucket=BUCKET, Key=image["key"])["VersionId"]
    bucket.put("cats/predictions/a.png.json", json.dumps(record(image["key"], image={**image, "version_id": version})))
    bucket.put(image["key"], b"another image")

    correct(client("editor"), labelled("a.png", "cat"))

    stored = json.loads(bucket.s3.get_object(Bucket=BUCKET, Key="cats/corrections/a.png.json")["Body"].read())
    seen = bucket.s3.get_object(Bucket=BUCKET, Key=image["key"], VersionId=version)["Body"].read()
    assert (stored["version_id"], stored["sha256"]) == (version, hashlib.sha256(seen).hexdigest())


def test_an_undo_restores_the_reason_of_the_earlier_correction(client, pictures):
    first = correct(client("editor"), labelled("a.png", "dog"))[1]["results"][0]
    second = correct(client("editor"), labelled("a.png", "cat", first["etag"]), reason="random")[1]["results"][0]
    earlier = {**labelled("a.png", "dog", second["etag"]), "reason": first["reason"]}

    restored = correct(client("editor"), earlier, reason="random")[1]["results"][0]

    assert (restored["label"], restored["reason"]) == ("dog", "search")
    assert client("editor").get("/cats/sample-accuracy").json()["of"] == 0


def test_answers_of_the_sample_are_counted_and_not_asked_for_again(client, pictures):
    assert "No answer in the sample" in text_of(client("editor"), "/cats/sample")
    correct(client("editor"), labelled("a.png", "cat"), labelled("b.png", "cat"), reason="random")

    text = text_of(client("editor"), "/cats/sample")

    assert "1 of 2 answers agree with the model: 50.0% (9.5% to 90.5%)" in text
    assert "Every prediction of the live model has an answer" in text
    counted = client("editor").get("/cats/sample-accuracy").json()
    assert (counted["right"], counted["of"]) == (1, 2)
    assert counted["more"] > 1000


def test_answers_of_the_gallery_do_not_count_as_a_sample(client, pictures):
    correct(client("editor"), labelled("a.png", "cat"))

    assert client("editor").get("/cats/sample-accuracy").json()["of"] == 0


def test_a_sample_with_fewer_images_than_answers_needed_says_so(client, pictures):
    text = text_of(client("editor"), "/cats/sample")

    assert "2 are left in the newest predictions of this model, fewer than the interval of 3 points needs" in text


def test_one_correction_is_not_called_several(client, pictures):
    correct(client("editor"), labelled("a.png", "cat"))

    assert "1 correction: 0 of the random sample" in text_of(client("viewer"), "/cats/corrections")


def test_who_may_look_only_sees_the_sample_without_buttons(client, pictures):
    assert "data-label-choice" not in client("viewer").get("/cats/sample").text


def test_without_predictions_the_sample_says_what_to_do_first(client, bucket):
    assert "There are no predictions yet" in text_of(client("viewer"), "/cats/sample")
    assert "There are no predictions yet" in text_of(client("viewer"), "/cats/corrections")
    assert client("viewer").get("/cats/sample-accuracy").json() == {"of": 0}


def test_corrections_are_listed_by_person_with_proposed_classes(client, pictures):
    correct(client("editor"), {**labelled("a.png", "bird"), "answer": "proposed"}, reason="unsure")
    correct(client("second"), labelled("b.png", "cat"))

    text = text_of(client("viewer"), "/cats/corrections")

    assert "2 corrections: 0 of the random sample, 1 of unsure predictions, 1 of the gallery" in text
    assert "editor 1 second 1" in text
    assert "Proposed classes Class Images bird 1" in text
    assert "cat new class bird (editor)" in text
    assert re.search(r"dog is cat \(second\) 20[-0-9: ]+ UTC, gallery", text)
    assert re.search(r"cat new class bird \(editor\) 20[-0-9: ]+ UTC, unsure predictions", text)


def test_unsure_predictions_without_an_answer_are_counted(client, pictures):
    assert "1 unsure prediction without an answer" in text_of(client("viewer"), "/cats/corrections")
    correct(client("editor"), labelled("b.png", "cat"))

    assert "0 unsure predictions without an answer" in text_of(client("viewer"), "/cats/corrections")
