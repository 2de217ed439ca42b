"""Refuses functions that AWS refuses and MiniStack accepts."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from local_aws import function_runtime
from local_aws.faults.roles import UnreadyRoles
from local_aws.ministack import execution_role
from local_aws.ministack.documents import Code, FunctionRequest
from local_aws.ministack.modules import Answer, iam, lambda_svc, responses

_MAX_ZIP_BYTES = 50 * 1024 * 1024
_MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
_MAX_ENVIRONMENT_BYTES = 4096
_LIMITS = {"MemorySize": (128, 10240), "Timeout": (1, 900)}
_EPHEMERAL_STORAGE_MB = (512, 10240)
_NO_ROLE = "The role defined for the function cannot be assumed by Lambda."
_NO_CODE_OBJECT = (
    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
)
_VARIABLE_NAME = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
_RESERVED = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ]
)


def create_function(unready_roles: UnreadyRoles) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Return the wrapper of CreateFunction."""

    def replacement(original: Callable[..., Answer]) -> Callable[..., Answer]:
        def checked(data: FunctionRequest) -> Answer:
            return (
                _refused_runtime(data.get("Runtime"))
                or _refused_architecture(data.get("Architectures", ["x86_64"]))
                or _refused_code(data.get("Code", {}), operation="CreateFunction")
                or _refused_configuration(data)
                or _refused_for_now(data, unready_roles)
                or _refused_dead_letters(data, role_arn=data.get("Role", ""))
                or original(data)
            )

        return checked

    return replacement


def update_function_code(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap UpdateFunctionCode."""

    def checked(name: str, data: FunctionRequest) -> Answer:
        return (
            _refused_architecture(data.get("Architectures"))
            or _refused_code(data, operation="UpdateFunctionCode")
            or original(name, data)
        )

    return checked


def update_function_configuration(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap UpdateFunctionConfiguration."""

    def checked(name: str, data: FunctionRequest) -> Answer:
        present = lambda_svc._functions.get(name)
        role_arn = data.get("Role") or (present["config"]["Role"] if present else "")
        return (
            (_refused_runtime(data["Runtime"]) if "Runtime" in data else None)
            or _refused_configuration(data)
            or (_refused_dead_letters(data, role_arn=role_arn) if present else None)
            or original(name, data)
        )

    return checked


def _refused_runtime(runtime: str | None) -> Answer | None:
    own = function_runtime.runtime()
    if runtime == own:
        return None
    return invalid(
        f"Value {runtime} at 'runtime': this local AWS runs functions in its own interpreter, so the runtime is {own}. "
        f"Set IMAGE_CLASSIFIER_FUNCTION_RUNTIME to {own}, or start the local AWS with another Python."
    )


def _refused_architecture(architectures: list[str] | None) -> Answer | None:
    own = function_runtime.architecture()
    if architectures is None or architectures == [own]:
        return None
    return invalid(
        f"Value {architectures} at 'architectures': this local AWS runs functions on this machine, so it is [{own}]. "
        f"Set IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE to {own}."
    )


def _refused_code(code: Code, *, operation: str) -> Answer | None:
    if "S3Key" in code:
        found = lambda_svc._fetch_code_from_s3(code["S3Bucket"], code["S3Key"], version_id=code.get("S3ObjectVersion"))
        return invalid(_NO_CODE_OBJECT) if found is None else _refused_zip(found)
    zipped = base64.b64decode(code.get("ZipFile") or "")
    if len(zipped) > _MAX_ZIP_BYTES:
        return json_error(
            "RequestEntityTooLargeException",
            f"Request must be smaller than 70167211 bytes for the {operation} operation",
            status=413,
        )
    return _refused_zip(zipped) if zipped else None


def _refused_zip(zipped: bytes) -> Answer | None:
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile:
        return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    if size > _MAX_UNZIPPED_BYTES:
        return invalid(f"Unzipped size must be smaller than {_MAX_UNZIPPED_BYTES} bytes")
    return None


def _refused_configuration(data: FunctionRequest) -> Answer | None:
    if data.get("Layers"):
        return invalid("This local AWS does not support layers; put everything into the function's zip.")
    return (
        refused_numbers(data, bounds=_LIMITS)
        or _refused_temporary_folder(data)
        or _refused_role(data.get("Role"))
        or _refused_variables((data.get("Environment") or {}).get("Variables") or {})
    )


def _refused_temporary_folder(data: FunctionRequest) -> Answer | None:
    size = (data.get("EphemeralStorage") or {}).get("Size", 512)
    least, most = _EPHEMERAL_STORAGE_MB
    if least <= size <= most:
        return None
    bound = f"less than or equal to {most}" if size > most else f"greater than or equal to {least}"
    return json_error(
        "ValidationException",
        f"1 validation error detected: Value '{size}' at 'ephemeralStorage.size' failed to satisfy constraint: "
        f"Member must have value {bound}",
    )


def _refused_role(arn: str | None) -> Answer | None:
    if arn is None:
        return None
    role = iam._roles.get(arn.rsplit("/", 1)[-1])
    trusted = json.dumps(role.get("AssumeRolePolicyDocument", "")) if role else ""
    if "lambda.amazonaws.com" in trusted:
        return None
    return invalid(_NO_ROLE)


def _refused_dead_letters(data: FunctionRequest, *, role_arn: str) -> Answer | None:
    arn = (data.get("DeadLetterConfig") or {}).get("TargetArn", "")
    for service, call in (("sqs", "SendMessage"), ("sns", "Publish")):
        if f":{service}:" in arn and not execution_role.allows(role_arn, f"{service}:{call}", resource=arn):
            return invalid(f"The provided execution role does not have permissions to call {call} on {service.upper()}")
    return None


def _refused_for_now(data: FunctionRequest, unready_roles: UnreadyRoles) -> Answer | None:
    return invalid(_NO_ROLE) if unready_roles.refuse(data.get("Role", ""), request=data) else None


def _refused_variables(variables: Mapping[str, str]) -> Answer | None:
    prefix = (
        "Lambda was unable to configure your environment variables because the environment variables you have provided"
    )
    reserved = sorted(_RESERVED & set(variables))
    if reserved:
        return invalid(
            f"{prefix} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    odd = [name for name in variables if not _VARIABLE_NAME.fullmatch(name)]
    if odd:
        return json_error(
            "ValidationException",
            f"1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys "
            f"must satisfy constraint: [Member must satisfy regular expression pattern: {_VARIABLE_NAME.pattern}], "
            f"found {odd[0]!r}",
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > _MAX_ENVIRONMENT_BYTES:
        return invalid(f"{prefix} exceeded the 4KB limit. String measured: {measured}")
    return None


def refused_numbers(data: Mapping[str, Any], *, bounds: Mapping[str, tuple[int, int]]) -> Answer | None:
    """Return the refusal of the first member outside its bounds (least, most), or None."""
    for name, (least, most) in bounds.items():
        value = data.get(name)
        if isinstance(value, int | float) and not least <= value <= most:
            field = name[0].lower() + name[1:]
            bound = f"less than or equal to {most}" if value > most else f"greater than or equal to {least}"
            return json_error(
                "ValidationException",
                f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: "
                f"Member must have value {bound}",
            )
    return None


def invalid(message: str) -> Answer:
    return json_error("InvalidParameterValueException", message)


def json_error(code: str, message: str, *, status: int = 400) -> Answer:
    response: Answer = responses.error_response_json(code, message, status)
    return response
