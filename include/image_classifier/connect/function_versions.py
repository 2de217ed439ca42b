"""Moves the alias ``live``, which uploads invoke, to a new version after that version has passed its check."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_classifier.aws.client_errors import described
from image_classifier.connect.function_calls import change, wait
from image_classifier.connect.function_configuration import FunctionConfiguration
from image_classifier.contracts.errors import EndpointGoneError, FunctionError, ImageClassifierError, ObjectGoneError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

log = logging.getLogger(__name__)

ALIAS = "live"
MOST_RETRIES = 2  # Lambda's default and maximum; the retries come one and two minutes later
MAX_EVENT_AGE_S = 6 * 3600  # Lambda's maximum: throttled events wait up to this time, then go to the failure queue
VERSIONS_KEPT = 5  # for a rollback
# Class names of the function's exceptions that a retry cannot fix.
_GONE: dict[str, type[ImageClassifierError]] = {"EndpointGoneError": EndpointGoneError, "NoSuchKey": ObjectGoneError}


@dataclass(frozen=True)
class Live:
    """The version behind the alias, and whether anything changed."""

    alias_arn: str
    version: str
    changed: bool

    @property
    def function_arn(self) -> str:
        return self.alias_arn.removesuffix(f":{ALIAS}")


def ensure_live(lambda_client: "LambdaClient", *, configuration: FunctionConfiguration, code_sha256: str) -> Live:
    """Point the alias at the function's present code and configuration, and failed events at the failure queue.

    Raises:
        FunctionError: the new version does not work; the alias still points at the earlier one.
        ResourceBusyError: Lambda is still applying an earlier change.

    """
    name = configuration.name
    alias: Mapping[str, Any] | None = described(lambda: lambda_client.get_alias(FunctionName=name, Name=ALIAS))
    moved = alias is None or _is_shared(alias) or not _is_current(lambda_client, alias, configuration, code_sha256)
    if alias is None or moved:
        alias = _publish(lambda_client, configuration, code_sha256=code_sha256, exists=alias is not None)
    routed = _ensure_failures_are_kept(lambda_client, configuration)
    if moved:
        _delete_old_versions(lambda_client, name)
    return Live(alias["AliasArn"], alias["FunctionVersion"], changed=moved or routed)


def _is_shared(alias: Mapping[str, Any]) -> bool:
    """Return whether the alias routes part of the uploads to another version."""
    return bool(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"))


def _is_current(
    lambda_client: "LambdaClient", alias: Mapping[str, Any], configuration: FunctionConfiguration, code_sha256: str
) -> bool:
    version: Mapping[str, Any] = lambda_client.get_function_configuration(
        FunctionName=configuration.name, Qualifier=alias["FunctionVersion"]
    )
    return configuration.matches(version) and configuration.runs_code(version, code_sha256=code_sha256)


def _publish(
    lambda_client: "LambdaClient",
    configuration: FunctionConfiguration,
    *,
    code_sha256: str,
    exists: bool,
) -> Mapping[str, Any]:
    """Publish a version, check that it works, and point the alias at it."""
    name = configuration.name
    published = change(
        lambda: lambda_client.publish_version(FunctionName=name, CodeSha256=code_sha256),
        what=f"Function {name}",
    )
    version = published["Version"]
    waiter = lambda_client.get_waiter("published_version_active")
    wait(lambda: waiter.wait(FunctionName=name, Qualifier=version), what=f"Version {version} of function {name}")
    _check_works(lambda_client, configuration, version=version)
    move = lambda_client.update_alias if exists else lambda_client.create_alias
    alone: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}} if exists else {}
    alias = move(FunctionName=name, Name=ALIAS, FunctionVersion=version, **alone)
    log.info("Alias %s of function %s points at version %s", ALIAS, name, version)
    return alias


def _check_works(lambda_client: "LambdaClient", configuration: FunctionConfiguration, *, version: str) -> None:
    """Invoke the version's check, which reads model.json, invokes the endpoint and tests its write permission.

    Raises:
        EndpointGoneError: the endpoint was deleted.
        ObjectGoneError: model.json was deleted.
        FunctionError: the version does not work for another reason, which a retry may fix.

    """
    name, event = configuration.name, {"check": {"bucket": configuration.bucket}}
    response = lambda_client.invoke(FunctionName=name, Qualifier=version, Payload=json.dumps(event).encode())
    if "FunctionError" not in response:
        return
    answer = response["Payload"].read().decode(errors="replace")
    message = (
        f"Version {version} of function {name} does not work and was not made live; uploads still reach the earlier "
        f"version, if there is one. It answered: {answer[:1000]}"
    )
    raise _GONE.get(_error_type(answer), FunctionError)(message)


def _error_type(answer: str) -> str:
    """Return the ``errorType`` of a failed invocation's payload, which is the exception's class in the function."""
    try:
        document = json.loads(answer)
    except ValueError:  # a killed function may answer with plain text
        return ""
    return str(document.get("errorType", "")) if isinstance(document, dict) else ""


def _ensure_failures_are_kept(lambda_client: "LambdaClient", configuration: FunctionConfiguration) -> bool:
    """Configure the failure queue for events whose attempts all failed; return whether anything changed."""
    name = configuration.name
    wanted: dict[str, Any] = {
        "MaximumRetryAttempts": MOST_RETRIES,
        "MaximumEventAgeInSeconds": MAX_EVENT_AGE_S,
        "DestinationConfig": {"OnFailure": {"Destination": configuration.failure_queue_arn}},
    }
    found: Mapping[str, Any] = (
        described(lambda: lambda_client.get_function_event_invoke_config(FunctionName=name, Qualifier=ALIAS)) or {}
    )
    queue = found.get("DestinationConfig", {}).get("OnFailure", {})
    if {**found, "DestinationConfig": {"OnFailure": queue}}.items() >= wanted.items():
        return False
    change(
        lambda: lambda_client.put_function_event_invoke_config(FunctionName=name, Qualifier=ALIAS, **wanted),
        what=f"Alias {ALIAS} of function {name}",
    )
    return True


def _delete_old_versions(lambda_client: "LambdaClient", name: str) -> None:
    """Delete old versions, except the newest ones and those that any alias points at."""
    aliases = lambda_client.get_paginator("list_aliases").paginate(FunctionName=name)
    pointed_at = {alias["FunctionVersion"] for page in aliases for alias in page["Aliases"]}
    pages = lambda_client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [version["Version"] for page in pages for version in page["Versions"] if version["Version"].isdecimal()]
    for version in sorted(versions, key=int)[:-VERSIONS_KEPT]:
        if version not in pointed_at:
            lambda_client.delete_function(FunctionName=name, Qualifier=version)
            log.info("Version %s of function %s deleted", version, name)
