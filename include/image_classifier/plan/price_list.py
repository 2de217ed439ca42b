"""Reads the on-demand price per hour of a SageMaker instance from AWS's Price List.

Source of the field names: AWS's list, https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/. An "ML
Instance" has instanceName (ml.g4dn.xlarge), component (Training, Hosting and others) and regionCode. The source
of the component Processing is an answer of GetProducts in a public repository's log of 13 September 2026: instanceType
ml.m5.xlarge-Processing, usagetype USE1-Processing:ml.m5.xlarge, 0.23 USD per hour.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Use = Literal["training", "hosting", "processing"]

SERVICE = "AmazonSageMaker"
COMPONENTS: Mapping[Use, str] = {"training": "Training", "hosting": "Hosting", "processing": "Processing"}
HOURS = ("hrs", "hours")  # the list uses both spellings


@dataclass(frozen=True)
class Published:
    """A price of the list in US dollars per hour, and the day on which the list was published."""

    usd_per_hour: float
    published: str


def published_price(pricing: Any, *, instance_type: str, use: Use, region: str) -> Published | None:
    """Return the on-demand price of an instance type, or None if the list has none in US dollars.

    If the list has several prices for one type, the highest is returned, because it serves as a limit.

    Args:
        pricing: a boto3 client of the Price List.
        instance_type: such as ml.g4dn.xlarge.
        use: training, hosting or processing, which have different prices.
        region: the region of the instance, which may differ from the client's.

    Raises:
        ClientError: the Price List refuses the request.
        BotoCoreError: the Price List cannot be reached.

    """
    wanted = {"regionCode": region, "instanceName": instance_type, "component": COMPONENTS[use]}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    pages = pricing.get_paginator("get_products").paginate(ServiceCode=SERVICE, Filters=filters)
    products = [json.loads(product) for page in pages for product in page["PriceList"]]
    return max(_published(products), key=lambda price: price.usd_per_hour, default=None)


def _published(products: Iterable[Mapping[str, Any]]) -> Iterator[Published]:
    for product in products:
        for offer in product.get("terms", {}).get("OnDemand", {}).values():
            for dimension in offer["priceDimensions"].values():
                if "USD" in dimension["pricePerUnit"] and dimension["unit"].lower() in HOURS:
                    usd = float(dimension["pricePerUnit"]["USD"])
                    yield Published(usd, str(product.get("publicationDate", "an unknown day"))[:10])
