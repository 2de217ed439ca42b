"""Limits how many uploads the function classifies at once, in proportion to the endpoint's instances.

Without it a burst of uploads would run as many functions as the account allows, and most of them would only wait for
the endpoint, or fail.
"""

import logging
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.names import function_name

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

log = logging.getLogger(__name__)

PER_INSTANCE = (
    8  # one endpoint instance answers one image in some 20 ms; the rest of a function's time is S3 and Pillow
)
LEAST_UNRESERVED = 100  # Lambda keeps so many executions of the account for functions without a reservation
QUOTA = "Concurrent executions (L-B99A9384)"
Outcome = Literal["reserved", "unchanged", "not possible"]


def concurrency_of(instance_count: int) -> int:
    """How many images are classified at once for an endpoint of so many instances."""
    return PER_INSTANCE * instance_count


def ensure_concurrency(lambda_client: "LambdaClient", *, classifier: str, instance_count: int) -> Outcome:
    """Reserve the function's concurrency; where the account lets nothing be reserved, log that and go on without."""
    name, wanted = function_name(classifier), concurrency_of(instance_count)
    found = lambda_client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", 0)
    if found == wanted:
        return "unchanged"
    left = lambda_client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] + found
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


def _no_room(name: str, *, wanted: int, left: int) -> str:
    return (
        f"{wanted} concurrent executions cannot be reserved for function {name}: {left} of the account are not "
        f"reserved, and Lambda keeps {LEAST_UNRESERVED} of them. The function runs without a limit of its own. Ask "
        f"Service Quotas for more of Lambda's quota {QUOTA}."
    )
