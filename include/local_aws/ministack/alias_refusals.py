"""Refuses aliases that Lambda refuses: MiniStack ran the newest code for an alias of a version that does not exist."""

import re
from collections.abc import Callable
from typing import NotRequired, TypedDict

from local_aws.ministack.documents import FunctionRecord
from local_aws.ministack.function_refusals import json_error
from local_aws.ministack.modules import Answer, lambda_svc

_NAME = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]{1,128})")
_LATEST = "$LATEST"


class AliasRequest(TypedDict):
    """The parameters of CreateAlias and UpdateAlias."""

    Name: NotRequired[str]
    FunctionVersion: NotRequired[str]


class VersionedFunction(FunctionRecord):
    """A function and its published versions, by number."""

    versions: NotRequired[dict[str, FunctionRecord]]


def create_alias(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap CreateAlias."""

    def checked(function: str, data: AliasRequest) -> Answer:
        name = data.get("Name", "")
        if name and not _NAME.fullmatch(name):
            return json_error(
                "ValidationException",
                f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must "
                f"satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
            )
        return _refused_version(function, data) or original(function, data)

    return checked


def update_alias(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap UpdateAlias."""

    def checked(function: str, alias: str, data: AliasRequest) -> Answer:
        return _refused_version(function, data) or original(function, alias, data)

    return checked


def _refused_version(function: str, data: AliasRequest) -> Answer | None:
    record: VersionedFunction | None = lambda_svc._functions.get(function)
    version = data.get("FunctionVersion", _LATEST)
    if record is None or version in (_LATEST, *record.get("versions", {})):
        return None
    message = f"Function not found: {lambda_svc._func_arn(function)}:{version}"
    return json_error("ResourceNotFoundException", message, status=404)
