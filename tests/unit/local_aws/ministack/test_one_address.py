"""Checks that requests for SageMaker are forwarded from the address of the other services."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local_aws.ministack.one_address import OneAddress

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
SAGEMAKER = {"authorization": SIGNED.format("sagemaker")}


async def echo(request):
    """The SageMaker server of these tests: says what came, and where."""
    body, url = await request.body(), request.url
    return Response(
        body + f" at {url.scheme}://{url.netloc}{request.scope['raw_path'].decode()}?{url.query}".encode(),
        status_code=418,
        headers={"x-amzn-requestid": "17", "content-type": request.headers.get("content-type", "none")},
    )


async def other(request):
    if request.url.path == "/absent":
        return Response(b'{"error": "Unsupported service: workspaces"}', 400, media_type="application/json")
    if request.url.path == "/refused":
        return PlainTextResponse("refused", 400)
    return PlainTextResponse("other")


def everywhere(answer):
    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


def call(path="/", *, headers=None, content=b"", transport=None):
    async def run():
        upstream = transport or httpx.ASGITransport(everywhere(echo))
        app = OneAddress(everywhere(other), sagemaker_endpoint_url="http://sagemaker:4567", transport=upstream)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return await client.post(path, headers=headers, content=content)

    return asyncio.run(run())


@pytest.mark.parametrize(
    "headers", [SAGEMAKER, {"x-amz-target": "SageMaker.ListModels"}], ids=["signed for it", "names its operation"]
)
def test_what_is_meant_for_sagemaker_continues_to_it_as_it_came(headers):
    content = bytes(range(256)) * 4096
    answer = call("/a%2Fb/c?d=e%20f", headers={**headers, "content-type": "image/jpeg"}, content=content)

    assert answer.status_code == 418
    assert answer.content == content + b" at http://here/a%2Fb/c?d=e%20f"
    assert (answer.headers["x-amzn-requestid"], answer.headers["content-type"]) == ("17", "image/jpeg")


@pytest.mark.parametrize("service", ["s3", "lambda", "sagemakerish"])
def test_what_is_signed_for_another_service_stays(service):
    assert call(headers={"authorization": SIGNED.format(service)}).text == "other"


def test_an_absent_sagemaker_is_an_error_that_clients_retry():
    def refuse(request):
        raise httpx.ConnectError("refused")

    answer = call(headers=SAGEMAKER, transport=httpx.MockTransport(refuse))

    assert (answer.status_code, answer.json()["__type"]) == (503, "ServiceUnavailable")


def test_an_absent_service_is_an_error_in_json():
    answer = call("/absent", headers={"x-amz-target": "WorkspacesService.DescribeWorkspaces"})

    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "UnknownOperationException"
    assert answer.json() == {
        "__type": "UnknownOperationException",
        "message": "This local AWS does not have the service workspaces.",
    }


def test_an_absent_service_of_the_query_protocol_is_an_error_in_xml():
    answer = call("/absent", headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"})

    assert "<Code>UnknownOperationException</Code>" in answer.text


def test_another_refusal_stays_as_it_is():
    assert (call("/refused").status_code, call("/refused").text) == (400, "refused")
