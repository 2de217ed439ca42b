"""Checks a CreateModelPackage request, and makes the document of its version."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, cast

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document, ModelPackage

# Members that only describe a version are accepted and returned; those that only AWS acts on are refused.
UNSUPPORTED = (
    "AdditionalInferenceSpecifications",
    "CertifyForMarketplace",
    "ManagedStorageType",
    "SourceAlgorithmSpecification",
    "ValidationSpecification",
)
MAX_PROPERTIES = 50
TOKEN: Final = "_ClientToken"  # noqa: S105  a member's name
DIGEST: Final = "_RequestDigest"


def check(request: Document, *, aws: Aws) -> None:
    """Refuse what AWS refuses, and what only AWS can do.

    Raises:
        ServiceError: names the member and what was found.

    """
    if "ModelPackageName" in request and "ModelPackageGroupName" in request:
        raise validation_error(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to "
            "use."
        )
    if "ModelPackageName" in request:
        raise validation_error("This local SageMaker does not have unversioned model packages; AWS does.")
    if "ModelPackageGroupName" not in request:
        raise validation_error("Missing ARN.")
    if request.get("Tags"):
        raise validation_error(
            "Tags cannot be given to a versioned model package: it uses the tags of its model package group."
        )
    for name in UNSUPPORTED:
        if request.get(name):
            raise validation_error(f"This local SageMaker does not have {name}; AWS does.")
    check_specification(request.get("InferenceSpecification"), aws=aws)


def check_specification(specification: Document | None, *, aws: Aws) -> None:
    """Refuse containers without an image, or whose artifact does not exist.

    Raises:
        ServiceError: names what is missing.

    """
    if specification is None:
        raise validation_error("InferenceSpecification is required for a versioned model package.")
    for container in specification["Containers"]:
        if "Image" not in container:
            raise validation_error("Image is required for each container of InferenceSpecification.")
        if container.get("ModelDataSource") or container.get("AdditionalModelDataSources"):
            raise validation_error("This local SageMaker does not have ModelDataSource; AWS does. Use ModelDataUrl.")
        uri = container.get("ModelDataUrl")
        if uri and not aws.object_exists(uri):
            raise validation_error(f"Could not find model data at {uri}.")


def new_version(request: Document, *, group: str, now: float) -> ModelPackage:
    """Return the version as DescribeModelPackage shows it, without its number and ARN."""
    version = {key: value for key, value in request.items() if key not in ("ClientToken", "Tags")}
    version = {"ModelApprovalStatus": "PendingManualApproval", "SkipModelValidation": "None"} | version
    own: Document = {
        "ModelPackageGroupName": group,
        "CreationTime": now,
        "CreatedBy": {},
        "CertifyForMarketplace": False,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        TOKEN: request.get("ClientToken"),
        DIGEST: digest(request),
    }
    return cast("ModelPackage", version | own)


def digest(request: Document) -> str:
    """Return a hash of the request without its ClientToken."""
    members = {key: value for key, value in request.items() if key != "ClientToken"}
    return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()


def update(version: ModelPackage, request: Document, *, now: float) -> None:
    """Change a version as UpdateModelPackage says.

    Raises:
        ServiceError: it would have more properties than AWS keeps.

    """
    properties = version.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
    for key in request.get("CustomerMetadataPropertiesToRemove", []):
        properties.pop(key, None)
    if len(properties) > MAX_PROPERTIES:
        raise validation_error(
            f"A model package can have {MAX_PROPERTIES} CustomerMetadataProperties; it would have {len(properties)}."
        )
    replaced = (
        "ModelApprovalStatus",
        "ApprovalDescription",
        "InferenceSpecification",
        "SourceUri",
        "ModelCard",
        "ModelLifeCycle",
        "ModelPackageRegistrationType",
    )
    cast("Document", version).update({key: request[key] for key in replaced if key in request})
    version["CustomerMetadataProperties"] = properties
    version["LastModifiedTime"] = now
    version["LastModifiedBy"] = {}
