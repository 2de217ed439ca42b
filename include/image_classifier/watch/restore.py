"""Compares AWS with the last deployment, and restores or reports the differences.

It restores the event notification, S3's permission to invoke the function, the event source mapping, the alias, and the
endpoint's config, which costs nothing. It only reports deleted resources, because creating them again would cost, and
somebody may have deleted them on purpose.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.client_errors import described
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import endpoint_name, function_name
from image_classifier.connect.concurrency import concurrency_of, ensure_concurrency, is_room_for
from image_classifier.connect.deployment import Deployment
from image_classifier.connect.function_versions import ALIAS
from image_classifier.connect.notification import ensure_upload_trigger, upload_trigger_change
from image_classifier.connect.permission import is_permitted
from image_classifier.connect.upload_queue import ensure_mapping, is_polled, takes_uploads
from image_classifier.contracts.errors import ImageClassifierError
from image_classifier.deploy.endpoint import describe_endpoint

log = logging.getLogger(__name__)

Reaction = Literal["restore", "report"]
DifferenceName = Literal[
    "endpoint", "endpoint config", "function", "alias", "upload trigger", "upload queue", "concurrency"
]
ERRORS = (ImageClassifierError, ClientError, BotoCoreError)
RUN_AGAIN = "run the classifier's train_and_deploy Dag"


@dataclass(frozen=True)
class Difference:
    """A difference between AWS and the last deployment.

    Attributes:
        what: name of the difference, which is the same in every run.
        sentence: what was found, for people.
        restore: a function that restores the deployed state; None if only a person can do so.

    """

    what: DifferenceName
    sentence: str
    restore: Callable[[], object] | None = None


def differences(clients: Clients, deployment: Deployment) -> list[Difference]:
    """Return every difference between AWS and the deployment; nothing is changed.

    A check that fails, such as that of a notification with which somebody else's overlaps, is a difference that only a
    person can remove, and the other checks run.
    """
    found = list[Difference]()
    for what, check in _CHECKS.items():
        try:
            difference = check(clients, deployment)
        except ERRORS as error:
            log.exception("The %s cannot be compared", what)
            difference = Difference(what, f"The {what} cannot be compared with the last deployment: {error}")
        if difference is not None:
            found.append(difference)
    return found


def restore_or_report(difference: Difference, *, reaction: Reaction) -> str | None:
    """Restore a difference if the reaction is restore and it is possible; return the sentence to report, or None."""
    if reaction == "report" or difference.restore is None:
        return difference.sentence
    try:
        difference.restore()
    except ERRORS as error:
        return f"{difference.sentence} It could not be restored: {error}"
    log.warning("%s It was restored.", difference.sentence)
    return None


def _endpoint(clients: Clients, deployment: Deployment) -> Difference | None:
    name, wanted = endpoint_name(deployment.classifier), deployment.endpoint_config
    endpoint = describe_endpoint(clients.sagemaker, name)
    if endpoint is None:
        return Difference("endpoint", f"Endpoint {name} is gone: no upload is classified; {RUN_AGAIN}.")
    status = endpoint["EndpointStatus"]
    if status in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
        return None  # a change is in progress; the next run of the watch Dag checks the result
    if status != "InService":
        reason = endpoint.get("FailureReason", "no reason given")
        return Difference("endpoint", f"Endpoint {name} is {status} ({reason}); {RUN_AGAIN}.")
    if endpoint["EndpointConfigName"] == wanted:
        return None
    sentence = f"Endpoint {name} serves the config {endpoint['EndpointConfigName']}, but {wanted} was deployed."
    config = described(lambda: clients.sagemaker.describe_endpoint_config(EndpointConfigName=wanted))
    if config is None:
        return Difference("endpoint config", f"{sentence} That config is gone; {RUN_AGAIN}.")
    return Difference(
        "endpoint config",
        sentence,
        lambda: clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=wanted),
    )


def _alias(clients: Clients, deployment: Deployment) -> Difference | None:
    name, wanted = function_name(deployment.classifier), deployment.function_version
    version = described(lambda: clients.functions.get_function_configuration(FunctionName=name, Qualifier=wanted))
    if version is None:
        return Difference("function", f"Version {wanted} of function {name} is gone; {RUN_AGAIN}.")
    alias = described(lambda: clients.functions.get_alias(FunctionName=name, Name=ALIAS))
    if alias is None:
        sentence = f"The alias {ALIAS} of function {name} is gone: no upload is classified."
        return Difference(
            "alias",
            sentence,
            lambda: clients.functions.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion=wanted),
        )
    shared = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    if alias["FunctionVersion"] == wanted and not shared:
        return None
    sentence = (
        f"The alias {ALIAS} of function {name} points at version {alias['FunctionVersion']}, but {wanted} was deployed."
    )
    return Difference(
        "alias",
        sentence,
        lambda: clients.functions.update_alias(
            FunctionName=name, Name=ALIAS, FunctionVersion=wanted, RoutingConfig={"AdditionalVersionWeights": {}}
        ),
    )


def _trigger(clients: Clients, deployment: Deployment) -> Difference | None:
    bucket, trigger = deployment.bucket, deployment.trigger
    if deployment.trigger_mode == "paused":
        return None
    change = upload_trigger_change(clients.s3, bucket=bucket, trigger=trigger)
    is_allowed = trigger.queue_arn is not None or is_permitted(
        clients.functions, bucket=bucket, statement_id=trigger.id, function_arn=trigger.function_arn
    )
    if change == "unchanged" and is_allowed:
        return None
    what = {
        "created": f"The event notification {trigger.id} of bucket {bucket} is gone",
        "updated": f"The event notification {trigger.id} of bucket {bucket} was changed",
        "unchanged": f"S3 may no longer invoke {trigger.function_arn} for bucket {bucket}",
    }[change]
    return Difference(
        "upload trigger",
        f"{what}: no upload is classified.",
        lambda: ensure_upload_trigger(clients.functions, clients.s3, bucket=bucket, trigger=trigger),
    )


def _mapping(clients: Clients, deployment: Deployment) -> Difference | None:
    """Compare the queue of a classifier whose uploads go through one, and its event source mapping."""
    queue_arn, alias_arn = deployment.trigger.queue_arn, deployment.alias_arn
    if queue_arn is None:
        return None
    if not takes_uploads(clients.sqs, classifier=deployment.classifier):
        return Difference(
            "upload queue", f"The queue {queue_arn} is gone, or takes no uploads from S3: they are lost; {RUN_AGAIN}."
        )
    concurrency = concurrency_of(deployment.instance_count)
    if is_polled(clients.functions, queue_arn=queue_arn, alias_arn=alias_arn, concurrency=concurrency):
        return None
    restore = partial(
        ensure_mapping, clients.functions, queue_arn=queue_arn, alias_arn=alias_arn, concurrency=concurrency
    )
    sentence = f"Lambda does not poll {queue_arn} as it was set: uploads are not classified, or failures are lost."
    return Difference("upload queue", sentence, restore)


def _concurrency(clients: Clients, deployment: Deployment) -> Difference | None:
    """Compare the reserved concurrency, which is free; that none is reserved is no finding if the account has none."""
    name, wanted = function_name(deployment.classifier), concurrency_of(deployment.instance_count)
    answer: Mapping[str, Any] = described(lambda: clients.functions.get_function_concurrency(FunctionName=name)) or {}
    found = answer.get("ReservedConcurrentExecutions")
    is_possible = found is not None or is_room_for(clients.functions, instance_count=deployment.instance_count)
    if found == wanted or not is_possible:
        return None
    restore = partial(
        ensure_concurrency,
        clients.functions,
        classifier=deployment.classifier,
        instance_count=deployment.instance_count,
    )
    now = "Any number of" if found is None else f"At most {found}"
    sentence = f"{now} executions of function {name} run at once, and at most {wanted} were set."
    return Difference("concurrency", sentence, restore)


_CHECKS: Mapping[DifferenceName, Callable[[Clients, Deployment], Difference | None]] = {
    "endpoint": _endpoint,
    "alias": _alias,
    "upload trigger": _trigger,
    "upload queue": _mapping,
    "concurrency": _concurrency,
}
