"""Checks that a price is AWS's, or the table's with its date and source, or unknown."""

import json
from datetime import UTC, date, datetime

import boto3
import pytest
import yaml
from botocore.exceptions import EndpointConnectionError
from botocore.session import get_session
from botocore.stub import Stubber
from pydantic import ValidationError

from image_classifier.plan import prices
from image_classifier.plan.prices import PriceBook, Quoted, price_book, price_list_region, quoted_prices

SESSION = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
PRICING = SESSION.client("pricing", region_name="eu-central-1")
ROW = {
    "region": "eu-west-1",
    "instance_type": "ml.g4dn.xlarge",
    "use": "training",
    "usd_per_hour": 0.822,
    "as_of": date(2023, 12, 31),
    "source": "https://example.org/bill",
}


def product(usd, *, unit="Hrs", currency="USD", published="2026-09-25T00:03:13Z"):
    """In the shape of the Price List's own answer."""
    dimension = {"unit": unit, "pricePerUnit": {currency: usd}, "beginRange": "0", "endRange": "Inf"}
    offer = {"priceDimensions": {"A.B.C": dimension}, "sku": "A"}
    attributes = {"instanceName": "ml.g4dn.xlarge", "component": "Training", "regionCode": "eu-west-1"}
    return json.dumps(
        {
            "product": {"productFamily": "ML Instance", "attributes": attributes, "sku": "A"},
            "terms": {"OnDemand": {"A.B": offer}, "Reserved": {}},
            "publicationDate": published,
        }
    )


def asked(component):
    fields = {"regionCode": "eu-west-1", "instanceName": "ml.g4dn.xlarge", "component": component}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in fields.items()]
    return {"ServiceCode": "AmazonSageMaker", "Filters": filters}


@pytest.fixture
def aws():
    with Stubber(PRICING) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def book(*rows):
    return PriceBook("eu-west-1", PRICING, [Quoted.model_validate({**ROW, **row}) for row in rows])


@pytest.mark.parametrize(
    ("use", "component"), [("training", "Training"), ("hosting", "Hosting"), ("processing", "Processing")]
)
def test_the_price_list_is_asked_for_the_machine_its_use_and_its_region(aws, use, component):
    aws.add_response("get_products", {"PriceList": [product("0.822")]}, asked(component))

    price = book().price("ml.g4dn.xlarge", use=use)

    assert price.usd_per_hour == 0.822
    assert price.source == "the Price List of https://api.pricing.eu-central-1.amazonaws.com, of 2026-09-25"


def test_the_price_list_comes_before_the_table(aws):
    aws.add_response("get_products", {"PriceList": [product("0.9")]})

    assert book({}).price("ml.g4dn.xlarge", use="training").usd_per_hour == 0.9


def test_of_several_prices_the_highest_holds_and_every_page_is_read(aws):
    aws.add_response("get_products", {"PriceList": [product("0.5")], "NextToken": "more"})
    aws.add_response("get_products", {"PriceList": [product("0.8"), product("0.6")]})

    assert book().price("ml.g4dn.xlarge", use="training").usd_per_hour == 0.8


@pytest.mark.parametrize("other", [product("5", currency="CNY"), product("9", unit="GB-Mo"), json.dumps({"terms": {}})])
def test_what_is_no_price_an_hour_in_dollars_is_no_price(aws, other):
    aws.add_response("get_products", {"PriceList": [other]})

    price = book().price("ml.g4dn.xlarge", use="training")

    assert price.usd_per_hour is None
    assert price.source == (
        "the Price List has no price for it in US dollars, and prices.yaml has none for training in eu-west-1"
    )


def test_a_list_that_cannot_be_read_leaves_the_table_with_day_and_source(aws):
    aws.add_client_error("get_products", "AccessDeniedException")

    price = book({}).price("ml.g4dn.xlarge", use="training")

    assert price.usd_per_hour == 0.822
    assert price.source.startswith("https://example.org/bill, of 2023-12-31; the Price List cannot be read")


def test_a_list_that_does_not_answer_leaves_the_table(monkeypatch):
    def unreachable(*_, **__):
        raise EndpointConnectionError(endpoint_url="https://api.pricing.eu-central-1.amazonaws.com")

    monkeypatch.setattr(prices, "published_price", unreachable)

    assert book({}).price("ml.g4dn.xlarge", use="training").usd_per_hour == 0.822


@pytest.mark.parametrize("row", [{"region": "us-east-1"}, {"instance_type": "ml.g5.xlarge"}, {"use": "hosting"}])
def test_a_row_for_something_else_is_no_price(aws, row):
    aws.add_client_error("get_products", "AccessDeniedException")

    assert book(row).price("ml.g4dn.xlarge", use="training").usd_per_hour is None


def test_a_partition_without_price_list_has_the_table_alone():
    govcloud = SESSION.client("sagemaker", region_name="us-gov-west-1")

    prices_there = price_book(govcloud.meta, client=lambda there: pytest.fail(there), table=[])

    price = prices_there.price("ml.m5.large", use="hosting")
    assert price.usd_per_hour is None
    assert price.source == ("this partition has no Price List, and prices.yaml has none for hosting in us-gov-west-1")


@pytest.mark.parametrize(
    ("region", "there"),
    [
        ("us-west-2", "us-east-1"),
        ("eu-north-1", "eu-central-1"),
        ("ap-south-2", "ap-south-1"),
        ("sa-east-1", "us-east-1"),
    ],
)
def test_the_price_list_answers_from_the_nearest_of_its_regions(region, there):
    assert price_list_region(region, partition="aws") == there


@pytest.mark.parametrize("partition", get_session().get_available_partitions())
def test_the_price_list_s_regions_are_those_that_botocore_has(partition):
    known = set(prices.PRICE_LIST_REGIONS.get(partition, {}).values())

    assert known == set(get_session().get_available_regions("pricing", partition_name=partition))


def test_every_price_of_the_shipped_table_has_a_day_and_a_page_once():
    rows = quoted_prices()

    assert rows
    assert len({(row.region, row.instance_type, row.use) for row in rows}) == len(rows)
    assert all(row.as_of <= datetime.now(UTC).date() and row.source.startswith("https://") for row in rows)


@pytest.mark.parametrize("missing", ["as_of", "source"])
def test_a_figure_without_day_or_source_is_refused(tmp_path, missing):
    file = tmp_path / "prices.yaml"
    file.write_text(yaml.safe_dump([{name: value for name, value in ROW.items() if name != missing}]))

    with pytest.raises(ValidationError, match=missing):
        quoted_prices(file)


def test_an_empty_table_has_no_prices(tmp_path):
    file = tmp_path / "prices.yaml"
    file.write_text("# nothing could be sourced\n")

    assert quoted_prices(file) == ()
