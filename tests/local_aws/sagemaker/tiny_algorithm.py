"""Implements the container contract in a few lines; hyperparameters choose its behaviour."""

import http.server
import json
import os
import signal
import sys
import time
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])


def train():
    settings = json.loads((BASE / "input/config/hyperparameters.json").read_text())
    behaviour = settings.get("behaviour", "complete")
    files = sorted(
        p.relative_to(BASE / "input/data").as_posix() for p in (BASE / "input/data").rglob("*") if p.is_file()
    )
    print("files", " ".join(files), flush=True)
    print("environment", json.dumps(dict(os.environ)), flush=True)
    (BASE / "checkpoints" / "state.txt").open("a").write("x")
    if behaviour == "fail":
        (BASE / "output/failure").write_text(settings.get("failure", "it broke"))
        sys.exit(2)
    if behaviour == "read-pipes":
        for pipe in ("train_0", "train_1"):
            (BASE / "model" / pipe).write_bytes((BASE / "input/data" / pipe).read_bytes())
    if behaviour == "read-for-ever":
        with (BASE / "input/data/train_0").open("rb", buffering=0) as pipe:
            pipe.read(1)
            print("waiting", flush=True)
            time.sleep(600)
    acts = {"hosts": act_as_host, "go-on": go_on, "tune": tune}
    if behaviour in acts:
        acts[behaviour](settings)
    if behaviour in ("save", "stubborn"):
        signal.signal(signal.SIGTERM, save_and_exit if behaviour == "save" else signal.SIG_IGN)
        print("waiting", flush=True)
        time.sleep(600)
    for epoch, accuracy in enumerate((0.9, 0.75)):
        print(f"[06/17/2021 23:35:18 INFO 1] Epoch[{epoch}] Train-accuracy={accuracy}", flush=True)
        print(f"[06/17/2021 23:35:47 INFO 1] Epoch[{epoch}] Validation-accuracy={accuracy - 0.25}", flush=True)
    (BASE / "model/model.json").write_text(json.dumps(settings))


def act_as_host(settings):
    resources = json.loads((BASE / "input/config/resourceconfig.json").read_text())
    host = resources["current_host"]
    (BASE / "model" / f"{host}.json").write_text(json.dumps({"environment": dict(os.environ), **resources}))
    if "fails" in settings:
        if host == settings["fails"]:
            (BASE / "output/failure").write_text(f"{host} broke")
            sys.exit(2)
        time.sleep(600)


def go_on(settings):
    """Train from the checkpoint on, as a program does that is made for managed spot training."""
    checkpoint = BASE / "checkpoints" / "epoch.txt"
    first = int(checkpoint.read_text()) + 1 if checkpoint.exists() else 0
    for epoch in range(first, int(settings["epochs"])):
        time.sleep(0.2)
        checkpoint.write_text(str(epoch))
        print(f"[06/17/2021 23:35:47 INFO 1] Epoch[{epoch}] Validation-accuracy=0.5", flush=True)


def process():
    """Do to each file of an input folder what the first argument says, and write the result to an output folder."""
    what, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    resources = json.loads((BASE / "config/resourceconfig.json").read_text())
    host = resources["current_host"]
    files = sorted(path for path in source.rglob("*") if path.is_file())
    print("files", *(path.relative_to(source).as_posix() for path in files), flush=True)
    (BASE / "output/message").write_bytes(b"\xff" if what == "say-nonsense" else f"{host} has {len(files)};".encode())
    for path in files:
        (target / path.name).write_bytes(path.read_bytes().upper())
    (target / f"{host}.json").write_text(json.dumps({"environment": dict(os.environ), **resources}))
    if what == "fail" or what == f"fail-on-{host}":
        sys.exit(3)
    if what.startswith(("wait", "fail-on")):
        print("waiting", flush=True)
        time.sleep(600)


def tune(settings):
    """Print an accuracy that the learning rate decides; later trials of a tuning job lag behind if so asked.

    One that lags waits after its first epoch until it is stopped: it is compared with the same epoch of the others.
    """
    lags = "-001-" not in os.environ["TRAINING_JOB_NAME"] and settings.get("later") == "lag"
    accuracy = 0.001 if lags else 1 - abs(float(settings["learning_rate"]) - 0.3)
    for epoch in range(2):
        time.sleep(0.1)
        print(f"[06/17/2021 23:35:47 INFO 1] Epoch[{epoch}] Validation-accuracy={accuracy}", flush=True)
        if lags:
            time.sleep(600)
    (BASE / "model/model.json").write_text(json.dumps(settings))
    sys.exit(0)


def save_and_exit(*_):
    (BASE / "model/model.json").write_text("{}")
    sys.exit(0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    model = ""

    def do_GET(self):
        if self.path == "/ping":
            self.answer(200, b"")
        elif told := json.loads(self.model).get("execution-parameters"):
            self.answer(200, json.dumps(told).encode())
        else:
            self.answer(404, b"")

    def do_POST(self):
        body = self.body()
        if body == b"bad":
            self.answer(400, b"that is no image")
        elif body == b"die":
            os._exit(1)
        elif body == b"slow":
            time.sleep(0.5)
            self.answer(200, self.model.encode())
        elif body == b"environment?":
            self.answer(200, json.dumps(dict(os.environ)).encode())
        elif body == b"headers?":
            self.answer(200, json.dumps(dict(self.headers)).encode())
        else:
            self.answer(200, self.model.encode() if body == b"model?" else body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", self.headers.get("Accept", "application/json"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


def serve():
    Handler.model = (BASE / "model/model.json").read_text()
    if "refuse-to-serve" in Handler.model:
        sys.exit("there is no such network")
    print("serving", flush=True)
    Server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()


{"train": train, "serve": serve}.get(sys.argv[1], process)()
