"""Checks that corrected uploads join the data set: the blind sample in any split, all others in train."""

import hashlib
import json

import pytest

from image_classifier.contracts.corrections import Correction

BUCKET = "pictures"


@pytest.fixture
def correct(s3, picture):
    """Uploads an image and corrects its prediction."""

    def store(number, label, *, reason="search", answer="label", data=None, by="jo"):
        data = data or picture(number)
        key = f"pets/incoming/{number}.png"
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        sha256 = hashlib.sha256(data).hexdigest()
        made = Correction(key, None, sha256, answer, label, "dog", "job", reason, by, "2026-11-28T09:00:00+00:00")
        s3.put_object(Bucket=BUCKET, Key=f"pets/corrections/{number}.png.json", Body=made.as_json())
        return f"s3://{BUCKET}/{key}"

    return store


@pytest.fixture
def source(images):
    return images({"cat": range(20), "dog": range(100, 120)})


def test_a_corrected_upload_is_an_image_of_its_class(source, correct, prepare, manifest):
    name = correct(500, "cat")

    line = manifest(prepare())[name]

    assert (line["class"], line["split"]) == ("cat", "train")


def test_a_correction_keeps_its_class_when_the_file_renames_it(source, correct, prepare, manifest, report):
    names = [correct(500, "cat"), correct(501, "feline")]

    found = prepare(classes={"feline": ["cat"]})

    assert {manifest(found)[name]["class"] for name in names} == {"feline"}
    assert report(found)["corrections"] == {"jo": 2}


def test_without_a_correction_the_data_set_stays_what_it_is(source, correct, prepare):
    before = prepare().fingerprint
    correct(500, None, answer="unclear")
    correct(501, "parrot", answer="proposed")

    assert prepare().fingerprint == before


def test_a_proposed_class_joins_once_the_file_accepts_it(source, correct, prepare, manifest, stored):
    names = [correct(number, "parrot", answer="proposed") for number in (500, 501)]
    before = prepare()
    accepted = prepare(accepted_classes=["parrot"])

    assert before.num_classes == 2
    assert {manifest(accepted)[name]["class"] for name in names} == {"parrot"}
    assert json.loads(stored(accepted.labels_key)[accepted.labels_key])["labels"] == ["cat", "dog", "parrot"]


def test_an_accepted_class_that_nobody_proposes_changes_nothing(source, prepare):
    assert prepare(accepted_classes=["parrot"]).fingerprint == prepare().fingerprint


def test_the_report_counts_the_corrected_images_by_person(source, correct, prepare, report):
    correct(500, "cat")
    correct(501, "cat", by="ann")
    correct(502, "cat", by="ann")
    correct(503, "parrot", answer="proposed")

    assert report(prepare())["corrections"] == {"ann": 2, "jo": 1}


def test_only_answers_of_the_blind_sample_validate_or_test(source, correct, prepare, manifest):
    looked_for = [correct(number, "cat") for number in range(500, 540)]
    sampled = [correct(number, "cat", reason="random") for number in range(600, 640)]

    lines = manifest(prepare(test_fraction=0.3))

    assert {lines[name]["split"] for name in looked_for} == {"train"}
    assert {lines[name]["split"] for name in sampled} == {"train", "validation", "test"}


def test_a_correction_that_is_rolled_back_takes_the_image_out(s3, source, correct, prepare, manifest):
    name = correct(500, "cat")
    with_it = prepare().fingerprint
    correct(500, None, answer="withdrawn")

    without = prepare()

    assert without.fingerprint != with_it
    assert name not in manifest(without)


def test_the_prepared_copy_stays_when_the_upload_has_expired(s3, source, correct, prepare, manifest):
    name = correct(500, "cat")
    before = prepare()
    s3.delete_object(Bucket=BUCKET, Key="pets/incoming/500.png")

    after = prepare()

    assert after.fingerprint == before.fingerprint
    assert manifest(after)[name]["key"]


def test_an_upload_that_was_replaced_since_is_left_out(s3, source, correct, prepare, picture, manifest):
    name = correct(500, "cat")
    s3.put_object(Bucket=BUCKET, Key="pets/incoming/500.png", Body=picture(999))

    prepared = prepare()

    assert prepared.rejected == 1
    assert "key" not in manifest(prepared)[name]
