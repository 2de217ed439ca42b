"""Answers for Service Quotas: the quotas that the preflight reads, each 100 unless `quotas.json` has another value.

`quotas.json` in the state folder maps a quota's name to its value, such as
``{"ml.g4dn.xlarge for training job usage": 0}``, and is read for every request. The codes are this AWS's own.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local_aws.ministack.one_address import error_response

TARGET = b"ServiceQuotasV20190624."
OPERATIONS = ("ListServiceQuotas", "ListAWSDefaultServiceQuotas")
ENOUGH = 100.0
FUNCTION_CONCURRENCY = "Concurrent executions"
USES = (
    "training job usage",
    "spot training job usage",
    "transform job usage",
    "endpoint usage",
    "processing job usage",
)
FAMILIES = ("c5", "c6i", "c7i", "g4dn", "g5", "g6", "m5", "m6i", "m7i", "p2", "p3", "p3dn", "t2")
SIZES = ("medium", "large", "xlarge", *(f"{size}xlarge" for size in (2, 4, 8, 9, 12, 16, 18, 24, 48)))


def with_service_quotas(app: ASGIApp, *, values: Path) -> ASGIApp:
    """Return an ASGI application that answers for Service Quotas and passes every other request to `app`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        target = dict(scope["headers"]).get(b"x-amz-target", b"") if scope["type"] == "http" else b""
        if not target.startswith(TARGET):
            await app(scope, receive, send)
            return
        operation = target.removeprefix(TARGET).decode("latin-1")
        asked = json.loads(await Request(scope, receive).body() or b"{}")
        await _answer(operation, asked, values=values)(scope, receive, send)

    return serve


def _answer(operation: str, asked: Mapping[str, object], *, values: Path) -> Response:
    service = str(asked.get("ServiceCode"))
    if operation not in OPERATIONS:
        message = f"This local AWS has {' and '.join(OPERATIONS)} of Service Quotas, not {operation}."
        return error_response("UnknownOperationException", message, status=400)
    if service not in ("sagemaker", "lambda"):
        message = f"This local AWS has quotas of sagemaker and lambda, not of {service}."
        return error_response("NoSuchResourceException", message, status=400)
    changed = json.loads(values.read_text()) if values.exists() else {}
    quotas = [_quota(service, name, value=changed.get(name, ENOUGH)) for name in _names(service)]
    return Response(json.dumps({"Quotas": quotas}), media_type="application/x-amz-json-1.1")


def _names(service: str) -> list[str]:
    if service == "lambda":
        return [FUNCTION_CONCURRENCY]
    return [f"ml.{family}.{size} for {use}" for family in FAMILIES for size in SIZES for use in USES]


def _quota(service: str, name: str, *, value: float) -> dict[str, object]:
    code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
    return {"ServiceCode": service, "QuotaName": name, "QuotaCode": code, "Value": float(value), "Adjustable": True}
