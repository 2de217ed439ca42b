"""Checks the endpoint's container."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient
from tests.ports import free_port

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.folders import BASE_VARIABLE
from image_classification_algorithm.inference import serving_session
from image_classification_algorithm.networks.onnx_graph import IMAGENET, onnx_model
from image_classification_algorithm.networks.resnet import resnet
from image_classification_algorithm.serving import app
from image_classification_algorithm.serving.app import application
from image_classification_algorithm.serving.model import Model
from image_classification_algorithm.serving.server import PORT_VARIABLE
from image_classifier.contracts.training.machine import usable_cores

FOLDER = Path(__file__).resolve().parents[3] / "include"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder with a model of three classes for images of 12 x 8 pixels."""
    folder = tmp_path_factory.mktemp("ml")
    description = Description("image-classification-0001.params", "resnet", 20, 3, "3,8,12", False, 1, None, {})
    net = resnet(20, num_classes=3).eval()
    artifact.write(folder / "model", description, graph=onnx_model(net, normalisation=IMAGENET, image_size_px=(8, 12)))
    return folder


@pytest.fixture(scope="module")
def client(base: Path) -> TestClient:
    return TestClient(application(Model.load(base / "model")))


def post(client: TestClient, data: bytes, content_type: str = "application/x-image", **headers: str) -> httpx.Response:
    return client.post("/invocations", content=data, headers={"content-type": content_type, **headers})


def test_a_small_network_has_one_thread_and_a_larger_one_all_cores(base):
    graph = artifact.read(base / "model").graph

    def threads(pixels):
        return serving_session(graph, pixels=pixels).get_session_options().intra_op_num_threads

    assert (threads(64 * 64), threads(65 * 64)) == (1, usable_cores())


def test_ping_answers(client):
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize(("cores", "concurrent"), [(2, 2), (64, 16)])
def test_a_transform_job_gets_one_image_per_core_and_at_most_100_mb(client, monkeypatch, cores, concurrent):
    monkeypatch.setattr(app, "usable_cores", lambda: cores)

    told = client.get("/execution-parameters").json()

    assert told == {"MaxConcurrentTransforms": concurrent, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 6}
    assert told["MaxConcurrentTransforms"] * told["MaxPayloadInMB"] <= 100


@pytest.mark.parametrize("content_type", ["application/x-image", "image/jpeg", "image/png", "image/jpeg; q=1"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_answer_is_an_array_with_a_probability_per_class(client, picture_bytes, content_type, kind):
    response = post(client, picture_bytes(kind), content_type)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert len(response.json()) == 3
    assert sum(response.json()) == pytest.approx(1, abs=1e-5)


def test_json_lines_carry_the_same_probabilities(client, picture_bytes):
    plain = post(client, picture_bytes("PNG")).json()
    response = post(client, picture_bytes("PNG"), accept="application/jsonlines")
    assert json.loads(response.text) == {"prediction": plain}


def test_a_transform_job_gets_json_lines_unless_it_asks_for_json(client, picture_bytes, monkeypatch):
    plain = post(client, picture_bytes("PNG")).json()
    monkeypatch.setenv("SAGEMAKER_BATCH", "true")
    assert json.loads(post(client, picture_bytes("PNG")).text) == {"prediction": plain}
    assert post(client, picture_bytes("PNG"), accept="application/json").json() == plain


@pytest.mark.parametrize(
    ("data", "content_type", "status", "sentence"),
    [
        (b"hello", "image/jpeg", 400, "The image is neither a JPEG nor a PNG."),
        (b"\xff\xd8\xff\xe0", "image/jpeg", 400, "The image is a JPEG whose header is damaged"),
        (b"", "image/jpeg", 400, "The request has no body"),
        (b"1,2", "text/csv", 415, "Content type 'text/csv' is not supported"),
        (b"1,2", "", 415, "Content type '' is not supported"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_sentence(client, data, content_type, status, sentence):
    response = post(client, data, content_type)
    assert response.status_code == status
    assert response.text.startswith(sentence)
    assert response.text.count("\n") == 1


def test_a_bad_image_does_not_affect_other_requests(client, picture_bytes):
    before = post(client, picture_bytes("PNG")).json()
    assert post(client, b"hello").status_code == 400
    assert post(client, picture_bytes("PNG")).json() == before


@pytest.mark.parametrize("announced", [True, False])
def test_a_request_over_the_limit_is_refused(client, monkeypatch, announced):
    monkeypatch.setattr(app, "MAX_REQUEST_BYTES", 1000)
    content = b"x" * 1001 if announced else iter([b"x" * 600, b"x" * 600])
    response = client.post("/invocations", content=content, headers={"content-type": "image/png"})
    assert (response.status_code, response.text) == (413, "The image is larger than 1000 bytes.\n")


def test_more_requests_than_the_queue_holds_are_turned_away(client, picture_bytes, monkeypatch):
    monkeypatch.setattr(app, "MAX_WAITING", 0)
    assert post(client, picture_bytes("PNG")).status_code == 503


def test_the_process_serves_and_ends_with_status_zero_at_sigterm(base, picture_bytes):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "image_classification_algorithm", "serve"],
        env={"PYTHONPATH": str(FOLDER), BASE_VARIABLE: str(base), PORT_VARIABLE: str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_ping(f"http://127.0.0.1:{port}/ping")
        headers = {"content-type": "image/png"}
        url = f"http://127.0.0.1:{port}/invocations"
        assert len(httpx.post(url, content=picture_bytes("PNG"), headers=headers, timeout=60).json()) == 3
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=60)
    assert status == 0
    assert process.stdout.readline() == "Docker entrypoint called with argument(s): serve\n"


def wait_for_ping(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert httpx.get(url, timeout=60).status_code == 200
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The endpoint did not come up")
