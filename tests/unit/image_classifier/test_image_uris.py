"""The image table is AWS's own: the SageMaker SDK's data, row by row."""

import json
from importlib.util import find_spec
from pathlib import Path

import botocore.session
import pytest

from image_classifier.errors import SettingsError
from image_classifier.image_uris import REGISTRIES, image_uri

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


def test_a_region_without_the_algorithm_is_named_with_the_regions_that_have_it():
    with pytest.raises(SettingsError, match=r"not available in region 'mx-central-1'; .*us-east-1"):
        image_uri("mx-central-1")
