"""Checks which requests for transform jobs are accepted, and what is sent for each object."""

import gzip
from types import SimpleNamespace

import pytest
from tests.unit.local_aws.sagemaker.refusals import refusal

from local_aws.sagemaker.aws import S3Object
from local_aws.sagemaker.jobs.failures import JobFailedError
from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.transform import inputs, requests
from local_aws.sagemaker.transform.data_log import DataLog
from local_aws.sagemaker.transform.parameters import Parameters, environment, resolved
from local_aws.sagemaker.transform.records import MB, TooLargeError, assembled, payloads


def request(*, source=None, **changes):
    data = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/test/"}
    return {
        "TransformJobName": "a",
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": data | (source or {})}, "ContentType": "application/x-image"},
        "TransformOutput": {"S3OutputPath": "s3://b/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    } | changes


def with_input(**changes):
    return {"TransformInput": request()["TransformInput"] | changes}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"source": {"S3DataType": "ManifestFile"}, "MaxPayloadInMB": 100, "MaxConcurrentTransforms": 1},
        {"MaxPayloadInMB": 6, "MaxConcurrentTransforms": 16, "BatchStrategy": "SingleRecord"},
        {"MaxPayloadInMB": 0, "MaxConcurrentTransforms": 64},
        with_input(SplitType="Line", CompressionType="Gzip"),
        {"DataProcessing": {"InputFilter": "$", "JoinSource": "None"}},
    ],
)
def test_requests_that_aws_carries_out_are_accepted(changes):
    assert refusal(requests.check, request(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB must be at most 100; found 101."),
        (
            {"MaxConcurrentTransforms": 17},
            "MaxConcurrentTransforms * MaxPayloadInMB must be at most 100; found 17 * 6 = 102.",
        ),
        (
            {"source": {"S3DataType": "AugmentedManifestFile"}},
            "S3DataType AugmentedManifestFile is not supported for transform jobs; use ManifestFile or S3Prefix.",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}},
            "DataProcessing is not supported for ContentType application/x-image; it needs one of: text/csv, "
            "application/json, application/jsonlines.",
        ),
        (
            {"DataProcessing": {"OutputFilter": "$[0]"}, **with_input(ContentType="text/csv; charset=utf-8")},
            "This local SageMaker does not have DataProcessing of text/csv; AWS does.",
        ),
        (with_input(SplitType="RecordIO"), "This local SageMaker does not have SplitType RecordIO; AWS does."),
        (
            {"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}},
            "This local SageMaker does not have DataCaptureConfig; AWS does.",
        ),
        (
            {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 101}},
            "InstanceCount must be at most 100; found 101.",
        ),
    ],
)
def test_other_requests_are_refused_with_the_reason(changes, sentence):
    assert refusal(requests.check, request(**changes)) == ("ValidationException", sentence)


def test_chunked_requests_are_refused_for_the_built_in_algorithm_alone():
    requests.check_image(request(MaxPayloadInMB=0), built_in=False)
    requests.check_image(request(), built_in=True)
    with pytest.raises(ServiceError, match="which built-in algorithms do not support"):
        requests.check_image(request(MaxPayloadInMB=0), built_in=True)


def test_a_new_job_shows_the_defaults_and_no_tags():
    job = requests.new_job(request(Tags=[{"Key": "k", "Value": "v"}]), arn="arn", now=5.0)

    assert (job["TransformJobStatus"], job["CreationTime"], job["TransformJobArn"]) == ("InProgress", 5.0, "arn")
    assert job["TransformInput"]["CompressionType"] == job["TransformInput"]["SplitType"] == "None"
    assert job["TransformOutput"]["AssembleWith"] == "None"
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert "Tags" not in job


def fake_aws(objects):
    """S3 that holds these objects of the bucket b."""

    def below(uri):
        prefix = uri.removeprefix("s3://b/")
        return [S3Object("b", key, "", 0) for key in sorted(objects) if key.startswith(prefix)]

    return SimpleNamespace(objects=below, read=lambda _, key: objects[key])


def source(uri, *, data_type="S3Prefix"):
    return {"DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}}}


@pytest.mark.parametrize(
    ("uri", "below"),
    [
        ("s3://b/test/", ["cat/1.jpg", "dog/1.jpg"]),
        ("s3://b/test", ["cat/1.jpg", "dog/1.jpg"]),
        ("s3://b/test/c", ["cat/1.jpg"]),
        ("s3://b/test/dog/1.jpg", ["1.jpg"]),
    ],
)
def test_a_result_has_the_path_of_its_object_below_the_prefix(uri, below):
    aws = fake_aws({"test/cat/1.jpg": b"", "test/dog/1.jpg": b"", "test/dog/": b""})

    assert [item.below for item in inputs.find(source(uri), aws=aws)] == below


def test_a_manifest_gives_its_objects_in_its_order():
    aws = fake_aws({"m.json": b'[{"prefix": "s3://b/test/"}, "dog/2.jpg", "cat/1.jpg"]'})

    found = inputs.find(source("s3://b/m.json", data_type="ManifestFile"), aws=aws)

    assert [(item.bucket, item.key, item.below) for item in found] == [
        ("b", "test/dog/2.jpg", "dog/2.jpg"),
        ("b", "test/cat/1.jpg", "cat/1.jpg"),
    ]


@pytest.mark.parametrize("text", [b"no json", b"[]", b"{}", b'["a"]', b'[{"prefix": "x"}, "a"]', b"[{}]", b"[1, 2]"])
def test_a_manifest_of_another_form_fails_the_job(text):
    with pytest.raises(JobFailedError, match=r"ClientError: The manifest s3://b/m\.json is not of the form"):
        inputs.find(source("s3://b/m.json", data_type="ManifestFile"), aws=fake_aws({"m.json": text}))


@pytest.mark.parametrize("uri", ["s3://b/nothing/", "s3://b/m.json"])
def test_an_input_without_objects_fails_the_job(uri):
    aws = fake_aws({"m.json": b'[{"prefix": "s3://b/test/"}]'})
    data_type = "ManifestFile" if uri.endswith(".json") else "S3Prefix"

    with pytest.raises(JobFailedError, match=f'No S3 objects found under S3 URL "{uri}"'):
        inputs.find(source(uri, data_type=data_type), aws=aws)


def test_a_compressed_object_is_sent_unpacked():
    aws = fake_aws({"a.gz": gzip.compress(b"text"), "b": b"no gzip"})
    compressed = {"CompressionType": "Gzip"}

    assert inputs.content(inputs.InputObject("b", "a.gz", "a.gz"), compressed, aws=aws) == b"text"
    with pytest.raises(inputs.NotGzipError):
        inputs.content(inputs.InputObject("b", "b", "b"), compressed, aws=aws)


def sent(data, *, split="Line", strategy="MULTI_RECORD", max_payload_mb=1):
    return list(payloads(data, split_type=split, strategy=strategy, max_payload_mb=max_payload_mb))


def test_an_object_that_is_not_split_is_one_request():
    assert sent(b"a\nb\n", split="None") == [b"a\nb\n"]
    assert sent(b"", split="None") == [b""]
    assert sent(b"x" * (2 * MB), split="None", max_payload_mb=0) == [b"x" * (2 * MB)]
    with pytest.raises(TooLargeError):
        sent(b"x" * (MB + 1), split="None")


def test_lines_are_sent_one_by_one_or_as_many_as_fit():
    half = b"x" * (MB // 2 - 1) + b"\n"

    assert sent(b"a\nb\r\nc", strategy="SINGLE_RECORD") == [b"a\n", b"b\r\n", b"c"]
    assert sent(b"a\nb\nc") == [b"a\nb\nc"]
    assert sent(half * 3) == [half * 2, half]
    assert sent(b"") == []
    with pytest.raises(TooLargeError):
        sent(b"a\n" + b"x" * (MB + 1))


def test_answers_are_put_together_as_they_are_or_as_lines():
    assert assembled([b"1", b"2\n"], assemble_with="None") == b"12\n"
    assert assembled([b"1", b"2\n"], assemble_with="Line") == b"1\n2\n"


def test_the_request_overrides_the_model_which_overrides_the_defaults():
    told = {"MaxConcurrentTransforms": 8, "MaxPayloadInMB": 12, "BatchStrategy": "SINGLE_RECORD"}

    assert resolved({}, {}) == Parameters(1, 6, "MULTI_RECORD")
    assert resolved({"MaxConcurrentTransforms": 0}, told) == Parameters(8, 12, "SINGLE_RECORD")
    asked = {"MaxConcurrentTransforms": 2, "MaxPayloadInMB": 0, "BatchStrategy": "MultiRecord"}
    assert resolved(asked, told) == Parameters(2, 0, "MULTI_RECORD")
    assert environment(asked)["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] == "2"


def test_the_data_log_reads_as_on_aws(tmp_path):
    log = DataLog(tmp_path / "log")
    log.begin(Parameters(2, 10, "MULTI_RECORD"))
    log.refused(inputs.InputObject("b", "k.jpg", "k.jpg"), "ClientError: 415", message="no such type\n")
    log.refused(inputs.InputObject("b", "l.jpg", "l.jpg"), "Unable to get response from algorithm", message="")

    times, lines = zip(
        *(line.split(":[sagemaker logs]: ") for line in (tmp_path / "log").read_text().splitlines()), strict=True
    )
    assert list(lines) == [
        "MaxConcurrentTransforms=2, MaxPayloadInMB=10, BatchStrategy=MULTI_RECORD",
        "b/k.jpg: ClientError: 415",
        "b/k.jpg: ",
        "b/k.jpg: Message:",
        "b/k.jpg: no such type",
        "b/l.jpg: Unable to get response from algorithm",
    ]
    assert all(len(time) == len("2020-10-14T04:08:19.666") for time in times)
