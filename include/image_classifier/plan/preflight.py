"""Checks the requirements of a run before anything is paid."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import described
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import endpoint_name, function_name
from image_classifier.aws.ownership import buckets_of_endpoint
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect.notification import UploadTrigger, upload_trigger_change
from image_classifier.contracts.errors import ResourceClashError, SettingsError
from image_classifier.train.image_uris import algorithm_image

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sagemaker import SageMakerClient


def check_deployment(clients: Clients, *, classifier: Classifier, settings: Settings, region: str) -> None:
    """Check region, bucket, and that neither a notification nor another deployment's classifier is in the way.

    Raises:
        SettingsError: the bucket cannot be reached, or the algorithm is not available in the region.
        NotificationOverlapError: another notification overlaps.
        ResourceClashError: another deployment has a classifier of this name.

    """
    algorithm_image(classifier, settings=settings, region=region)
    try:
        clients.s3.head_bucket(Bucket=settings.bucket)
    except ClientError as error:
        message = (
            f"Bucket {settings.bucket} of IMAGE_CLASSIFIER_BUCKET cannot be reached: {error}. Check that it exists "
            "in the account and region of the Airflow connection, and that the connection's role may list it."
        )
        raise SettingsError(message) from error
    trigger = UploadTrigger.of(classifier.name, function_arn="")  # only its prefix matters here
    upload_trigger_change(clients.s3, bucket=settings.bucket, trigger=trigger)
    check_name(clients.sagemaker, clients.functions, classifier=classifier, settings=settings)


def check_name(
    sagemaker: "SageMakerClient", functions: "LambdaClient", *, classifier: Classifier, settings: Settings
) -> None:
    """Check that no other deployment of the account and region has a classifier of this name.

    Its endpoint serves models of another bucket. If the function has our role, our stack has got another bucket.

    Raises:
        ResourceClashError: another deployment has one; a run would overwrite its endpoint and function.

    """
    endpoint, function = endpoint_name(classifier.name), function_name(classifier.name)
    served = buckets_of_endpoint(sagemaker, endpoint)
    if not served or settings.bucket in served:
        return
    found = described(lambda: functions.get_function(FunctionName=function))
    if found is not None and found["Configuration"]["Role"] == settings.function_role_arn:
        return
    others = ", ".join(f"s3://{bucket}" for bucket in sorted(served))
    message = (
        f"Endpoint {endpoint} serves a model of {others}, not of s3://{settings.bucket}: another deployment in this "
        f"account and region has a classifier {classifier.name}, and a run would overwrite its endpoint and function. "
        "Rename this classifier, or use another region or account. If nobody needs that endpoint, delete it."
    )
    raise ResourceClashError(message)
