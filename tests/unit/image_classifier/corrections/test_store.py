"""Checks how corrections are stored and read for the next data set."""

from dataclasses import replace

import pytest

from image_classifier.aws.names import Keys
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import CorrectionError
from image_classifier.corrections.store import CorrectionCache, Corrections, accepted, count_by_person


def correction(answer="label", label="cat", *, by="anna", at="2026-11-28T05:00:00+00:00"):
    return Correction("cats/incoming/a", "v1", "0" * 64, answer, label, "dog", "job-1", "search", by, at)


def test_only_answers_with_an_accepted_class_are_used():
    given = [correction(), correction("proposed", "bird"), correction("unclear", None), correction("withdrawn", None)]

    assert accepted(given, labels=["cat", "dog"]) == [given[0]]
    assert accepted(given, labels=["cat", "dog", "bird"]) == given[:2]


def test_a_correction_to_a_class_that_the_file_renames_has_its_new_name():
    old, new = correction(label="nodule"), correction(label="lesion")

    assert accepted([old, new], labels=["lesion", "cat"], renamed={"nodule": "lesion"}) == [new, new]
    assert accepted([old], labels=["lesion", "cat"]) == []


def test_a_class_whose_name_another_takes_keeps_it_in_corrections():
    assert accepted([correction(label="a")], labels=["a", "b"], renamed={"a": "b", "b": "a"})[0].label == "a"


def test_accepted_corrections_come_oldest_first():
    late, early = correction(at="2026-11-28T06:00:00+00:00"), correction()

    assert accepted([late, early], labels=["cat"]) == [early, late]


def test_corrections_are_counted_by_person():
    assert count_by_person([correction(), correction(by="ben"), correction()]) == {"anna": 2, "ben": 1}


def test_a_stored_correction_is_read_as_it_was_written():
    assert Correction.from_json(correction().as_json()) == correction()


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": 2}', correction("unclear", "cat").as_json()])
def test_what_is_no_correction_is_refused(data):
    with pytest.raises(CorrectionError):
        Correction.from_json(data)


def corrections(s3, cache=None):
    return Corrections(s3, "pictures", Keys("cats"), cache or CorrectionCache())


def counting(s3):
    """The S3 operations that are called from now on."""
    called = []
    s3.meta.events.register("before-call.s3", lambda model, **_: called.append(model.name))
    return called


def test_of_a_page_s_images_only_their_corrections_are_read(s3):
    for name in ("a", "b", "c"):
        corrections(s3).write(replace(correction(), key=f"cats/incoming/{name}"), seen=None)
    called = counting(s3)

    assert set(corrections(s3).of(["cats/incoming/a", "cats/incoming/z"])) == {"cats/incoming/a"}
    assert called == ["ListObjectsV2", "GetObject"]


def test_only_the_classifiers_own_corrections_are_listed(s3):
    listed = []
    s3.meta.events.register(
        "provide-client-params.s3.ListObjectsV2", lambda params, **_: listed.append(params["Prefix"])
    )

    corrections(s3).of(["cats/incoming/a"])

    assert listed == ["cats/corrections/"]


def test_of_more_than_a_page_of_corrections_none_is_listed_twice(s3, monkeypatch):
    corrections(s3).write(replace(correction(), key="cats/incoming/a"), seen=None)
    for number in range(1000):
        s3.put_object(Bucket="pictures", Key=f"cats/corrections/0{number:04d}.json", Body=b"")
    called = counting(s3)

    assert set(corrections(s3).of(["cats/incoming/a", "cats/incoming/z"])) == {"cats/incoming/a"}
    assert sorted(called) == ["GetObject", "GetObject", "ListObjectsV2"]


def test_all_corrections_are_listed_once_in_ten_seconds(s3):
    now = [0.0]
    cache = CorrectionCache(clock=lambda: now[0])
    corrections(s3, cache).write(correction(), seen=None)
    called = counting(s3)

    for now[0] in (0.0, 9.9, 10.1):
        assert set(corrections(s3, cache).all()) == {"cats/incoming/a"}
    assert called.count("ListObjectsV2") == 2


def test_unchanged_corrections_are_read_once(s3):
    cache = CorrectionCache()
    for name in ("a", "b", "c"):
        corrections(s3).write(replace(correction(), key=f"cats/incoming/{name}"), seen=None)
    called = counting(s3)

    for _ in range(2):
        assert len(corrections(s3, cache).all()) == 3
    assert called.count("GetObject") == 3


def test_what_was_just_written_is_seen_at_once(s3):
    cache = CorrectionCache()
    assert corrections(s3, cache).all() == {}

    corrections(s3, cache).write(correction(), seen=None)

    assert set(corrections(s3, cache).among(["cats/incoming/a", "cats/incoming/b"])) == {"cats/incoming/a"}


def test_the_corrections_of_other_images_are_not_among_those_asked_for(s3):
    for name in ("a", "b"):
        corrections(s3).write(replace(correction(), key=f"cats/incoming/{name}"), seen=None)

    assert set(corrections(s3).among(["cats/incoming/b", "cats/incoming/c"])) == {"cats/incoming/b"}
