"""Creates AWS clients from an Airflow connection, which has the account, region, role and endpoint URLs."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from image_classifier.aws.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from types_boto3_sqs import SQSClient

    from image_classifier.plan.prices import PriceBook

SERVICES = {"sagemaker": "sagemaker", "functions": "lambda", "logs": "logs", "s3": "s3", "sqs": "sqs"}


def s3(aws_conn_id: str) -> "S3Client":
    return cast("S3Client", aws_client(aws_conn_id, "s3"))


def sagemaker(aws_conn_id: str) -> "SageMakerClient":
    return cast("SageMakerClient", aws_client(aws_conn_id, "sagemaker"))


def sagemaker_runtime(aws_conn_id: str) -> "SageMakerRuntimeClient":
    return cast("SageMakerRuntimeClient", aws_client(aws_conn_id, "sagemaker-runtime"))


def functions(aws_conn_id: str) -> "LambdaClient":
    return cast("LambdaClient", aws_client(aws_conn_id, "lambda"))


def sqs(aws_conn_id: str) -> "SQSClient":
    return cast("SQSClient", aws_client(aws_conn_id, "sqs"))


def prices(aws_conn_id: str) -> "PriceBook":
    """Return the prices of the connection's region."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

    from image_classifier.plan.prices import IMPATIENT, price_book

    def pricing(region: str) -> Any:
        config = AwsGenericHook(aws_conn_id=aws_conn_id, client_type="pricing").config.merge(IMPATIENT)
        return aws_client(aws_conn_id, "pricing", region_name=region, config=config)

    return price_book(sagemaker(aws_conn_id).meta, client=pricing)


def hosting_price(aws_conn_id: str) -> "Callable[[str], float | None]":
    """Return a function that gives an instance type's hosting price in US dollars per hour, or None if unknown."""
    return lambda instance_type: prices(aws_conn_id).price(instance_type, use="hosting").usd_per_hour


def of_a_classifier(aws_conn_id: str) -> Clients:
    """Return clients of the services that hold resources of a classifier, each created on its first use."""
    return _ClientsOnUse(aws_conn_id)


class _Connected:
    """One Airflow connection, which is read once, and one session: botocore reads its data files once per session."""

    def __init__(self, aws_conn_id: str, **arguments: Any) -> None:
        # It imports boto3, which building a Dag does not need.
        from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

        self._hook: AwsGenericHook[Any] = AwsGenericHook(aws_conn_id=aws_conn_id, client_type="s3", **arguments)
        self._session = self._hook.get_session(region_name=self._hook.region_name)

    def client(self, service: str) -> Any:
        """Create a client like the hook's `get_conn`, without its search of the call stack (0.2 s of CPU)."""
        create: Callable[..., Any] = self._session.client
        url = self._hook.conn_config.get_service_endpoint_url(service_name=service)
        return create(service, endpoint_url=url, config=self._hook.config, verify=self._hook.verify)


class _ClientsOnUse(Clients):
    """Creates each client of `Clients` on its first use, all by one session."""

    def __init__(self, aws_conn_id: str) -> None:
        self._aws_conn_id = aws_conn_id

    def __getattr__(self, name: str) -> Any:
        """Create the client of a field that was not used yet."""
        if name not in SERVICES:
            raise AttributeError(name)
        client = self.__dict__[name] = aws_client(self._aws_conn_id, SERVICES[name], connected=self._connect)
        return client

    @cached_property
    def _connected(self) -> _Connected:
        return _Connected(self._aws_conn_id)

    def _connect(self) -> _Connected:
        return self._connected


def aws_client(
    aws_conn_id: str, service: str, *, connected: "Callable[[], _Connected] | None" = None, **arguments: Any
) -> Any:
    return (connected() if connected else _Connected(aws_conn_id, **arguments)).client(service)
