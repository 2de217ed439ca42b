"""Completes MiniStack's enforcement of IAM: every signature, PassRole, more condition keys, and a record of calls."""

import contextvars
import functools
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from local_aws.clients import ACCOUNT, REGION
from local_aws.ministack.modules import Answer, iam_actions, iam_evaluator, lambda_svc, responses, router, s3

log = logging.getLogger(__name__)

_PASSES_ROLE = frozenset({"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"})
_MAPPING_ACTIONS = frozenset(
    {
        "lambda:CreateEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
    }
)
_ON_LOG_STREAMS = frozenset({"logs:DeleteLogStream", "logs:GetLogEvents", "logs:PutLogEvents"})
_GRANTS = ("full-control", "read", "read-acp", "write-acp")
# A header of a write to S3 needs a right of its own.
_ACTIONS_OF_HEADERS: Mapping[str, frozenset[str]] = {
    "s3:GetObject": frozenset({"if-match"}),
    "s3:PutObjectTagging": frozenset({"x-amz-tagging"}),
    "s3:PutObjectAcl": frozenset({"x-amz-acl", *(f"x-amz-grant-{right}" for right in _GRANTS)}),
}
_OF_CREDENTIALS = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_PRINCIPALS = frozenset({"Root", "User", "AssumedRole", "FederatedUser"})
# Action and role of the PassRole that the present request lacks; the answer to the request names them.
denied_role: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("denied_role", default=None)


def take_every_request_for_secure() -> None:
    """Set ``aws:SecureTransport`` to true: clients reach this AWS over loopback or a private network, without TLS."""
    iam_evaluator._request_origin = contextvars.ContextVar("origin", default=("127.0.0.1", True))


@functools.lru_cache(4096)
def wildcards(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Return what matches a policy's pattern: ``*`` is any text, also with line ends, and ``?`` is one character."""
    regex = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.compile(rf"{regex}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def pin_request_origin(original: Callable[..., None]) -> Callable[..., None]:
    """Wrap the function that records where a request comes from, and record that it is secure."""

    def pin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001  MiniStack's signature
        original(source_ip, True)

    return pin


def request_caller_arn(original: Callable[..., str]) -> Callable[..., str]:
    """Wrap the search for a caller's ARN, for which MiniStack collects the caller's policies a second time."""

    def caller_arn(headers: Mapping[str, str], query_params: Mapping[str, object] | None = None) -> str:
        access_key = router.extract_access_key_id(headers or {}, query_params or {})
        if access_key:
            account = responses._account_from_sts_session(access_key) or responses.get_account_id()
            found = iam_evaluator.resolve_credential(access_key, account)
            if getattr(found, "principal_type", None) in _PRINCIPALS and found.principal_arn:
                return str(found.principal_arn)
        return original(headers, query_params)

    return caller_arn


def has_unchecked_signature(_key: str) -> bool:
    """Return False, in place of MiniStack's exception for the root user's key, whose secret was not checked."""
    return False


def lambda_action(method: str, path: str) -> str | None:
    """Return the IAM action of a request to Lambda, from botocore's model; MiniStack's own table confuses several."""
    routes = iam_actions._REST_ROUTE_CACHE.setdefault("lambda", iam_actions._load_botocore_routes("lambda"))
    trimmed = path.rstrip("/") or "/"
    found = [(item[3], item[2]) for item in routes if item[0] == method and item[1].match(trimmed)]
    operation = max(found)[1] if found else None
    return {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}.get(operation or "", operation)


def s3_additional_checks(original: Callable[..., list[tuple[str, str]]]) -> Callable[..., list[tuple[str, str]]]:
    """Wrap the list of what a request needs besides its own action: that of the headers of a write.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html, and the permissions of
    PutObject in the API reference.
    """

    def checks(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, object]
    ) -> list[tuple[str, str]]:
        found = original(method, path, headers, body, query_params)
        is_write = method == "PUT" or (method == "POST" and {"uploads", "uploadId"} & set(query_params))
        if not is_write or "/" not in path.strip("/"):
            return found
        arn = f"arn:aws:s3:::{path.lstrip('/')}"
        return [
            *found,
            *((action, arn) for action in _ACTIONS_OF_HEADERS if _ACTIONS_OF_HEADERS[action] & set(headers)),
        ]

    return checks


class Enforcement:
    """Decides about requests; `calls` is a file that records the allowed calls."""

    def __init__(self, calls: Path | None = None) -> None:
        self._calls = calls
        self._recorded: set[str] = set()
        self._lock = threading.Lock()

    def enforce(self, original: Callable[..., object]) -> Callable[..., object]:
        """Wrap the decision about a call; the wrapper returns None if the call is allowed."""

        def enforced(
            access_key: str,
            action: str,
            service: str,
            region: str,
            resource_arn: str = "*",
            service_context: Mapping[str, object] | None = None,
        ) -> object | None:
            denied_role.set(None)
            is_anonymous = service == "s3" and not access_key and iam_evaluator._anonymous.get()
            if is_anonymous and action == "s3:PutObject" and "/" not in resource_arn.rstrip("/"):
                return None  # the form of a browser; the fields of the form are signed, and S3 checks them
            if is_anonymous:
                anonymous: object = iam_evaluator.EvalResult("ImplicitDeny", principal_arn="anonymous")
                return anonymous
            document = {} if service == "s3" else _document()  # the body of a write is the object
            resource_arn = resource_of(action, resource_arn, document=document, region=region)
            context = {**(service_context or {}), **_context(action, document)}
            found = original(access_key, action, service, region, resource_arn, context)
            self._record(access_key, action, resource_arn, context, found)
            role = document.get("Role")
            if found is None and action in _PASSES_ROLE and isinstance(role, str):
                return self.pass_role(original, access_key, role=role, service="lambda.amazonaws.com", region=region)
            return found

        return enforced

    def pass_role(
        self, evaluate: Callable[..., object], access_key: str, *, role: str, service: str, region: str
    ) -> object | None:
        """Return the denial if the caller may not pass this role to this service, or None."""
        context = {"iam:PassedToService": service}
        found = evaluate(access_key, "iam:PassRole", "iam", region, role, context)
        self._record(access_key, "iam:PassRole", role, context, found)
        if found is not None:
            denied_role.set(("iam:PassRole", role))
        return found

    def _record(
        self, access_key: str, action: str, resource: str, context: Mapping[str, object], found: object
    ) -> None:
        if self._calls is None or found is not None:
            return
        principal = iam_evaluator.resolve_credential(access_key, ACCOUNT)
        known = {key: value for key, value in context.items() if value}
        call = {"principal": getattr(principal, "principal_arn", ""), "action": action, "resource": resource}
        line = json.dumps({**call, "context": known}, sort_keys=True, default=str)
        with self._lock:
            if line not in self._recorded:
                self._recorded.add(line)
                with self._calls.open("a") as file:
                    file.write(line + "\n")


def denial(original: Callable[..., Answer], *, where_keys_are: str) -> Callable[..., Answer]:
    """Wrap the answer to a refused request: add the missing action and the place of the keys."""

    def respond(service: str, action: str, principal_arn: str, request_id: str, **more: object) -> Answer:
        denied = denied_role.get()
        if denied and not more.get("error_code"):
            action, role = denied
            reason = f"because no identity-based policy allows the {action} action"
            who = f"User: {principal_arn} is not authorized to perform: {action} on resource: {role}"
            more["message"] = f"{who} {reason}"
        status, headers, body = original(service, action, principal_arn, request_id, **more)
        return status, headers, _with_hint(body, where_keys_are)

    return respond


def s3_error(original: Callable[..., Answer], *, where_keys_are: str) -> Callable[..., Answer]:
    """Wrap the error answers of S3, which checks the signatures of uploads itself."""

    def respond(code: str, message: str, *rest: object, **more: object) -> Answer:
        if code in _OF_CREDENTIALS:
            message = f"{message.rstrip('.')}. {where_keys_are}"
        return original(code, message, *rest, **more)

    return respond


def unsigned_form(_original: Callable[..., Answer | None]) -> Callable[..., Answer]:
    """Replace the check of a browser's form that nobody has signed: it is refused."""

    def refuse(_policy: str, _size: int) -> Answer:
        refused: Answer = s3._error("AccessDenied", "Access Denied", 403)
        return refused

    return refuse


def _with_hint(body: bytes, hint: str) -> bytes:
    for opening, closing in ((b"<Message>", b"</Message>"), (b'"message": "', b'"'), (b'"Message": "', b'"')):
        start = body.find(opening)
        end = body.find(closing, start + len(opening)) if start >= 0 else -1
        if end >= 0:
            return body[:end].rstrip(b".") + b". " + hint.encode() + body[end:]
    return body


def _document() -> dict[str, object]:
    """Return the JSON document of the request; empty if it has none."""
    request = iam_evaluator._signed_request.get()
    try:
        document = json.loads(request.body) if request is not None and request.body else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _context(action: str, document: Mapping[str, object]) -> dict[str, str]:
    """Return Lambda's own condition keys, which MiniStack leaves out."""
    if action == "lambda:AddPermission" and "Principal" in document:
        return {"lambda:Principal": str(document["Principal"])}
    if action in _MAPPING_ACTIONS and "FunctionName" in document:
        return {"lambda:FunctionArn": _function_arn(str(document["FunctionName"]), REGION)}
    if action in _MAPPING_ACTIONS and (mapping := _mapping_of_request()):
        return {"lambda:FunctionArn": str(mapping["FunctionArn"])}
    return {}


def _mapping_of_request() -> Mapping[str, object] | None:
    """Return the event source mapping whose UUID ends the request's path; None if there is none."""
    request = iam_evaluator._signed_request.get()
    path = request.raw_path.partition("?")[0] if request is not None else ""
    found: Mapping[str, object] | None = lambda_svc._esms.get(path.rstrip("/").rpartition("/")[2])
    return found


def resource_of(action: str, found: str, *, document: Mapping[str, object], region: str) -> str:
    """Return the resource of an action by the Service Authorization Reference, where MiniStack takes another."""
    if action == "lambda:CreateFunction" and "FunctionName" in document:
        return _function_arn(str(document["FunctionName"]), region)
    if action == "logs:DescribeLogGroups" and found == "*":
        return f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{document.get('logGroupNamePrefix', '')}:*"
    if action in _ON_LOG_STREAMS and "logStreamName" in document:
        return f"{found}:log-stream:{document['logStreamName']}"
    if action == "cloudwatch:DescribeAlarms":
        return f"arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:*"
    return found


def _function_arn(name: str, region: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
