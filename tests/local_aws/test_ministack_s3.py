"""Checks the behaviour of S3 that this project depends on: events, conditions, versions, limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

if TYPE_CHECKING:
    from conftest import MiniStack


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def message_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Message"])


def test_a_key_may_have_1024_bytes_and_not_one_more(ministack: MiniStack) -> None:
    s3 = ministack.client("s3")
    longest = "keys/" + "ä" * 509 + "a"
    assert len(longest.encode()) == 1024

    s3.put_object(Bucket=ministack.bucket, Key=longest, Body=b"")

    assert ministack.read(longest) == b""
    assert code_of(s3.put_object, Bucket=ministack.bucket, Key=longest + "a", Body=b"") == "KeyTooLongError"


def test_a_record_is_written_once_when_nobody_else_may_have_written_it(ministack: MiniStack) -> None:
    s3, target = ministack.client("s3"), {"Bucket": ministack.bucket, "Key": "conditions/a"}
    first = s3.put_object(**target, Body=b"1", IfNoneMatch="*")["ETag"]

    assert code_of(s3.put_object, **target, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    second = s3.put_object(**target, Body=b"2", IfMatch=first)["ETag"]
    assert code_of(s3.put_object, **target, Body=b"3", IfMatch=first) == "PreconditionFailed"
    assert ministack.read("conditions/a") == b"2"
    s3.delete_object(**target)
    s3.put_object(**target, Body=b"4", IfNoneMatch="*")
    assert code_of(s3.put_object, **target, Body=b"5", IfMatch=second) == "PreconditionFailed"
    assert code_of(s3.put_object, Bucket=ministack.bucket, Key="conditions/none", IfMatch=first) == "NoSuchKey"


def test_a_copy_obeys_its_conditions_for_the_destination(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), ministack.bucket
    for key in ("copies/a", "copies/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    copy = {"Bucket": bucket, "Key": "copies/b", "CopySource": f"{bucket}/copies/a"}

    assert code_of(s3.copy_object, **copy, IfNoneMatch="*") == "PreconditionFailed"
    assert code_of(s3.copy_object, **copy, IfMatch='"another"') == "PreconditionFailed"
    assert ministack.read("copies/b") == b"copies/b"
    s3.copy_object(**copy | {"Key": "copies/c"}, IfNoneMatch="*")
    assert ministack.read("copies/c") == b"copies/a"
    assert code_of(s3.put_object, Bucket=bucket, Key="copies/b", IfNoneMatch='"etag"') == "NotImplemented"


def test_another_body_than_was_signed_is_refused(ministack: MiniStack) -> None:
    s3, target = ministack.client("s3"), {"Bucket": ministack.bucket, "Key": "signed/a"}

    def forge(request: Any, **_: object) -> None:
        request.body = b"forged"

    s3.put_object(**target, Body=b"signed")
    s3.meta.events.register("before-send.s3.PutObject", forge)
    try:
        assert code_of(s3.put_object, **target, Body=b"signed") == "XAmzContentSHA256Mismatch"
    finally:
        s3.meta.events.unregister("before-send.s3.PutObject", forge)
    url = s3.generate_presigned_url("put_object", Params=target)
    assert httpx.put(url, content=b"unsigned").status_code == 200
    assert ministack.read("signed/a") == b"unsigned"


def test_one_request_deletes_1_to_1000_objects(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), ministack.bucket
    s3.put_object(Bucket=bucket, Key="deleted/0", Body=b"")
    objects = [{"Key": f"deleted/{number}"} for number in range(1001)]

    for wrong in (objects, []):
        assert code_of(s3.delete_objects, Bucket=bucket, Delete={"Objects": wrong}) == "MalformedXML"
    assert ministack.keys("deleted/") == ["deleted/0"]
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": objects[:1000]})["Deleted"]) == 1000
    assert ministack.keys("deleted/") == []


def test_a_page_has_at_most_1000_objects(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), ministack.bucket

    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    assert s3.list_object_versions(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    assert code_of(s3.list_objects_v2, Bucket=bucket, ContinuationToken="no token") == "InvalidArgument"


def test_metadata_have_at_most_2_kib(ministack: MiniStack) -> None:
    s3, target = ministack.client("s3"), {"Bucket": ministack.bucket, "Key": "metadata/a"}

    s3.put_object(**target, Metadata={"a": "x" * 2047})
    assert code_of(s3.put_object, **target, Metadata={"a": "x" * 2048}) == "MetadataTooLarge"
    assert code_of(s3.create_multipart_upload, **target, Metadata={"a": "x" * 2048}) == "MetadataTooLarge"


def test_parts_have_5_mib_and_are_listed_in_order(ministack: MiniStack) -> None:
    s3, target = ministack.client("s3"), {"Bucket": ministack.bucket, "Key": "parts/a"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    bodies = {1: bytes(5 * 1024 * 1024), 2: b"too small", 3: b"the last"}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**target, PartNumber=number, Body=body)["ETag"]}
        for number, body in bodies.items()
    ]

    for listed, code in (
        (parts, "EntityTooSmall"),
        (parts[::-1], "InvalidPartOrder"),
        ([parts[0], parts[0]], "InvalidPartOrder"),
        ([], "MalformedXML"),
    ):
        assert code_of(s3.complete_multipart_upload, **target, MultipartUpload={"Parts": listed}) == code
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": [parts[0], parts[2]]})
    assert ministack.read("parts/a") == bodies[1] + bodies[3]


def events(ministack: MiniStack, prefix: str, *names: str) -> list[dict[str, Any]]:
    until(lambda: len(ministack.keys(f"{prefix}/results/")) == len(names))
    return [json.loads(ministack.read(f"{prefix}/results/{name}"))["event"]["Records"][0] for name in names]


def test_events_say_what_happened_as_aws_says_it(ministack: MiniStack) -> None:
    ministack.notify(("events/incoming/", ministack.create_function("image-classifier-events", ministack.copy_event)))
    s3, bucket = ministack.client("s3"), ministack.bucket
    put = s3.put_object(Bucket=bucket, Key="events/incoming/a b+ä.jpg", Body=b"image")
    s3.copy_object(Bucket=bucket, Key="events/incoming/copy", CopySource=f"{bucket}/events/incoming/a b+ä.jpg")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="events/incoming/parts")["UploadId"]
    where = {"Bucket": bucket, "Key": "events/incoming/parts", "UploadId": upload}
    part = s3.upload_part(**where, PartNumber=1, Body=b"part")["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})

    first, copied, parts = events(ministack, "events", "a b+ä.jpg", "copy", "parts")

    assert first["eventName"] == "ObjectCreated:Put"
    assert first["s3"]["object"]["key"] == "events/incoming/a+b%2B%C3%A4.jpg"
    assert first["s3"]["object"]["versionId"] == put["VersionId"]
    assert first["s3"]["object"]["eTag"] == put["ETag"].strip('"')
    assert first["s3"]["object"]["size"] == 5
    assert copied["eventName"] == "ObjectCreated:Copy"
    assert parts["eventName"] == "ObjectCreated:CompleteMultipartUpload"


def test_the_sequencer_of_a_later_upload_of_a_key_is_greater(ministack: MiniStack) -> None:
    source = ministack.copy_event.replace('"/results/")', '"/results/") + record["object"]["sequencer"]')
    ministack.notify(("order/incoming/", ministack.create_function("image-classifier-order", source)))
    versions = [
        ministack.client("s3").put_object(Bucket=ministack.bucket, Key="order/incoming/a", Body=b"")["VersionId"]
        for _ in range(3)
    ]

    until(lambda: len(ministack.keys("order/results/")) == 3)
    in_order = [json.loads(ministack.read(key))["event"]["Records"][0] for key in sorted(ministack.keys("order/res"))]
    assert [record["s3"]["object"]["versionId"] for record in in_order] == versions


def test_a_notification_needs_a_function_that_s3_may_call(ministack: MiniStack) -> None:
    arn = ministack.create_function("image-classifier-permission", ministack.copy_event)
    complaint = "Unable to validate the following destination configurations"

    def notify(target: str) -> Any:
        return lambda: ministack.notify(("permission/incoming/", target))

    assert message_of(notify(arn.replace("permission", "none"))) == complaint
    assert message_of(notify(arn.removesuffix(":live"))) == complaint
    ministack.notify(("permission/incoming/", arn))
    ministack.notify()
    ministack.client("lambda").remove_permission(
        FunctionName="image-classifier-permission", Qualifier="live", StatementId="s3"
    )
    assert message_of(notify(arn)) == complaint


def test_two_notifications_may_not_be_about_the_same_upload(ministack: MiniStack) -> None:
    arn = ministack.create_function("image-classifier-overlap", ministack.copy_event)

    message = message_of(lambda: ministack.notify(("overlap/", arn), ("overlap/incoming/", arn)))

    assert message.startswith("Configuration is ambiguously defined.")
    ministack.notify(("overlap/incoming/", arn), ("overlap2/incoming/", arn))


def test_pages_of_versions_are_the_whole_list(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), f"{ministack.bucket}-pages"
    s3.create_bucket(Bucket=bucket)
    wanted = ["a", "b/1", "b/2", "c\x01 +", "d/1", "e"]
    for key in wanted:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    paginator = s3.get_paginator("list_object_versions")

    for size in (1, 2, 3, 10):
        found = paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        assert [item["Key"] for page in found for item in page.get("Versions", [])] == wanted
        pages = list(paginator.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}))
        assert [item["Key"] for page in pages for item in page.get("Versions", [])] == ["a", "c\x01 +", "e"]
        assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])] == ["b/", "d/"]


def test_versions_can_be_deleted_page_by_page(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), ministack.bucket
    for _ in range(5):
        s3.put_object(Bucket=bucket, Key="paged/a", Body=b"")
    s3.delete_object(Bucket=bucket, Key="paged/a")
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix="paged/", PaginationConfig={"PageSize": 4}
    )

    for page in pages:
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})

    assert "Versions" not in s3.list_object_versions(Bucket=bucket, Prefix="paged/")


def test_all_versions_of_a_prefix_can_be_deleted(ministack: MiniStack) -> None:
    s3, bucket = ministack.client("s3"), ministack.bucket
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="versions/a", Body=body)
    s3.put_object(Bucket=bucket, Key="versions/b", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="versions/b")

    listed = s3.list_object_versions(Bucket=bucket, Prefix="versions/")
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (3, 1)
    everything = [
        {"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed["Versions"] + listed["DeleteMarkers"]
    ]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": everything})

    assert len(deleted["Deleted"]) == 4
    left = s3.list_object_versions(Bucket=bucket, Prefix="versions/")
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


def test_it_listens_on_this_machine_alone(ministack: MiniStack) -> None:
    listening = f":{ministack.port:04X} "
    with open("/proc/net/tcp") as table:  # noqa: PTH123
        addresses = {line.split()[1] for line in table if listening in line and line.split()[3] == "0A"}
    assert addresses == {f"0100007F:{ministack.port:04X}"}


def notification(*, events: list[str] | None = None, rules: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    return {
        "LambdaFunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:none",
        "Events": events or ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in rules or []]}},
    }


@pytest.mark.parametrize(
    ("configurations", "sentence"),
    [
        ([notification(rules=[("infix", "a/")])], "filter rule name must be either prefix or suffix"),
        ([notification(events=["s3:ObjectCreated:Made"])], "The event is not supported for notifications"),
        (
            [notification(rules=[("prefix", "a/"), ("Prefix", "b/")])],
            "Cannot specify more than one prefix rule in a filter.",
        ),
        (
            [notification(rules=[("suffix", ".a"), ("suffix", ".b")])],
            "Cannot specify more than one suffix rule in a filter.",
        ),
        (
            [{**notification(rules=[("prefix", prefix)]), "Id": "same"} for prefix in ("a/", "b/")],
            "Same ID used for multiple configurations. IDs must be unique.",
        ),
        (
            [notification(rules=[("prefix", "a" * 1025)])],
            "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation",
        ),
    ],
    ids=["filter", "event", "two prefixes", "two suffixes", "two Ids", "long prefix"],
)
def test_a_notification_that_aws_refuses_is_refused(
    ministack: MiniStack, configurations: list[dict[str, Any]], sentence: str
) -> None:
    s3 = ministack.client("s3")
    before = s3.get_bucket_notification_configuration(Bucket=ministack.bucket)
    request = {"LambdaFunctionConfigurations": configurations}

    with pytest.raises(ClientError) as caught:
        s3.put_bucket_notification_configuration(Bucket=ministack.bucket, NotificationConfiguration=request)

    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidArgument", sentence)
    after = s3.get_bucket_notification_configuration(Bucket=ministack.bucket)
    assert after.get("LambdaFunctionConfigurations") == before.get("LambdaFunctionConfigurations")


def test_a_notification_that_is_no_xml_is_refused(ministack: MiniStack) -> None:
    url = f"{ministack.url}/{ministack.bucket}?notification"

    answer = httpx.put(url, content=b"<NotificationConfiguration>", trust_env=False)

    assert (answer.status_code, "MalformedXML" in answer.text) == (400, True)
