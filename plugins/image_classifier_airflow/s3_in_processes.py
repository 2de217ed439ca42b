"""Makes S3 clients in the processes that a task starts; they read this file, and nothing of Airflow."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.exceptions import NoCredentialsError

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class S3Connection:
    """Makes an S3 client in another process, which cannot ask Airflow for the connection.

    Attributes:
        config: botocore's `Config`, which has no hash: the connection's settings decide it.

    """

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str | None
    endpoint_url: str | None
    verify: bool | str | None
    config: Any = field(compare=False)

    def __call__(self) -> "S3Client":
        """Make the client."""
        client = botocore.session.get_session().create_client(
            "s3",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.token,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            verify=self.verify,
            config=self.config,
        )
        return cast("S3Client", client)


class S3Connections:
    """Makes an `S3Connection` with the credentials of the moment, from an Airflow connection.

    Args:
        aws_conn_id: of the connection, which is looked up when the first one is asked for.

    """

    def __init__(self, aws_conn_id: str) -> None:
        """Ask for nothing yet."""
        self._aws_conn_id = aws_conn_id

    def __call__(self) -> S3Connection:
        """Make one."""
        keys: Any = self._session.get_credentials()
        if keys is None:
            raise NoCredentialsError
        keys, hook = keys.get_frozen_credentials(), self._hook
        endpoint_url = hook.conn_config.get_service_endpoint_url(service_name="s3")
        place = (self._session.region_name, endpoint_url, hook.verify, hook.config)
        return S3Connection(keys.access_key, keys.secret_key, keys.token, *place)

    @cached_property
    def _hook(self) -> "AwsGenericHook[Any]":
        from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

        return AwsGenericHook(aws_conn_id=self._aws_conn_id, client_type="s3")

    @cached_property
    def _session(self) -> Any:
        """One for all: a role is assumed anew only when its credentials expire."""
        return self._hook.get_session(region_name=self._hook.region_name)
