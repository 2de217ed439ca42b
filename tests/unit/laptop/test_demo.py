"""Checks the uploads of the demonstration: each has its own key, and needs a function."""

import io
import json
import zipfile

import boto3
import pytest
from moto import mock_aws

from image_classifier.aws import names
from laptop.demo import Aws, upload_all
from laptop.place import LaptopError, Place

BUCKET, REGION = "images-of-the-test", "us-east-1"


@pytest.fixture
def aws(tmp_path):
    place = Place(tmp_path)
    place.aws_state.mkdir(parents=True)
    ready = {
        "endpoint_url": f"https://s3.{REGION}.amazonaws.com",
        "sagemaker_endpoint_url": f"https://api.sagemaker.{REGION}.amazonaws.com",
        "region": REGION,
        "settings": {"IMAGE_CLASSIFIER_BUCKET": BUCKET},
        "aws": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        "uploads": {"AWS_ACCESS_KEY_ID": "c", "AWS_SECRET_ACCESS_KEY": "d"},
    }
    (place.aws_state / "ready.json").write_text(json.dumps(ready))
    with mock_aws():
        made = Aws(place)
        made.functions = boto3.client("lambda", region_name=REGION)  # on AWS its address is another than S3's
        made.s3.create_bucket(Bucket=BUCKET)
        made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield made


@pytest.fixture
def pets(aws):
    """A classifier with a function."""
    trusted = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=trusted)["Role"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    aws.functions.create_function(
        FunctionName=names.function_name("pets"),
        Role=role["Arn"],
        Runtime="python3.12",
        Handler="handler.handle",
        Code={"ZipFile": content.getvalue()},
    )
    return "pets"


def keys(aws) -> list[str]:
    return [found["Key"] for found in aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_images_of_one_name_do_not_replace_each_other(aws, pets, tmp_path):
    files = [tmp_path / folder / "1.png" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_text(file.parent.name)

    uploads = upload_all(aws, pets, [("cat", files[0]), ("cat", files[1]), ("dog", files[0])])

    assert [sent.key.removeprefix("pets/incoming/demo/") for sent in uploads] == [
        "cat/1.png",
        "cat/1-1.png",
        "dog/1.png",
    ]
    assert sorted(keys(aws)) == sorted(sent.key for sent in uploads)


def test_nothing_is_uploaded_for_a_classifier_that_would_not_answer(aws, pets, tmp_path):
    (tmp_path / "1.png").write_text("an image")

    with pytest.raises(LaptopError, match=r"The classifier pest answers no uploads: there is no function .*pest"):
        upload_all(aws, "pest", [("cat", tmp_path / "1.png")])

    assert keys(aws) == []
