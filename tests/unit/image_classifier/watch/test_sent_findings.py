"""Checks that an open finding is sent once, and again only if it was closed or could not be sent."""

from datetime import timedelta

import pytest

from image_classifier.watch import classifier_watch
from image_classifier.watch.restore import Difference


def test_a_finding_is_new_once_and_again_after_it_was_closed(watch):
    watch.differences.append(Difference("alias", "The alias differs."))
    assert watch() == ({"alias": "The alias differs."}, ["alias"])
    assert watch() == ({"alias": "The alias differs."}, [])

    watch.differences.clear()
    assert watch() == ({}, [])
    watch.differences.append(Difference("alias", "The alias differs."))

    assert watch()[1] == ["alias"]


def test_a_finding_that_could_not_be_sent_is_sent_by_the_next_run(watch):
    watch.differences.append(Difference("alias", "The alias differs."))

    assert watch(can_tell=False)[1] == ["alias"]
    assert watch()[1] == ["alias"]
    assert watch()[1] == []


def test_a_finding_is_sent_before_the_state_says_so(watch, s3, monkeypatch):
    """A process that ends between the two sends it twice, and not never."""
    watch.differences.append(Difference("alias", "The alias differs."))
    with monkeypatch.context() as patched:
        patched.setattr(classifier_watch, "write_state", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watch()

    assert watch()[1] == ["alias"]


def test_a_finding_that_was_not_looked_for_is_not_sent_again(watch, monkeypatch):
    """While a run is active, or AWS does not answer, nothing is known about the deployment."""
    watch.differences.append(Difference("alias", "The alias differs."))
    watch()
    assert watch(may_compare=False) == ({}, [])
    assert watch()[1] == []

    with monkeypatch.context() as patched:
        patched.setattr(classifier_watch, "differences", lambda *_: 1 / 0)
        assert watch()[1] == ["compare with the deployment failed"]

    assert watch() == ({"alias": "The alias differs."}, [])


@pytest.fixture
def large(monkeypatch):
    """A classifier with so many images that most runs make no full pass."""
    monkeypatch.setattr("image_classifier.watch.full_pass.ALWAYS_UP_TO", 0)
    monkeypatch.setattr("image_classifier.watch.full_pass.LISTINGS_PER_DAY", 1)


def test_a_waiting_image_stays_a_finding_between_two_full_passes(watch, s3, large):
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")
    watch(hours=1)
    assert watch(hours=30)[1] == ["images without a record"]

    findings, new = watch(hours=31)

    assert (list(findings), new) == (["images without a record"], [])


def test_a_waiting_image_that_got_its_record_is_no_finding(watch, s3, large):
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")
    watch(hours=-30, grace=timedelta(hours=-40))
    watch(hours=-3, grace=timedelta(hours=-40))
    s3.put_object(Bucket="pictures", Key="pets/predictions/a.jpg.json", Body=b"{}")

    assert watch(hours=-2) == ({}, [])
