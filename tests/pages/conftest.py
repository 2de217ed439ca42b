"""Provides a browser, the local AWS, and a web server of another origin."""

import contextlib
import functools
import http.server
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from tests.pages import airflow_server
from tests.pages.airflow_server import Airflow
from tests.pages.person import Person
from tests.pages.written import Written
from tests.ports import free_port

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
        self.ready = ready
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


@contextlib.contextmanager
def running_local_aws(state: Path) -> Iterator[LocalAws]:
    """The local AWS, started as `make up` starts it."""
    command = [ROOT / ".venv/local-aws/bin/python", "-m", "local_aws", "--state", state]
    ports = ["--port", str(free_port()), "--sagemaker-port", str(free_port())]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include"), "LOCAL_AWS_IAM": "off"}
    process = subprocess.Popen([*command, *ports], env=env, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    try:
        while not (state / "ready.json").exists():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, "not ready in time"
            time.sleep(0.1)
        yield LocalAws(json.loads((state / "ready.json").read_text()))
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("aws")) as started:
        yield started


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
def playwright() -> Iterator[Playwright]:
    """Playwright, which can run once in a process."""
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is missing; install it: apt-get install chromium"
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Chromium with a profile of its own."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"), executable_path=CHROMIUM, headless=True, args=ARGUMENTS
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Chromium in which several people can be signed in at once."""
    started = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
    yield started
    started.close()


@pytest.fixture(scope="session")
def airflow(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Airflow with the classifiers pets and plants, on the local AWS."""
    with airflow_server.running(tmp_path_factory.mktemp("airflow"), local_aws.ready, port=free_port()) as started:
        yield started


@pytest.fixture(scope="session")
def pets(local_aws: LocalAws) -> Written:
    """A classifier with two models and 200 predictions, written without training."""
    written = Written(local_aws.client("s3"), local_aws.bucket, "pets", labels=("cat", "dog", "fox"))
    write_two_models(written)
    return written


@pytest.fixture
def sign_in(chromium: Browser, airflow: Airflow, pets: Written) -> Iterator[Any]:
    """Signs a user in, in a browser context of their own."""
    contexts = list[BrowserContext]()

    def signed_in(name: str, **options: Any) -> Person:
        contexts.append(chromium.new_context(**options))
        return Person(contexts[-1], airflow, name)

    yield signed_in
    for context in contexts:
        context.close()


@pytest.fixture
def anna(sign_in: Any) -> Person:
    """A user who may edit."""
    return sign_in("anna")


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A new tab."""
    page = browser.new_page()
    yield page
    page.close()


def write_two_models(written: Written) -> None:
    """What runs, the function and the watch Dag would have left of a classifier with two models."""
    new, old = (f"image-classifier-{written.name}-1a2b3c4d-{ending}" for ending in ("99887766", "55443322"))
    fingerprint = "1a2b3c4d" + "0" * 56
    written.uploads(60, job=old, days=3, now=datetime.now(UTC) - timedelta(days=2))
    written.uploads(140, job=new, days=2)
    written.decision(written.model(old, fingerprint=fingerprint, right=0.85), champion=None, at=datetime.now(UTC))
    report = written.model(new, fingerprint=fingerprint, right=0.93)
    written.decision(report, champion=old, at=datetime.now(UTC) + timedelta(seconds=1))
    written.dataset("0" * 64, images=90)
    written.dataset(
        fingerprint, images=120, warnings=('2 files cannot be used and were left out; see "rejected" in report.json.',)
    )
    written.deployment(new)
    written.seen(
        [new, old], findings={"alias": f"The alias live of image-classifier-{written.name} is at version 2, not 3."}
    )
