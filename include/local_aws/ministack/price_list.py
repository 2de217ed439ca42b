"""The Price List of this AWS: it knows every machine that is asked for, and none costs anything.

So a plan made here says what is true here, from the same source as on AWS, and nothing else has to know where it runs.
"""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

TARGET = b"AWSPriceListService.GetProducts"
FAMILY = "ML Instance"
DESCRIPTION = "$0.00 per hour: this AWS is a few processes on this machine"


def with_price_list(app: Any) -> Any:
    """An ASGI application that answers GetProducts, and is `app` for everything else."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"x-amz-target") == TARGET:
            asked = json.loads(await Request(scope, receive).body())
            await Response(json.dumps(_answer(asked)), media_type="application/x-amz-json-1.1")(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def _answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {one["Field"]: one["Value"] for one in asked.get("Filters", ())}
    found = [json.dumps(_product(attributes))] if "instanceName" in attributes else []
    return {"FormatVersion": "aws_v1", "PriceList": found}


def _product(attributes: Mapping[str, str]) -> dict[str, Any]:
    """In the shape of AWS's list, as far as anybody reads it."""
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
