"""Checks the number of calls to AWS of a pass over 50,000 images, and of one between two full passes."""

import bisect
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from tests.unit.image_classifier.deployments import ALIAS, DEPLOYMENT

from image_classifier.classify_existing.records import Target
from image_classifier.connect.concurrency import concurrency_of
from image_classifier.watch.classifier_watch import Watch
from image_classifier.watch.full_pass import FullPass
from image_classifier.watch.state import WatchState

NOW = datetime(2026, 1, 2, tzinfo=UTC)
UPLOADED = NOW - timedelta(hours=2)
IMAGES = 50_000
LOST = (0, 23_456, IMAGES - 1)
NAMES = [f"{number % 7}/photo {number:06}.jpg" for number in sorted(range(IMAGES), key=lambda one: (one % 7, one))]
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
STATE = WatchState(last_pass=NOW - timedelta(minutes=10), last_pass_images=IMAGES, last_pass_listings=100)
NOTIFICATION = {
    "Id": "image-classifier-pets",
    "LambdaFunctionArn": ALIAS,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "pets/incoming/"}]}},
}
POLICY = {
    "Statement": [
        {
            "Sid": "image-classifier-pets",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Condition": {
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::pictures"},
                "StringEquals": {"AWS:SourceAccount": "123456789012"},
            },
        }
    ]
}
ANSWERS = {
    "DescribeEndpoint": {"EndpointStatus": "InService", "EndpointConfigName": "config-1"},
    "DescribeModelPackageGroup": {},
    "ListModelPackages": {"ModelPackageSummaryList": []},
    "GetFunctionConfiguration": {},
    "GetAlias": {"FunctionVersion": "3"},
    "GetPolicy": {"Policy": json.dumps(POLICY)},
    "GetFunctionConcurrency": {"ReservedConcurrentExecutions": concurrency_of(1)},
    "GetBucketNotificationConfiguration": {"LambdaFunctionConfigurations": [NOTIFICATION]},
    "PutObject": {"ETag": '"2"'},
}


class Account:
    """Real clients whose requests are built and counted, and answered here without a network."""

    def __init__(self):
        self.calls, self.replayed = Counter(), []
        self.keys = sorted(f"pets/incoming/{name}" for name in NAMES)
        lost = {f"pets/predictions/{NAMES[number]}.json" for number in LOST}
        self.keys += sorted({f"pets/predictions/{name}.json" for name in NAMES} - lost)
        self.objects = {
            "pets/deployment.json": DEPLOYMENT.model_dump_json().encode(),
            "pets/watch/state.json": STATE.model_dump_json().encode(),
        }
        for name, service in (("s3", "s3"), ("functions", "lambda"), ("sagemaker", "sagemaker")):
            client = SESSION.client(service)
            client.meta.events.register("provide-client-params.*.*", self._remember)
            client.meta.events.register("before-call", self._answer)
            setattr(self, name, client)

    def _remember(self, params, **_):
        self.params = params

    def _answer(self, model, **_):
        self.calls[model.name] += 1
        answer = getattr(self, f"_{model.name}", lambda **_: ANSWERS[model.name])(**self.params)
        return SimpleNamespace(status_code=200 if "Error" not in answer else 404), answer

    def _ListObjectsV2(self, *, Prefix, StartAfter="", ContinuationToken="", **_):  # noqa: N802, N803 - AWS's names
        start = bisect.bisect_right(self.keys, max(StartAfter, ContinuationToken, Prefix))
        page = [key for key in self.keys[start : start + 1000] if key.startswith(Prefix)]
        more = len(page) == 1000 and self.keys[start + 1000 : start + 1001] and self.keys[start + 1000] > Prefix
        listed = [{"Key": key, "LastModified": UPLOADED, "Size": 9, "ETag": '"1"'} for key in page]
        return {"Contents": listed, "IsTruncated": bool(more), **({"NextContinuationToken": page[-1]} if more else {})}

    def _GetObject(self, *, Key, **_):  # noqa: N802, N803 - AWS's names
        if Key not in self.objects:
            return {"Error": {"Code": "NoSuchKey", "Message": "absent"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": '"1"'}

    def _HeadObject(self, **_):  # noqa: N802 - AWS's name
        return {"ETag": '"1"', "ContentLength": 9, "LastModified": UPLOADED}

    def _Invoke(self, *, Payload, **_):  # noqa: N802, N803 - AWS's names
        self.replayed += [record["s3"]["object"]["key"] for record in json.loads(Payload)["Records"]]
        return {"StatusCode": 202}


@pytest.fixture
def account():
    return Account()


def test_a_full_pass_needs_two_listings_per_1_000_images(account):
    whole = FullPass(account.functions, account.s3, Target("pets", "pictures"))
    state = WatchState()

    result = whole.run(state, now=NOW, is_over=lambda: False)

    assert result.is_complete
    assert state.last_pass_images == IMAGES
    assert account.replayed == [f"pets/incoming/{NAMES[number].replace(' ', '+')}" for number in LOST]
    assert account.calls["ListObjectsV2"] <= 2 * IMAGES / 1000 + 20
    assert account.calls.total() == account.calls["ListObjectsV2"] + 2 * len(LOST)


def test_a_run_between_two_full_passes_makes_fewer_than_20_calls(account):
    watch = Watch(account, Target("pets", "pictures"), "restore", lambda: False)

    assert watch.run(tell=lambda _: False, now=NOW) == {}
    assert account.calls.total() < 20, account.calls
