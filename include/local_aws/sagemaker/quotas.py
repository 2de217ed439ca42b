"""Checks account-level service limits: how many instances of a type may be used at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.faults.plan import Quota
from local_aws.sagemaker.protocol.errors import ServiceError

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.documents import Document


@dataclass(frozen=True)
class Use:
    """The instances of one type that are in use, and that a request asks for."""

    instance_type: str
    noun: str
    busy: int
    asked: int


def planned_limit(faults: Faults, operation: str, instance_type: str, *, request: Document) -> int | None:
    """Return the limit that the fault plan sets, or None."""
    for quota in faults.in_force(Quota, request):
        if (quota.operation, quota.instance_type) == (operation, instance_type):
            return quota.limit
    return None


def check(use: Use, *, limit: int | None, usual_limit: int | None = None) -> None:
    """Refuse more than `limit`, or than the default limit if `limit` is None; without both there is no limit.

    Raises:
        ServiceError: ``ResourceLimitExceeded`` in AWS's words.

    """
    most = usual_limit if limit is None else limit
    if most is None or use.busy + use.asked <= most:
        return
    raise ServiceError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{use.instance_type} for {use.noun}' is {most} Instances, with current "
        f"utilization of {use.busy} Instances and a request delta of {use.asked} Instances. Please use AWS Service "
        "Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to "
        "request an increase for this quota.",
    )
