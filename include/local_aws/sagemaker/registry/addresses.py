"""Finds groups and versions by name or ARN, and makes the errors for those that do not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker.aws import ACCOUNT, REGION
from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.protocol.errors import ServiceError
    from local_aws.sagemaker.store import Store

Document = dict[str, Any]
GROUP = "model-package-group"
PACKAGE = "model-package"
_ARN = re.compile(r"arn:[a-z-]+:sagemaker:(?P<region>[^:]*):(?P<account>[^:]*):(?P<kind>[a-z-]+)/(?P<name>.+)")


def resource_name(given: str, *, kind: str) -> str:
    """Return the name in a request's name or ARN: ``group``, or ``group/3`` of a version.

    Raises:
        ServiceError: the ARN is of another region, account or kind of resource.

    """
    match = _ARN.fullmatch(given)
    if match is None:
        return given
    if match["region"] != REGION:
        raise validation_error(f"ARN should be scoped to correct region: {REGION}")
    if match["account"] != ACCOUNT or match["kind"] != kind:
        raise validation_error(f"{given} is not the ARN of a {kind} of account {ACCOUNT}.")
    return match["name"]


def existing_group(store: Store, given: str, *, aws: Aws) -> Document:
    """Return the group of this name or ARN.

    Raises:
        ServiceError: it is not there.

    """
    name = resource_name(given, kind=GROUP)
    return store.get(GROUP, name) or _raise(no_such_group(aws, name))


def existing_package(store: Store, given: str, *, aws: Aws) -> Document:
    """Return the version of this ARN, or of ``group/number``.

    Raises:
        ServiceError: it is not there.

    """
    name = resource_name(given, kind=PACKAGE)
    return store.get(PACKAGE, name) or _raise(no_such_package(aws, name))


def no_such_group(aws: Aws, name: str) -> ServiceError:
    """Return AWS's error for a group that does not exist."""
    return validation_error(f"ModelPackageGroup {aws.arn(GROUP, name)} does not exist.")


def no_such_package(aws: Aws, name: str) -> ServiceError:
    """Return AWS's error for a version that does not exist."""
    return validation_error(f"ModelPackage {aws.arn(PACKAGE, name)} does not exist.")


def _raise(error: ServiceError) -> Document:
    raise error
