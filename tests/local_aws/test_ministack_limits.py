"""Checks Lambda's limits: memory, payloads, the temporary folder, a read-only package, the size of a zip."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MiniStack

MIB = 1024 * 1024


@pytest.mark.parametrize("wait", ["", "time.sleep(20)"], ids=["while it runs", "when it answers"][::-1])
def test_a_function_that_exceeds_its_memory_ends(ministack: MiniStack, wait: str) -> None:
    name = f"image-classifier-memory-{len(wait)}"
    source = f"""
import os, time
def handler(event, context):
    taken = bytearray(os.urandom(1024) * 1024 * event)
    {wait}
    return [os.getpid(), len(taken)]
"""
    ministack.create_function(name, source, MemorySize=256, Timeout=30)
    if not wait:
        (pid, taken), _ = ministack.invoke(name, 100)
        assert taken == 100 * MIB

    answer, error = ministack.invoke(name, 300)

    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.OutOfMemory"
    assert answer["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert ministack.invoke(name, 0 if not wait else 300)[0] != answer
    assert wait or pid not in ministack.function_processes()


def test_payloads_over_lambdas_limits_are_refused(ministack: MiniStack) -> None:
    ministack.create_function("image-classifier-payload", "def handler(event, context): return 'x' * event['answer']")
    functions = ministack.client("lambda")

    def refused(invocation_type: str, size: int) -> dict[str, str]:
        payload = json.dumps({"answer": 0, "filling": "x" * size})
        with pytest.raises(ClientError) as caught:
            functions.invoke(FunctionName="image-classifier-payload", InvocationType=invocation_type, Payload=payload)
        return dict(caught.value.response["Error"])

    assert refused("RequestResponse", 6 * MIB)["Code"] == "RequestTooLargeException"
    assert "1048576 bytes" in refused("Event", MIB)["Message"]
    assert ministack.invoke("image-classifier-payload", {"answer": 1, "filling": "x" * 5 * MIB}) == ("x", None)
    answer, error = ministack.invoke("image-classifier-payload", {"answer": 7 * MIB})
    assert (answer["errorType"], error) == ("Function.ResponseSizeTooLarge", "Unhandled")


def test_a_payload_that_is_no_json_is_refused(ministack: MiniStack) -> None:
    ministack.create_function("image-classifier-json", "def handler(event, context):\n    return event")
    invoke = ministack.client("lambda").invoke
    for payload in (b"{no json", b"\xff"):
        with pytest.raises(ClientError) as caught:
            invoke(FunctionName="image-classifier-json", Payload=payload)
        assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"
    assert invoke(FunctionName="image-classifier-json", Payload=b'"text"')["Payload"].read() == b'"text"'


def test_the_package_may_only_be_read_and_the_temporary_folder_written(ministack: MiniStack) -> None:
    source = """
import os, tempfile
def handler(event, context):
    folder = os.path.dirname(__file__)
    try:
        open(os.path.join(folder, event["name"]), "w")
    except OSError as error:
        refused = type(error).__name__
    with tempfile.NamedTemporaryFile() as file:
        return [refused, os.path.dirname(file.name) == tempfile.gettempdir() == os.environ["TMPDIR"]]
"""
    ministack.create_function("image-classifier-read-only", source)

    for name in ("new", "app.py"):
        assert ministack.invoke("image-classifier-read-only", {"name": name}) == (["PermissionError", True], None)


def test_a_file_cannot_be_larger_than_the_temporary_folder(ministack: MiniStack) -> None:
    source = """
import os, tempfile
def handler(event, context):
    with tempfile.TemporaryFile(buffering=0) as file:
        file.seek(event)
        try:
            file.write(b"x")
        except OSError as error:
            return type(error).__name__
"""
    ministack.create_function("image-classifier-temporary", source, EphemeralStorage={"Size": 600})

    assert ministack.invoke("image-classifier-temporary", 599 * MIB) == (None, None)
    assert ministack.invoke("image-classifier-temporary", 600 * MIB) == ("OSError", None)


def test_a_temporary_folder_of_more_than_10_gb_is_refused(ministack: MiniStack) -> None:
    with pytest.raises(ClientError) as caught:
        ministack.create_function("image-classifier-refused", "", EphemeralStorage={"Size": 10_241})
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_zip_that_unpacks_to_more_than_250_mb_is_refused(ministack: MiniStack) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(251 * MIB))
    ministack.client("s3").put_object(Bucket=ministack.bucket, Key="code.zip", Body=buffer.getvalue())

    for code in ({"ZipFile": buffer.getvalue()}, {"S3Bucket": ministack.bucket, "S3Key": "code.zip"}):
        with pytest.raises(ClientError) as caught:
            ministack.create_function("image-classifier-refused", "", Code=code)
        assert caught.value.response["Error"]["Message"] == "Unzipped size must be smaller than 262144000 bytes"


def test_code_that_is_no_zip_is_refused(ministack: MiniStack) -> None:
    with pytest.raises(ClientError) as caught:
        ministack.create_function("image-classifier-refused", "", Code={"ZipFile": b"no zip"})
    assert "Could not unzip uploaded file" in caught.value.response["Error"]["Message"]


def test_an_alias_names_a_version_that_exists(ministack: MiniStack) -> None:
    functions, name = ministack.client("lambda"), "image-classifier-aliases"
    ministack.create_function(name, "def handler(event, context): return context.function_version")

    def code_of(call: Callable[..., object], **request: str) -> str:
        with pytest.raises(ClientError) as caught:
            call(FunctionName=name, **request)
        return str(caught.value.response["Error"]["Code"])

    assert code_of(functions.create_alias, Name="next", FunctionVersion="7") == "ResourceNotFoundException"
    assert code_of(functions.update_alias, Name="live", FunctionVersion="7") == "ResourceNotFoundException"
    assert code_of(functions.create_alias, Name="12", FunctionVersion="1") == "ValidationException"
    functions.create_alias(FunctionName=name, Name="newest", FunctionVersion="$LATEST")
    functions.update_alias(FunctionName=name, Name="newest", FunctionVersion="1")
    assert ministack.invoke(f"{name}:newest") == ("1", None)
