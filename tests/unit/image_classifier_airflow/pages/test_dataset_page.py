"""Checks the page of the data set by requests."""

import html
import json
import re

import pytest
from tests.pages.written import Written

OLD, NEW = "0" * 64, "1" * 64


@pytest.fixture
def versions(bucket):
    written = Written(bucket.s3, "pictures", "cats", labels=("cat", "dog"))
    written.dataset(OLD, images=90, warnings=("Few images.",))
    written.put("cats/dataset/versions/unfinished/labels.json", b"{}")
    return written


def text_of(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


@pytest.fixture
def two(versions, monkeypatch):
    """A second version; moto's times have a resolution of a second, so the order is taken from the fingerprints."""
    versions.dataset(NEW, images=120, warnings=("Few images.", "1 file cannot be used."))
    from image_classifier.gallery import datasets

    monkeypatch.setattr(datasets.DatasetVersions, "all", _by_fingerprint(datasets.DatasetVersions.all))
    return versions


def _by_fingerprint(listing):
    return lambda self: sorted(listing(self), key=lambda version: version.fingerprint, reverse=True)


def test_without_a_data_set_the_dag_that_makes_one_is_named(client, bucket):
    assert "There is no data set yet" in text_of(client("viewer"), "/cats/dataset")


def test_a_version_without_a_report_is_not_listed(client, versions):
    assert "unfinished" not in text_of(client("viewer"), "/cats/dataset")


def test_classes_are_counted_by_split_with_the_change(client, two):
    text = text_of(client("viewer"), "/cats/dataset")

    assert "cat 120 (+30) 0 12 (+3)" in text
    assert "New: 1 file cannot be used." in text
    assert "New: Few images." not in text


def test_an_earlier_version_is_shown_without_changes(client, two):
    text = text_of(client("viewer"), f"/cats/dataset?version={OLD}")

    assert "cat 90 0 9 dog" in text
    assert "since version" not in text


def test_what_was_left_out_is_shown_with_its_reason(client, versions):
    text = text_of(client("viewer"), "/cats/dataset")

    assert "none cat/&lt;b&gt;.jpg cat truncated : It ends early." in text
    assert "Corrected uploads among them: 12 by anna, 3 by ben." in text
    assert "cat/2.jpg is cat/1.jpg" in text
    assert "grey values only 2 cat/3.jpg" in text


def test_rejected_and_repaired_images_are_shown_with_pictures(client, versions):
    pictures = {"cat/<b>.jpg": "data:image/jpeg;base64,AAAA", "cat/3.jpg": "data:image/jpeg;base64,BBBB"}
    shown = "".join(f'<img src="{uri}" alt="{html.escape(name)}">' for name, uri in pictures.items())
    hostile = '<img src="https://evil.example/a.jpg" alt="cat/3.jpg"><img src="data:text/html,x" alt="cat/3.jpg">'
    versions.put(f"cats/dataset/versions/{OLD}/report.html", (shown + hostile).encode())

    page = client("viewer").get("/cats/dataset").text

    assert re.findall(r'<img class="small" src="([^"]+)"', page) == list(pictures.values())


def test_groups_of_near_duplicates_are_shown_with_pictures(client, versions):
    page = client("viewer").get("/cats/dataset").text

    assert "2 images of cat, dog" in page
    address = re.search(r'<li class="tile"><img src="(prepared[^"]+)"', page)[1]
    assert client("viewer").get(f"/cats/{address}").headers["content-type"] == "image/jpeg"


def test_the_report_of_release_0_1_is_shown(client, versions):
    key = f"cats/dataset/versions/{OLD}/report.json"
    report = {
        "schema": 1, "source": "s", "fingerprint": OLD, "pixels": "x", "labels": ["cat"], "warnings": [],
        "images": {"train": {"cat": 5}}, "rejected": [], "duplicates": [], "leaks": [], "conflicts": [], "ignored": [],
    }  # fmt: skip
    versions.put(key, json.dumps(report).encode())

    assert "cat 5 0 0" in text_of(client("viewer"), "/cats/dataset")


def test_a_version_that_is_not_there_is_not_found(client, versions):
    assert client("viewer").get("/cats/dataset?version=abcdef01").status_code == 404
