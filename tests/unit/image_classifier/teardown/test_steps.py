"""Checks steps of the teardown with services in memory: what is ours goes, and what others own stays."""

import io
import json
import zipfile

import boto3
import pytest
from moto import mock_aws

from image_classifier.aws.clients import Clients
from image_classifier.teardown import delete as teardown
from image_classifier.teardown.inventory import Teardown

DIGITS = Teardown("digits", "a-bucket")
NAME = "image-classifier-digits"
JOB, OTHERS_JOB = f"{NAME}-0123456789abcdef", f"{NAME}-2-0123456789abcdef"
OUR_TAG = {"image-classifier": "digits"}
FUNCTION_LOGS, ENDPOINT_LOGS = f"/aws/lambda/{NAME}", f"/aws/sagemaker/Endpoints/{NAME}"


@pytest.fixture
def clients(monkeypatch, jobs):
    """SageMaker's jobs, and an account of moto for the other services."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        made = Clients(jobs, *(session.client(service) for service in ("lambda", "logs", "s3", "sqs")))
        made.s3.create_bucket(Bucket="a-bucket")
        yield made


def make_function(clients, *, classifier):
    """A function of our name with the tag of a classifier."""
    role = boto3.client("iam", region_name="us-east-1").create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )["Role"]["Arn"]
    code = io.BytesIO()
    zipfile.ZipFile(code, "w").close()
    what = {"Runtime": "python3.13", "Role": role, "Handler": "a.b", "Code": {"ZipFile": code.getvalue()}}
    clients.functions.create_function(FunctionName=NAME, **what, Tags={"image-classifier": classifier})


def test_transform_jobs_are_stopped_and_anothers_run_on(clients, jobs):
    jobs.has_other("transform", JOB)
    jobs.has_other("transform", OTHERS_JOB)

    teardown.stop_transform_jobs(clients, DIGITS)

    assert jobs.calls == [("stop_transform_job", JOB)]


def test_the_log_groups_of_function_and_endpoint_go_and_others_stay(clients):
    for name in (FUNCTION_LOGS, ENDPOINT_LOGS, f"{FUNCTION_LOGS}-2", "/aws/sagemaker/TrainingJobs"):
        clients.logs.create_log_group(logGroupName=name)

    teardown.delete_logs(clients, DIGITS)

    left = [group["logGroupName"] for group in clients.logs.describe_log_groups()["logGroups"]]
    assert left == [f"{FUNCTION_LOGS}-2", "/aws/sagemaker/TrainingJobs"]


@pytest.mark.parametrize(("classifier", "left"), [("digits", []), ("letters", [FUNCTION_LOGS])])
def test_the_logs_of_a_function_that_somebody_else_made_stay(clients, classifier, left):
    make_function(clients, classifier=classifier)
    clients.logs.create_log_group(logGroupName=FUNCTION_LOGS)

    teardown.delete_logs(clients, DIGITS)

    assert [group["logGroupName"] for group in clients.logs.describe_log_groups()["logGroups"]] == left


def test_event_notification_and_queue_go_and_others_stay(clients):
    entries = []
    for name in (NAME, "theirs"):
        url = clients.sqs.create_queue(QueueName=name, tags={"image-classifier": "digits"})["QueueUrl"]
        queue = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        entries.append({"Id": name, "QueueArn": queue, "Events": ["s3:ObjectCreated:*"]})
    clients.s3.put_bucket_notification_configuration(
        Bucket="a-bucket", NotificationConfiguration={"QueueConfigurations": entries}
    )

    teardown.delete_upload_trigger(clients, DIGITS)

    found = clients.s3.get_bucket_notification_configuration(Bucket="a-bucket")["QueueConfigurations"]
    assert [entry["Id"] for entry in found] == ["theirs"]
    assert [url.rpartition("/")[2] for url in clients.sqs.list_queues()["QueueUrls"]] == ["theirs"]


@pytest.mark.parametrize(("keep_models", "deleted"), [(True, []), (False, ["digits"])])
def test_the_registry_is_deleted_unless_models_are_kept(clients, monkeypatch, keep_models, deleted):
    found = []
    monkeypatch.setattr(teardown, "delete_registry", lambda _, *, classifier: found.append(classifier))

    teardown.delete_model_packages(clients, Teardown("digits", "a-bucket", keep_models=keep_models))

    assert found == deleted


def test_uploads_end_before_anything_else_and_objects_go_last(clients, monkeypatch):
    names, taken = [step.__name__ for step in teardown.STEPS], []
    steps = [lambda *given, name=name: taken.append((name, given)) for name in names]
    monkeypatch.setattr(teardown, "STEPS", steps)

    teardown.delete_all(clients, DIGITS)

    assert taken == [(name, (clients, DIGITS)) for name in names]
    assert (names[0], names[-1]) == ("delete_upload_trigger", "delete_objects")
    assert names.index("delete_endpoint") < names.index("delete_endpoint_configs") < names.index("delete_models")
