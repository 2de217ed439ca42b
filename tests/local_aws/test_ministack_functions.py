"""Checks that functions run as on AWS: isolated, limited, killed at their timeout, with AWS's errors."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

if TYPE_CHECKING:
    from conftest import MiniStack


def test_a_burst_of_uploads_is_handled_by_few_processes(ministack: MiniStack) -> None:
    ministack.notify(("burst/incoming/", ministack.create_function("image-classifier-burst", ministack.copy_event)))
    for number in range(60):
        ministack.client("s3").put_object(Bucket=ministack.bucket, Key=f"burst/incoming/{number}", Body=b"image")

    most = 0

    def all_answered() -> bool:
        nonlocal most
        most = max(most, len(ministack.function_processes()))
        return len(ministack.keys("burst/results/")) == 60

    until(all_answered, seconds=60)
    assert 1 <= most <= ministack.processes


def test_warm_processes_of_many_functions_do_not_add_up(ministack: MiniStack) -> None:
    source = "import os\ndef handler(event, context): return os.getpid()"
    names = [f"image-classifier-many-{number}" for number in range(ministack.processes + 1)]
    for name in names:
        ministack.create_function(name, source)
    first, *_, last = [ministack.invoke(name)[0] for name in names]

    assert len(ministack.function_processes()) <= ministack.processes
    assert ministack.invoke(names[-1])[0] == last
    assert first not in ministack.function_processes()


def test_an_upload_calls_the_version_the_alias_points_to(ministack: MiniStack) -> None:
    arn = ministack.create_function("image-classifier-alias", ministack.copy_event)
    ministack.notify(("alias/incoming/", arn))
    ministack.client("lambda").update_function_code(
        FunctionName="image-classifier-alias", ZipFile=ministack.zipped("def handler(event, context): raise ValueError")
    )
    ministack.client("s3").put_object(Bucket=ministack.bucket, Key="alias/incoming/a", Body=b"image")

    until(lambda: ministack.keys("alias/results/"))
    seen = json.loads(ministack.read("alias/results/a"))
    assert (seen["arn"], seen["version"]) == (arn, "1")


def test_a_failed_event_is_retried_and_then_sent_to_the_queue(ministack: MiniStack) -> None:
    source = """
def handler(event, context):
    print("attempt")
    raise ValueError("no such image")
"""
    arn = ministack.create_function("image-classifier-failing", source)
    functions, queue_arn = ministack.client("lambda"), ministack.settings["IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN"]
    functions.put_function_event_invoke_config(
        FunctionName="image-classifier-failing",
        Qualifier="live",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )
    ministack.notify(("failing/incoming/", arn))
    ministack.client("s3").put_object(Bucket=ministack.bucket, Key="failing/incoming/a", Body=b"image")

    record = json.loads(ministack.next_message(queue_arn))

    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "failing/incoming/a"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert ministack.log_lines("image-classifier-failing").count("attempt") == 2


def test_a_function_can_import_what_its_zip_and_aws_hold_and_nothing_else(ministack: MiniStack) -> None:
    source = """
import importlib.util
def handler(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    ministack.create_function("image-classifier-imports", source)
    names = ["app", "boto3", "botocore", "json", "yaml", "pydantic", "ministack", "local_aws", "PIL", "pip"]

    found, _ = ministack.invoke("image-classifier-imports", names)

    assert found == ["app", "boto3", "botocore", "json"]


def test_a_function_has_the_variables_of_lambda_and_its_own(ministack: MiniStack) -> None:
    source = "import os\ndef handler(event, context): return dict(os.environ)"
    ministack.create_function("image-classifier-variables", source, Environment={"Variables": {"CLASSIFIER": "digits"}})

    variables, _ = ministack.invoke("image-classifier-variables")

    assert variables["CLASSIFIER"] == "digits"
    assert variables["AWS_ENDPOINT_URL"] == ministack.url
    assert variables["_HANDLER"] == "app.handler"
    others = {name for name in variables if not name.startswith(("AWS_", "LAMBDA_", "_"))}
    assert others <= {"CLASSIFIER", "PATH", "LANG", "TZ", "LC_CTYPE", "TMPDIR"}


def test_an_error_is_reported_as_aws_reports_it(ministack: MiniStack) -> None:
    source = "def handler(event, context):\n    raise KeyError('label')"
    ministack.create_function("image-classifier-error", source)

    answer, error = ministack.invoke("image-classifier-error")

    assert error == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("KeyError", "'label'")
    assert "raise KeyError('label')" in answer["stackTrace"][-1]
    assert "[ERROR] KeyError: 'label'" in ministack.log_lines("image-classifier-error")


def test_a_package_the_zip_forgot_is_named(ministack: MiniStack) -> None:
    ministack.create_function("image-classifier-forgot", "import yaml")

    answer, _ = ministack.invoke("image-classifier-forgot")

    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert answer["errorMessage"] == "Unable to import module 'app': No module named 'yaml'"


def test_a_function_over_its_timeout_is_killed(ministack: MiniStack) -> None:
    source = """
import os, threading
def handler(event, context):
    if event == "hang":
        threading.Event().wait()
    return os.getpid()
"""
    ministack.create_function("image-classifier-slow", source, Timeout=1)
    first, _ = ministack.invoke("image-classifier-slow", "go")

    answer, error = ministack.invoke("image-classifier-slow", "hang")
    second, _ = ministack.invoke("image-classifier-slow", "go")

    assert error == "Unhandled"
    assert answer["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert first != second
    assert first not in ministack.function_processes()


def test_a_function_that_ends_its_process_is_answered_for(ministack: MiniStack) -> None:
    ministack.create_function("image-classifier-exit", "import os\ndef handler(event, context): os._exit(3)")

    answer, _ = ministack.invoke("image-classifier-exit")

    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Runtime exited with error: exit status 3")


def test_processes_end_with_their_code_and_with_their_function(ministack: MiniStack) -> None:
    pid_source = "import os\ndef handler(event, context): return [os.getpid(), '{}']"
    ministack.create_function("image-classifier-changes", pid_source.format("old"))
    (old, _), _ = ministack.invoke("image-classifier-changes")
    (same, _), _ = ministack.invoke("image-classifier-changes")
    functions = ministack.client("lambda")

    functions.update_function_code(
        FunctionName="image-classifier-changes", ZipFile=ministack.zipped(pid_source.format("new"))
    )
    assert old == same
    assert old not in ministack.function_processes()

    (new, code), _ = ministack.invoke("image-classifier-changes")
    assert code == "new"
    functions.delete_function(FunctionName="image-classifier-changes")
    assert new not in ministack.function_processes()


def test_what_a_function_logs_is_in_its_log_group_in_aws_format(ministack: MiniStack) -> None:
    source = """
import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    logging.info("classified %s", "a.jpg")
    print("plain")
"""
    ministack.create_function("image-classifier-logs", source)
    response = ministack.client("lambda").invoke(FunctionName="image-classifier-logs", LogType="Tail")

    lines = ministack.log_lines("image-classifier-logs")
    assert lines[0].startswith("START RequestId: ")
    assert lines[1].startswith("[INFO]\t")
    assert lines[1].endswith("\tclassified a.jpg")
    assert lines[2] == "plain"
    assert lines[-1].startswith("REPORT RequestId: ")
    assert b"plain" in base64.b64decode(response["LogResult"])


def refused(server: MiniStack, **settings: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        server.create_function("image-classifier-refused", "", **settings)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"Runtime": "python3.9"}, "InvalidParameterValueException", "IMAGE_CLASSIFIER_FUNCTION_RUNTIME"),
        ({"Architectures": ["z80"]}, "InvalidParameterValueException", "IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE"),
        ({"MemorySize": 20000}, "ValidationException", "less than or equal to 10240"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"Role": "arn:aws:iam::000000000000:role/none"}, "InvalidParameterValueException", "cannot be assumed"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}},
            "InvalidParameterValueException",
            "Reserved keys used in this request: AWS_REGION",
        ),
        ({"Environment": {"Variables": {"A1": "x" * 4096}}}, "InvalidParameterValueException", "4KB limit"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException", "1A"),
        ({"Code": {"S3Bucket": "{bucket}", "S3Key": "none.zip"}}, "InvalidParameterValueException", "NoSuchKey"),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:a:1"]}, "InvalidParameterValueException", "layers"),
    ],
)
def test_a_function_aws_would_refuse_is_refused(
    ministack: MiniStack, settings: dict[str, Any], code: str, words: str
) -> None:
    if "S3Bucket" in settings.get("Code", {}):
        settings = {"Code": {**settings["Code"], "S3Bucket": ministack.bucket}}
    found, message = refused(ministack, **settings)
    assert found == code
    assert words in message


def test_a_zip_of_more_than_50_mb_is_refused(ministack: MiniStack) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("weights", bytes(50 * 1024 * 1024))
    assert refused(ministack, Code={"ZipFile": buffer.getvalue()})[0] == "RequestEntityTooLargeException"
