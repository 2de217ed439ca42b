"""Defines the app in Airflow's API server: all routes need a login, all answers have a Content-Security-Policy."""

import logging
import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from image_classifier.contracts.errors import (
    ClassifierFileError,
    DatasetError,
    ImageClassifierError,
    SettingsError,
    StorageError,
)
from image_classifier.gallery.picture import LARGEST_PICTURE_BYTES
from image_classifier_airflow.pages import (
    classifiers,
    correcting,
    corrections,
    dataset,
    gallery,
    images,
    models,
    overview,
    uploads,
)
from image_classifier_airflow.pages.access import refuse_foreign
from image_classifier_airflow.pages.rendering import page

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"  # only styles and scripts, because a mount needs no login
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATUS_OF = {  # the answer if a page fails
    StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatasetError: HTTPStatus.BAD_GATEWAY,
    SettingsError: HTTPStatus.INTERNAL_SERVER_ERROR,
    ClassifierFileError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
PARTS = (classifiers, overview, gallery, images, corrections, correcting, models, dataset, uploads)
MOST_BYTES = LARGEST_PICTURE_BYTES + 100_000  # the limit of a request's body
TOO_LARGE = f"The file or the answer is too large: at most {MOST_BYTES // 1_000_000} MB. A script must send its length."
UNKNOWN = "The page could not be made; the API server's log says why."


def pages() -> FastAPI:
    """Create the app; its OpenAPI description is disabled, because it would need no login."""
    app = FastAPI(
        title="Image classifiers",
        dependencies=[Depends(get_user), Depends(refuse_foreign)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for part in PARTS:
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ImageClassifierError, _failed)
    app.add_middleware(SafeAnswers)
    return app


class SafeAnswers:
    """Middleware that adds the headers to every answer, and answers with a sentence if a page fails.

    Otherwise Airflow's own error handling would answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Store the app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _is_too_large(scope):
            answer = _answer(Request(scope), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            await answer(scope, receive, send)
            return
        began = False

        async def send_safely(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [
                    (name.lower().encode(), value.encode())
                    for name, value in HEADERS.items()
                    if name.lower().encode() not in given
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_safely)
        except Exception:  # noqa: BLE001 - Airflow's own error handling would show a traceback of ours
            log.error("A page of image classifiers failed: %s: %s", scope["path"], traceback.format_exc())
            if not began:
                await _answer(Request(scope), HTTPStatus.INTERNAL_SERVER_ERROR, UNKNOWN)(scope, receive, send_safely)


def _is_too_large(scope: Scope) -> bool:
    """Return whether a body is too large; FastAPI would read it into memory before it checks the login."""
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return True
    length = headers.get("content-length", "0")
    return not length.isdigit() or int(length) > MOST_BYTES


def _answer(request: Request, status: int, sentence: str) -> Response:
    """Return HTML to a person, and JSON to the scripts of our pages."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": sentence}, status)
    depth = request.url.path.removeprefix(request.scope.get("root_path", "")).lstrip("/").count("/")
    return page("error.html", status=status, sentence=sentence, code=int(status), root="../" * depth)


def _refused(request: Request, error: Any) -> Response:
    sentence = str(error.detail)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        sentence = "You are not signed in to Airflow, or no longer: sign in again."
    return _answer(request, error.status_code, sentence)


def _invalid(request: Request, error: Any) -> Response:
    fields = ", ".join(sorted({str(problem["loc"][-1]) for problem in error.errors()}))
    return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, f"The address or the request is wrong in: {fields}.")


def _failed(request: Request, error: Any) -> Response:
    log.warning("A page of image classifiers cannot be made: %s", error)
    status = next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), HTTPStatus.BAD_GATEWAY)
    return _answer(request, status, _sentence(error))


def _sentence(error: ImageClassifierError) -> str:
    """Return the message for the user; AWS's answer is only logged, because it names accounts and roles."""
    if isinstance(error, StorageError):
        return "S3 does not answer in time. Try again in a moment."
    if isinstance(error, DatasetError):
        return (
            "The API server's connection may not read this from S3, or there is no such bucket. The API server's log "
            "has AWS's answer; the policy to attach is ApiServerPolicy of the CloudFormation stack."
        )
    return str(error)
