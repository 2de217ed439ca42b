"""Deploys the inference function in a task that may run twice and changes only what differs."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.operators.lambda_function import LambdaCreateFunctionOperator
from airflow.sdk import Context

from image_classifier.connect.function import (
    FunctionConfiguration,
    default_cache_folder,
    ensure_function,
    package_function,
)
from image_classifier.connect.function_package import INCLUDE_FOLDER, LAMBDA_FOLDER
from image_classifier_airflow.links import FUNCTION_LINKS

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client


class LambdaFunctionOperator(LambdaCreateFunctionOperator):
    """Pack the function and bring it up to date, or create it; the alias `live` moves once the version has answered.

    The provider's operator only creates: its second run fails. Returns a dict of function_arn, alias_arn, version and
    outcome (created, updated, unchanged).

    Args:
        config: `FunctionConfiguration` as a dict; may be another task's result. Its name, role, runtime and code take
            the place of the provider's arguments.
        lambda_folder: holds image_classifier_inference and requirements.txt.
        include_folder: holds image_classifier.
        cache_folder: keeps the wheels between runs; the machine's own cache folder if not given.
        kwargs: AwsBaseOperator's and BaseOperator's arguments.

    """

    operator_extra_links = FUNCTION_LINKS

    def __init__(
        self,
        *,
        config: dict[str, Any],
        lambda_folder: Path = LAMBDA_FOLDER,
        include_folder: Path = INCLUDE_FOLDER,
        cache_folder: Path | None = None,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; nothing is read or packed before the task runs."""
        super().__init__(function_name="", role="", code={}, config=config, deferrable=False, **kwargs)
        self.lambda_folder = lambda_folder
        self.include_folder = include_folder
        self.cache_folder = cache_folder

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Deploy the function.

        Raises:
            FunctionError: the function cannot be packed, belongs to somebody else, or does not work; the earlier
                version stays live.
            ResourceBusyError: an earlier change to the function is still being applied.

        """
        configuration = FunctionConfiguration.model_validate(self.config)
        package = package_function(
            lambda_folder=self.lambda_folder,
            include_folder=self.include_folder,
            runtime=configuration.runtime,
            architecture=configuration.architecture,
            cache_folder=self.cache_folder or default_cache_folder(),
        )
        deployed = ensure_function(
            self.hook.conn,
            cast("S3Client", self._client("s3")),
            cast("CloudWatchLogsClient", self._client("logs")),
            configuration=configuration,
            package=package,
        )
        return asdict(deployed)

    def _client(self, service: str) -> object:
        """Make a client with the connection, region and settings of the operator's hook."""
        hook: AwsGenericHook[Any] = AwsGenericHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
            client_type=service,
        )
        return hook.get_conn()
