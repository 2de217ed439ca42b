"""A page of AWS's console where AWS is called, and of the endpoint itself where another one is."""

import json
from pathlib import Path
from urllib.parse import unquote

import boto3
import botocore
import pytest

from image_classifier.aws import console

HERE = "http://127.0.0.1:4567"


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


@pytest.mark.parametrize(
    "endpoint_url",
    [
        "https://vpce-0123.api.sagemaker.eu-central-1.vpce.amazonaws.com",
        "https://sagemaker.eu-central-1.api.aws",
        "https://API.SageMaker.eu-central-1.amazonaws.com:443/",
    ],
)
def test_a_private_link_to_aws_is_aws(endpoint_url):
    link = console.endpoint(meta("sagemaker", endpoint_url=endpoint_url), "e")

    assert link == "https://console.aws.amazon.com/sagemaker/home?region=eu-central-1#/endpoints/e"


@pytest.mark.parametrize("endpoint_url", [HERE, f"{HERE}/", "http://amazonaws.com.example.org", "http://notapi.aws"])
def test_any_other_endpoint_has_pages_of_its_own(endpoint_url):
    link = console.endpoint(meta("sagemaker", endpoint_url=endpoint_url), "e")

    assert link == f"{endpoint_url.rstrip('/')}/_console/endpoints/e"


def test_pages_of_another_endpoint_are_named_by_kind_and_name():
    def at(service):
        return meta(service, endpoint_url=HERE)

    assert console.training_job(at("sagemaker"), "j") == f"{HERE}/_console/training-jobs/j"
    assert console.model(at("sagemaker"), "m") == f"{HERE}/_console/models/m"
    assert console.endpoint_config(at("sagemaker"), "c") == f"{HERE}/_console/endpoint-configs/c"
    assert console.function(at("lambda"), "f") == f"{HERE}/_console/functions/f"
    assert console.logs(at("logs"), "/aws/lambda/f") == f"{HERE}/_console/logs/aws/lambda/f"
    assert console.logs(at("logs"), "/aws/x", streams="j/") == f"{HERE}/_console/logs/aws/x?streams=j%2F"
    assert unquote(console.objects(at("s3"), "b", prefix="cats/a ?#/")) == f"{HERE}/_console/buckets/b/cats/a ?#/"
    assert "#" not in console.objects(at("s3"), "b", prefix="cats/a ?#/")


def test_every_domain_of_aws_that_botocore_knows_is_known():
    partitions = json.loads((Path(botocore.__file__).parent / "data/partitions.json").read_text())["partitions"]
    domains = {partition["outputs"][name] for partition in partitions for name in ("dnsSuffix", "dualStackDnsSuffix")}

    assert domains == set(console.AWS_DOMAINS)
