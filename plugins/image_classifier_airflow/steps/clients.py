"""Creates AWS clients from an Airflow connection, which has the account, region, role and endpoint URLs."""

from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from types_boto3_sqs import SQSClient

    from image_classifier.aws.clients import Clients
    from image_classifier.plan.prices import PriceBook


def s3(aws_conn_id: str) -> "S3Client":
    return cast("S3Client", _client(aws_conn_id, "s3"))


def sagemaker(aws_conn_id: str) -> "SageMakerClient":
    return cast("SageMakerClient", _client(aws_conn_id, "sagemaker"))


def sagemaker_runtime(aws_conn_id: str) -> "SageMakerRuntimeClient":
    return cast("SageMakerRuntimeClient", _client(aws_conn_id, "sagemaker-runtime"))


def functions(aws_conn_id: str) -> "LambdaClient":
    return cast("LambdaClient", _client(aws_conn_id, "lambda"))


def sqs(aws_conn_id: str) -> "SQSClient":
    return cast("SQSClient", _client(aws_conn_id, "sqs"))


def prices(aws_conn_id: str) -> "PriceBook":
    """Return the prices of the connection's region."""
    from image_classifier.plan.prices import IMPATIENT, price_book

    def pricing(region: str) -> Any:
        config = AwsGenericHook(aws_conn_id=aws_conn_id, client_type="pricing").config.merge(IMPATIENT)
        return _client(aws_conn_id, "pricing", region_name=region, config=config)

    return price_book(sagemaker(aws_conn_id).meta, client=pricing)


def hosting_price(aws_conn_id: str) -> "Callable[[str], float | None]":
    """Return a function that gives an instance type's hosting price in US dollars per hour, or None if unknown."""
    return lambda instance_type: prices(aws_conn_id).price(instance_type, use="hosting").usd_per_hour


def of_a_classifier(aws_conn_id: str) -> "Clients":
    """Return one client per service that holds resources of a classifier."""
    from image_classifier.aws.clients import Clients

    return Clients(
        sagemaker=sagemaker(aws_conn_id),
        functions=functions(aws_conn_id),
        logs=_client(aws_conn_id, "logs"),
        s3=s3(aws_conn_id),
        sqs=sqs(aws_conn_id),
    )


def _client(aws_conn_id: str, service: str, **arguments: Any) -> Any:
    return AwsGenericHook(aws_conn_id=aws_conn_id, client_type=service, **arguments).get_conn()
