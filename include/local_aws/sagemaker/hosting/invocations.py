"""Implements InvokeEndpoint: passes a client's request to an instance, and returns its answer."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from local_aws.faults.error_codes import sentence
from local_aws.faults.plan import Invoke
from local_aws.sagemaker.aws import ACCOUNT, REGION
from local_aws.sagemaker.hosting.connections import Connections, NoAnswerError, NobodyListensError
from local_aws.sagemaker.hosting.instance import LOG_GROUP
from local_aws.sagemaker.protocol import authorization, bodies
from local_aws.sagemaker.protocol.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.hosting.connections import Answer
    from local_aws.sagemaker.hosting.deployment import Deployment
    from local_aws.sagemaker.hosting.instance import Instance
    from local_aws.sagemaker.hosting.rollouts import Rollouts
    from local_aws.sagemaker.protocol.authorization import Authorizer

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 25 * 1024 * 1024
MAX_HEADER_LENGTH = 1024
FIRST_ERROR = 400
MODEL_TIMEOUT_S = 60.0
RESTART_S = 10.0  # a process that died is started again within this, unless it dies again and again
WAIT_S = 0.02
FORWARDED = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id")
RETURNED = ("content-type", "x-amzn-sagemaker-custom-attributes")


class Invocations:
    """The operations of SageMaker Runtime. They run in the event loop only."""

    def __init__(self, rollouts: Rollouts, *, faults: Faults, authorizer: Authorizer | None = None) -> None:
        """Open one pool of connections for all endpoints; an `authorizer` checks every caller."""
        self._authorizer = authorizer
        self._rollouts = rollouts
        self._faults = faults
        self._connections = Connections()

    async def invoke(self, request: Request) -> Response:
        """Return the model's answer, or a ModelError with the model's answer in it."""
        name = request.path_params["name"]
        body = await bodies.read(request, max_bytes=MAX_BODY_BYTES, refusal=_too_large)
        if self._authorizer is not None:
            signed, needed = authorization.signed_request(request, body), authorization.invoke_checks(name)
            await run_in_threadpool(self._authorizer.check, signed, needed, status=403)
        headers = {header: request.headers[header] for header in FORWARDED if header in request.headers}
        _check(headers)
        target = request.headers.get("x-amzn-sagemaker-target-variant")
        self._refuse_as_planned(name, target=target)
        answer, variant = await self._forward(name, body, headers, target=target)
        if answer.status >= FIRST_ERROR:
            raise _model_error(name, answer.status, answer.text)
        returned = {header: answer.headers[header] for header in RETURNED if header in answer.headers}
        return Response(answer.body, headers=returned | {"x-Amzn-Invoked-Production-Variant": variant})

    def _refuse_as_planned(self, name: str, *, target: str | None) -> None:
        if self._faults.problem:
            raise _refused(self._faults.problem)
        fault = self._faults.take(Invoke, {"EndpointName": name, "TargetVariant": target})
        if fault is not None:
            raise _PLANNED[fault.status](name)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    async def _forward(
        self, name: str, body: bytes, headers: dict[str, str], *, target: str | None
    ) -> tuple[Answer, str]:
        begin = time.monotonic()
        while True:
            deployment, instance = await self._acquire(name, target=target)
            try:
                answer = await self._connections.post(
                    instance.port, path="/invocations", headers=headers, body=body, timeout_s=MODEL_TIMEOUT_S
                )
            except TimeoutError as error:
                raise _model_error(name, 0, _TIMED_OUT) from error
            except NoAnswerError as error:
                instance.suspend()  # it may be ending, and the next invocation would get no answer either
                log.warning("Endpoint %s: variant %s did not answer: %s", name, instance.variant, error)
                raise _model_error(name, 0, _EXITED) from error
            except NobodyListensError:  # the process died a moment ago
                if time.monotonic() - begin > RESTART_S:
                    raise _no_process(name) from None
            else:
                return answer, instance.variant
            finally:
                deployment.release(instance)
            await asyncio.sleep(WAIT_S)

    async def _acquire(self, name: str, *, target: str | None) -> tuple[Deployment, Instance]:
        """Return an instance; wait for one while the server or its process restarts."""
        begin = time.monotonic()
        while True:
            route = self._rollouts.routes.get(name)
            if route is None:
                raise _not_served(name)
            deployment = route.next(variant=target)
            if target is not None and target not in deployment.variant_names:
                raise _refused(f"Variant {target} not found for endpoint {name}.")
            try:
                instance = deployment.acquire(variant=target)
            except LookupError:
                if time.monotonic() - begin > (RESTART_S if deployment.ready.is_set() else MODEL_TIMEOUT_S):
                    raise _no_process(name) from None
                await asyncio.sleep(WAIT_S)
                continue
            if instance is not None:
                return deployment, instance
            await asyncio.sleep(0)  # stopped in the meantime: the route has another deployment now


_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
_EXITED = "An error occurred while handling request as the model process exited."


def _model_error(endpoint: str, status: int, text: str) -> ServiceError:
    side = "client" if 400 <= status < 500 else "server"
    group = f"{LOG_GROUP}{endpoint}"
    message = (
        f'Received {side} error ({status}) from primary with message "{text}". See https://{REGION}.console.aws.amazon.com/'
        f"cloudwatch/home?region={REGION}#logEventViewer:group={group} in account {ACCOUNT} for more information."
    )
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
    details: dict[str, object] = {"OriginalStatusCode": status, "OriginalMessage": text, "LogStreamArn": arn}
    return ServiceError("ModelError", message, status=424, details=details)


def _not_served(endpoint: str) -> ServiceError:
    return _refused(f"Endpoint {endpoint} of account {ACCOUNT} not found.")


def _no_process(endpoint: str) -> ServiceError:
    message = f"Endpoint {endpoint} has no process that answers; its log in CloudWatch says why."
    return ServiceError("ServiceUnavailable", message, status=503)


_PLANNED: dict[int, Callable[[str], ServiceError]] = {
    424: lambda endpoint: _model_error(endpoint, 500, "Internal Server Error"),
    429: lambda _: ServiceError("ThrottlingException", "Rate exceeded", status=429),
    500: lambda _: ServiceError("InternalFailure", sentence("InternalFailure"), status=500),
    503: lambda _: ServiceError("ServiceUnavailable", sentence("ServiceUnavailable"), status=503),
}


def _too_large() -> ServiceError:
    length = f"Member must have length less than or equal to {MAX_BODY_BYTES}"
    return _refused(f"1 validation error detected: Value at 'body' failed to satisfy constraint: {length}")


def _check(headers: dict[str, str]) -> None:
    """Refuse values of CustomAttributes, ContentType and Accept that botocore's sagemaker-runtime model refuses."""
    for header, value in headers.items():
        if value.isascii() and len(value) <= MAX_HEADER_LENGTH:
            continue
        pattern = r"Member must satisfy regular expression pattern: \p{ASCII}*"
        length = f"Member must have length less than or equal to {MAX_HEADER_LENGTH}"
        constraint = length if value.isascii() else pattern
        raise _refused(f"1 validation error detected: Value at '{header}' failed to satisfy constraint: {constraint}")


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
