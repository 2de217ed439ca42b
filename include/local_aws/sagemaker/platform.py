"""What every resource of this SageMaker is built on: the AWS around it, its store, its images, its state folder."""

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
    """Handed to whatever carries out operations; `state` is the folder of what survives a restart."""

    aws: Aws
    store: Store
    images: Images
    limits: Limits
    faults: Faults
    state: Path

    @functools.cached_property
    def unready_roles(self) -> UnreadyRoles:
        """The roles that the fault plan lets nobody assume yet."""
        return UnreadyRoles(self.faults)

    def acting_as(self, role_arn: str | None, *, session: str) -> Platform:
        """The same, but what it does to the AWS around it, it does with the credentials of a role."""
        return dataclasses.replace(self, aws=self.aws.acting_as(role_arn, session=session))
