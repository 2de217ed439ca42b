"""Registers trained models in SageMaker's Model Registry, with one group of versions per classifier.

A version only records a model. Models are not created from versions, because SageMaker would require the approval
before the evaluation.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import delete, described, exists_already
from image_classifier.aws.names import TAG, model_package_group_name
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.evaluate.report.model import Report

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import ModelPackageSummaryTypeDef

log = logging.getLogger(__name__)

Approval = Literal["Approved", "Rejected", "PendingManualApproval"]
LEFT = "Rolled back: "  # beginning of the description of a version that a rollback rejected
NOT_APPROVED = "Not approved: "  # beginning of the description of a version that a person rejected
MOST_DESCRIPTION = 1024  # AWS's limit of an approval's description, in characters
CONTENT_TYPES = ["application/x-image", "image/jpeg", "image/png"]
ANSWERS = ["application/json", "application/jsonlines"]


@dataclass(frozen=True)
class TrainedModel:
    """The result of a training job; ``algorithm`` is builtin or own."""

    training_job: str
    image: str
    artifact: str
    algorithm: str


def ensure_group(sagemaker: "SageMakerClient", *, classifier: str, tags: Sequence[Mapping[str, str]]) -> str:
    """Create the classifier's group unless it exists; return its name."""
    name = model_package_group_name(classifier)
    if described(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=name)) is None:
        request: Any = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupDescription": f"Models of the image classifier {classifier}",
            "Tags": list(tags),
        }
        try:
            sagemaker.create_model_package_group(**request)
            log.info("Model package group %s created", name)
        except ClientError as error:
            if not exists_already(error):
                raise
    return name


def ensure_version(
    sagemaker: "SageMakerClient",
    model: TrainedModel,
    *,
    group: str,
    labels: str,
    report: Report | None,
    report_uri: str,
) -> str:
    """Register the model unless it is registered; return the version's ARN.

    An existing version is found by its training job; if a retry cannot find it yet, the ClientToken prevents a second
    one.

    Args:
        sagemaker: the SageMaker client.
        model: the trained model.
        group: the classifier's group.
        labels: SHA-256 of the model's ordered labels; empty if they are unknown.
        report: the report of its evaluation; None for a model without test images.
        report_uri: S3 URI of report.json, if there is a report.

    """
    found = find_version(sagemaker, model.training_job, group=group)
    if found is not None:
        return found["ModelPackageArn"]
    request: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": model.training_job,
        "InferenceSpecification": {
            "Containers": [{"Image": model.image, "ModelDataUrl": model.artifact}],
            "SupportedContentTypes": CONTENT_TYPES,
            "SupportedResponseMIMETypes": ANSWERS,
        },
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": _metadata(model, labels, report),
        "ClientToken": hashlib.sha256(f"{group}/{model.training_job}".encode()).hexdigest()[:36],
    }
    if report is not None:
        statistics = {"ContentType": "application/json", "S3Uri": report_uri}
        request["ModelMetrics"] = {"ModelQuality": {"Statistics": statistics}}
    arn = sagemaker.create_model_package(**request)["ModelPackageArn"]
    log.info("%s is registered as %s", model.training_job, arn)
    return arn


def find_version(sagemaker: "SageMakerClient", training_job: str, *, group: str) -> "ModelPackageSummaryTypeDef | None":
    """Return the version of a training job's model, or None if it is not registered."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    versions = (version for page in pages for version in page["ModelPackageSummaryList"])
    return next((one for one in versions if one.get("ModelPackageDescription") == training_job), None)


@dataclass(frozen=True)
class Version:
    """One registered model."""

    arn: str
    number: int
    training_job: str
    approval: str


def versions(sagemaker: "SageMakerClient", *, group: str) -> list[Version]:
    """Return the classifier's registered models, the newest first."""
    paginator = sagemaker.get_paginator("list_model_packages")
    pages = paginator.paginate(ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending")
    return [
        Version(
            found["ModelPackageArn"],
            found.get("ModelPackageVersion", 0),
            found.get("ModelPackageDescription", ""),
            found.get("ModelApprovalStatus", "PendingManualApproval"),
        )
        for page in pages
        for found in page["ModelPackageSummaryList"]
    ]


def version_to_return_to(known: Sequence[Version], *, wanted: str, serving: str) -> Version:
    """Return the version with the given number or training job; by default the newest approved one that is not live.

    Args:
        known: the versions, the newest first.
        wanted: a number, a training job, or empty.
        serving: the training job of the model to go back from, usually the live one.

    Raises:
        ClassifierFileError: the version does not exist, or is the one to go back from.

    """
    others = [version for version in known if version.training_job != serving]
    if wanted:
        found = [version for version in others if wanted in (str(version.number), version.training_job)]
    else:
        found = [version for version in others if version.approval == "Approved"]
    if not found:
        listed = "; ".join(f"{one.number}: {one.training_job} ({one.approval})" for one in others) or "none"
        what = f"version {wanted!r}" if wanted else "approved version"
        message = f"There is no {what} to go back to from {serving}. Other versions: {listed}."
        raise ClassifierFileError(message)
    return found[0]


def names_model(sagemaker: "SageMakerClient", wanted: str, *, training_job: str, group: str) -> bool:
    """Return whether `wanted`, the number of a version or a training job, names this model."""
    if wanted == training_job or not wanted:
        return bool(wanted)
    return any(
        str(version.number) == wanted and version.training_job == training_job
        for version in versions(sagemaker, group=group)
    )


def trained_model(sagemaker: "SageMakerClient", version: Version) -> TrainedModel:
    """Return image and artifact of a registered model."""
    found = sagemaker.describe_model_package(ModelPackageName=version.arn)
    container = found["InferenceSpecification"]["Containers"][0]
    algorithm = found.get("CustomerMetadataProperties", {}).get("algorithm", "builtin")
    return TrainedModel(version.training_job, container["Image"], container["ModelDataUrl"], algorithm)


def rejected_by_a_person(sagemaker: "SageMakerClient", training_job: str, *, classifier: str) -> str | None:
    """Return why a person rejected this model, by an answer or a rollback; None if nobody did."""
    group = model_package_group_name(classifier)
    if described(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group)) is None:
        return None
    found = find_version(sagemaker, training_job, group=group)
    if found is None or found.get("ModelApprovalStatus") != "Rejected":
        return None
    package = sagemaker.describe_model_package(ModelPackageName=found["ModelPackageArn"])
    why = package.get("ApprovalDescription", "")
    return why if why.startswith((LEFT, NOT_APPROVED)) else None


def set_approval(sagemaker: "SageMakerClient", arn: str, *, status: Approval, why: str) -> None:
    """Set a version's approval status, with the reason."""
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=why[:MOST_DESCRIPTION]
    )
    log.info("%s is %s", arn, status)


def our_group(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """Return the classifier's group; empty if there is none, or if another owner's has the name."""
    name = model_package_group_name(classifier)
    group = described(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=name))
    if group is None:
        return ()
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=group["ModelPackageGroupArn"])
    ours = any(tag["Key"] == TAG and tag["Value"] == classifier for page in pages for tag in page["Tags"])
    return (name,) if ours else ()


def our_versions(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """Return the ARNs of the versions in the classifier's group."""
    return tuple(
        version["ModelPackageArn"]
        for group in our_group(sagemaker, classifier)
        for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        for version in page["ModelPackageSummaryList"]
    )


def delete_registry(sagemaker: "SageMakerClient", *, classifier: str) -> None:
    """Delete the versions, and then the group, which must be empty."""
    for arn in our_versions(sagemaker, classifier):
        delete(partial(sagemaker.delete_model_package, ModelPackageName=arn), what=f"Model package {arn}")
    for name in our_group(sagemaker, classifier):
        call = partial(sagemaker.delete_model_package_group, ModelPackageGroupName=name)
        delete(call, what=f"Model package group {name}")


def _metadata(model: TrainedModel, labels: str, report: Report | None) -> Mapping[str, str]:
    """Return metadata for searching; values have letters, digits, blanks and ``_.:/=+-@`` only."""
    facts = {"training-job": model.training_job, "algorithm": model.algorithm}
    facts |= {"labels": labels} if labels else {}
    if report is None:
        return facts
    accuracy = report.accuracy
    return {
        **facts,
        "dataset": report.dataset.fingerprint,
        "test-manifest": report.dataset.test_manifest,
        "test-images": str(accuracy.of),
        "test-accuracy": f"{accuracy.value:.4f}",
        "test-accuracy-low": f"{accuracy.low:.4f}",
        "test-accuracy-high": f"{accuracy.high:.4f}",
    }
