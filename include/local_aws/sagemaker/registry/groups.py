"""Implements the operations on model package groups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.tags import as_dict
from local_aws.sagemaker.registry.addresses import GROUP, PACKAGE, existing_group
from local_aws.sagemaker.store import Collection

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document, ModelPackageGroup
    from local_aws.sagemaker.store import Store

SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)


class ModelPackageGroups:
    """CreateModelPackageGroup, DescribeModelPackageGroup, ListModelPackageGroups and DeleteModelPackageGroup."""

    def __init__(self, *, aws: Aws, store: Store) -> None:
        """Groups are documents of the store."""
        self._aws = aws
        self._store = store

    def create_model_package_group(self, request: Document) -> Document:
        """Create a group without versions."""
        name = request["ModelPackageGroupName"]
        arn = self._aws.arn(GROUP, name)
        if "ManagedConfiguration" in request:
            raise validation_error("This local SageMaker does not have ManagedConfiguration; AWS does.")
        group = {key: value for key, value in request.items() if key != "Tags"}
        group |= {
            "ModelPackageGroupArn": arn,
            "CreationTime": time.time(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }
        if not self._store.add(GROUP, name, group):
            raise validation_error(f"Model Package Group already exists: {arn}")
        self._store.set_tags(arn, as_dict(request.get("Tags", [])))
        return {"ModelPackageGroupArn": arn}

    def describe_model_package_group(self, request: Document) -> Document:
        """Return the group."""
        return cast("Document", existing_group(self._store, request["ModelPackageGroupName"], aws=self._aws))

    def list_model_package_groups(self, request: Document) -> Document:
        """Return the groups, oldest first; none is shared by another account."""
        shared = request.get("CrossAccountFilterOption") == "CrossAccount"
        return page(
            request,
            [] if shared else self._store.all(GROUP),
            answer_key="ModelPackageGroupSummaryList",
            summary=SUMMARY,
            name_key="ModelPackageGroupName",
            default_order="Ascending",
        )

    def delete_model_package_group(self, request: Document) -> Document:
        """Delete a group that has no version."""
        group = self.describe_model_package_group(request)
        # In one step: a version that is created at the same time is either found here, or finds no group.
        Collection["ModelPackageGroup"](self._store, GROUP).change(group["ModelPackageGroupName"], self._remove)
        return {}

    def _remove(self, group: ModelPackageGroup) -> None:
        name, arn = group["ModelPackageGroupName"], group["ModelPackageGroupArn"]
        versions = [item for item in self._store.all(PACKAGE) if item["ModelPackageGroupName"] == name]
        if versions:
            raise ServiceError(
                "ConflictException",
                f"Model package group {arn} cannot be deleted because it still contains {len(versions)} model "
                "packages; delete them first.",
            )
        self._store.remove(GROUP, name, arn=arn)
