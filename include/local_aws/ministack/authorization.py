"""Answers the local SageMaker's questions about callers and roles, because MiniStack has the users and roles.

``POST /_local_aws/iam/authorize`` and ``/_local_aws/iam/assume``, for whoever has the root user's secret.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from local_aws.clients import ACCOUNT, REGION, root_secret
from local_aws.iam_messages import Answer, Assumption, Denied, Question
from local_aws.ministack.documents import PolicyDocument, Role
from local_aws.ministack.modules import iam, iam_evaluator, sts

_UNKNOWN = "The security token included in the request is invalid."
PREFIX = "/_local_aws/iam/"
SECRET_HEADER = "x-local-aws-root-secret"  # noqa: S105  a header's name


def with_authorization(app: ASGIApp) -> ASGIApp:
    """Return an ASGI application that answers these questions and passes every other request to `app`."""
    answers: dict[str, Callable[[Any], Mapping[str, object]]] = {
        "authorize": authorize,
        "assume": assume,
    }

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = answers.get(scope["path"].removeprefix(PREFIX))
        if not hmac.compare_digest(request.headers.get(SECRET_HEADER, ""), root_secret()):
            await JSONResponse({"message": "The root user's secret is needed."}, 403)(scope, receive, send)
        elif answer is None:
            await JSONResponse({"message": f"There is no {scope['path']}."}, 404)(scope, receive, send)
        else:
            await JSONResponse(answer(await request.json()))(scope, receive, send)

    return serve


def authorize(asked: Question) -> Answer:
    """Return the secret of a caller, for the check of its signature, and the first action that is denied to it.

    The answer has ``code`` and ``message`` instead if there is no such caller.
    """
    # Of an earlier request on the same connection.
    iam_evaluator._anonymous.set(False)
    iam_evaluator._signed_request.set(None)
    found = iam_evaluator.resolve_credential(asked["access_key"], ACCOUNT, asked.get("session_token") or "")
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        return {
            "code": "UnrecognizedClientException",
            "message": _UNKNOWN,
        }
    for check in asked["checks"]:
        action, resource, context = check["action"], check["resource"], check["context"]
        service = action.partition(":")[0]
        denied = iam_evaluator.enforce(asked["access_key"], action, service, REGION, resource, context)
        if denied is not None:
            refusal: Denied = {
                "action": action,
                "resource": resource,
                "principal": found.principal_arn,
                "explicit": getattr(denied, "decision", "") == "Deny",
            }
            return {"secret": found.secret_access_key, "denied": refusal}
    return {"secret": found.secret_access_key, "denied": None}


def assume(asked: Assumption) -> Mapping[str, str]:
    """Return credentials of a role for a service: ``access_key``, ``secret`` and ``session_token``; else ``message``.

    The same role and session get the same credentials again. They do not expire, as those of a running job do not.
    """
    arn, service = asked["role_arn"], asked["service"]
    role = iam._roles.get(arn.rsplit("/", 1)[-1])
    if role is None or role["Arn"] != arn or not _trusts(role, service):
        return {"message": f"{service} cannot assume {arn}"}
    name, session = arn.rsplit("/", 1)[-1], asked["session"][:64]
    digest = hashlib.sha256(f"{root_secret()}:{arn}:{session}".encode()).hexdigest()
    credentials = {
        "access_key": f"ASIA{digest[:16].upper()}",
        "secret": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        "session_token": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    }
    sts.register_session(
        credentials["access_key"],
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
            "UserId": f"{name}:{session}",
            "SecretAccessKey": credentials["secret"],
            "SessionToken": credentials["session_token"],
        },
    )
    return credentials


def _trusts(role: Role, service: str) -> bool:
    stored = role.get("AssumeRolePolicyDocument")
    document = json.loads(stored) if isinstance(stored, str) else stored or {}
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role["Arn"],
        region=REGION,
        service_context={"aws:sourceaccount": ACCOUNT},
        secure_transport=True,
    )
    decision: str = iam_evaluator.evaluate_resource_policy(_with_resource(document), context, service=service).decision
    return decision == "Allow"


def _with_resource(document: PolicyDocument) -> dict[str, object]:
    """Return a trust policy as a resource policy, whose statements would have the role as their resource."""
    found = document.get("Statement", [])
    statements = [found] if isinstance(found, dict) else found
    return {**document, "Statement": [{"Resource": "*", **statement} for statement in statements]}
