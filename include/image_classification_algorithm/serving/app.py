"""Defines the web application of a serving container: GET /ping, GET /execution-parameters and POST /invocations."""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from image_classification_algorithm.decoding import UnreadableImageError
from image_classification_algorithm.serving.model import Model
from image_classifier.contracts.training.machine import usable_cores

CONTENT_TYPES = ("application/x-image", "image/jpeg", "image/png")
MAX_REQUEST_BYTES = 25 * 1024 * 1024
MAX_WAITING = 64
PAYLOAD_MB = 6  # SageMaker's own default
MAX_CONCURRENT = 16  # times PAYLOAD_MB it stays below the 100 MB that a transform job may have under way


class RefusedError(Exception):
    """A request gets no prediction; the error holds the HTTP status and one sentence that says why."""

    def __init__(self, status: int, sentence: str) -> None:
        """Store the HTTP status and the sentence."""
        super().__init__(sentence)
        self.status = status


def application(model: Model) -> Starlette:
    """Return the application for a loaded model; before the model is loaded nothing answers, not even /ping."""
    invocations = _Invocations(model)
    return Starlette(
        routes=[
            Route("/ping", _ping, methods=["GET"]),
            Route("/execution-parameters", _execution_parameters, methods=["GET"]),
            Route("/invocations", invocations.answer, methods=["POST"]),
        ]
    )


async def _ping(_: Request) -> Response:
    return Response(status_code=200)


async def _execution_parameters(_: Request) -> Response:
    """Return the defaults for a transform job whose request gives none: one image at a time for each core."""
    concurrent = min(usable_cores(), MAX_CONCURRENT)
    told = {"MaxConcurrentTransforms": concurrent, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": PAYLOAD_MB}
    return Response(json.dumps(told), media_type="application/json")


class _Invocations:
    """Reads requests in the event loop and predicts in a few threads behind a bounded queue."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.threads = ThreadPoolExecutor(usable_cores(), thread_name_prefix="predict")
        self.waiting = 0

    async def answer(self, request: Request) -> Response:
        try:
            _check_content_type(request)
            return _response(await self._predict(await _body(request)), request)
        except RefusedError as refused:
            return Response(f"{refused}\n", refused.status, media_type="text/plain")

    async def _predict(self, data: bytes) -> list[float]:
        if self.waiting >= MAX_WAITING:
            raise RefusedError(503, f"{MAX_WAITING} requests are waiting already; try again.")
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, self.model.predict, data)
        except UnreadableImageError as error:
            raise RefusedError(400, f"{error}.") from error
        finally:
            self.waiting -= 1


def _check_content_type(request: Request) -> None:
    given = request.headers.get("content-type", "")
    if given.split(";")[0].strip().lower() not in CONTENT_TYPES:
        raise RefusedError(415, f"Content type {given!r} is not supported; send {', '.join(CONTENT_TYPES)}.")


async def _body(request: Request) -> bytes:
    """Return the request's body; never hold more bytes than the limit in memory."""
    sentence = f"The image is larger than {MAX_REQUEST_BYTES} bytes."
    if int(request.headers.get("content-length", "0")) > MAX_REQUEST_BYTES:
        raise RefusedError(413, sentence)
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_REQUEST_BYTES:
                raise RefusedError(413, sentence)
            parts.append(part)
    except ClientDisconnect as error:
        raise RefusedError(400, "The connection was closed before the image had arrived.") from error
    if not size:
        raise RefusedError(400, "The request has no body; send the bytes of one image.")
    return b"".join(parts)


def _response(probabilities: list[float], request: Request) -> Response:
    accepted = request.headers.get("accept", "*/*")
    is_batch = os.environ.get("SAGEMAKER_BATCH") == "true"  # a transform job; its default is JSON Lines
    if "application/jsonlines" in accepted or (is_batch and accepted == "*/*"):
        return Response(json.dumps({"prediction": probabilities}) + "\n", media_type="application/jsonlines")
    return Response(json.dumps(probabilities), media_type="application/json")
