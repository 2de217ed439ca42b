"""Implements the operations on model packages, which are the versions of a group."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, cast

from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.registry import requests
from local_aws.sagemaker.registry.addresses import (
    GROUP,
    PACKAGE,
    existing_group,
    existing_package,
    no_such_group,
    no_such_package,
    resource_name,
)
from local_aws.sagemaker.store import Collection

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document, ModelPackage, ModelPackageGroup
    from local_aws.sagemaker.store import Store

SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
BATCH_SUMMARY = (*(name for name in SUMMARY if name != "ModelLifeCycle"), "InferenceSpecification")


class ModelPackages:
    """CreateModelPackage, DescribeModelPackage, UpdateModelPackage, ListModelPackages and DeleteModelPackage."""

    def __init__(self, *, aws: Aws, store: Store) -> None:
        """Versions are documents of the store; the number of the last one is stored with their group."""
        self._aws = aws
        self._store = store
        self._packages = Collection["ModelPackage"](store, PACKAGE)
        self._groups = Collection["ModelPackageGroup"](store, GROUP)
        self._lock = threading.Lock()

    def create_model_package(self, request: Document) -> Document:
        """Create the next version of the group; a request with an earlier ClientToken returns that version."""
        requests.check(request, aws=self._aws)
        group = existing_group(self._store, request["ModelPackageGroupName"], aws=self._aws)["ModelPackageGroupName"]
        version = requests.new_version(request, group=group, now=time.time())
        with self._lock:  # two requests with one token are one version
            earlier = self._with_token(request.get("ClientToken"), group=group)
            if earlier is not None:
                return {"ModelPackageArn": self._same(earlier, version)}
            self._add(version, group=group)
        return {"ModelPackageArn": version["ModelPackageArn"]}

    def describe_model_package(self, request: Document) -> Document:
        """Return the version; without the content of its model card if only metadata is asked for."""
        version = existing_package(self._store, request["ModelPackageName"], aws=self._aws)
        card = version.get("ModelCard")
        if card and request.get("IncludedData") == "MetadataOnly":
            version["ModelCard"] = {key: value for key, value in card.items() if key != "ModelCardContent"}
        return cast("Document", version)

    def batch_describe_model_package(self, request: Document) -> Document:
        """Return several versions at once, and an error for each that does not exist."""
        summaries, errors = {}, {}
        for arn in request["ModelPackageArnList"]:
            try:
                version = cast("Document", existing_package(self._store, arn, aws=self._aws))
            except ServiceError as error:
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
            else:
                summaries[arn] = {member: version[member] for member in BATCH_SUMMARY if member in version}
        return {"ModelPackageSummaries": summaries, "BatchDescribeModelPackageErrorMap": errors}

    def update_model_package(self, request: Document) -> Document:
        """Change the approval status or the description of the version."""
        if request.get("AdditionalInferenceSpecificationsToAdd"):
            raise validation_error(
                "This local SageMaker does not have AdditionalInferenceSpecificationsToAdd; AWS does."
            )
        if "InferenceSpecification" in request:
            requests.check_specification(request["InferenceSpecification"], aws=self._aws)
        name, now = resource_name(request["ModelPackageArn"], kind=PACKAGE), time.time()
        version = self._packages.change(name, lambda version: requests.update(version, request, now=now))
        if version is None:
            raise no_such_package(self._aws, name)
        return {"ModelPackageArn": version["ModelPackageArn"]}

    def list_model_packages(self, request: Document) -> Document:
        """Return the versions, oldest first; without a group AWS lists unversioned packages: none here."""
        versions = self._store.all(PACKAGE)
        if "ModelPackageGroupName" in request:
            group = resource_name(request["ModelPackageGroupName"], kind=GROUP)
            if self._store.get(GROUP, group) is None:
                raise no_such_group(self._aws, group)
            versions = [version for version in versions if version["ModelPackageGroupName"] == group]
        elif request.get("ModelPackageType", "Unversioned") == "Unversioned":
            versions = []
        status = request.get("ModelApprovalStatus")
        return page(
            request,
            [version for version in versions if status in (None, version["ModelApprovalStatus"])],
            answer_key="ModelPackageSummaryList",
            summary=SUMMARY,
            name_key="ModelPackageGroupName",
            id_key="ModelPackageVersion",
            default_order="Ascending",
        )

    def delete_model_package(self, request: Document) -> Document:
        """Delete a version; its number is not used again, and a model that was made from it continues."""
        version = existing_package(self._store, request["ModelPackageName"], aws=self._aws)
        name = f"{version['ModelPackageGroupName']}/{version['ModelPackageVersion']}"
        self._store.remove(PACKAGE, name, arn=version["ModelPackageArn"])
        return {}

    def _with_token(self, token: str | None, *, group: str) -> ModelPackage | None:
        same = (item for item in self._packages.all() if item["ModelPackageGroupName"] == group)
        return next((item for item in same if token and item[requests.TOKEN] == token), None)

    def _same(self, earlier: ModelPackage, version: ModelPackage) -> str:
        arn = earlier["ModelPackageArn"]
        if earlier[requests.DIGEST] != version[requests.DIGEST]:
            raise ServiceError(
                "ConflictException", f"The ClientToken was used before with other parameters, for model package {arn}."
            )
        return arn

    def _add(self, version: ModelPackage, *, group: str) -> None:
        """Number the version and store it in one step with its group, which cannot be deleted at the same time."""

        def add(document: ModelPackageGroup) -> None:
            stored = False
            while not stored:  # a killed server may have stored a version, but not its number in the group
                number = document["_LastVersion"] = document.get("_LastVersion", 0) + 1
                name = f"{group}/{number}"
                version["ModelPackageVersion"] = number
                version["ModelPackageArn"] = self._aws.arn(PACKAGE, name)
                stored = self._packages.add(name, version)

        if self._groups.change(group, add) is None:  # deleted a moment ago
            raise no_such_group(self._aws, group)
