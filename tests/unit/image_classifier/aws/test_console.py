"""Checks that links lead to the console of AWS's partition, or to the one that the deployment names."""

from urllib.parse import unquote

import boto3
import pytest

from image_classifier.aws import console

CONSOLE = "http://127.0.0.1:4567/_console"


def meta(service, *, region="eu-central-1", endpoint_url=None):
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=region)
    return session.client(service, endpoint_url=endpoint_url).meta


@pytest.mark.parametrize(
    ("region", "start"),
    [
        ("eu-central-1", "https://console.aws.amazon.com/sagemaker/home?region=eu-central-1#"),
        ("cn-north-1", "https://console.amazonaws.cn/sagemaker/home?region=cn-north-1#"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com/sagemaker/home?region=us-gov-west-1#"),
    ],
)
def test_each_partition_has_a_console_of_its_own(region, start):
    assert console.training_job(meta("sagemaker", region=region), "job-1") == f"{start}/jobs/job-1"


@pytest.mark.parametrize("region", ["us-iso-east-1", "us-isob-east-1", "us-isof-south-1"])
def test_a_partition_whose_console_is_not_known_has_no_links(region):
    assert console.training_job(meta("sagemaker", region=region), "job-1") is None


def test_pages_of_the_console_are_named_as_the_console_names_them():
    sagemaker, start = meta("sagemaker"), "https://console.aws.amazon.com/sagemaker/home?region=eu-central-1#"

    assert console.model(sagemaker, "m") == f"{start}/models/m"
    assert console.endpoint_config(sagemaker, "c") == f"{start}/endpointConfig/c"
    assert console.endpoint(sagemaker, "e") == f"{start}/endpoints/e"
    assert console.function(meta("lambda"), "f") == (
        "https://console.aws.amazon.com/lambda/home?region=eu-central-1#/functions/f"
    )


def test_a_log_group_is_encoded_as_its_console_reads_it():
    start = "https://console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group/"

    assert console.logs(meta("logs"), "/aws/lambda/f") == f"{start}$252Faws$252Flambda$252Ff"
    assert console.logs(meta("logs"), "/aws/x", streams="job/") == (
        f"{start}$252Faws$252Fx$3FlogStreamNameFilter$3Djob$252F"
    )


def test_a_prefix_opens_the_list_of_its_objects():
    assert console.objects(meta("s3"), "a-bucket", prefix="cats/data set/") == (
        "https://console.aws.amazon.com/s3/buckets/a-bucket?region=eu-central-1&prefix=cats/data%20set/"
    )


def test_a_private_link_to_aws_has_the_pages_of_aws():
    link = console.endpoint(meta("sagemaker", endpoint_url="https://vpce-0123.sagemaker.vpce.amazonaws.com"), "e")

    assert link == "https://console.aws.amazon.com/sagemaker/home?region=eu-central-1#/endpoints/e"


@pytest.mark.parametrize("base_url", [CONSOLE, f"{CONSOLE}/"])
def test_another_consoles_pages_are_named_by_kind_and_name(monkeypatch, base_url):
    monkeypatch.setenv("IMAGE_CLASSIFIER_CONSOLE_URL", base_url)

    assert console.training_job(meta("sagemaker"), "j") == f"{CONSOLE}/training-jobs/j"
    assert console.model(meta("sagemaker"), "m") == f"{CONSOLE}/models/m"
    assert console.endpoint_config(meta("sagemaker"), "c") == f"{CONSOLE}/endpoint-configs/c"
    assert console.function(meta("lambda"), "f") == f"{CONSOLE}/functions/f"
    assert console.logs(meta("logs"), "/aws/lambda/f") == f"{CONSOLE}/logs/aws/lambda/f"
    assert console.logs(meta("logs"), "/aws/x", streams="j/") == f"{CONSOLE}/logs/aws/x?streams=j%2F"
    assert unquote(console.objects(meta("s3"), "b", prefix="cats/a ?#/")) == f"{CONSOLE}/buckets/b/cats/a ?#/"
    assert "#" not in console.objects(meta("s3"), "b", prefix="cats/a ?#/")
