from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from image_classifier.aws import s3 as storage
from image_classifier.aws.s3 import Stored
from image_classifier.contracts.errors import DatasetError, ResourceBusyError, StorageError

BUCKET, KEY = "pictures", "a/labels.json"
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def write(s3, body, etag):
    storage.write_if_unchanged(s3, bucket=BUCKET, key=KEY, body=body, content_type="application/json", etag=etag)


def test_an_absent_object_is_none(s3):
    assert storage.read(s3, bucket=BUCKET, key=KEY) is None


def test_a_first_object_is_written_and_read_with_its_etag(s3):
    write(s3, b"1", None)
    body, etag = storage.read(s3, bucket=BUCKET, key=KEY)
    assert body == b"1"

    write(s3, b"2", etag)

    assert storage.read(s3, bucket=BUCKET, key=KEY)[0] == b"2"


@pytest.mark.parametrize("etag", [None, '"0123456789abcdef0123456789abcdef"'])
def test_an_object_that_someone_else_wrote_is_not_overwritten(s3, etag):
    write(s3, b"theirs", None)

    with pytest.raises(ResourceBusyError, match=f"s3://{BUCKET}/{KEY} was changed by another run"):
        write(s3, b"ours", etag)
    assert storage.read(s3, bucket=BUCKET, key=KEY)[0] == b"theirs"


def test_errors_name_the_bucket_and_the_key(s3):
    with pytest.raises(DatasetError, match=r"Cannot write s3://other/a/x: .*NoSuchBucket"):
        storage.write(s3, bucket="other", key="a/x", body=b"", content_type="text/plain")
    with pytest.raises(DatasetError, match="Cannot read s3://other/a/x: "):
        storage.read(s3, bucket="other", key="a/x")
    with pytest.raises(DatasetError, match="Cannot write s3://other/"):
        storage.write_if_unchanged(s3, bucket="other", key="a/x", body=b"", content_type="text/plain", etag=None)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SlowDown", 503, StorageError),
        ("InternalError", 500, StorageError),
        ("RequestTimeout", 400, StorageError),
        ("ExpiredToken", 400, StorageError),
        ("AccessDenied", 403, DatasetError),
    ],
)
def test_what_passes_on_its_own_is_no_fault_of_the_images(s3, code, status, kind):
    with Stubber(s3) as aws:
        aws.add_client_error("put_object", code, http_status_code=status)
        with pytest.raises(kind, match=f"s3://{BUCKET}/x.*{code}"):
            storage.write(s3, bucket=BUCKET, key="x", body=b"", content_type="text/plain")


def test_the_content_type_is_stored(s3):
    storage.write(s3, bucket=BUCKET, key="x.jpg", body=b"", content_type="image/jpeg")

    assert s3.head_object(Bucket=BUCKET, Key="x.jpg")["ContentType"] == "image/jpeg"


def test_every_page_of_a_listing_is_read(s3):
    request = {"Bucket": BUCKET, "Prefix": "p/"}
    pages = [["p/1", "p/2"], ["p/3"], []]
    with Stubber(s3) as aws:
        for number, keys in enumerate(pages):
            more = number + 1 < len(pages)
            listed = {"Size": 7, "ETag": '"e"', "LastModified": NOW}
            answer = {"IsTruncated": more, "Contents": [{"Key": key, **listed} for key in keys]}
            asked = {**request, "ContinuationToken": f"after{number}"} if number else request
            next_page = {"NextContinuationToken": f"after{number + 1}"} if more else {}
            aws.add_response("list_objects_v2", {**answer, **next_page}, asked)

        found = storage.list_objects(s3, bucket=BUCKET, prefix="p/")

    assert found == dict.fromkeys(["p/1", "p/2", "p/3"], Stored(7, '"e"', NOW.isoformat()))


def test_same_content_is_known_from_a_listing(s3):
    s3.put_object(Bucket=BUCKET, Key="x", Body=b"same")
    stored = storage.list_objects(s3, bucket=BUCKET, prefix="x")["x"]

    assert storage.same_content(stored, b"same")
    assert not storage.same_content(stored, b"other")
    assert not storage.same_content(None, b"same")


@pytest.mark.parametrize(
    ("code", "kind"), [("InternalError", StorageError), ("SlowDown", StorageError), ("AccessDenied", DatasetError)]
)
def test_a_key_that_is_not_deleted_at_present_is_no_fault_either(s3, code, kind):
    errors = [{"Key": "a", "Code": code, "Message": "We"}, {"Key": "b", "Code": "InternalError", "Message": "We"}]
    with Stubber(s3) as aws:
        aws.add_response("delete_objects", {"Errors": errors})
        with pytest.raises(kind, match=rf"did not delete 2 objects, such as s3://{BUCKET}/a: {code}: We"):
            storage.delete(s3, bucket=BUCKET, keys=["a", "b"])
