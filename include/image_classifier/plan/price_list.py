"""Asks AWS's Price List what a SageMaker machine costs an hour on demand.

The names are those of AWS's own list, https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/: an "ML
Instance" has instanceName (ml.g4dn.xlarge), component (Training, Hosting and others) and regionCode.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Use = Literal["training", "hosting"]

SERVICE = "AmazonSageMaker"
COMPONENTS: Mapping[Use, str] = {"training": "Training", "hosting": "Hosting"}
HOURS = ("hrs", "hours")  # the list's unit; it writes both


@dataclass(frozen=True)
class Published:
    """A price of the list, and when the list was published."""

    usd_per_hour: float
    published: str


def published_price(pricing: Any, *, instance_type: str, use: Use, region: str) -> Published | None:
    """The on-demand price of a machine, or None if the list has none in US dollars.

    Where the list has several for one machine, the highest: what is asked for is a limit.

    Args:
        pricing: a boto3 client of the Price List.
        instance_type: such as ml.g4dn.xlarge.
        use: training and hosting have prices of their own.
        region: where the machine would be; not that of the client.

    Raises:
        ClientError: the Price List refuses.
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
