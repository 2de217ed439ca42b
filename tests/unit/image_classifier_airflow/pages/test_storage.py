"""Checks that no page waits long for an S3 that does not answer, or answers slowly."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from image_classifier.contracts.errors import StorageError
from image_classifier_airflow.pages.storage import PAGE_S, SILENT_S, PageClient, Silence


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sent():
    """The calls that reached the network, none of which is answered."""
    return []


@pytest.fixture
def silent(clock, sent):
    """A client of an S3 that does not answer."""
    client = boto3.Session("testing", "testing", region_name="us-east-1").client(
        "s3", config=Config(retries={"total_max_attempts": 1})
    )
    Silence(clock).watch(client)

    def unanswered(**_):
        sent.append(1)
        raise ReadTimeoutError(endpoint_url="https://s3.example")

    client.meta.events.register("before-send.s3", unanswered)
    return client


def test_after_a_call_without_an_answer_the_next_are_not_made(silent, sent):
    with pytest.raises(ReadTimeoutError):
        silent.get_object(Bucket="pictures", Key="a")

    with pytest.raises(StorageError, match="did not answer a moment ago"):
        silent.list_objects_v2(Bucket="pictures")
    assert sent == [1]


def test_after_a_while_s3_is_asked_again(silent, clock, sent):
    with pytest.raises(ReadTimeoutError):
        silent.get_object(Bucket="pictures", Key="a")
    clock.now += SILENT_S

    with pytest.raises(ReadTimeoutError):
        silent.get_object(Bucket="pictures", Key="a")
    assert sent == [1, 1]


def test_a_page_makes_no_call_after_its_time(silent, clock, sent):
    page = PageClient(silent, clock)
    clock.now += PAGE_S

    with pytest.raises(StorageError, match="so slowly"):
        page.get_object(Bucket="pictures", Key="a")
    assert sent == []
