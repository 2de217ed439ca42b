"""The commands for a whole account, run as a person runs them, against the local AWS that the other tests leave."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from laptop.airflow_settings import deployment_variables

ROOT = Path(__file__).parents[2]
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NO_PASS_ROLE = {**EVERYTHING, "Statement": [{"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "*"}]}


class Account:
    """Runs commands as a user with a policy of the test's own."""

    def __init__(self, place):
        state = place.aws_state
        self.ready, keys = (json.loads((state / name).read_text()) for name in ("ready.json", "keys.json"))
        self.quotas = state / "ministack" / "quotas.json"
        self.bucket = self.ready["settings"]["IMAGE_CLASSIFIER_BUCKET"]
        self._root = boto3.Session(keys["root"]["access_key"], keys["root"]["secret"], region_name="us-east-1")
        self._settings = {
            name: value
            for name, value in deployment_variables(self.ready, component="").items()
            if name.startswith("IMAGE_CLASSIFIER_")
        }
        self._settings["IMAGE_CLASSIFIER_DATA_FOLDER"] = str(place.images)
        self.admin = self.user("deployer", EVERYTHING)

    def client(self, service):
        return self._root.client(service, endpoint_url=self.ready["endpoint_url"])

    def user(self, name, policy):
        """The AWS_* variables of a new user."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def run(self, *arguments, typed="", key=None, **settings):
        """The exit code, and what is printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IMAGE_CLASSIFIER"))}
        aws = {**self.ready["aws"], **(key or self.admin)}
        env = {**kept, "PYTHONPATH": str(ROOT / "include"), **self._settings, **aws, **settings}
        command = [sys.executable, "-m", "image_classifier", *arguments]
        ran = subprocess.run(command, env=env, input=typed, capture_output=True, text=True, check=False, timeout=200)
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def account(services):
    return Account(services)


def test_nothing_is_missing_from_an_account_with_the_stack(account):
    code, report = account.run("preflight", "digits")

    assert (code, "Nothing is missing." in report) == (0, True), report


def test_airflow_lacks_no_permission_of_a_run(account):
    airflow = "arn:aws:iam::000000000000:user/image-classifier-airflow"
    code, report = account.run("preflight", "digits", "--principal", airflow)

    assert (code, f"these are the permissions of {airflow}\n" in report) == (0, True), report


def test_a_role_that_may_not_be_passed_is_missing(account):
    code, report = account.run("preflight", "digits", key=account.user("no-pass-role", NO_PASS_ROLE))

    assert code == 1
    assert "iam:PassRole" in report
    assert "attach-" in report  # the command that gives the right


def test_a_quota_of_0_is_missing(account):
    account.quotas.write_text(json.dumps({"ml.g4dn.xlarge for training job usage": 0}))
    code, report = account.run("preflight", "digits")
    account.quotas.unlink()

    assert code == 1
    assert "request-service-quota-increase" in report


def test_a_region_without_the_algorithm_is_missing(account):
    code, report = account.run("preflight", "digits", "--region", "eu-isoe-west-1")

    assert code == 1
    assert "eu-isoe-west-1" in report


def test_a_notification_that_overlaps_is_missing(account):
    s3, sqs = account.client("s3"), account.client("sqs")
    queue = sqs.create_queue(QueueName="of-others")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    from_s3 = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [from_s3]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    before = s3.get_bucket_notification_configuration(Bucket=account.bucket)
    before.pop("ResponseMetadata")
    theirs = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=account.bucket, NotificationConfiguration={**before, "QueueConfigurations": [theirs]}
    )
    code, report = account.run("preflight", "digits")
    s3.put_bucket_notification_configuration(Bucket=account.bucket, NotificationConfiguration=before)

    assert code == 1
    assert "of-others" in report or "overlap" in report


def test_a_source_that_cannot_be_read_is_missing(account):
    code, report = account.run("preflight", "digits", IMAGE_CLASSIFIER_DATA_FOLDER="/nonexistent")

    assert code == 1
    assert "/nonexistent" in report


def test_a_deployment_is_deployed_again_and_then_removed_as_a_whole(account):
    code, printed = account.run("deploy")
    assert (code, f"IMAGE_CLASSIFIER_BUCKET={account.bucket}" in printed) == (0, True), printed

    code, refused = account.run("destroy", typed="no\n")
    assert (code, "Nothing was deleted" in refused) == (1, True), refused

    code, removed = account.run("destroy", typed="image-classifier\n")
    assert (code, "Nothing is left.\n" in removed) == (0, True), removed
