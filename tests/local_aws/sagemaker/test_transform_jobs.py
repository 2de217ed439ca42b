"""Checks transform jobs through boto3: a model's process answers for objects, with AWS's states and messages."""

import json
import signal

import pytest

LOG_GROUP = "/aws/sagemaker/TransformJobs"


@pytest.fixture
def upload(s3, name):
    """Put objects below data/<name>/; returns their prefix."""

    def put(**objects):
        for key, body in objects.items():
            s3.put_object(Bucket="images", Key=f"data/{name}/{key.replace('__', '/')}", Body=body)
        return f"s3://images/data/{name}/"

    return put


@pytest.fixture
def transform_request(name, upload):
    """A request for a transform job of the model `name` over the objects of `upload`."""

    def build(*, source=None, output=None, **changes):
        data = {"S3DataType": "S3Prefix", "S3Uri": f"s3://images/data/{name}/"}
        return {
            "TransformJobName": name,
            "ModelName": name,
            "TransformInput": {"DataSource": {"S3DataSource": data}, "ContentType": "application/x-image"}
            | (source or {}),
            "TransformOutput": {"S3OutputPath": f"s3://images/out/{name}"} | (output or {}),
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        } | changes

    return build


def transform_job(server, name):
    return server.sagemaker.describe_transform_job(TransformJobName=name)


@pytest.fixture
def ended():
    """Waits for the end of a job and returns the job."""
    return lambda server, name: server.ended(lambda: transform_job(server, name), status="TransformJobStatus")


@pytest.fixture
def outputs(objects, name):
    """What the job of this test has uploaded, by the key below its output path."""
    return lambda: objects(f"out/{name}/")


def log_streams(logs, name):
    found = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    events = {
        stream["logStreamName"]: logs.get_log_events(
            logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
        for stream in found
    }
    return {stream: [event["message"] for event in entries] for stream, entries in events.items()}


def data_log(logs, name):
    """The lines of a job of one instance, without their times."""
    (lines,) = [lines for stream, lines in log_streams(logs, name).items() if stream.endswith("/data-log")]
    return [line.partition(":[sagemaker logs]: ")[2] for line in lines]


def test_every_object_below_a_prefix_has_its_answer(server, name, put_model, upload, transform_request, ended, outputs):
    put_model(server, name)
    upload(**{"cat__1.jpg": b"meow", "dog__2.jpg": b"woof", "readme": b"text"})

    server.sagemaker.create_transform_job(**transform_request())
    job = ended(server, name)

    assert (job["TransformJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert outputs() == {"cat/1.jpg.out": b"meow", "dog/2.jpg.out": b"woof", "readme.out": b"text"}
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert job["TransformInput"]["SplitType"] == "None"
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert {path.suffix for path in (server.state / "transform-jobs" / name).iterdir()} == {".log"}


def test_a_manifest_names_exactly_the_objects(server, s3, name, put_model, upload, transform_request, ended, outputs):
    put_model(server, name)
    prefix = upload(**{"a__1.jpg": b"one", "a__2.jpg": b"two", "3.jpg": b"three"})
    manifest = json.dumps([{"prefix": prefix}, "a/2.jpg", "3.jpg"])
    s3.put_object(Bucket="images", Key=f"manifests/{name}", Body=manifest)
    data = {"S3DataType": "ManifestFile", "S3Uri": f"s3://images/manifests/{name}"}

    server.sagemaker.create_transform_job(**transform_request(source={"DataSource": {"S3DataSource": data}}))

    assert ended(server, name)["TransformJobStatus"] == "Completed"
    assert outputs() == {"a/2.jpg.out": b"two", "3.jpg.out": b"three"}


def test_the_model_is_sent_the_content_type_accept_and_environment(
    server, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    upload(headers=b"headers?", environment=b"environment?")
    request = transform_request(
        output={"Accept": "application/jsonlines"}, Environment={"COLOUR": "red"}, MaxPayloadInMB=3
    )

    server.sagemaker.create_transform_job(**request)
    ended(server, name)

    found = {key: json.loads(body) for key, body in outputs().items()}
    assert found["headers.out"]["Content-Type"] == "application/x-image"
    assert found["headers.out"]["Accept"] == "application/jsonlines"
    variables = ("COLOUR", "SAGEMAKER_BATCH", "SAGEMAKER_MAX_PAYLOAD_IN_MB", "SAGEMAKER_BATCH_STRATEGY")
    assert [found["environment.out"][name] for name in variables] == ["red", "true", "3", "MULTI_RECORD"]


def test_one_bad_record_fails_the_job_and_loses_no_other(
    server, logs, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    upload(**{"1.jpg": b"fine", "2.jpg": b"bad", "3.jpg": b"fine too"})

    server.sagemaker.create_transform_job(**transform_request())
    job = ended(server, name)

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert outputs() == {"1.jpg.out": b"fine", "3.jpg.out": b"fine too"}
    key = f"images/data/{name}/2.jpg"
    assert data_log(logs, name) == [
        "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD",
        f"{key}: ClientError: 400",
        f"{key}: ",
        f"{key}: Message:",
        f"{key}: that is no image",
    ]


def test_an_object_over_the_payload_limit_fails_alone(
    server, logs, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    upload(**{"1.jpg": b"fine", "2.jpg": b"x" * (1024 * 1024 + 1)})

    server.sagemaker.create_transform_job(**transform_request(MaxPayloadInMB=1))

    assert ended(server, name)["FailureReason"] == "ClientError: See job logs for more information"
    assert outputs() == {"1.jpg.out": b"fine"}
    assert data_log(logs, name)[1] == f"images/data/{name}/2.jpg: ClientError: Too much data for max payload size"


def test_without_a_payload_limit_objects_of_any_size_are_sent_in_chunks(
    server, logs, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    large = b"x" * (7 * 1024 * 1024)
    upload(headers=b"headers?", large=large)

    server.sagemaker.create_transform_job(**transform_request(MaxPayloadInMB=0, MaxConcurrentTransforms=64))

    assert ended(server, name)["TransformJobStatus"] == "Completed"
    found = outputs()
    assert found["large.out"] == large
    assert json.loads(found["headers.out"])["Transfer-Encoding"] == "chunked"
    assert data_log(logs, name) == ["MaxConcurrentTransforms=64, MaxPayloadInMB=0, BatchStrategy=MULTI_RECORD"]


def test_an_object_of_the_manifest_that_is_not_there_fails_alone(
    server, s3, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    manifest = json.dumps([{"prefix": upload(**{"1.jpg": b"one"})}, "1.jpg", "absent.jpg"])
    s3.put_object(Bucket="images", Key=f"manifests/{name}", Body=manifest)
    data = {"S3DataType": "ManifestFile", "S3Uri": f"s3://images/manifests/{name}"}

    server.sagemaker.create_transform_job(**transform_request(source={"DataSource": {"S3DataSource": data}}))

    assert ended(server, name)["FailureReason"] == "ClientError: See job logs for more information"
    assert outputs() == {"1.jpg.out": b"one"}


def test_a_process_that_dies_is_asked_again_and_then_given_up(
    server, logs, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    upload(**{"1.jpg": b"die", "2.jpg": b"fine"})
    client = {"InvocationsMaxRetries": 1, "InvocationsTimeoutInSeconds": 10}

    server.sagemaker.create_transform_job(**transform_request(ModelClientConfig=client))

    assert ended(server, name)["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert outputs() == {"2.jpg.out": b"fine"}
    assert data_log(logs, name)[1:] == [f"images/data/{name}/1.jpg: Unable to get response from algorithm"]


def test_lines_are_records_of_their_own(server, name, put_model, upload, transform_request, ended, outputs):
    put_model(server, name)
    upload(**{"rows.csv": b"1,2\n3,4\n"})
    request = transform_request(
        source={"ContentType": "text/csv", "SplitType": "Line"},
        output={"AssembleWith": "Line"},
        BatchStrategy="SingleRecord",
    )

    server.sagemaker.create_transform_job(**request)
    ended(server, name)

    assert outputs() == {"rows.csv.out": b"1,2\n3,4\n"}


def test_the_logs_are_in_the_streams_that_aws_writes(
    server, logs, s3, name, put_model, upload, transform_request, ended
):
    told = {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 7}
    put_model(server, name, settings={"execution-parameters": told})
    upload(**{f"{number}.jpg": b"x" for number in range(6)})
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}

    server.sagemaker.create_transform_job(**transform_request(TransformResources=resources))
    ended(server, name)

    streams = log_streams(logs, name)
    instances = [stream for stream in streams if not stream.endswith("/data-log")]
    assert sorted(streams) == sorted([*instances, *(f"{stream}/data-log" for stream in instances)])
    assert len(instances) == 2
    assert all(stream.startswith(f"{name}/i-") and stream.rpartition("-")[2].isdigit() for stream in instances)
    line = "MaxConcurrentTransforms=4, MaxPayloadInMB=7, BatchStrategy=SINGLE_RECORD"
    assert all(streams[f"{stream}/data-log"][0].endswith(f":[sagemaker logs]: {line}") for stream in instances)
    assert all("serving" in streams[stream] for stream in instances)


def test_a_stopped_job_stores_no_output(
    server, name, put_model, upload, transform_request, ended, outputs, until, refusal
):
    put_model(server, name)
    upload(**{f"{number:03}.jpg": b"slow" for number in range(100)})
    server.sagemaker.create_transform_job(**transform_request())
    until(lambda: list((server.state / "transform-jobs" / name).glob("answers/*")), what="the first answer")

    server.sagemaker.stop_transform_job(TransformJobName=name)

    assert transform_job(server, name)["TransformJobStatus"] in ("Stopping", "Stopped")
    assert ended(server, name)["TransformJobStatus"] == "Stopped"
    assert outputs() == {}
    assert refusal(server.sagemaker.stop_transform_job, TransformJobName=name) == (
        "ValidationException",
        "The request was rejected because the transform job is in status Stopped.",
    )


def test_a_model_that_does_not_serve_fails_the_job(server, name, put_model, upload, transform_request, ended):
    put_model(server, name, settings={"refuse-to-serve": 1})
    upload(**{"1.jpg": b"x"})

    server.sagemaker.create_transform_job(**transform_request())

    reason = ended(server, name)["FailureReason"]
    assert reason.startswith("AlgorithmError: Model container failed to respond to ping; Ensure /ping endpoint")


def test_a_job_whose_server_was_killed_is_failed_and_leaves_nothing(
    own_server, name, put_model, upload, transform_request, until, outputs, ended
):
    put_model(own_server, name)
    upload(**{f"{number:03}.jpg": b"slow" for number in range(100)})
    own_server.sagemaker.create_transform_job(**transform_request())
    until(lambda: "TransformStartTime" in transform_job(own_server, name))

    own_server.end(signal.SIGKILL)
    own_server.start()

    job = ended(own_server, name)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker was stopped while the job ran")
    assert job["TransformEndTime"] >= job["TransformStartTime"]
    assert outputs() == {}
    kept = {path.suffix for path in (own_server.state / "transform-jobs" / name).glob("*")}
    assert kept <= {".log"}


def test_a_name_is_used_once(server, name, put_model, upload, transform_request, ended, refusal):
    put_model(server, name)
    upload(**{"1.jpg": b"x"})
    server.sagemaker.create_transform_job(**transform_request())

    arn = f"arn:aws:sagemaker:us-east-1:000000000000:transform-job/{name}"
    assert refusal(server.sagemaker.create_transform_job, **transform_request()) == (
        "ResourceInUse",
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    )
    ended(server, name)


def test_what_is_not_there_is_refused_in_the_words_of_aws(server, name, put_model, upload, transform_request, refusal):
    model = f"arn:aws:sagemaker:us-east-1:000000000000:model/{name}"
    assert refusal(server.sagemaker.create_transform_job, **transform_request()) == (
        "ValidationException",
        f'Could not find model "{model}".',
    )
    assert refusal(server.sagemaker.describe_transform_job, TransformJobName=name) == (
        "ValidationException",
        f"Could not find requested job with name: {name}",
    )
    put_model(server, name)
    output = {"S3OutputPath": "s3://no-such-bucket/x"}
    code, message = refusal(server.sagemaker.create_transform_job, **transform_request(output=output))
    assert (code, message.startswith("The bucket no-such-bucket of")) == ("ValidationException", True)


def test_a_prefix_without_objects_fails_the_job(server, name, put_model, transform_request, ended):
    put_model(server, name)

    server.sagemaker.create_transform_job(**transform_request())

    uri = f"s3://images/data/{name}/"
    reason = f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}"'
    assert ended(server, name)["FailureReason"] == reason


def test_a_job_whose_output_bucket_is_gone_at_its_end_says_so(
    server, s3, plan, name, put_model, upload, transform_request, ended
):
    put_model(server, name)
    upload(**{"1.jpg": b"x"})
    s3.create_bucket(Bucket=name)
    plan({"fault": "slow_download", "operation": "CreateTransformJob", "seconds": 2})
    server.sagemaker.create_transform_job(**transform_request(output={"S3OutputPath": f"s3://{name}/out"}))

    s3.delete_bucket(Bucket=name)

    assert ended(server, name)["FailureReason"].startswith("ClientError: An error occurred (NoSuchBucket)")


def test_jobs_are_listed_and_tagged(server, name, put_model, upload, transform_request, ended):
    put_model(server, name)
    upload(**{"1.jpg": b"bad"})
    request = transform_request(Tags=[{"Key": "image-classifier", "Value": "digits"}])
    arn = server.sagemaker.create_transform_job(**request)["TransformJobArn"]
    ended(server, name)

    listed = server.sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Failed")["TransformJobSummaries"]

    assert [job["TransformJobName"] for job in listed] == [name]
    assert listed[0]["FailureReason"] == "ClientError: See job logs for more information"
    assert server.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "image-classifier", "Value": "digits"}]


def test_faults_meet_transform_jobs_by_their_operation(
    server, plan, name, put_model, upload, transform_request, ended, refusal
):
    put_model(server, name)
    upload(**{"1.jpg": b"x"})
    operation = {"operation": "CreateTransformJob"}
    capacity = {"fault": "capacity", **operation, "where": {"TransformJobName": f"{name}-1"}}
    fails = {
        "fault": "job_fails",
        **operation,
        "reason": "InternalServerError: Sorry.",
        "where": {"TransformJobName": f"{name}-2"},
    }
    slow = {"fault": "slow_download", **operation, "seconds": 1.5, "where": {"TransformJobName": f"{name}-2"}}
    plan(capacity, fails, slow)
    for number in (1, 2):
        server.sagemaker.create_transform_job(**transform_request(TransformJobName=f"{name}-{number}"))
    first, second = (ended(server, f"{name}-{number}") for number in (1, 2))

    assert first["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute capacity.")
    assert "TransformStartTime" not in first
    assert second["FailureReason"] == "InternalServerError: Sorry."
    assert (second["TransformEndTime"] - second["TransformStartTime"]).total_seconds() >= 1.5
    plan({"fault": "quota", "instance_type": "ml.m5.large", "operation": "CreateTransformJob", "limit": 0})
    code, message = refusal(server.sagemaker.create_transform_job, **transform_request(TransformJobName=f"{name}-3"))
    assert code == "ResourceLimitExceeded"
    assert message.startswith("The account-level service limit 'ml.m5.large for transform job usage' is 0 Instances")


def test_a_request_that_fails_is_made_again_unless_it_is_the_clients_fault(
    server, plan, name, put_model, upload, transform_request, ended, outputs
):
    put_model(server, name)
    upload(busy=b"x", many=b"x", broken=b"x", wrong=b"x")
    plan(
        {"fault": "record_fails", "status": 503, "times": 2, "where": {"Key": "*/busy"}},
        {"fault": "record_fails", "status": 429, "times": 1, "where": {"Key": "*/many"}},
        {"fault": "record_fails", "status": 500, "times": None, "where": {"Key": "*/broken"}},
        {"fault": "record_fails", "status": 404, "times": 1, "where": {"Key": "*/wrong"}},
    )

    server.sagemaker.create_transform_job(**transform_request(ModelClientConfig={"InvocationsMaxRetries": 2}))

    assert ended(server, name)["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert set(outputs()) == {"busy.out", "many.out"}


def test_instances_of_running_jobs_count_towards_the_quota(
    server, plan, name, put_model, upload, transform_request, ended, refusal
):
    put_model(server, name)
    upload(**{"1.jpg": b"x"})
    plan({"fault": "slow_download", "operation": "CreateTransformJob", "seconds": 600})
    three, two = ({"InstanceType": "ml.m5.large", "InstanceCount": count} for count in (3, 2))
    server.sagemaker.create_transform_job(**transform_request(TransformResources=three))

    request = transform_request(TransformJobName=f"{name}-2", TransformResources=two)
    code, message = refusal(server.sagemaker.create_transform_job, **request)

    assert code == "ResourceLimitExceeded"
    assert "is 4 Instances, with current utilization of 3 Instances and a request delta of 2 Instances." in message
    server.sagemaker.stop_transform_job(TransformJobName=name)
    assert ended(server, name)["TransformJobStatus"] == "Stopped"
