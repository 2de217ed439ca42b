"""Bundles what every operation uses: the AWS clients, the store, the images and the state folder."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.faults.roles import UnreadyRoles

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.container import Limits
    from local_aws.sagemaker.images import Images
    from local_aws.sagemaker.store import Store


@dataclass(frozen=True)
class Platform:
    """The argument of every part that carries out operations; `state` is the folder that survives a restart."""

    aws: Aws
    store: Store
    images: Images
    limits: Limits
    faults: Faults
    state: Path

    @functools.cached_property
    def unready_roles(self) -> UnreadyRoles:
        """The roles that the fault plan keeps from being assumed for a while."""
        return UnreadyRoles(self.faults)

    def acting_as(self, role_arn: str | None, *, session: str) -> Platform:
        """Return the same platform with AWS clients that use the credentials of a role."""
        return dataclasses.replace(self, aws=self.aws.acting_as(role_arn, session=session))
