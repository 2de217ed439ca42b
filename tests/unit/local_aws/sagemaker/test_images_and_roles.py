"""Checks which images and roles are accepted, and the errors for others."""

import json
from urllib.parse import quote

import pytest

from local_aws.sagemaker.aws import Aws, split_s3_uri, trusts_sagemaker
from local_aws.sagemaker.images import Images, parse_command
from local_aws.sagemaker.protocol.errors import ServiceError

IMAGES = Images({"image-classification": ("python", "-m", "x"), "own": ("own",)})


def test_the_built_in_image_is_known_by_its_account():
    built_in = IMAGES.find("811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1")
    pushed = IMAGES.find("000000000000.dkr.ecr.us-east-1.amazonaws.com/image-classification:latest")

    assert (built_in.built_in, pushed.built_in) == (True, False)
    assert built_in.command == ("python", "-m", "x")


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("image-classification:1", "Invalid image URI image-classification:1."),
        (
            "685385470294.dkr.ecr.eu-west-1.amazonaws.com/image-classification:1",
            "is in eu-west-1; use one in us-east-1",
        ),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", "This local SageMaker runs: 811284229777.dkr.ecr"),
        ("999999999999.dkr.ecr.us-east-1.amazonaws.com/own:1", "000000000000.dkr.ecr.us-east-1.amazonaws.com/own:1"),
    ],
)
def test_another_image_is_refused_with_what_would_do(uri, sentence):
    with pytest.raises(ServiceError) as caught:
        IMAGES.find(uri)

    assert sentence in caught.value.message


def test_a_command_of_the_command_line_is_split_like_a_shell_does():
    assert parse_command("own=python -m 'my program'") == ("own", ("python", "-m", "my program"))


@pytest.mark.parametrize("setting", ["own", "=python", "own= "])
def test_a_command_of_another_form_is_refused(setting):
    with pytest.raises(ValueError, match="write <repository>=<program and its arguments>"):
        parse_command(setting)


def policy(principal, effect="Allow"):
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}]}


@pytest.mark.parametrize(
    ("document", "trusted"),
    [
        (policy({"Service": "sagemaker.amazonaws.com"}), True),
        (policy({"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}), True),
        (quote(json.dumps(policy({"Service": "sagemaker.amazonaws.com"}))), True),
        (policy("*"), True),
        (policy({"Service": "lambda.amazonaws.com"}), False),
        (policy({"Service": "sagemaker.amazonaws.com"}, effect="Deny"), False),
        (policy({"AWS": "arn:aws:iam::000000000000:root"}), False),
        (None, False),
    ],
)
def test_a_role_must_trust_sagemaker(document, trusted):
    assert trusts_sagemaker(document) is trusted


def test_an_s3_uri_has_a_bucket_and_a_key():
    assert split_s3_uri("s3://b/a b/#c?d/") == ("b", "a b/#c?d/")
    assert split_s3_uri("s3://[b]/a") == ("[b]", "a")
    for uri in ("https://b/a", "s3://", "s3:///a"):
        with pytest.raises(ServiceError, match="is no S3 URI"):
            split_s3_uri(uri)


@pytest.mark.parametrize("bucket", ["<your-bucket>", "my bucket", "[b]"])
def test_a_bucket_that_cannot_have_its_name_is_not_there(bucket):
    aws = Aws("http://127.0.0.1:1")  # nobody is asked

    assert not aws.bucket_exists(bucket)
    assert not aws.object_exists(f"s3://{bucket}/a")
    assert not aws.prefix_has_objects(f"s3://{bucket}/a")


def test_an_object_without_a_key_is_not_there():
    assert not Aws("http://127.0.0.1:1").object_exists("s3://images/")
