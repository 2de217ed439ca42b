"""Routes HTTP requests: POST / for the control plane (JSON 1.1), a path for InvokeEndpoint (REST), a health page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import sqlite3
import uuid
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_aws.sagemaker.hosting.endpoints import Endpoints
from local_aws.sagemaker.hosting.invocations import Invocations
from local_aws.sagemaker.hosting.models import EndpointConfigs, Models
from local_aws.sagemaker.hosting.rollouts import Rollouts
from local_aws.sagemaker.jobs.downloads import ObjectCache
from local_aws.sagemaker.processing.operations import ProcessingJobs
from local_aws.sagemaker.protocol import authorization, bodies, validation
from local_aws.sagemaker.protocol import faults as planned
from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.protocol.tags import Tags, check_tags
from local_aws.sagemaker.registry.groups import ModelPackageGroups
from local_aws.sagemaker.registry.packages import ModelPackages
from local_aws.sagemaker.search.operations import Search
from local_aws.sagemaker.training.operations import TrainingJobs
from local_aws.sagemaker.transform.operations import TransformJobs
from local_aws.sagemaker.tuning.operations import TuningJobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.platform import Platform
    from local_aws.sagemaker.protocol.authorization import Authorizer

log = logging.getLogger(__name__)


class Service:
    """The operations of this SageMaker, by their AWS names."""

    def __init__(self, platform: Platform) -> None:
        """Create the operations; nothing runs until `recover`."""
        aws, store, images, faults = platform.aws, platform.store, platform.images, platform.faults
        self.faults = faults
        self._cache = ObjectCache(platform.state / "objects", aws=aws)
        training = TrainingJobs(platform, cache=self._cache)
        self.jobs = (
            training,
            TuningJobs(platform, training=training),
            TransformJobs(platform),
            ProcessingJobs(platform, cache=self._cache),
        )
        self.rollouts = Rollouts(
            aws=aws,
            store=store,
            images=images,
            limits=platform.limits,
            faults=faults,
            folder=platform.state / "endpoints",
        )
        self._store = store
        groups = (
            *self.jobs,
            Models(aws=aws, store=store, images=images, unready_roles=platform.unready_roles),
            EndpointConfigs(aws=aws, store=store),
            Endpoints(aws=aws, store=store, rollouts=self.rollouts, faults=faults),
            ModelPackageGroups(aws=aws, store=store),
            ModelPackages(aws=aws, store=store),
            Tags(aws=aws, store=store),
            Search(platform),
        )
        self.operations: dict[str, Callable[[Document], Document]] = {
            _aws_name(method): getattr(group, method)
            for group in groups
            for method in dir(group)
            if re.match(r"(create|describe|batch_describe|list|update|delete|stop|add)_|search$", method)
        }

    def recover(self) -> None:
        """Continue the work of the previous server."""
        for jobs in self.jobs:
            jobs.recover()
        self._cache.trim()
        self.rollouts.recover()

    def close(self) -> None:
        """End every process."""
        self.rollouts.close()
        for jobs in reversed(self.jobs):  # or a tuning job would take the end of its training jobs for failures
            jobs.close()
        self._store.close()

    def call(self, operation: str, request: object) -> Document:
        """Carry out one operation of the control plane and return its answer.

        Raises:
            ServiceError: the request is refused.

        """
        perform = self.operations.get(operation)
        if perform is None:
            known = "exists on AWS but " if validation.operation_exists(operation) else ""
            implemented = ", ".join(sorted(self.operations))
            message = f"{operation} {known}is not implemented by this local SageMaker. Implemented: {implemented}."
            raise ServiceError("UnknownOperationException", message)
        checked = validation.validate(operation, request)
        check_tags(checked.get("Tags") or [])
        planned.refuse(self.faults, operation, checked)
        return validation.known_members(operation, perform(checked))


def create_app(service: Service, *, pages: Sequence[BaseRoute] = (), authorizer: Authorizer | None = None) -> Starlette:
    """Return the ASGI application of `service`, whose processes end with it, and of the pages for people.

    With an `authorizer` every caller is checked.
    """
    invocations = Invocations(service.rollouts, faults=service.faults, authorizer=authorizer)

    async def control(request: Request) -> Response:
        return await _answer_control(service, request, authorizer=authorizer)

    async def invoke(request: Request) -> Response:
        try:
            return await invocations.invoke(request)
        except ServiceError as error:
            return _rest_error(error)

    async def unknown(request: Request) -> Response:
        message = f"{request.method} {request.url.path} is not implemented by this local SageMaker; InvokeEndpoint is."
        return _rest_error(ServiceError("UnknownOperationException", message, status=404))

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "operations": sorted(service.operations)})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(service.recover)
        yield
        await run_in_threadpool(service.close)
        invocations.close()

    routes = [
        Route("/", control, methods=["POST"]),
        Route("/endpoints/{name}/invocations", invoke, methods=["POST"]),
        Route("/health", health),
        *pages,
        Route("/{path:path}", unknown, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _answer_control(service: Service, request: Request, *, authorizer: Authorizer | None) -> Response:
    operation = request.headers.get("x-amz-target", "").removeprefix("SageMaker.")
    body: object = None
    try:
        sent = await bodies.read(request, max_bytes=bodies.MAX_CONTROL_BYTES, refusal=bodies.control_too_large)
        body = bodies.parse(sent)
        if authorizer is not None:
            needed = authorization.checks(operation, _members(body))
            await run_in_threadpool(authorizer.check, authorization.signed_request(request, sent), needed)
        answer = await run_in_threadpool(service.call, operation, body)
        if not operation.startswith(("Describe", "BatchDescribe", "List")):
            log.info("%s accepted: %s", operation, _subject(body))
        await asyncio.sleep(planned.lateness_s(service.faults, operation, _members(body)))
    except ServiceError as error:
        log.info("%s refused: %s: %s: %s", operation, _subject(body), error.code, error)
        return _json_error(error)
    except sqlite3.Error as error:
        log.exception("%s failed: %s", operation, _subject(body))
        message = f"The state of the local SageMaker cannot be written or read: {error}. Is its disk full?"
        return _json_error(ServiceError("InternalFailure", message, status=500))
    return _json(answer, status=200)


def _members(body: object) -> Document:
    """Return a request's members; an operation refuses a body that is not an object."""
    return body if isinstance(body, dict) else {}


def _subject(request: object) -> object:
    """Return the first name or ARN in a request, which in SageMaker's requests is that of the resource itself."""
    return next((value for key, value in _members(request).items() if key.endswith(("Name", "Arn"))), "nothing named")


def _json_error(error: ServiceError) -> Response:
    return _json({"__type": error.code, "message": error.message}, status=error.status)


def _rest_error(error: ServiceError) -> Response:
    content = {"Message": error.message, **error.details}
    response = JSONResponse(content, status_code=error.status)
    response.headers["x-amzn-errortype"] = error.code
    return response


def _json(content: Document, *, status: int) -> Response:
    headers = {"x-amzn-requestid": str(uuid.uuid4())}
    return Response(json.dumps(content), status, headers, media_type="application/x-amz-json-1.1")


def _aws_name(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))
