"""A browser, the local AWS, and a web server of somebody else: what the tests of web pages need."""

import functools
import http.server
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FOREIGN_NAME = "evil.example"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {FOREIGN_NAME} 127.0.0.1",
]


class LocalAws:
    """A local AWS that runs, with clients for it."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.url: str = ready["endpoint_url"]
        self.sagemaker_url: str = ready["sagemaker_endpoint_url"]
        self.bucket: str = ready["settings"]["IMAGE_CLASSIFIER_BUCKET"]
        self.role: str = ready["settings"]["IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN"]
        self.runtime: str = ready["settings"]["IMAGE_CLASSIFIER_FUNCTION_RUNTIME"]
        self.port = int(self.url.rpartition(":")[2])

    @functools.cache  # noqa: B019  one for the whole session
    def client(self, service: str) -> Any:
        url = self.sagemaker_url if service == "sagemaker" else self.url
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        key = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=url, config=config, **key)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The local AWS, started as `make up` starts it."""
    state = tmp_path_factory.mktemp("aws")
    command = [ROOT / ".venv/local-aws/bin/python", "-m", "local_aws", "--state", state]
    ports = ["--port", str(free_port()), "--sagemaker-port", str(free_port())]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include"), "LOCAL_AWS_IAM": "off"}
    process = subprocess.Popen([*command, *ports], env=env, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (state / "ready.json").exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "not ready in time"
        time.sleep(0.1)
    yield LocalAws(json.loads((state / "ready.json").read_text()))
    process.terminate()
    process.communicate(timeout=60)


class _EmptyPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>A foreign page</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def foreign_port() -> Iterator[int]:
    """The port of a web server that has nothing to do with the local AWS."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Chromium with a profile of its own."""
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is missing; install it: apt-get install chromium"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        yield context
        context.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A new tab."""
    page = browser.new_page()
    yield page
    page.close()
