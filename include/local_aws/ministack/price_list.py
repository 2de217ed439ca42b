"""Answers for the AWS Price List: every instance type exists and costs 0 USD.

So a plan that is made here shows the true costs, from the same source as on AWS.
"""

import datetime
import json
from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

TARGET = b"AWSPriceListService.GetProducts"
FAMILY = "ML Instance"
DESCRIPTION = "$0.00 per hour: this AWS is a few processes on this machine"


def with_price_list(app: ASGIApp) -> ASGIApp:
    """Return an ASGI application that answers GetProducts and passes every other request to `app`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"x-amz-target") == TARGET:
            asked = json.loads(await Request(scope, receive).body())
            await Response(json.dumps(_answer(asked)), media_type="application/x-amz-json-1.1")(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def _answer(asked: Mapping[str, Iterable[Mapping[str, str]]]) -> dict[str, object]:
    attributes = {one["Field"]: one["Value"] for one in asked.get("Filters", ())}
    found = [json.dumps(_product(attributes))] if "instanceName" in attributes else []
    return {"FormatVersion": "aws_v1", "PriceList": found}


def _product(attributes: Mapping[str, str]) -> dict[str, object]:
    """Return a product in the form of AWS's price list, with the members that clients read."""
    dimension = {
        "unit": "Hrs",
        "description": DESCRIPTION,
        "beginRange": "0",
        "endRange": "Inf",
        "pricePerUnit": {"USD": "0.0000000000"},
    }
    return {
        "product": {"productFamily": FAMILY, "sku": "FREE", "attributes": dict(attributes)},
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": {"FREE.FREE": {"priceDimensions": {"FREE.FREE.FREE": dimension}, "sku": "FREE"}}},
        "publicationDate": datetime.datetime.now(datetime.UTC).isoformat(),
    }
