"""Permits S3 to invoke a function's alias for one bucket of this account."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import described
from image_classifier.contracts.errors import ResourceBusyError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

log = logging.getLogger(__name__)

Entry = Mapping[str, Any]


def is_permitted(lambda_client: "LambdaClient", *, bucket: str, statement_id: str, function_arn: str) -> bool:
    """Return whether S3 may invoke the function for this bucket of this account."""
    request = _permission(bucket=bucket, statement_id=statement_id, function_arn=function_arn)
    statement = _statement(lambda_client, request)
    return statement is not None and _permits(statement, request)


def _permission(*, bucket: str, statement_id: str, function_arn: str) -> dict[str, str]:
    """Return AddPermission's request."""
    _, partition, _, _, account, _, name, *qualifier = function_arn.split(":")
    return {
        "FunctionName": name,
        **({"Qualifier": qualifier[0]} if qualifier else {}),
        "StatementId": statement_id,
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": f"arn:{partition}:s3:::{bucket}",
        "SourceAccount": account,  # another account may own a bucket of this name one day
    }


def ensure_permission(lambda_client: "LambdaClient", *, bucket: str, statement_id: str, function_arn: str) -> bool:
    """Permit S3 to invoke the function for this bucket of this account; return whether anything changed."""
    request = _permission(bucket=bucket, statement_id=statement_id, function_arn=function_arn)
    of = {name: value for name, value in request.items() if name in ("FunctionName", "Qualifier")}
    statement = _statement(lambda_client, request)
    if statement is not None and _permits(statement, request):
        return False
    if statement is not None:
        lambda_client.remove_permission(**of, StatementId=statement_id)
    _permit(lambda_client, request)
    return True


def _permit(lambda_client: "LambdaClient", request: Mapping[str, str]) -> None:
    add: Callable[..., object] = lambda_client.add_permission
    try:
        add(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceConflictException":
            raise
        statement = _statement(lambda_client, request)  # another run added it first
        if statement is None or not _permits(statement, request):
            message = (
                f"Statement {request['StatementId']} of function {request['FunctionName']} is being changed; retry"
            )
            raise ResourceBusyError(message) from error
    else:
        log.info("S3 may call function %s for %s", request["FunctionName"], request["SourceArn"])


def _statement(lambda_client: "LambdaClient", request: Mapping[str, str]) -> Entry | None:
    """Return our statement of the alias's policy, or None."""
    of = {name: value for name, value in request.items() if name in ("FunctionName", "Qualifier")}
    answer = described(lambda: lambda_client.get_policy(**of))
    statements: list[Entry] = json.loads(answer["Policy"])["Statement"] if answer else []
    return next((statement for statement in statements if statement.get("Sid") == request["StatementId"]), None)


def _permits(statement: Entry, request: Mapping[str, str]) -> bool:
    """Return whether a statement permits what the request asks for; AWS spells the conditions' keys AWS:SourceArn."""
    conditions = {
        key.lower(): value for operator in statement.get("Condition", {}).values() for key, value in operator.items()
    }
    return (
        statement.get("Effect") == "Allow"
        and statement.get("Principal") == {"Service": request["Principal"]}
        and statement.get("Action") == request["Action"]
        and conditions == {"aws:sourcearn": request["SourceArn"], "aws:sourceaccount": request["SourceAccount"]}
    )
