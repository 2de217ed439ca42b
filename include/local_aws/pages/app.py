"""Routes the addresses of the pages; both servers have all pages, so that one page can link to another."""

from collections.abc import Awaitable, Callable
from html import escape

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_aws.clients import ClientError
from local_aws.pages import documents
from local_aws.pages.documents import OBJECTS, PREFIX, Aws
from local_aws.pages.markup import document

NOT_FOUND = 404
CHUNK_BYTES = 65_536

Page = Callable[[Aws, Request], str]


def pages(*, endpoint_url: str, sagemaker_endpoint_url: str) -> BaseRoute:
    """Return the pages of the AWS with these two endpoints."""
    aws = Aws(endpoint_url, sagemaker_endpoint_url)
    shown: dict[str, Page] = {
        "/training-jobs/{name}": lambda aws, request: documents.training_job(aws, request.path_params["name"]),
        "/transform-jobs/{name}": lambda aws, request: documents.transform_job(aws, request.path_params["name"]),
        "/processing-jobs/{name}": lambda aws, request: documents.processing_job(aws, request.path_params["name"]),
        "/hyper-tuning-jobs/{name}": lambda aws, request: documents.tuning_job(aws, request.path_params["name"]),
        "/models/{name}": lambda aws, request: documents.model(aws, request.path_params["name"]),
        "/endpoint-configs/{name}": lambda aws, request: documents.endpoint_config(aws, request.path_params["name"]),
        "/endpoints/{name}": lambda aws, request: documents.endpoint(aws, request.path_params["name"]),
        "/model-package-groups/{name}": lambda aws, request: documents.model_package_group(
            aws, request.path_params["name"]
        ),
        "/model-packages/{name:path}": lambda aws, request: documents.model_package(aws, request.path_params["name"]),
        "/functions/{name}": lambda aws, request: documents.function(aws, request.path_params["name"]),
        "/logs/{group:path}": lambda aws, request: documents.log_group(
            aws, f"/{request.path_params['group']}", streams=request.query_params.get("streams", "")
        ),
        "/buckets/{bucket}/{prefix:path}": lambda aws, request: documents.objects(
            aws, request.path_params["bucket"], prefix=request.path_params["prefix"]
        ),
    }
    routes = [Route(path, _answer(aws, page), methods=["GET"]) for path, page in shown.items()]
    content = Route(f"{OBJECTS.removeprefix(PREFIX)}/{{bucket}}/{{key:path}}", _content(aws), methods=["GET"])
    return Mount(PREFIX, routes=[*routes, content])


def with_pages(app: ASGIApp, route: BaseRoute) -> ASGIApp:
    """Return an ASGI application that serves the pages and passes every other request to `app`."""
    site = Starlette(routes=[route])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        await (site if is_page else app)(scope, receive, send)

    return serve


def _content(aws: Aws) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        names = {"Bucket": request.path_params["bucket"], "Key": request.path_params["key"]}
        try:
            found = await run_in_threadpool(aws.client("s3").get_object, **names)
        except ClientError as error:
            return _not_found(error)
        return StreamingResponse(
            found["Body"].iter_chunks(CHUNK_BYTES),
            headers={"content-length": str(found["ContentLength"])},
            media_type=found["ContentType"],
        )

    return answer


def _answer(aws: Aws, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return HTMLResponse(await run_in_threadpool(page, aws, request))
        except ClientError as error:
            return _not_found(error)

    return answer


def _not_found(error: ClientError) -> Response:
    return HTMLResponse(document("Not here", f"<p>{escape(str(error))}</p>"), NOT_FOUND)
