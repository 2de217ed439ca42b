from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from image_classifier.aws import versions
from image_classifier.aws.clients import Clients
from image_classifier.contracts.errors import ClassifierFileError, ResourceBusyError
from image_classifier.teardown import delete as teardown
from image_classifier.teardown.inventory import Folder, Inventory, Teardown, UnfinishedUpload
from image_classifier.teardown.job_logs import JobLog, our_job_logs
from image_classifier.train.job_log import LOG_GROUP

DIGITS = Teardown("digits", "a-bucket")
NAME = "image-classifier-digits"
JOB = f"{NAME}-0123abcd-89abcdef"
TUNING, OTHER_TUNING = "image-classifier-0123456789abcde", "image-classifier-abcdef012345678"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{NAME}"
NEWEST_FIRST = {"NameContains": NAME, "SortBy": "CreationTime", "SortOrder": "Descending"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OUR_TAGS = {"Tags": [{"Key": "image-classifier", "Value": "digits"}]}
BUSY = {"service_error_code": "ValidationException", "service_message": f'Cannot update in-progress endpoint "{ARN}".'}
GONE = {"service_error_code": "ValidationException", "service_message": f'Could not find endpoint "{ARN}".'}


@pytest.fixture
def clients():
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return Clients(*(session.client(service) for service in ("sagemaker", "lambda", "logs", "s3", "sqs")))


@pytest.fixture
def sagemaker(clients):
    with Stubber(clients.sagemaker) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def training_jobs(*names):
    return {
        "TrainingJobSummaries": [
            {
                "TrainingJobName": name,
                "TrainingJobArn": ARN,
                "CreationTime": NOW,
                "TrainingJobStatus": "InProgress",
            }
            for name in names
        ]
    }


def expect_jobs(sagemaker, in_progress=(), stopping=()):
    for status, names in (("InProgress", in_progress), ("Stopping", stopping)):
        expected = {"NameContains": f"{NAME}-", "StatusEquals": status}
        sagemaker.add_response("list_training_jobs", training_jobs(*names), expected)


def expect_tuning_jobs(sagemaker, in_progress=(), stopping=(), tags=OUR_TAGS):
    for status, names in (("InProgress", in_progress), ("Stopping", stopping)):
        expected = {"NameContains": "image-classifier-", "StatusEquals": status}
        listed = {"HyperParameterTuningJobSummaries": [tuning_summary(name) for name in names]}
        sagemaker.add_response("list_hyper_parameter_tuning_jobs", listed, expected)
        for name in names:
            sagemaker.add_response(
                "describe_hyper_parameter_tuning_job", described_tuning_job(name), {"HyperParameterTuningJobName": name}
            )
            sagemaker.add_response("list_tags", tags, {"ResourceArn": ARN})


def tuning_summary(name):
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobArn": ARN,
        "HyperParameterTuningJobStatus": "InProgress",
        "Strategy": "Bayesian",
        "CreationTime": NOW,
        "TrainingJobStatusCounters": {},
        "ObjectiveStatusCounters": {},
    }


def described_tuning_job(name):
    limits = {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}
    summary = {key: value for key, value in tuning_summary(name).items() if key != "Strategy"}
    return {**summary, "HyperParameterTuningJobConfig": {"Strategy": "Bayesian", "ResourceLimits": limits}}


def expect_endpoint(sagemaker, *, there=True, tags=OUR_TAGS):
    found = {"EndpointName": NAME, "EndpointArn": ARN, "CreationTime": NOW, "LastModifiedTime": NOW}
    endpoints = [{**found, "EndpointStatus": "InService"}] if there else []
    sagemaker.add_response("list_endpoints", {"Endpoints": endpoints}, {"NameContains": NAME})
    if there:
        sagemaker.add_response("list_tags", tags, {"ResourceArn": ARN})


def expect_described(sagemaker, status):
    answer = {
        "EndpointName": NAME,
        "EndpointArn": ARN,
        "EndpointStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }
    sagemaker.add_response("describe_endpoint", answer, {"EndpointName": NAME})


def expect_gone(sagemaker):
    sagemaker.add_client_error("describe_endpoint", **GONE, expected_params={"EndpointName": NAME})


def test_nothing_goes_before_the_name_was_typed_twice():
    teardown.check_confirmed("digits", confirm="digits")
    with pytest.raises(ClassifierFileError, match=r"confirm is 'digit', .* Nothing was deleted"):
        teardown.check_confirmed("digits", confirm="digit")
    with pytest.raises(ClassifierFileError, match="no classifier is called"):
        teardown.check_confirmed("digits\n", confirm="digits\n")


def test_a_tuning_job_is_stopped_before_it_starts_another_training_job(clients, sagemaker, pauses):
    expect_tuning_jobs(sagemaker, in_progress=[TUNING])
    sagemaker.add_response("stop_hyper_parameter_tuning_job", {}, {"HyperParameterTuningJobName": TUNING})
    expect_tuning_jobs(sagemaker, stopping=[TUNING])
    expect_tuning_jobs(sagemaker)
    expect_jobs(sagemaker)
    expect_jobs(sagemaker)

    teardown.stop_training_jobs(clients, DIGITS)

    assert pauses == [teardown.POLL_S]


def test_a_tuning_job_of_another_classifier_runs_on(clients, sagemaker):
    for _ in range(2):
        expect_tuning_jobs(sagemaker, in_progress=[TUNING], tags={"Tags": []})
    for _ in range(2):
        expect_jobs(sagemaker)

    teardown.stop_training_jobs(clients, DIGITS)


def test_jobs_are_stopped_and_waited_for_until_they_write_no_more(clients, sagemaker, pauses):
    for _ in range(2):
        expect_tuning_jobs(sagemaker)
    expect_jobs(sagemaker, in_progress=[JOB])
    sagemaker.add_response("stop_training_job", {}, {"TrainingJobName": JOB})
    expect_jobs(sagemaker, stopping=[JOB])
    expect_jobs(sagemaker)

    teardown.stop_training_jobs(clients, DIGITS)

    assert pauses == [teardown.POLL_S]


def processing_jobs(status, *names):
    times = {"CreationTime": NOW, "LastModifiedTime": NOW, "ProcessingJobStatus": status}
    return {"ProcessingJobSummaries": [{"ProcessingJobName": name, "ProcessingJobArn": ARN, **times} for name in names]}


def test_a_processing_job_is_stopped_and_waited_for_and_anothers_is_left(clients, sagemaker, pauses):
    ours, anothers = f"{NAME}-{'0' * 16}", f"{NAME}-2-{'0' * 16}"
    states = ("InProgress", "Stopping")
    for in_progress in ([ours], []), ([], [ours]), ([], []):
        for status, names in zip(states, in_progress, strict=True):
            wanted = {"NameContains": f"{NAME}-", "StatusEquals": status}
            sagemaker.add_response("list_processing_jobs", processing_jobs(status, *names, anothers), wanted)
        if in_progress[0]:
            sagemaker.add_response("stop_processing_job", {}, {"ProcessingJobName": ours})

    teardown.stop_processing_jobs(clients, DIGITS)

    assert pauses == [teardown.POLL_S]


def test_another_classifiers_job_runs_on(clients, sagemaker):
    for _ in range(2):
        expect_tuning_jobs(sagemaker)
    expect_jobs(sagemaker, in_progress=["image-classifier-digits-2-0123abcd-89abcdef"])
    expect_jobs(sagemaker, in_progress=["image-classifier-digits-2-0123abcd-89abcdef"])

    teardown.stop_training_jobs(clients, DIGITS)


def test_a_job_that_does_not_stop_is_reported(clients, sagemaker, monkeypatch):
    monkeypatch.setattr(teardown, "MOST_POLLS", 1)
    for _ in range(2):
        expect_tuning_jobs(sagemaker)
    expect_jobs(sagemaker, stopping=[JOB])
    sagemaker.add_client_error("stop_training_job", "ValidationException", "is in status Stopping")
    expect_jobs(sagemaker, stopping=[JOB])

    with pytest.raises(ResourceBusyError, match="still being stopped"):
        teardown.stop_training_jobs(clients, DIGITS)


def test_the_endpoint_is_deleted_and_waited_for(clients, sagemaker, pauses):
    expect_endpoint(sagemaker)
    expect_described(sagemaker, "InService")
    sagemaker.add_response("delete_endpoint", {}, {"EndpointName": NAME})
    expect_described(sagemaker, "Deleting")
    expect_gone(sagemaker)

    teardown.delete_endpoint(clients, DIGITS)

    assert pauses == [teardown.POLL_S]


def test_an_endpoint_that_is_going_is_only_waited_for(clients, sagemaker):
    expect_endpoint(sagemaker)
    expect_described(sagemaker, "Deleting")
    expect_gone(sagemaker)

    teardown.delete_endpoint(clients, DIGITS)


def test_an_endpoint_that_is_gone_needs_nothing(clients, sagemaker):
    expect_endpoint(sagemaker, there=False)

    teardown.delete_endpoint(clients, DIGITS)


def test_an_endpoint_that_somebody_else_made_stays(clients, sagemaker):
    expect_endpoint(sagemaker, tags={"Tags": []})

    teardown.delete_endpoint(clients, DIGITS)


def test_an_endpoint_that_is_being_changed_is_waited_for_and_deleted(clients, sagemaker, pauses):
    expect_endpoint(sagemaker)
    expect_described(sagemaker, "Updating")
    sagemaker.add_client_error("delete_endpoint", **BUSY)
    expect_described(sagemaker, "InService")
    sagemaker.add_response("delete_endpoint", {}, {"EndpointName": NAME})
    expect_gone(sagemaker)

    teardown.delete_endpoint(clients, DIGITS)

    assert pauses == [teardown.POLL_S]


def test_an_endpoint_whose_change_does_not_end_is_reported(clients, sagemaker, monkeypatch):
    monkeypatch.setattr(teardown, "MOST_POLLS", 1)
    expect_endpoint(sagemaker)
    expect_described(sagemaker, "Updating")
    sagemaker.add_client_error("delete_endpoint", **BUSY)

    with pytest.raises(ResourceBusyError, match="still being changed"):
        teardown.delete_endpoint(clients, DIGITS)


@pytest.mark.parametrize(("keep_models", "calls"), [(True, 0), (False, 1)])
def test_models_are_deleted_unless_they_are_kept(clients, sagemaker, keep_models, calls):
    for _ in range(calls):
        found = {"ModelName": JOB, "ModelArn": ARN, "CreationTime": NOW}
        sagemaker.add_response("list_models", {"Models": [found]}, NEWEST_FIRST)
        sagemaker.add_response("list_tags", OUR_TAGS, {"ResourceArn": ARN})
        sagemaker.add_response("delete_model", {}, {"ModelName": JOB})

    teardown.delete_models(clients, Teardown("digits", "a-bucket", keep_models=keep_models))


def test_a_model_that_went_meanwhile_is_no_error(clients, sagemaker):
    found = {"ModelName": JOB, "ModelArn": ARN, "CreationTime": NOW}
    sagemaker.add_response("list_models", {"Models": [found]}, NEWEST_FIRST)
    sagemaker.add_response("list_tags", OUR_TAGS, {"ResourceArn": ARN})
    sagemaker.add_client_error("delete_model", "ValidationException", "Could not find model")

    teardown.delete_models(clients, DIGITS)


def test_endpoint_configs_are_deleted(clients, sagemaker):
    found = {"EndpointConfigName": JOB, "EndpointConfigArn": ARN, "CreationTime": NOW}
    sagemaker.add_response("list_endpoint_configs", {"EndpointConfigs": [found]}, NEWEST_FIRST)
    sagemaker.add_response("list_tags", OUR_TAGS, {"ResourceArn": ARN})
    sagemaker.add_response("delete_endpoint_config", {}, {"EndpointConfigName": JOB})

    teardown.delete_endpoint_configs(clients, DIGITS)


def test_only_a_function_that_carries_our_tag_is_deleted(clients):
    with Stubber(clients.functions) as functions:
        functions.add_response("get_function", {"Tags": {"image-classifier": "digits"}}, {"FunctionName": NAME})
        functions.add_response("delete_function", {}, {"FunctionName": NAME})
        functions.add_response("get_function", {"Tags": {}}, {"FunctionName": NAME})
        functions.add_client_error("get_function", "ResourceNotFoundException")

        for _ in range(3):  # ours, somebody else's, none
            teardown.delete_function(clients, DIGITS)

        functions.assert_no_pending_responses()


def test_only_logs_may_be_left(clients, monkeypatch):
    logs = Inventory(log_groups=(f"/aws/lambda/{NAME}",), job_logs=(JobLog(LOG_GROUP, f"{JOB}/algo-1-1"),))
    monkeypatch.setattr(teardown, "inventory", lambda *_: logs)
    teardown.check_nothing_costs(clients, DIGITS)

    monkeypatch.setattr(teardown, "inventory", lambda *_: replace(logs, models=(JOB,)))
    with pytest.raises(ResourceBusyError, match=JOB):
        teardown.check_nothing_costs(clients, DIGITS)


@pytest.mark.parametrize(
    ("left", "line"),
    [
        ({"training_jobs": (JOB,)}, f"training job, to stop   {JOB}"),
        ({"endpoints": (NAME,)}, f"endpoint                {NAME}"),
        ({"functions": (NAME,)}, f"function                {NAME}"),
        ({"models": (JOB,)}, f"model                   {JOB}"),
        ({"unfinished_uploads": (UnfinishedUpload("digits/x", "1"),)}, "unfinished upload       digits/x"),
        ({"folders": {"digits/models/": Folder(1, 5)}}, "digits/models/"),
    ],
)
def test_what_is_left_is_named(clients, monkeypatch, left, line):
    monkeypatch.setattr(teardown, "inventory", lambda *_: Inventory(**left))

    with pytest.raises(ResourceBusyError, match="of digits are still there") as caught:
        teardown.check_nothing_costs(clients, DIGITS)

    assert line in str(caught.value)


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        s3 = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
        s3.create_bucket(Bucket="a-bucket")
        s3.put_bucket_versioning(Bucket="a-bucket", VersioningConfiguration={"Status": "Enabled"})
        yield s3


def left(s3):
    found = s3.list_object_versions(Bucket="a-bucket")
    return [version["Key"] for version in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]


def only_s3(s3):
    return Clients(sagemaker=None, functions=None, logs=None, s3=s3, sqs=None)


def test_every_version_and_delete_marker_goes_and_the_rest_stays(bucket):
    for key in ("digits/incoming/a.png", "digits/incoming/a.png", "digits/models/m", "digits-2/models/m", "readme"):
        bucket.put_object(Bucket="a-bucket", Key=key, Body=b"x")
    bucket.delete_object(Bucket="a-bucket", Key="digits/incoming/a.png")

    deleted = teardown.delete_objects(only_s3(bucket), DIGITS)

    assert deleted == 4
    assert left(bucket) == ["digits-2/models/m", "readme"]


def test_deleting_objects_again_finds_nothing(bucket):
    bucket.put_object(Bucket="a-bucket", Key="digits/models/m", Body=b"x")
    teardown.delete_objects(only_s3(bucket), DIGITS)

    assert teardown.delete_objects(only_s3(bucket), DIGITS) == 0


def test_kept_folders_keep_their_versions(bucket):
    for key in ("digits/incoming/a.png", "digits/incoming/a.png", "digits/predictions/a.png.json"):
        bucket.put_object(Bucket="a-bucket", Key=key, Body=b"x")

    teardown.delete_objects(only_s3(bucket), Teardown("digits", "a-bucket", keep_images=True))

    assert left(bucket) == ["digits/incoming/a.png", "digits/incoming/a.png"]


def test_more_objects_than_one_request_takes_go_in_several(bucket, monkeypatch):
    monkeypatch.setattr(versions, "DELETED_AT_ONCE", 2)
    for number in range(5):
        bucket.put_object(Bucket="a-bucket", Key=f"digits/incoming/{number}.png", Body=b"x")

    assert teardown.delete_objects(only_s3(bucket), DIGITS) == 5
    assert left(bucket) == []


def test_what_s3_refuses_to_delete_is_reported(clients):
    with Stubber(clients.s3) as s3:
        s3.add_response("list_multipart_uploads", {})
        version = {"Key": "digits/models/m", "VersionId": "1", "Size": 1}
        s3.add_response("list_object_versions", {"Versions": [version]})
        s3.add_response("delete_objects", {"Errors": [{"Key": "digits/models/m", "Message": "Access Denied"}]})

        with pytest.raises(ResourceBusyError, match="digits/models/m: Access Denied"):
            teardown.delete_objects(clients, DIGITS)


def test_uploads_that_nobody_completed_are_aborted(bucket):
    for key in ("digits/incoming/a.png", "digits/models/m", "digits-2/models/m"):
        bucket.create_multipart_upload(Bucket="a-bucket", Key=key)

    teardown.delete_objects(only_s3(bucket), Teardown("digits", "a-bucket", keep_images=True))

    left = [upload["Key"] for upload in bucket.list_multipart_uploads(Bucket="a-bucket")["Uploads"]]
    assert sorted(left) == ["digits-2/models/m", "digits/incoming/a.png"]


def test_logs_of_the_classifiers_jobs_go_and_others_stay(monkeypatch, jobs):
    jobs.has_other("tuning", TUNING, "Completed", tags={"image-classifier": "digits"})
    jobs.has_other("tuning", OTHER_TUNING, tags={"image-classifier": "cats"})
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        logs = session.client("logs")
        logs.create_log_group(logGroupName=LOG_GROUP)
        trials = [f"{tuning}-001-01234567" for tuning in (TUNING, OTHER_TUNING)]
        for job in (JOB, f"{JOB}-2", "image-classifier-digits-2-0123abcd-89abcdef", "another", *trials):
            logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=f"{job}/algo-1-17")

        teardown.delete_logs(Clients(jobs, session.client("lambda"), logs, None, None), DIGITS)

        left = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]]
    others = ["another", trials[1], "image-classifier-digits-2-0123abcd-89abcdef"]
    assert sorted(left) == [f"{job}/algo-1-17" for job in others]


@pytest.mark.parametrize("group", ["/aws/sagemaker/TransformJobs", "/aws/sagemaker/ProcessingJobs"])
def test_logs_of_transform_and_processing_jobs_go_and_others_stay(monkeypatch, jobs, group):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    ours, theirs = "image-classifier-digits-0123456789abcdef", "image-classifier-digits-2-0123456789abcdef"
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        logs = session.client("logs")
        logs.create_log_group(logGroupName=group)
        for stream in (f"{ours}/i-0abc-17", f"{ours}/data-log", f"{theirs}/data-log", f"{ours}0/data-log"):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        clients = Clients(jobs, session.client("lambda"), logs, None, None)

        assert our_job_logs(clients, "digits") == (
            JobLog(group, f"{ours}/data-log"),
            JobLog(group, f"{ours}/i-0abc-17"),
        )
        teardown.delete_logs(clients, DIGITS)

        left = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert sorted(left) == [f"{ours}0/data-log", f"{theirs}/data-log"]


def test_an_account_in_which_no_job_has_run_has_no_logs_of_jobs(monkeypatch, jobs):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        logs = session.client("logs")

        teardown.delete_logs(Clients(jobs, session.client("lambda"), logs, None, None), DIGITS)

        assert logs.describe_log_groups()["logGroups"] == []
