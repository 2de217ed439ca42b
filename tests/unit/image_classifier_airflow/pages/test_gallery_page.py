"""Checks the gallery and its corrections by requests."""

import html
import json
import re

import pytest
from botocore.exceptions import ClientError

from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.labels import labels_document

JSON = {"Accept": "application/json"}
AT = "2026-11-28T06:00:00+00:00"


def correct(client, *answers, reason="search"):
    answer = client.post("/cats/corrections", json={"reason": reason, "answers": list(answers)}, headers=JSON)
    return answer.status_code, answer.json()


def labelled(name, label, etag=""):
    return {"key": f"cats/incoming/{name}", "etag": etag, "answer": "label", "label": label}


@pytest.fixture
def pictures(bucket):
    bucket.add("sure.png", confidence=0.99, minute=1)
    bucket.add("other/close.png", label="dog", second="cat", confidence=0.55, status="unsure", minute=2)
    bucket.add("broken.png", status="rejected", minute=3)
    return bucket


def shown(client, **query):
    text = client.get("/cats/gallery", params=query).text
    return [name for name in ("broken.png", "close.png", "sure.png") if f'{name}"' in text]


def test_a_classifier_without_predictions_says_what_to_do_first(client, bucket):
    assert "There are no predictions yet" in client("viewer").get("/cats/gallery").text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["broken.png", "close.png", "sure.png"]),
        ({"label": "dog"}, ["close.png"]),
        ({"status": "rejected"}, ["broken.png"]),
        ({"at_least": "0.9"}, ["sure.png"]),
        ({"text": "CLOSE"}, ["close.png"]),
        ({"prefix": "other/"}, ["close.png"]),
        ({"day": "2026-11-27"}, []),
        ({"corrected": "yes"}, []),
    ],
)
def test_the_address_holds_the_filter(client, pictures, query, names):
    assert shown(client("viewer"), **query) == names


def test_an_order_shows_the_least_sure_prediction_first(client, pictures):
    text = client("viewer").get("/cats/gallery?order=least_sure").text

    assert text.index("close.png") < text.index("sure.png")
    assert "broken.png" not in text


def test_who_may_look_only_is_shown_no_way_to_correct(client, pictures):
    assert "Right as predicted" not in client("viewer").get("/cats/gallery").text
    assert "Right as predicted" in client("editor").get("/cats/gallery").text


def test_who_may_look_only_cannot_correct(client, pictures):
    assert correct(client("viewer"), labelled("sure.png", "dog"))[0] == 403
    assert pictures.keys("cats/corrections/") == []


def test_a_correction_says_who_changed_what(client, pictures):
    status, answer = correct(client("editor"), labelled("sure.png", "dog"), reason="random")

    stored = json.loads(pictures.s3.get_object(Bucket="pictures", Key="cats/corrections/sure.png.json")["Body"].read())
    assert (status, answer["results"][0]["state"]) == (200, "saved")
    assert (stored["label_before"], stored["label"], stored["by"]) == ("cat", "dog", "editor")
    assert (stored["reason"], stored["training_job"], len(stored["sha256"])) == ("random", "job-1", 64)
    assert shown(client("viewer"), corrected="yes") == ["sure.png"]


def test_the_second_of_two_people_sees_the_first_answer(client, pictures):
    correct(client("editor"), labelled("sure.png", "dog"))

    result = correct(client("second"), labelled("sure.png", "cat"))[1]["results"][0]

    assert (result["state"], result["by"], result["label"]) == ("conflict", "editor", "dog")
    assert correct(client("second"), labelled("sure.png", "cat", result["etag"]))[1]["results"][0]["state"] == "saved"


def test_the_same_answer_sent_twice_is_no_conflict(client, pictures):
    answers = [correct(client("editor"), labelled("sure.png", "dog"))[1]["results"][0] for _ in range(2)]

    assert answers[0] == answers[1]


def test_a_withdrawn_answer_is_gone_and_can_be_given_again(client, pictures):
    etag = correct(client("editor"), labelled("sure.png", "dog"))[1]["results"][0]["etag"]
    withdrawn = {"key": "cats/incoming/sure.png", "etag": etag, "answer": "withdrawn"}
    correct(client("editor"), withdrawn)

    assert shown(client("viewer"), corrected="yes") == []
    assert correct(client("second"), labelled("sure.png", "dog"))[1]["results"][0]["state"] == "saved"


def test_a_class_that_the_model_does_not_have_can_only_be_proposed(client, pictures):
    refused = correct(client("editor"), labelled("sure.png", "bird"))[1]["results"][0]
    proposed = {**labelled("sure.png", "bird"), "answer": "proposed"}

    assert refused["state"] == "refused"
    assert correct(client("editor"), proposed)[1]["results"][0]["state"] == "saved"


def test_a_class_that_the_file_accepts_is_one_to_choose(client, pictures, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: somewhere\naccepted_classes: [bird]\n")

    assert 'data-label-choice="bird"' in client("editor").get("/cats/gallery").text
    assert correct(client("editor"), labelled("sure.png", "bird"))[1]["results"][0]["state"] == "saved"


def test_of_many_classes_none_has_a_button_and_all_can_be_searched(client, pictures):
    labels = [f"class {number}" for number in range(12)] + ["q"]
    pictures.put("cats/models/job-1/model.json", labels_document(labels))

    text = client("editor").get("/cats/gallery").text

    assert "data-label-choice" not in text
    assert "data-recent" in text
    assert (
        re.findall('<option value="([^"]+)"', text[text.index('<datalist id="labels">') : text.index("</datalist>")])
        == labels
    )
    assert re.findall('data-shortcut="(.)"', text) == ["q"]


def test_a_tile_names_the_likeliest_classes_after_the_predicted_one(client, bucket):
    bucket.add("a.png", label="cat", second='a "b" & <c>')

    text = client("editor").get("/cats/gallery").text

    [likeliest] = re.findall('data-likeliest="([^"]*)"', text)
    assert json.loads(html.unescape(likeliest)) == ['a "b" & <c>']


def test_an_image_of_another_classifier_cannot_be_corrected(client, pictures):
    foreign = {**labelled("sure.png", "dog"), "key": "dogs/incoming/a.png"}

    assert correct(client("editor"), foreign)[0] == 404


def test_more_than_a_thousand_answers_at_once_are_refused(client, pictures):
    assert correct(client("editor"), *[labelled("sure.png", "dog")] * 1001)[0] == 422


def test_an_export_holds_what_the_filter_shows_and_the_correction(client, pictures):
    correct(client("editor"), labelled("sure.png", "dog"))

    lines = client("viewer").get("/cats/export.jsonl?label=cat").text.splitlines()

    assert [json.loads(line)["corrected_label"] for line in lines] == ["dog"]
    assert client("viewer").get("/cats/export.csv?label=cat").text.count("\n") == 2


def test_a_picture_is_sent_only_as_what_its_bytes_are(client, bucket):
    bucket.add("a.png")
    bucket.put("cats/incoming/evil.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")

    picture = client("viewer").get("/cats/picture", params={"key": "cats/incoming/a.png"})

    assert picture.headers["content-type"] == "image/png"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert client("viewer").get("/cats/picture", params={"key": "cats/incoming/evil.png"}).status_code == 204


def test_a_rejected_image_says_so_once_and_needs_no_thumbnail(client, bucket):
    bucket.add("broken.png", status="rejected")
    bucket.put("cats/incoming/broken.png", b"no picture")

    tiles = client("viewer").get("/cats/gallery").text.partition('role="listbox"')[2]

    assert tiles.count(">rejected<") == 1
    assert client("viewer").get("/cats/thumbnail", params={"key": "cats/incoming/broken.png"}).status_code == 204


def test_the_page_of_an_image_that_the_model_saw_black_says_so(client, bucket):
    bucket.add("dark.png", traits=["dark_16_bit"])
    bucket.add("bright.png")

    dark, bright = (
        client("viewer").get("/cats/image", params={"key": f"cats/incoming/{name}.png"}).text
        for name in ("dark", "bright")
    )

    assert "so low that the image is nearly black" in dark
    assert "nearly black" not in bright


def test_an_image_that_is_gone_still_has_its_page(client, bucket):
    bucket.add("gone.png")
    key = {"key": "cats/incoming/gone.png"}
    there = client("viewer").get("/cats/image", params=key).text
    bucket.s3.delete_object(Bucket="pictures", Key=key["key"])

    gone = client("viewer").get("/cats/image", params=key).text

    assert "no longer in the bucket" not in there
    assert "no longer in the bucket" in gone
    assert "Likeliest classes" in gone
    assert client("viewer").get("/cats/picture", params=key).status_code == 204


def test_the_page_of_an_image_has_the_earlier_answers_of_models_and_people(client, bucket):
    bucket.s3.put_bucket_versioning(Bucket="pictures", VersioningConfiguration={"Status": "Enabled"})
    bucket.add("a.png", label="cat", confidence=0.71, job="job-1", minute=1)
    for by, label in (("ann", "dog"), ("ben", "cat")):
        answer = Correction("cats/incoming/a.png", None, "0" * 64, "label", label, "cat", "job-1", "search", by, AT)
        bucket.put("cats/corrections/a.png.json", answer.as_json())
    bucket.add("a.png", label="dog", confidence=0.88, job="job-2", minute=2)

    text = client("viewer").get("/cats/image", params={"key": "cats/incoming/a.png"}).text

    earlier = text.partition("Earlier answers")[2].partition("</table>")[0]
    assert "cat, 71.0%" in earlier
    assert "job-1" in earlier
    assert "is dog</td><td>ann" in earlier
    assert "job-2" not in earlier
    assert "ben" not in earlier


def test_without_permission_for_versions_an_image_has_its_page(client, bucket, monkeypatch):
    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectVersions")

    bucket.add("a.png")
    monkeypatch.setattr(bucket.s3, "list_object_versions", refuse)

    text = client("viewer").get("/cats/image", params={"key": "cats/incoming/a.png"}).text

    assert "earlier answers are not shown" in text
    assert "Likeliest classes" in text


def test_a_prepared_image_that_is_gone_is_no_error_of_the_page(client, bucket):
    assert client("viewer").get("/cats/prepared", params={"key": "cats/dataset/test/cat/a.jpg"}).status_code == 204


def test_a_correction_of_an_image_that_is_gone_can_be_withdrawn(client, pictures):
    etag = correct(client("editor"), labelled("sure.png", "dog"))[1]["results"][0]["etag"]
    pictures.s3.delete_object(Bucket="pictures", Key="cats/incoming/sure.png")
    withdrawn = {"key": "cats/incoming/sure.png", "etag": etag, "answer": "withdrawn"}

    result = correct(client("second"), withdrawn)[1]["results"][0]

    stored = json.loads(pictures.s3.get_object(Bucket="pictures", Key="cats/corrections/sure.png.json")["Body"].read())
    assert result["state"] == "saved", result
    assert (stored["answer"], stored["label"], stored["by"]) == ("withdrawn", None, "second")
    assert (stored["label_before"], len(stored["sha256"])) == ("cat", 64)


def test_a_connection_that_may_not_read_is_explained_in_a_sentence(client, bucket, monkeypatch):
    bucket.s3.delete_bucket(Bucket="pictures")

    answer = client("viewer").get("/cats/gallery")

    assert answer.status_code == 502
    assert "connection may not read" in answer.text


def test_an_error_that_nobody_foresaw_is_a_sentence_too(client, bucket, monkeypatch):
    monkeypatch.setattr("image_classifier_airflow.pages.gallery.page", lambda *_, **__: 1 / 0)

    answer = client("viewer").get("/cats/gallery")

    assert (answer.status_code, "log says why" in answer.text) == (500, True)


def test_all_that_match_can_be_answered_at_once(client, pictures):
    pictures.add("second.png", minute=4)
    answer = client("editor").get("/cats/matching?label=cat").json()

    assert answer["found"] == 2
    assert [image["key"] for image in answer["images"]] == ["cats/incoming/second.png", "cats/incoming/sure.png"]
    assert correct(client("editor"), *(labelled(image["key"][14:], "dog") for image in answer["images"]))[0] == 200
    answered = client("editor").get("/cats/matching?label=cat").json()["images"]
    assert {(image["answer"], image["answerLabel"]) for image in answered} == {("label", "dog")}


def test_of_many_that_match_the_first_thousand_are_named(client, pictures, monkeypatch):
    monkeypatch.setattr("image_classifier_airflow.pages.gallery.MOST_AT_ONCE", 1)
    pictures.add("second.png", minute=4)

    answer = client("editor").get("/cats/matching?label=cat").json()

    assert (answer["found"], len(answer["images"])) == (2, 1)


def test_answers_in_the_unsure_queue_are_kept_apart(client, pictures):
    assert 'data-reason="unsure"' in client("editor").get("/cats/gallery?status=unsure").text
    assert 'data-reason="search"' in client("editor").get("/cats/gallery?order=least_sure").text
    assert 'data-reason="search"' in client("editor").get("/cats/gallery").text


def test_a_model_file_that_cannot_be_read_leaves_the_gallery_alone(client, pictures):
    pictures.put("cats/models/job-1/model.json", b"{}")

    assert client("viewer").get("/cats/gallery").status_code == 200
