"""Finds groups and versions by name or ARN, and makes the errors for those that do not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_aws.sagemaker.aws import ACCOUNT, REGION
from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.store import Collection

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import ModelPackage, ModelPackageGroup
    from local_aws.sagemaker.protocol.errors import ServiceError
    from local_aws.sagemaker.store import Store

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


def existing_group(store: Store, given: str, *, aws: Aws) -> ModelPackageGroup:
    """Return the group of this name or ARN.

    Raises:
        ServiceError: it does not exist.

    """
    name = resource_name(given, kind=GROUP)
    return Collection["ModelPackageGroup"](store, GROUP).existing(name, otherwise=no_such_group(aws, name))


def existing_package(store: Store, given: str, *, aws: Aws) -> ModelPackage:
    """Return the version of this ARN, or of ``group/number``.

    Raises:
        ServiceError: it does not exist.

    """
    name = resource_name(given, kind=PACKAGE)
    return Collection["ModelPackage"](store, PACKAGE).existing(name, otherwise=no_such_package(aws, name))


def no_such_group(aws: Aws, name: str) -> ServiceError:
    """Return AWS's error for a group that does not exist."""
    return validation_error(f"ModelPackageGroup {aws.arn(GROUP, name)} does not exist.")


def no_such_package(aws: Aws, name: str) -> ServiceError:
    """Return AWS's error for a version that does not exist."""
    return validation_error(f"ModelPackage {aws.arn(PACKAGE, name)} does not exist.")
