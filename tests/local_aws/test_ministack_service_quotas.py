"""Checks Service Quotas, and the whole preflight against it."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.instance_types import TRAINS_ON
from image_classifier.plan.preflight_checks.quotas import check_quotas
from image_classifier.plan.preflight_checks.run import PreflightClients, preflight
from image_classifier.plan.prices import PriceBook
from local_aws.ministack.service_quotas import FAMILIES, SIZES

TRAINING = "ml.g4dn.xlarge for training job usage"


@pytest.fixture
def few_quotas(ministack):
    """Writes quotas.json for one test."""
    file = ministack.state / "quotas.json"
    yield lambda **values: file.write_text(json.dumps(values))
    file.unlink(missing_ok=True)


@pytest.fixture
def source(ministack):
    ministack.client("s3").put_object(Bucket=ministack.bucket, Key="preflight-photos/cat/1.jpg", Body=b"x")
    return f"s3://{ministack.bucket}/preflight-photos/"


def findings(ministack, *, source, **settings):
    client = ministack.client
    clients = PreflightClients(
        sts=client("sts"),
        iam=client("iam"),
        s3=client("s3"),
        sagemaker=client("sagemaker"),
        functions=client("lambda"),
        ecr=client("ecr"),
        service_quotas=client("service-quotas"),
        prices=PriceBook("us-east-1", client("pricing"), []),
    )
    settings = Settings.from_env(ministack.settings).model_copy(update=settings)
    cats = Classifier(name="preflight", source=source)
    return {one.check: one for one in preflight([cats], clients=clients, settings=settings)}


def missing(found):
    return [one.check for one in found.values() if one.status == "missing"]


def test_quotas_are_large_enough(ministack):
    found = list(check_quotas(ministack.client("service-quotas"), classifier=Classifier(name="cats", source="cats")))

    assert {finding.status for finding in found} == {"ok"}


def test_every_machine_that_may_train_has_a_quota():
    machines = {machine for machines in TRAINS_ON.values() for machine in machines}

    assert machines - {f"ml.{family}.{size}" for family in FAMILIES for size in SIZES} == set()


def test_a_quota_of_the_file_is_the_account_s(ministack, few_quotas, source):
    few_quotas(**{TRAINING: 0})

    assert missing(findings(ministack, source=source)) == [f"quota {TRAINING}"]


@pytest.mark.parametrize(("operation", "service"), [("list_service_quotas", "ec2"), ("list_services", None)])
def test_what_this_aws_does_not_have_of_service_quotas_is_an_error(ministack, operation, service):
    client = ministack.client("service-quotas")
    with pytest.raises(ClientError, match="This local AWS has"):
        getattr(client, operation)(**({"ServiceCode": service} if service else {}))


def test_a_deployed_stack_lacks_nothing(ministack, source):
    assert missing(findings(ministack, source=source)) == []


def test_a_bucket_and_a_role_that_are_not_there_are_missing(ministack, source):
    found = findings(
        ministack, source=source, bucket="not-there-1", function_role_arn="arn:aws:iam::000000000000:role/not-there"
    )

    assert missing(found) == ["bucket", "trust of not-there"]


def test_a_source_that_is_not_there_is_missing(ministack):
    assert missing(findings(ministack, source=f"s3://{ministack.bucket}/nothing-here/")) == ["source of preflight"]


def test_another_notification_for_the_uploads_is_reported_as_missing(ministack, source):
    s3 = ministack.client("s3")
    before = s3.get_bucket_notification_configuration(Bucket=ministack.bucket)
    before.pop("ResponseMetadata")
    ministack.notify(("preflight/", ministack.create_function("preflight-other", ministack.copy_event)))

    found = findings(ministack, source=source)
    s3.put_bucket_notification_configuration(Bucket=ministack.bucket, NotificationConfiguration=before)

    assert missing(found) == ["upload trigger of preflight"]


def test_credentials_that_are_not_accepted_end_the_preflight(ministack, source, monkeypatch):
    offline = boto3.Session("a", "b", region_name="us-east-1").client("sts", endpoint_url="http://127.0.0.1:1")
    clients = PreflightClients(offline, *[None] * 7)

    (finding,) = preflight([], clients=clients, settings=Settings.from_env(ministack.settings))

    assert (finding.check, finding.status) == ("identity", "missing")
