"""Limits the function's concurrent executions in proportion to the endpoint's instances.

Without a limit a burst of uploads would start as many executions as the account allows, and most of them would wait for
the endpoint or fail.
"""

import logging
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.names import function_name

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

log = logging.getLogger(__name__)

PER_INSTANCE = (
    8  # an instance answers an image in about 20 ms; the rest of an execution's time is spent on S3 and Pillow
)
LEAST_UNRESERVED = 100  # the executions that Lambda keeps for functions without a reservation
QUOTA = "Concurrent executions (L-B99A9384)"
Outcome = Literal["reserved", "unchanged", "not possible"]


def concurrency_of(instance_count: int) -> int:
    """Return the number of concurrent executions for an endpoint with this number of instances."""
    return PER_INSTANCE * instance_count


def ensure_concurrency(lambda_client: "LambdaClient", *, classifier: str, instance_count: int) -> Outcome:
    """Reserve the function's concurrency; if the account has none left to reserve, log that and continue without."""
    name, wanted = function_name(classifier), concurrency_of(instance_count)
    found = lambda_client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", 0)
    if found == wanted:
        return "unchanged"
    left = _unreserved(lambda_client) + found
    if left - wanted < LEAST_UNRESERVED:
        log.warning(_no_room(name, wanted=wanted, left=left))
        return "not possible"
    try:
        lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidParameterValueException":
            raise
        log.warning("%s Lambda says: %s", _no_room(name, wanted=wanted, left=left), error)
        return "not possible"
    log.info("At most %d executions of function %s run at once", wanted, name)
    return "reserved"


def is_room_for(lambda_client: "LambdaClient", *, instance_count: int) -> bool:
    """Return whether the account has enough executions left to reserve those of a function that has none reserved."""
    return _unreserved(lambda_client) - concurrency_of(instance_count) >= LEAST_UNRESERVED


def _unreserved(lambda_client: "LambdaClient") -> int:
    return lambda_client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]


def _no_room(name: str, *, wanted: int, left: int) -> str:
    return (
        f"{wanted} concurrent executions cannot be reserved for function {name}: {left} of the account are not "
        f"reserved, and Lambda keeps {LEAST_UNRESERVED} of them. The function runs without a limit of its own. Ask "
        f"Service Quotas for more of Lambda's quota {QUOTA}."
    )
