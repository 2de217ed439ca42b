"""Uploads to prediction records on the laptop: at least 0.33 of the rate at which the endpoint is invoked directly.

Printed with it is the CPU time of each process per image. With a second checkout, its direct rate is measured in turn:
that of this one should be at least 0.9 of it.

PYTHONPATH=include:. .venv/airflow/bin/python tests/benchmarks/uploads_to_records.py [IMAGES [OTHER_CHECKOUT]]
"""

import contextlib
import io
import itertools
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from deployed_classifier import ROOT, Deployed, deployed
from measured import load
from PIL import Image
from sklearn.datasets import load_digits

from image_classifier.aws.names import endpoint_name
from image_classifier.contracts.pixels import PixelParameters, prepare

IMAGES, ROUNDS, CLIENTS = 1000, 3, 4
LEAST, LEAST_DIRECT = 0.33, 0.9
LIMIT_S = 300
PARTS = {  # by a word of the command line
    "local_aws.ministack ": "S3 and events",
    "function_bootstrap": "function",
    "local_aws.sagemaker ": "SageMaker",
    "image_classification_algorithm": "endpoint's container",
}


def pictures(number: int) -> list[bytes]:
    """Handwritten digits of 8 x 8 pixels, as PNG."""
    found = []
    for pixels in itertools.islice(itertools.cycle(load_digits().images), number):
        buffer = io.BytesIO()
        Image.fromarray((pixels * 15.9375).astype("uint8")).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found


def direct_rate(aws: Deployed, images: list[bytes]) -> float:
    """Images per second that the endpoint answers."""
    runtime, bodies = aws.client("sagemaker-runtime"), [prepare(image, PixelParameters(20)).jpeg for image in images]

    def ask(body: bytes) -> None:
        runtime.invoke_endpoint(
            EndpointName=endpoint_name(aws.classifier), ContentType="application/x-image", Body=body
        )

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(ask, bodies))
    return len(images) / (time.monotonic() - started)


def upload_rate(aws: Deployed, images: list[bytes], *, folder: str) -> float:
    """Images per second from the first upload to the last record."""
    s3, keys = aws.client("s3"), aws.keys

    def upload(numbered: tuple[int, bytes]) -> None:
        number, image = numbered
        s3.put_object(Bucket=aws.bucket, Key=f"{keys.incoming}{folder}/{number:05}.png", Body=image)

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(upload, enumerate(images)))
    last = f"{keys.predictions}{folder}/{len(images) - 1:05}.png.json"
    while not exists(s3, aws.bucket, last) or records(s3, aws, folder=folder) < len(images):
        if time.monotonic() - started > LIMIT_S:
            raise SystemExit(f"After {LIMIT_S} s there are {records(s3, aws, folder=folder)} records.")
        time.sleep(0.1)
    return len(images) / (time.monotonic() - started)


def records(s3: Any, aws: Deployed, *, folder: str) -> int:
    """How many records there are."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=aws.bucket, Prefix=f"{aws.keys.predictions}{folder}/")
    return sum(page["KeyCount"] for page in pages)


def exists(s3: Any, bucket: str, key: str) -> bool:
    """Return whether there is an object; a request for one costs less than a list of all."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def cpu_seconds(root: int) -> dict[str, float]:
    """CPU time so far of this process and of every process of the local AWS, by its part."""
    times, parents = os.times(), {}
    found = {"client": times.user + times.system}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])), _part(folder))
    for pid, (_, ticks, part) in parents.items():
        if _descends(pid, root, parents):
            found[part] = found.get(part, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
    return found


def _part(folder: Path) -> str:
    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return next((part for word, part in PARTS.items() if word in command), "other")


def _descends(pid: int, root: int, parents: dict[int, tuple[int, int, str]]) -> bool:
    while pid in parents and pid != root:
        pid = parents[pid][0]
    return pid == root


def compare(images: list[bytes], *, other: Path) -> None:
    """Print the direct rates of this checkout and of another, taken in turn."""
    with deployed() as mine, deployed(other) as theirs:
        rounds = [(direct_rate(mine, images), direct_rate(theirs, images)) for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(ours / others for ours, others in rounds)
    print(f"direct rate / that of {other}: {ratio:.2f} (at least {LEAST_DIRECT})")


def main(number: int, other: Path | None) -> None:
    """Print rates, their ratio, and CPU time per image; the first round of each is not counted."""
    images = pictures(number)
    with deployed(ROOT) as aws:
        direct_rate(aws, images[:100]), upload_rate(aws, images[:100], folder="first")
        rounds, before = [], cpu_seconds(aws.pid)
        spent: dict[str, float] = {}
        for turn in range(ROUNDS):
            direct = direct_rate(aws, images)
            before = cpu_seconds(aws.pid)
            rounds.append((upload_rate(aws, images, folder=f"turn-{turn}"), direct))
            for part, seconds in cpu_seconds(aws.pid).items():
                spent[part] = spent.get(part, 0.0) + seconds - before.get(part, 0.0)
    print(f"Medians of {ROUNDS} rounds of {number} images each, in turn; {load()}.")
    print(f"uploads to records {statistics.median(rate for rate, _ in rounds):6.0f} images/s")
    print(f"endpoint, directly {statistics.median(rate for _, rate in rounds):6.0f} images/s")
    print(f"ratio {statistics.median(rate / direct for rate, direct in rounds):.2f} (at least {LEAST})")
    for part, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {part:22} {seconds * 1000 / number / ROUNDS:6.2f} ms CPU per image")
    if other:
        compare(images, other=other)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
