"""Checks that the Price List answers in the form of AWS."""

from image_classifier.plan.prices import PriceBook
from local_aws import clients


def test_every_machine_is_free_and_the_price_names_who_says_so(ministack):
    pricing = clients.client("pricing", endpoint_url=ministack.url)

    price = PriceBook("us-east-1", pricing, []).price("ml.g4dn.xlarge", use="training")

    assert price.usd_per_hour == 0
    assert price.source.startswith(f"the Price List of {ministack.url}, of 20")


def test_a_question_about_no_machine_finds_nothing(ministack):
    pricing = clients.client("pricing", endpoint_url=ministack.url)

    assert pricing.get_products(ServiceCode="AmazonSageMaker")["PriceList"] == []
