"""Creates or updates the inference function, checks the new version, and then moves the alias to it.

If a deployment fails, the earlier version stays live. Every step compares first, so a second call changes nothing.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from image_classifier.aws.client_errors import described
from image_classifier.aws.log_groups import ensure_log_group
from image_classifier.aws.names import TAG, Keys, function_log_group
from image_classifier.aws.s3 import object_exists
from image_classifier.connect.function_calls import change, wait
from image_classifier.connect.function_configuration import FunctionConfiguration
from image_classifier.connect.function_package import FunctionPackage
from image_classifier.connect.function_versions import ensure_live
from image_classifier.contracts.errors import FunctionError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Outcome = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class DeployedFunction:
    """The live version of the function after a deployment."""

    function_arn: str
    alias_arn: str
    version: str
    outcome: Outcome


@dataclass(frozen=True)
class _Deployment:
    """The clients, configuration and package of one deployment."""

    lambda_client: "LambdaClient"
    s3: "S3Client"
    configuration: FunctionConfiguration
    package: FunctionPackage


def ensure_function(
    lambda_client: "LambdaClient",
    s3: "S3Client",
    logs: "CloudWatchLogsClient",
    *,
    configuration: FunctionConfiguration,
    package: FunctionPackage,
) -> DeployedFunction:
    """Update code and configuration, publish a version, check that it works, and make it live.

    Raises:
        FunctionError: a function of another owner has the name, or the new version does not work.
        ResourceBusyError: another change to the function is still being applied.

    """
    deployment = _Deployment(lambda_client, s3, configuration, package)
    found = described(lambda: lambda_client.get_function(FunctionName=configuration.name))
    if found is not None:
        _check_ours(found.get("Tags", {}), configuration)
    group = function_log_group(configuration.classifier)
    ensure_log_group(logs, group, tags=configuration.tags)  # before Lambda creates the log group without a retention
    if found is None:
        _create(deployment)
        changed = True
    else:
        changed = _update(deployment, found)
    live = ensure_live(lambda_client, configuration=configuration, code_sha256=package.code_sha256)
    outcome: Outcome = "created" if found is None else "updated" if changed or live.changed else "unchanged"
    log.info("Function %s is %s: version %s is live", configuration.name, outcome, live.version)
    return DeployedFunction(live.function_arn, live.alias_arn, live.version, outcome)


def _create(deployment: _Deployment) -> None:
    configuration = deployment.configuration
    request: dict[str, Any] = {
        **configuration.as_request(),
        "Code": _uploaded_code(deployment),
        "Architectures": [configuration.architecture],
        "Tags": configuration.tags,
    }
    what = f"Function {configuration.name}"
    change(lambda: deployment.lambda_client.create_function(**request), what=what)
    waiter = deployment.lambda_client.get_waiter("function_active_v2")
    wait(lambda: waiter.wait(FunctionName=configuration.name), what=what)


def _update(deployment: _Deployment, found: Mapping[str, Any]) -> bool:
    """Change the settings that differ, one after the other; return whether anything changed."""
    configuration, function = deployment.configuration, deployment.lambda_client
    changed = False
    if not configuration.runs_code(found["Configuration"], code_sha256=deployment.package.code_sha256):
        code = {"FunctionName": configuration.name, "Architectures": [configuration.architecture]}
        request: dict[str, Any] = {**code, **_uploaded_code(deployment)}
        _apply(deployment, lambda: function.update_function_code(**request))
        changed = True
    if not configuration.matches(found["Configuration"]):
        _apply(deployment, lambda: function.update_function_configuration(**configuration.as_request()))
        changed = True
    if not found.get("Tags", {}).items() >= configuration.tags.items():
        function.tag_resource(Resource=found["Configuration"]["FunctionArn"], Tags=configuration.tags)
        changed = True
    return changed


def _apply(deployment: _Deployment, request: Callable[[], object]) -> None:
    """Request a change and wait until it is applied, because Lambda refuses another change before."""
    name = deployment.configuration.name
    change(request, what=f"Function {name}")
    waiter = deployment.lambda_client.get_waiter("function_updated_v2")
    wait(lambda: waiter.wait(FunctionName=name), what=f"Function {name}")


def _check_ours(tags: Mapping[str, str], configuration: FunctionConfiguration) -> None:
    if tags.get(TAG) != configuration.classifier:
        message = (
            f"Function {configuration.name} does not carry the tag {TAG}={configuration.classifier}, so it is not this "
            f"classifier's (its tags: {dict(tags)}). Delete that function, or rename the classifier."
        )
        raise FunctionError(message)


def _uploaded_code(deployment: _Deployment) -> dict[str, str]:
    """Upload the zip to S3 under its hash, unless it exists; return the code parameters of the request."""
    bucket, package = deployment.configuration.bucket, deployment.package
    key = Keys(deployment.configuration.classifier).function_zip(package.sha256)
    if not object_exists(deployment.s3, bucket=bucket, key=key):
        deployment.s3.put_object(Bucket=bucket, Key=key, Body=package.zip_bytes, ContentType="application/zip")
        log.info("Uploaded s3://%s/%s, %d bytes", bucket, key, len(package.zip_bytes))
    return {"S3Bucket": bucket, "S3Key": key}
