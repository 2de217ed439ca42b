"""Creates clients from an operator's AWS arguments: connection, region, TLS verification and client settings."""

from typing import Any, Protocol, TypedDict

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook


class ConnectionArguments(TypedDict):
    """The arguments that the Amazon provider's operators and our triggers share."""

    aws_conn_id: str | None
    region_name: str | None
    verify: bool | str | None
    botocore_config: dict[str, Any] | None


class AwsOperator(Protocol):
    """The attributes of the provider's `AwsBaseOperator` that this module uses."""

    aws_conn_id: Any
    region_name: Any
    verify: Any
    botocore_config: Any


def connection_arguments(operator: AwsOperator) -> ConnectionArguments:
    """Return the operator's connection arguments, for a trigger that continues its work."""
    return {
        "aws_conn_id": operator.aws_conn_id,
        "region_name": operator.region_name,
        "verify": operator.verify,
        "botocore_config": operator.botocore_config,
    }


def client(operator: AwsOperator, service: str) -> Any:
    """Create a boto3 client of `service`, such as "s3", with the operator's connection arguments."""
    hook: AwsGenericHook[Any] = AwsGenericHook(
        aws_conn_id=operator.aws_conn_id,
        region_name=operator.region_name,
        verify=operator.verify,
        config=operator.botocore_config,
        client_type=service,
    )
    return hook.conn
