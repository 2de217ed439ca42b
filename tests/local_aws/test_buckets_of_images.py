"""Images are read from a bucket of another region, and stored under the KMS key of the deployment's bucket."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from PIL import Image
from tests.unit.image_classifier.prepared import prepare_dataset

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare import stores

if TYPE_CHECKING:
    from tests.local_aws.conftest import MiniStack

IMAGES = 24
KEY = "arn:aws:kms:us-east-1:000000000000:key/0b8d3c1e-0000-4000-8000-000000000000"


def client(ministack: MiniStack, region: str) -> Any:
    return boto3.Session("test", "test", region_name=region).client("s3", endpoint_url=ministack.url)


def upload_images(s3: Any, bucket: str) -> None:
    for number in range(IMAGES):
        out = io.BytesIO()
        Image.effect_noise((40, 40), 50 + number).convert("RGB").save(out, "PNG")
        s3.put_object(Bucket=bucket, Key=f"photos/{('cat', 'dog')[number % 2]}/{number}.png", Body=out.getvalue())


def settings(ministack: MiniStack, bucket: str) -> Settings:
    return Settings.from_env({**ministack.settings, "IMAGE_CLASSIFIER_BUCKET": bucket})


def keys_of(s3: Any, bucket: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def test_images_are_read_from_a_bucket_of_another_region(ministack: MiniStack) -> None:
    there, here = client(ministack, "eu-west-1"), client(ministack, "us-east-1")
    there.create_bucket(Bucket="photographs-in-ireland", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    upload_images(there, "photographs-in-ireland")
    redirected: list[int] = []
    here.meta.events.register(
        "response-received.s3", lambda response_dict, **_: redirected.append(response_dict["status_code"])
    )
    classifier = Classifier(name="abroad", source="s3://photographs-in-ireland/photos/")

    dataset = prepare_dataset(classifier, s3=here, settings=settings(ministack, ministack.bucket))

    assert redirected.count(301) == 1  # botocore remembers the bucket's region
    assert dataset.uploaded == IMAGES


@pytest.mark.parametrize("by", ["obstore", "boto3"])
def test_everything_is_stored_under_the_key_of_the_bucket(
    ministack: MiniStack, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = client(ministack, "us-east-1"), f"encrypted-for-{by}"
    s3.create_bucket(Bucket=bucket)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    upload_images(s3, bucket)
    if by == "boto3":
        monkeypatch.setattr(stores, "object_store", lambda s3, *, bucket: None)
    classifier = Classifier(name="cats", source=f"s3://{bucket}/photos/")

    first = prepare_dataset(classifier, s3=s3, settings=settings(ministack, bucket))
    again = prepare_dataset(classifier, s3=s3, settings=settings(ministack, bucket))

    keys = keys_of(s3, bucket)
    heads = {key: s3.head_object(Bucket=bucket, Key=key) for key in keys}
    assert {key: (head["ServerSideEncryption"], head["SSEKMSKeyId"]) for key, head in heads.items()} == dict.fromkeys(
        keys, ("aws:kms", KEY)
    )
    assert (first.uploaded, again.uploaded, again.fingerprint) == (IMAGES, 0, first.fingerprint)
