"""Deploys the inference function; the task can be repeated, and changes only what differs."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.lambda_function import LambdaCreateFunctionOperator
from airflow.sdk import Context

from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client
from image_classifier_airflow.links import FUNCTION_LINKS


class LambdaFunctionOperator(LambdaCreateFunctionOperator):
    """Packs the function, creates or updates it, and moves the alias `live` once the new version has answered.

    The provider's operator only creates functions, so its second run fails. Returns a dict of function_arn, alias_arn,
    version and outcome (created, updated, unchanged).

    Args:
        config: `FunctionConfiguration` as a dict; may be another task's result. Its name, role, runtime and code
            replace the provider's arguments.
        lambda_folder: the folder with image_classifier_inference and requirements.txt; default: this package's.
        include_folder: the folder with image_classifier; default: that of the running code.
        cache_folder: the folder that keeps the wheels between runs; default: the user's cache folder.
        kwargs: AwsBaseOperator's and BaseOperator's arguments.

    """

    operator_extra_links = FUNCTION_LINKS

    def __init__(
        self,
        *,
        config: dict[str, Any],
        lambda_folder: Path | None = None,
        include_folder: Path | None = None,
        cache_folder: Path | None = None,
        **kwargs: Any,
    ) -> None:
        """Store the arguments; nothing is read or packed before the task runs."""
        super().__init__(function_name="", role="", code={}, config=config, deferrable=False, **kwargs)
        self.lambda_folder = lambda_folder
        self.include_folder = include_folder
        self.cache_folder = cache_folder

    @with_our_errors
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Deploy the function.

        Returns:
            The fields of `image_classifier.connect.function.DeployedFunction`.

        Raises:
            FunctionError: the function cannot be packed, belongs to somebody else, or does not work; the earlier
                version stays live.
            ResourceBusyError: an earlier change to the function is still being applied.

        """
        from image_classifier.connect import function_package as packages
        from image_classifier.connect.function import ensure_function
        from image_classifier.connect.function_configuration import FunctionConfiguration

        configuration = FunctionConfiguration.model_validate(self.config)
        package = packages.package_function(
            lambda_folder=self.lambda_folder or packages.LAMBDA_FOLDER,
            include_folder=self.include_folder or packages.INCLUDE_FOLDER,
            runtime=configuration.runtime,
            architecture=configuration.architecture,
            cache_folder=self.cache_folder or packages.default_cache_folder(),
        )
        deployed = ensure_function(
            self.hook.conn,
            client(self, "s3"),
            client(self, "logs"),
            configuration=configuration,
            package=package,
        )
        return asdict(deployed)
