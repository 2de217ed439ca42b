"""Checks that a whole deployment is listed and deleted: classifiers, policies in use, bucket, queue and stack."""

import io
import json
import zipfile
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_classifier.account.destroy import delete_bucket, destroy
from image_classifier.account.remains import Account, Attachment, find_remains
from image_classifier.account.stack import STACK_NAME
from image_classifier.aws.clients import Clients
from image_classifier.contracts.errors import StackError

FUNCTION_ROLE = "arn:aws:iam::123456789012:role/functions"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def session():
    with mock_aws():
        yield boto3.Session("testing", "testing", region_name="eu-central-1")


class Stack:
    """CloudFormation with the parts of the shipped stack that outlive it or keep it from being deleted."""

    def __init__(self, session):
        self._iam, self._sqs, self._s3 = (session.client(service) for service in ("iam", "sqs", "s3"))
        where = {"LocationConstraint": "eu-central-1"}
        self._s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=where)
        self._s3.put_bucket_versioning(Bucket="a-bucket", VersioningConfiguration={"Status": "Enabled"})
        self._sqs.create_queue(QueueName="failures")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        made = self._iam.create_policy(PolicyName="airflow", PolicyDocument=json.dumps(policy))
        self.policy_arn, self.is_there = made["Policy"]["Arn"], True

    def describe_stacks(self, **_):
        if not self.is_there:
            message = f"Stack with id {STACK_NAME} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        outputs = {
            "Bucket": "a-bucket",
            "FailureQueueArn": "arn:aws:sqs:eu-central-1:123456789012:failures",
            "AirflowPolicyArn": self.policy_arn,
            "FunctionRoleArn": FUNCTION_ROLE,
        }
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": listed}]}

    def delete_stack(self, **_):
        if self.is_there:
            self._iam.delete_policy(PolicyArn=self.policy_arn)  # refused while the policy is attached
        self.is_there = False

    def get_waiter(self, name):
        assert name == "stack_delete_complete"
        return self

    def wait(self, **_):
        assert not self.is_there


@pytest.fixture
def account(session):
    clients = Clients(*(session.client(service) for service in ("sagemaker", "lambda", "logs", "s3", "sqs")))
    return Account(Stack(session), session.client("iam"), clients, STACK_NAME)


@pytest.fixture
def bucket(account):
    """Two versions of an image, and an object of no classifier."""
    for key in ("digits/incoming/a.png", "digits/incoming/a.png", "notes.txt"):
        account.clients.s3.put_object(Bucket="a-bucket", Key=key, Body=b"x")
    return "a-bucket"


@pytest.fixture
def attached(account, bucket):
    arn = account.cloudformation.policy_arn
    account.iam.create_role(RoleName="airflow", AssumeRolePolicyDocument=json.dumps(TRUST))
    account.iam.attach_role_policy(RoleName="airflow", PolicyArn=arn)
    return Attachment(arn, "role", "airflow")


def test_all_of_a_deployment_is_listed(account, bucket, attached):
    found = find_remains(account)

    assert (found.stack, found.bucket, found.object_versions) == (f"{STACK_NAME} (CREATE_COMPLETE)", bucket, 3)
    assert found.attachments == (attached,)
    assert list(found.classifiers) == ["digits"]
    assert "digits/incoming/ (2 versions" in found.as_table()


def test_a_group_with_the_policy_is_detached_as_a_role_is(account, bucket):
    arn = account.cloudformation.policy_arn
    account.iam.create_group(GroupName="operators")
    account.iam.attach_group_policy(GroupName="operators", PolicyArn=arn)
    remains = find_remains(account)
    assert remains.attachments == (Attachment(arn, "group", "operators"),)

    destroy(account, remains, keep_data=False, poll_s=0)

    assert account.iam.list_attached_group_policies(GroupName="operators")["AttachedPolicies"] == []


def make_endpoint(sagemaker, classifier, *, bucket):
    """An endpoint with the classifier's tag, which serves a model of the bucket."""
    name, tags = f"image-classifier-{classifier}", [{"Key": "image-classifier", "Value": classifier}]
    model = {"Image": "image", "ModelDataUrl": f"s3://{bucket}/{classifier}/models/job/output/model.tar.gz"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::123456789012:role/m", PrimaryContainer=model)
    variant = {"VariantName": "job", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)


def make_function(account, classifier, *, role):
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("handler.py", "")
    account.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    account.clients.functions.create_function(
        FunctionName=f"image-classifier-{classifier}",
        Role=f"arn:aws:iam::123456789012:role/{role}",
        Code={"ZipFile": zipped.getvalue()},
        Tags={"image-classifier": classifier},
    )


def test_classifiers_without_objects_are_found_but_not_another_stacks(account, bucket):
    make_endpoint(account.clients.sagemaker, "served", bucket=bucket)
    make_endpoint(account.clients.sagemaker, "of-others", bucket="another-bucket")
    make_function(account, "called", role="functions")
    make_function(account, "called-by-others", role="functions-of-others")

    remains = find_remains(account)
    assert list(remains.classifiers) == ["called", "digits", "served"]

    destroy(account, remains, keep_data=False, poll_s=0)

    left = find_remains(account, bucket=bucket, role_arn=remains.role_arn)
    assert left.is_empty, left.as_table()
    assert [one["FunctionName"] for one in account.clients.functions.list_functions()["Functions"]] == [
        "image-classifier-called-by-others"
    ]
    assert [one["EndpointName"] for one in account.clients.sagemaker.list_endpoints()["Endpoints"]] == [
        "image-classifier-of-others"
    ]
    assert find_remains(account, bucket=bucket).is_empty


def test_a_bucket_that_is_gone_still_tells_whose_the_endpoints_are(account, bucket):
    make_endpoint(account.clients.sagemaker, "of-others", bucket="another-bucket")
    delete_bucket(account.clients, bucket)
    remains = find_remains(account)
    destroy(account, remains, keep_data=False, poll_s=0)

    assert find_remains(account, bucket=remains.named_bucket, role_arn=remains.role_arn).is_empty
    with pytest.raises(StackError, match=r"of-others has an endpoint.*Correct the stack's name, or name the bucket"):
        find_remains(account)


def test_after_the_deletion_nothing_is_there(account, bucket, attached):
    destroy(account, find_remains(account), keep_data=False, poll_s=0)

    left = find_remains(account, bucket=bucket)
    assert left.is_empty, left.as_table()
    assert account.clients.sqs.list_queues().get("QueueUrls", []) == []
    assert account.iam.list_attached_role_policies(RoleName="airflow")["AttachedPolicies"] == []


def test_the_data_may_be_kept_and_the_rest_goes(account, bucket, attached):
    destroy(account, find_remains(account), keep_data=True, poll_s=0)

    left = find_remains(account, bucket=bucket)
    assert (left.stack, left.bucket, left.object_versions) == ("", bucket, 3)
    assert (list(left.classifiers), left.is_only_data, left.is_empty) == (["digits"], True, False)


def test_a_stack_or_a_function_that_is_left_is_more_than_data(account, bucket):
    found = find_remains(account)
    assert not found.is_only_data

    function = replace(found.classifiers["digits"], functions=("image-classifier-digits",))
    assert not replace(found, stack="", classifiers={"digits": function}).is_only_data


def test_a_second_deletion_finds_nothing_to_do(account, bucket):
    remains = find_remains(account)
    destroy(account, remains, keep_data=False, poll_s=0)

    destroy(account, find_remains(account, bucket=bucket), keep_data=False, poll_s=0)
    assert find_remains(account, bucket=bucket).is_empty
