"""The servers that take uploads, nginx with WebDAV and `rclone serve s3`, which also lists; and what they can do."""

import contextlib
import http.client
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.ports import free_port

BUCKET = "bench"
START_S = 60
CONNECTIONS = 8
NGINX = """
{user}
worker_processes 2; pid {folder}/pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/tmp; client_body_buffer_size 256k; keepalive_requests 10000000;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      root {folder}/objects; client_max_body_size 100m;
      dav_methods PUT; create_full_put_path on;
      add_header ETag '"00000000000000000000000000000000"' always;
      if ($args ~ "list-type") {{ return 200 '<ListBucketResult><Name>{bucket}</Name></ListBucketResult>'; }}
    }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Serve an empty bucket that keeps what it gets and lists nothing; yields its URL."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "objects").mkdir(parents=True)
    port = free_port()
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, bucket=BUCKET, user=user))
    with _serving(["nginx", "-c", str(folder / "nginx.conf")], port, folder) as url:
        yield url


@contextlib.contextmanager
def rclone(program: Path, folder: Path) -> Iterator[str]:
    """Serve an empty bucket as S3 does; yields its URL."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "objects" / BUCKET).mkdir(parents=True)
    port = free_port()
    options = [
        "--addr",
        f"127.0.0.1:{port}",
        "--log-level",
        "ERROR",
        "--vfs-cache-mode",
        "off",
        str(folder / "objects"),
    ]
    with _serving([str(program), "serve", "s3", *options], port, folder) as url:
        yield url


@contextlib.contextmanager
def _serving(command: list[str], port: int, folder: Path) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}  # rclone fails with it
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection,
        ):
            connection.connect()
            return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not serve port {port}.")


def limit(url: str, *, body: bytes, count: int) -> float:
    """Objects a second that a client uploads which does nothing else: it neither reads files nor signs requests."""
    host = url.removeprefix("http://")

    def send(place: int) -> None:
        connection = http.client.HTTPConnection(host)
        for number in range(place, count, CONNECTIONS):
            connection.request("PUT", f"/{BUCKET}/limit/{number}", body)
            connection.getresponse().read()

    threads = [threading.Thread(target=send, args=(place,)) for place in range(CONNECTIONS)]
    started = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (perf_counter() - started)
