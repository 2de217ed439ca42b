"""Finds endpoints without a classifier file, which cost money and are not used."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import PREFIX, TAG, endpoint_name
from image_classifier.aws.ownership import buckets_of_endpoint
from image_classifier.contracts.errors import UnwantedEndpointError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def check_endpoints_wanted(sagemaker: "SageMakerClient", *, bucket: str, classifiers: Collection[str]) -> None:
    """Check that every endpoint that serves a model of this bucket belongs to a classifier file.

    Raises:
        UnwantedEndpointError: endpoints have no classifier file; the message names them and their creation times.

    """
    wanted = {endpoint_name(classifier) for classifier in classifiers}
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=PREFIX)
    unwanted = [
        f"{endpoint['EndpointName']} (since {endpoint['CreationTime']:%Y-%m-%d %H:%M} UTC)"
        for page in pages
        for endpoint in page["Endpoints"]
        if endpoint["EndpointName"].startswith(PREFIX)
        and endpoint["EndpointName"] not in wanted
        and _serves_from(sagemaker, endpoint, bucket=bucket)
    ]
    if unwanted:
        message = (
            "No classifier file describes these endpoints, and they cost as long as they exist: "
            f"{', '.join(unwanted)}. Delete them with the Dag image_classifier_teardown, or restore the file."
        )
        raise UnwantedEndpointError(message)


def _serves_from(sagemaker: "SageMakerClient", endpoint: Mapping[str, Any], *, bucket: str) -> bool:
    """Return whether the endpoint belongs to this deployment; other deployments of the account have their own files."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint["EndpointArn"])
    if not any(tag["Key"] == TAG for page in pages for tag in page["Tags"]):
        return False
    return bucket in buckets_of_endpoint(sagemaker, endpoint["EndpointName"])
