"""The pages' changes are made under the API server's own policy: an upload, a correction, the deletion of an image."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from tests.permissions.edited_policies import without

from image_classifier.aws.names import Keys
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.predictions import Image, Model, Times, predicted
from image_classifier.contracts.record_keys import log_key
from image_classifier.corrections.store import CorrectionCache, Corrections
from image_classifier.gallery.deletion import Deletion
from image_classifier.gallery.earlier_answers import earlier_answers

if TYPE_CHECKING:
    from tests.local_aws.iam.conftest import Enforcing

KEYS = Keys("cats")
KEY = f"{KEYS.incoming}admin/a.jpg"
AT = "2026-11-28T05:00:00.000+00:00"


def test_an_image_is_uploaded_corrected_and_deleted(aws: Enforcing) -> None:
    s3, root = aws.client("s3", "image-classifier-api-server"), aws.root("s3")
    stored = s3.put_object(Bucket=aws.bucket, Key=KEY, Body=b"picture")
    image = Image(aws.bucket, KEY, stored["VersionId"], stored["ETag"], 7, None)
    record = predicted(
        image,
        probabilities=[0.9, 0.1],
        labels=["cat", "dog"],
        unsure_below=0.5,
        model=Model("job-1", "e", None, "x"),
        times=Times(AT, AT, 1.0, 2.0),
    )
    body = record.as_json()
    line = json.dumps(json.loads(body)).encode() + b"\n"
    log, index = log_key(record, log_prefix=KEYS.predictions_log), f"{KEYS.predictions_index}{AT[:10]}/part-1.jsonl.gz"
    names = {f"{KEYS.predictions}admin/a.jpg.json": body, log: body, index: gzip.compress(line)}
    for key, content in [*names.items(), *names.items()]:  # as the function and the watch Dag write them
        root.put_object(Bucket=aws.bucket, Key=key, Body=content)
    sha256 = hashlib.sha256(b"picture").hexdigest()
    correction = Correction(KEY, image.version_id, sha256, "label", "dog", "cat", "job-1", "search", "admin", AT)

    Corrections(s3, aws.bucket, KEYS, CorrectionCache()).write(correction, seen=None)
    record_key, correction_key = f"{KEYS.predictions}admin/a.jpg.json", f"{KEYS.corrections}admin/a.jpg.json"
    (earlier,) = earlier_answers(s3, bucket=aws.bucket, record=record_key, correction=correction_key)
    assert earlier.prediction == record
    deletion = Deletion(s3, aws.bucket, KEYS)
    assert list(deletion.versions_of(KEY, most_bytes=7)) == [b"picture"]
    assert deletion.delete(KEY, prepared=["a.jpg"])

    left = root.list_object_versions(Bucket=aws.bucket, Prefix="cats/")
    mark = KEYS.deleted_marks + hashlib.sha256(KEY.encode()).hexdigest()  # for the watch Dag, which removes it
    assert [version["Key"] for version in left["Versions"]] == sorted([index, mark])
    assert gzip.decompress(root.get_object(Bucket=aws.bucket, Key=index)["Body"].read()).strip() == b""


def test_no_record_is_found_without_the_statement_that_lists_them(aws: Enforcing) -> None:
    s3 = aws.client("s3", "image-classifier-api-server")
    s3.list_objects_v2(Bucket=aws.bucket, Prefix=KEYS.predictions)

    with without(aws.root("iam"), "ApiServerPolicy", "FindRecords"), pytest.raises(ClientError) as caught:
        s3.list_objects_v2(Bucket=aws.bucket, Prefix=KEYS.predictions)

    assert "s3:ListBucket" in str(caught.value)
