"""Checks the role, the input, the buckets and the quota of a job before it is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker import quotas
from local_aws.sagemaker.aws import REGION, cannot_assume, split_s3_uri
from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.platform import Platform


def check_role(request: Document, *, platform: Platform) -> None:
    """Refuse a role that SageMaker cannot assume, or cannot assume yet.

    Raises:
        ServiceError: in AWS's words.

    """
    role = request["RoleArn"]
    platform.aws.check_role(role)
    if platform.unready_roles.refuse(role, request=request):
        raise cannot_assume(role)


def check_prefix(uri: str, *, role: str, platform: Platform) -> None:
    """Refuse a prefix without objects.

    Raises:
        ServiceError: in AWS's words.

    """
    bucket, _ = split_s3_uri(uri)
    if not platform.aws.acting_as(role, session="SageMaker").prefix_has_objects(uri):
        raise validation_error(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({REGION}), that objects exist under that S3 prefix, and that the role "
            f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )


def check_buckets(uris: Iterable[str], *, platform: Platform) -> None:
    """Refuse a bucket that does not exist.

    Raises:
        ServiceError: names it.

    """
    for uri in uris:
        bucket, _ = split_s3_uri(uri)
        if not platform.aws.bucket_exists(bucket):
            raise validation_error(f"The bucket {bucket} of {uri} does not exist; create it, or name another.")


def check_quota(request: Document, use: quotas.Use, *, operation: str, usual_limit: int, platform: Platform) -> None:
    """Refuse more instances than the quota allows.

    Raises:
        ServiceError: ``ResourceLimitExceeded`` in AWS's words.

    """
    limit = quotas.planned_limit(platform.faults, operation, use.instance_type, request=request)
    quotas.check(use, limit=limit, usual_limit=usual_limit)
