"""Starts a patched MiniStack with the stack deployed, for the tests that need one."""

import contextlib
import dataclasses
import functools
import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port
from tests.waiting import until

from local_aws import clients, function_runtime, stack

INCLUDE = Path(__file__).parents[2] / "include"
PROCESSES = 2


def processes_with(text: str) -> list[int]:
    """The ids of the processes whose command line holds `text`."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,stat,args"], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines()[1:])
    return [int(row[0]) for row in rows if len(row) == 3 and text in row[2] and not row[1].startswith("Z")]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(INCLUDE), "SECRET_OF_THE_HOST": "not for functions", **more}


COPY_EVENT = """
import json, urllib.parse, boto3
s3 = boto3.client("s3")
def handler(event, context):
    record = event["Records"][0]["s3"]
    key = urllib.parse.unquote_plus(record["object"]["key"])
    body = json.dumps({"event": event, "arn": context.invoked_function_arn, "version": context.function_version})
    s3.put_object(Bucket=record["bucket"]["name"], Key=key.replace("/incoming/", "/results/"), Body=body)
"""


def zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()


@functools.cache
def _client(service: str, url: str) -> Any:
    return clients.client(service, endpoint_url=url)  # takes 50 ms or more


@dataclasses.dataclass
class MiniStack:
    """A running MiniStack, and what tests do with one."""

    zipped = staticmethod(zipped)
    copy_event = COPY_EVENT
    processes = PROCESSES

    state: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    settings: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def fault_plan(self) -> Path:
        return self.state / "faults.json"

    def plan(self, *faults: dict[str, Any]) -> None:
        """Write the fault plan in one step, as one should."""
        scratch = self.fault_plan.with_suffix(".tmp")
        scratch.write_text(json.dumps(faults))
        scratch.replace(self.fault_plan)

    @property
    def bucket(self) -> str:
        return self.settings["IMAGE_CLASSIFIER_BUCKET"]

    def start(self) -> None:
        command = [sys.executable, "-m", "local_aws.ministack", "--state", str(self.state), "--port", str(self.port)]
        command += ["--faults", str(self.fault_plan)]
        env = environment(LOCAL_AWS_FUNCTION_PROCESSES=str(PROCESSES), LOCAL_AWS_RETRY_WAIT_S="0.1")
        with (self.state.parent / "ministack.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        until(self._answers, seconds=120, what="MiniStack's start")
        self.settings = self.settings or stack.deploy(self.url)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, name: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(name)
        return self.process.wait(30)

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.state.parent / "ministack.log").read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def client(self, service: str) -> Any:
        return _client(service, self.url)

    def function_processes(self) -> list[int]:
        # Between fork and exec, the launcher of children.py has the same words in its command line.
        return [pid for pid in processes_with(f"{self.state}/functions/running") if not _is_launcher(pid)]

    def create_function(self, name: str, source: str, **settings: Any) -> str:
        """Create a function with an alias ``live`` that S3 may call; returns the alias's ARN."""
        request = {
            "FunctionName": name,
            "Runtime": function_runtime.runtime(),
            "Architectures": [function_runtime.architecture()],
            "Role": self.settings["IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN"],
            "Handler": "app.handler",
            "Code": {"ZipFile": zipped(source)},
            "Timeout": 30,
            **settings,
        }
        functions = self.client("lambda")
        functions.create_function(**request)
        until(lambda: functions.get_function_configuration(FunctionName=name)["State"] == "Active")
        version = functions.publish_version(FunctionName=name)["Version"]
        alias = functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        functions.add_permission(
            FunctionName=name,
            Qualifier="live",
            StatementId="s3",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{self.bucket}",
            SourceAccount=clients.ACCOUNT,
        )
        arn: str = alias["AliasArn"]
        return arn

    def notify(self, *entries: tuple[str, str]) -> None:
        """Let uploads below each prefix call each function."""
        configurations = [
            {
                "Id": prefix.strip("/").replace("/", "-"),
                "LambdaFunctionArn": arn,
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
            }
            for prefix, arn in entries
        ]
        self.client("s3").put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"LambdaFunctionConfigurations": configurations}
        )

    def invoke(self, name: str, payload: Any = None) -> tuple[Any, str | None]:
        """The function's answer, and what went wrong."""
        response = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload))
        return json.loads(response["Payload"].read()), response.get("FunctionError")

    def log_lines(self, name: str) -> list[str]:
        events = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return [event["message"] for event in events]

    def next_message(self, queue_arn: str) -> str:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
        message = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        body: str = message["Body"]
        return body

    def keys(self, prefix: str) -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        body: bytes = self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body


def _is_launcher(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "os.execvp" in Path(f"/proc/{pid}/cmdline").read_text()
    return False


@pytest.fixture
def new_ministack(tmp_path: Path) -> Iterator[MiniStack]:
    """A MiniStack for one test, to be killed and started again."""
    server = MiniStack(tmp_path / "ministack", free_port())
    server.state.mkdir()
    server.start()
    yield server
    if server.process and server.process.poll() is None:
        server.stop()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    """A MiniStack for all tests; each uses names of its own."""
    server = MiniStack(tmp_path_factory.mktemp("shared") / "ministack", free_port())
    server.state.mkdir()
    server.start()
    yield server
    server.stop()


FOREIGN = {
    "another origin": ["Host: {own}", "Origin: http://evil.example"],
    "the origin null": ["Host: {own}", "Origin: null"],
    "another port of the same host": ["Host: {own}", "Origin: http://127.0.0.1:1"],
    "a cross-site form without an origin": ["Host: {own}", "Sec-Fetch-Site: cross-site", "Content-Type: text/plain"],
    "an image of the same site": ["Host: {own}", "Sec-Fetch-Site: same-site", "Sec-Fetch-Dest: image"],
    "a name that was bound to this address": ["Host: evil.example:{port}"],
    "a name that begins like its own": ["Host: 127.0.0.1.evil.example"],
    "its own name with an origin as a subdomain": ["Host: evil.localhost", "Origin: http://localhost"],
}


def raw_answer(port: int, line: str, headers: list[str], *, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """The status, the headers with small letters, and the body of the answer to one request."""
    ending = [] if "Upgrade: websocket" in headers else ["Connection: close", f"Content-Length: {len(body)}"]
    lines = [line, *headers, *(ending or ["Connection: Upgrade"])]
    head = "".join(f"{item}\r\n" for item in lines).format(own=f"127.0.0.1:{port}", port=port)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + body)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    start, _, content = received.partition(b"\r\n\r\n")
    status, *fields = start.decode("latin-1").split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return int(status.split()[1]), found, content


@pytest.fixture(name="raw_answer")
def raw_answer_fixture() -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """Sends a request byte by byte, as no HTTP client would."""
    return raw_answer


@pytest.fixture(params=FOREIGN.values(), ids=FOREIGN)
def foreign_headers(request: pytest.FixtureRequest) -> list[str]:
    """The headers of a request that a web page could send."""
    headers: list[str] = request.param
    return headers
