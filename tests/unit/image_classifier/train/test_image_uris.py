"""Checks the table of image URIs, row by row, against the SageMaker SDK's data."""

import json
from importlib.util import find_spec
from pathlib import Path

import botocore.session
import pytest

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import SettingsError
from image_classifier.train.image_uris import REGISTRIES, algorithm_image, image_uri

SESSION = botocore.session.get_session()


def sdk_table():
    """The SDK's data file; importing the SDK itself takes seconds and packages that are not installed."""
    name = "core/image_uri_config/image-classification.json"
    [path] = [
        path for folder in find_spec("sagemaker").submodule_search_locations if (path := Path(folder, name)).exists()
    ]
    return json.loads(path.read_text())


def test_every_row_is_the_sdks():
    accounts = sdk_table()["versions"]["1"]["registries"]

    assert len(accounts) == 37
    assert {region: account for region, (account, _) in REGISTRIES.items()} == accounts


@pytest.mark.parametrize("region", sorted(REGISTRIES))
def test_the_domain_is_the_partitions(region):
    url = SESSION.create_client("ecr", region_name=region).meta.endpoint_url
    suffix = url.split(f".{region}.")[1]

    assert image_uri(region) == f"{REGISTRIES[region][0]}.dkr.ecr.{region}.{suffix}/image-classification:1"


def test_a_region_without_the_algorithm_is_an_error_that_names_the_others():
    with pytest.raises(SettingsError, match=r"not available in region 'mx-central-1'; .*us-east-1"):
        image_uri("mx-central-1")


ROLE = "arn:aws:iam::123456789012:role/r"
OWN_IMAGE = "123456789012.dkr.ecr.mx-central-1.amazonaws.com/image-classification:2"


def image(algorithm, *, own_image, region="mx-central-1"):
    settings = Settings(
        bucket="a-bucket",
        sagemaker_role_arn=ROLE,
        function_role_arn=ROLE,
        failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
        algorithm_image=own_image,
    )
    classifier = Classifier(name="cats", source="cats", algorithm=algorithm)
    return algorithm_image(classifier, settings=settings, region=region)


def test_an_image_of_ones_own_works_in_any_region():
    assert image("own", own_image=OWN_IMAGE) == OWN_IMAGE


def test_it_leaves_the_built_in_algorithms_classifiers_alone():
    assert image("builtin", own_image=OWN_IMAGE, region="us-east-1") == image_uri("us-east-1")


def test_without_the_setting_the_error_names_variable_and_remedy():
    with pytest.raises(SettingsError, match=r"Classifier cats .*IMAGE_CLASSIFIER_ALGORITHM_IMAGE.*algorithm-image"):
        image("own", own_image=None)


def test_an_image_in_another_region_is_refused_before_sagemaker_does():
    with pytest.raises(SettingsError, match=r"mx-central-1.*region is us-east-1"):
        image("own", own_image=OWN_IMAGE, region="us-east-1")
