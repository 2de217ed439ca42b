"""Checks who calls this SageMaker, and whether IAM lets the caller do it and pass the roles that it names."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, cast

import urllib3
from ministack.core import sigv4  # type: ignore[import-untyped]

from local_aws.clients import ACCOUNT, REGION, root_secret
from local_aws.sagemaker.protocol.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from local_aws.iam_messages import Answer, Check, Denied, Question
    from local_aws.sagemaker.documents import Document

REMEMBERED_S = 2.0  # IAM's changes take a while to act on AWS, too
SECRET_HEADER = "x-local-aws-root-secret"  # noqa: S105  a header's name
TIMEOUT_S = 10
PASSED_TO = "sagemaker.amazonaws.com"
ROLE_MEMBERS = frozenset({"RoleArn", "ExecutionRoleArn"})
# An operation on two resources needs the right on both (Service Authorization Reference of SageMaker).
SECOND_RESOURCE = {"CreateEndpoint": "EndpointConfig", "UpdateEndpoint": "EndpointConfig"}


class Authorizer:
    """Asks MiniStack, which has the users, roles and policies. It may be used from any thread."""

    def __init__(self, endpoint_url: str, *, hint: str = "") -> None:
        """`endpoint_url` is that of MiniStack; `hint` is added to the answer to a caller without rights."""
        self._hint = hint
        self._url = f"{endpoint_url}/_local_aws/iam/authorize"
        self._pool = urllib3.PoolManager(maxsize=8, timeout=TIMEOUT_S)
        self._answers: dict[str, tuple[float, Answer]] = {}
        self._lock = threading.Lock()

    def check(self, request: SignedRequest, checks: list[Check], *, status: int = 400) -> None:
        """Refuse a caller that is unknown, whose signature is wrong, or that lacks one of `checks`.

        Raises:
            ServiceError: as AWS refuses it, with this HTTP status.

        """
        refused = self._refusal(request, checks)
        if refused is not None:
            code, message = refused
            raise ServiceError(_aws_code(code), f"{message.rstrip('. ')}. {self._hint}".rstrip(), status=status)

    def _refusal(self, request: SignedRequest, checks: list[Check]) -> tuple[str, str] | None:
        """Return code and message of a refusal, or None."""
        signature = sigv4.parse_header_signature(request.headers)
        if isinstance(signature, tuple):
            return signature
        expired: tuple[str, str] | None = sigv4.request_time_failure(signature)
        if expired:
            return expired
        answer = self._ask(
            {
                "access_key": signature.access_key_id,
                "session_token": request.headers.get("x-amz-security-token", ""),
                "checks": checks,
            }
        )
        if "code" in answer:
            return answer["code"], answer["message"]
        if wrong := request.signature_failure(signature, secret=answer["secret"]):
            return wrong
        return ("AccessDeniedException", _denial(answer["denied"])) if answer["denied"] else None

    def _ask(self, question: Question) -> Answer:
        body = json.dumps(question, sort_keys=True)
        now = time.monotonic()
        with self._lock:
            until, answer = self._answers.get(body, (0.0, {}))
        if now < until:
            return answer
        try:
            response = self._pool.request("POST", self._url, body=body, headers={SECRET_HEADER: root_secret()})
            answer = cast("Answer", json.loads(response.data))
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            message = f"IAM does not answer at {self._url}: {error}"
            raise ServiceError("ServiceUnavailable", message, status=503) from error
        with self._lock:
            self._answers = {key: item for key, item in self._answers.items() if item[0] > now}
            self._answers[body] = (now + REMEMBERED_S, answer)
        return answer


class SignedRequest:
    """An HTTP request as its sender signed it."""

    def __init__(
        self, method: str, raw_path: str, *, query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes
    ) -> None:
        """Header names are in lower case."""
        self.headers = dict(headers)
        self._method, self._raw_path, self._query, self._body = method, raw_path, dict(query), body

    def signature_failure(self, signature: sigv4.HeaderSignature, *, secret: str) -> tuple[str, str] | None:
        """Return code and message if the signature is not that of this secret, else None."""
        found: tuple[str, str] | None = sigv4.header_signature_failure(
            signature, secret, self._method, self._raw_path, self._query, self.headers, self._body
        )
        return found


def signed_request(request: Request, body: bytes) -> SignedRequest:
    """Return a request to this server as its sender signed it."""
    headers = {name: ",".join(request.headers.getlist(name)) for name in request.headers}
    raw_path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1").partition("?")[0]
    query = {name: request.query_params.getlist(name) for name in request.query_params}
    return SignedRequest(request.method, raw_path, query=query, headers=headers, body=body)


def checks(operation: str, request: Document) -> list[Check]:
    """Return the rights that a call needs: the operation on each of its resources, and passing each role."""
    context = _tag_context(request.get("Tags"))
    found: list[Check] = [
        {"action": f"sagemaker:{operation}", "resource": resource, "context": context}
        for resource in _resources(operation, request)
    ]
    passed: list[Check] = [
        {"action": "iam:PassRole", "resource": role, "context": {"iam:PassedToService": PASSED_TO}}
        for role in sorted(set(_roles(request)))
    ]
    if operation.startswith("Create") and request.get("Tags"):
        found.append({"action": "sagemaker:AddTags", "resource": found[0]["resource"], "context": context})
    return found + passed


def invoke_checks(endpoint: str) -> list[Check]:
    """Return the rights that InvokeEndpoint needs."""
    return [{"action": "sagemaker:InvokeEndpoint", "resource": _arn("endpoint", endpoint), "context": {}}]


def _resources(operation: str, request: Document) -> list[str]:
    if "ResourceArn" in request:
        return [str(request["ResourceArn"])]
    noun = re.sub("^(Create|Describe|Delete|Stop|Update)", "", operation)
    noun = "Endpoint" if operation == "UpdateEndpointWeightsAndCapacities" else noun
    if f"{noun}Arn" in request:
        return [str(request[f"{noun}Arn"])]
    if operation == "CreateModelPackage" and "ModelPackageGroupName" in request:  # SageMaker gives it its number
        return [_arn("model-package", f"{request['ModelPackageGroupName']}/*")]
    kinds = [kind for kind in (noun, SECOND_RESOURCE.get(operation)) if kind and f"{kind}Name" in request]
    return [_resource(kind, str(request[f"{kind}Name"])) for kind in kinds] or ["*"]


def _resource(kind: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return _arn(re.sub("(?<!^)(?=[A-Z])", "-", kind).lower(), name)


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"


def _roles(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ROLE_MEMBERS and isinstance(item, str):
                yield item
            else:
                yield from _roles(item)
    elif isinstance(value, list):
        for item in value:
            yield from _roles(item)


def _tag_context(tags: object) -> dict[str, str | list[str]]:
    found = tags if isinstance(tags, list) else []
    given = [tag for tag in found if isinstance(tag, dict) and "Key" in tag]
    if not given:
        return {}
    return {
        "aws:TagKeys": [tag["Key"] for tag in given],
        **{f"aws:RequestTag/{tag['Key']}": tag.get("Value", "") for tag in given},
    }


def _denial(denied: Denied) -> str:
    reason = (
        "with an explicit deny in an identity-based policy"
        if denied["explicit"]
        else f"because no identity-based policy allows the {denied['action']} action"
    )
    return (
        f"User: {denied['principal']} is not authorized to perform: {denied['action']} on resource: "
        f"{denied['resource']} {reason}"
    )


def _aws_code(code: str) -> str:
    """Return the error code of a JSON service for the one of a query service."""
    return {
        "SignatureDoesNotMatch": "InvalidSignatureException",
        "MissingAuthenticationToken": "MissingAuthenticationTokenException",
        "IncompleteSignature": "IncompleteSignatureException",
        "RequestExpired": "InvalidSignatureException",
    }.get(code, code)
