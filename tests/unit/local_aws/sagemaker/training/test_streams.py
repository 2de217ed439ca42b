"""Checks the content of a channel's pipe in each epoch."""

import json

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.aws import S3Object
from local_aws.sagemaker.jobs.downloads import WHOLE, DataError, ObjectCache
from local_aws.sagemaker.training.recordio import framed
from local_aws.sagemaker.training.streams import Stream

LINES = [{"source-ref": f"s3://b/{name}.jpg", "class": label} for name, label in (("cat", "0"), ("dog", 1))]


class FakeS3:
    """Objects of the bucket b in memory."""

    def __init__(self, **objects):
        self.objects_by_key = {key.replace("__", "/"): content for key, content in objects.items()}

    def objects(self, uri):
        prefix = uri.removeprefix("s3://b/")
        found = sorted(self.objects_by_key.items())
        return [S3Object("b", key, content.hex(), len(content)) for key, content in found if key.startswith(prefix)]

    def fetch(self, item, *, to):
        if item.key not in self.objects_by_key:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "The key does not exist"}}, "GetObject")
        to.write(self.objects_by_key[item.key])


@pytest.fixture
def stream(tmp_path):
    """The bytes of an epoch."""

    def read(objects, *, epoch=0, source=None, part=WHOLE, **channel):
        aws = FakeS3(**objects)
        given = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train/"} | (source or {})
        channel["DataSource"] = {"S3DataSource": given}
        cache = ObjectCache(tmp_path / "objects", aws=aws)
        return list(Stream(channel, part=part, aws=aws, cache=cache).epoch(epoch))

    return read


@pytest.fixture
def manifest(stream):
    """The bytes of an epoch of an augmented manifest."""

    def read(lines=LINES, *, names=("source-ref", "class"), wrapper="RecordIO", **options):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        objects = {"m.json": text.encode(), "cat.jpg": b"CAT", "dog.jpg": b"DOG"}
        source = {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/m.json", "AttributeNames": list(names)}
        return stream(objects, source=source, RecordWrapperType=wrapper, **options)

    return read


def test_objects_are_sent_in_key_order_without_the_consoles_folders(stream):
    assert b"".join(stream({"train__b": b"2", "train__a": b"1", "train__": b"", "other": b"3"})) == b"12"


def test_each_object_is_a_record_when_the_request_says_so(stream):
    assert stream({"train__b": b"2", "train__a": b"1"}, RecordWrapperType="RecordIO") == [framed(b"1"), framed(b"2")]


def test_shuffling_gives_each_epoch_its_own_reproducible_order(stream):
    objects = {f"train__{number}": str(number).encode() for number in range(8)}

    epochs = [b"".join(stream(objects, epoch=epoch, ShuffleConfig={"Seed": 3})) for epoch in (0, 1, 0)]

    assert epochs[0] == epochs[2] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(b"01234567")


def test_hosts_share_a_sharded_channel(stream):
    objects = {f"train__{number}": str(number).encode() for number in range(3)}

    assert [b"".join(stream(objects, part=(host, 2))) for host in (0, 1)] == [b"02", b"1"]


def test_a_manifests_attributes_are_sent_in_the_requests_order(manifest):
    assert manifest() == [framed(b"CAT"), framed(b"0"), framed(b"DOG"), framed(b"1")]
    assert manifest(names=["class", "source-ref"])[:2] == [framed(b"0"), framed(b"CAT")]


def test_without_a_wrapper_the_attributes_stand_side_by_side(manifest):
    assert b"".join(manifest(wrapper="None")) == b"CAT0DOG1"


def test_a_value_that_is_no_string_comes_as_json(manifest):
    lines = [{"class": [1, 0]}, "", {"class": "[0, 2]"}]

    assert manifest(lines, names=["class"]) == [framed(b"[1, 0]"), framed(b"[0, 2]")]


def test_a_long_manifest_keeps_its_order(manifest):
    lines = [{"class": number} for number in range(100)]

    assert manifest(lines, names=["class"], wrapper="None") == [str(number).encode() for number in range(100)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"class": "0"}, "ClientError: Data download failed:line 2 of s3://b/m.json has no attribute 'source-ref'"),
        ("no json", "ClientError: Data download failed:line 2 of s3://b/m.json has no attribute 'source-ref'"),
        (
            {"source-ref": "s3://b/absent.jpg"},
            "ClientError: Data download failed:s3://b/absent.jpg, which line 2 of s3://b/m.json names: "
            "An error occurred (NoSuchKey)",
        ),
        (
            {"source-ref": "cat.jpg"},
            "ClientError: Data download failed:cat.jpg, which line 2 of s3://b/m.json names: cat.jpg is no S3 URI",
        ),
    ],
)
def test_a_line_that_cannot_be_brought_is_named(manifest, line, sentence):
    with pytest.raises(DataError) as caught:
        manifest([LINES[0], line])

    assert str(caught.value).startswith(sentence)


def test_a_channel_without_objects_is_named(stream):
    with pytest.raises(DataError, match='No S3 objects found under "s3://b/train/"'):
        stream({"other": b"1"})
