"""Delays a new fleet, or keeps it from answering /ping, as the fault plan says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.faults.plan import FailedCreate, FailedUpdate, SlowEndpoint

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.documents import Document


@dataclass(frozen=True)
class FleetFaults:
    """The delay of a fleet in seconds, and whether it never answers."""

    delay_s: float = 0.0
    never_answers: bool = False


HEALTHY = FleetFaults()


def of_fleet(faults: Faults, *, failure: type[FailedCreate | FailedUpdate], request: Document) -> FleetFaults:
    """Return the faults of the fleet that CreateEndpoint or UpdateEndpoint asked for."""
    slow, failed = faults.take(SlowEndpoint, request), faults.take(failure, request)
    slow_s = 0.0 if slow is None else slow.seconds
    return FleetFaults(slow_s, never_answers=False) if failed is None else FleetFaults(slow_s + failed.after_s, True)
