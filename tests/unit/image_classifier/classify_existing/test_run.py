"""Checks that all shares together classify each image once, also when a task is tried again."""

import io
import json
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from image_classifier.classify_existing import run
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.run import (
    USD_PER_IMAGE,
    Request,
    check_budget,
    classify_share,
    count,
    keys_to_classify,
)
from image_classifier.contracts.errors import BudgetError, PredictionError

TARGET = Target("pets", "pictures")
LATER, EARLIER = (datetime.now(UTC) + sign * timedelta(hours=1) for sign in (1, -1))

TOO_MANY = {"Error": {"Code": "TooManyRequestsException"}, "ResponseMetadata": {"HTTPStatusCode": 429}}


class Functions:
    """A function that writes a record for every image, but for those it fails."""

    def __init__(self, s3, *, fails=()):
        self.s3, self.fails, self.generations = s3, fails, []

    def invoke(self, **request):
        assert (request["FunctionName"], request["Qualifier"]) == ("image-classifier-pets", "live")
        [record] = json.loads(request["Payload"])["Records"]
        key = record["s3"]["object"]["key"]
        self.generations.append(record["generation"])
        if key in self.fails:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no endpoint"}')}
        self.s3.put_object(Bucket="pictures", Key=key.replace("incoming", "predictions") + ".json", Body=b"{}")
        return {"Payload": io.BytesIO(b'{"images": 1}')}


@pytest.fixture
def images(s3):
    keys = [f"pets/incoming/{folder}/{number}.jpg" for folder in "ab" for number in range(10)]
    for key in keys:
        s3.put_object(Bucket="pictures", Key=key, Body=b"image")
    return keys


def request(*, prefix="", again=False, started=EARLIER):
    return Request(TARGET, prefix, again, started)


def classify(s3, functions, asked, *, share=0, shares=1):
    return classify_share(functions, s3, asked, share=share, shares=shares, concurrency=3)


def test_the_shares_together_are_all_images_once_each(s3, images):
    found = [list(keys_to_classify(s3, request(), share=share, shares=3)) for share in range(3)]

    assert sorted(key for share in found for key in share) == sorted(images)
    assert all(found)


def test_images_without_a_record_are_classified_as_late_events(s3, images):
    functions = Functions(s3)

    assert classify(s3, functions, request(prefix="a/")).classified == 10
    assert set(functions.generations) == {0}
    assert len(list(keys_to_classify(s3, request()))) == 10


def test_an_earlier_record_counts_unless_images_are_classified_again(s3, images):
    classify(s3, Functions(s3), request())

    assert [count(s3, request(again=again, started=LATER)) for again in (False, True)] == [0, 20]


def test_an_image_that_is_deleted_meanwhile_is_no_failure(s3, images, monkeypatch):
    monkeypatch.setattr(run, "keys_to_classify", lambda *_, **__: [*images[:2], "pets/incoming/gone.jpg"])
    functions = Functions(s3)

    assert classify(s3, functions, request()).failed == 0
    assert len(functions.generations) == 2


def test_twice_as_many_images_wait_as_are_classified_at_once(s3, images, monkeypatch):
    waiting = []
    monkeypatch.setattr(run, "wait", lambda futures, **how: waiting.append(len(futures)) or wait(futures, **how))

    assert classify(s3, Functions(s3), request()).classified == 20
    assert max(waiting) == 2 * 3


def test_again_means_every_image_with_the_generation_of_the_run(s3, images):
    functions = Functions(s3)
    classify(s3, functions, request())
    asked = request(again=True, started=LATER)

    assert classify(s3, functions, asked).classified == 20
    assert functions.generations[-1] == round(LATER.timestamp() * 1000)


def test_a_task_that_is_tried_again_leaves_out_what_is_done(s3, images):
    functions, asked = Functions(s3, fails=images[:1]), request(again=True)
    with pytest.raises(PredictionError, match=r"1 image\(s\) failed, such as pets/incoming/a/0\.jpg: .*no endpoint"):
        classify(s3, functions, asked)
    functions.fails = ()

    assert classify(s3, functions, asked).classified == 1


def test_a_function_that_ends_after_the_record_is_invoked_again(s3, images):
    class EndsOnce(Functions):
        """A function that ends between the record and its log entry, when it gets an image for the first time."""

        def invoke(self, **request):
            answer = super().invoke(**request)
            [record] = json.loads(request["Payload"])["Records"]
            if record["s3"]["object"]["key"] not in ended:
                return answer
            ended.remove(record["s3"]["object"]["key"])
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "Runtime.ExitError"}')}

    ended, functions = set(images[:1]), EndsOnce(s3)

    assert classify(s3, functions, request()).classified == 20
    assert len(functions.generations) == 21


@pytest.mark.parametrize(("throttled", "is_left"), [(run.THROTTLED_TRIES - 1, False), (run.THROTTLED_TRIES, True)])
def test_an_image_waits_while_all_executions_of_the_function_are_busy(s3, images, pauses, throttled, is_left):
    class Busy(Functions):
        """A function whose executions are all busy when the first image comes."""

        def invoke(self, **request):
            if images[0].encode() in request["Payload"] and len(refused) < throttled:
                refused.append(request)
                raise ClientError(TOO_MANY, "Invoke")
            return super().invoke(**request)

    refused = []
    if is_left:
        with pytest.raises(ClientError, match="TooManyRequestsException"):
            classify(s3, Busy(s3), request())
        return

    assert classify(s3, Busy(s3), request()).classified == 20
    assert len(pauses) == throttled
    assert max(pauses) <= run.LONGEST_PAUSE_S


def test_a_run_that_may_cost_too_much_is_refused(s3, images):
    number = count(s3, request())
    check_budget(number, max_cost_usd=20 * USD_PER_IMAGE)
    with pytest.raises(BudgetError, match="Nothing was classified"):
        check_budget(number, max_cost_usd=19 * USD_PER_IMAGE)
