"""SIGKILL of a shard, of a worker and of the steps before and after: the next run ends with the same set.

The steps run as the tasks run them, in processes of their own against the local S3; Airflow is not needed for it.
"""

import itertools
import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image
from tests.chaos.aws import Aws
from tests.chaos.halting import MOMENT_S, PATIENCE_S, end, family, go_on, halt_once, kill
from tests.chaos.preparing import SIDE_PX
from tests.chaos.report import Row
from tests.chaos.services import ChaosServices
from tests.ports import free_port
from tests.waiting import until

from image_classifier.contracts.pixels import PixelParameters
from image_classifier.prepare.inspection.inspector import file_name
from laptop.place import AIRFLOW_PYTHON, ROOT, Place

IMAGES = 400
SEED = 14
POINTS = range(5)  # of each scenario, which makes 20
IMAGE = ".jpg"
CHANGED_AT = 1_700_000_000  # the time of change of every image, in seconds since 1970


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three classes, with copies, near copies and files that cannot be used."""
    folder, random_numbers = tmp_path_factory.mktemp("images"), np.random.default_rng(SEED)
    for number in range(IMAGES):
        file = folder / ("ant", "bee", "cow")[number % 3] / f"{number:03}.png"
        file.parent.mkdir(exist_ok=True)
        rough = Image.fromarray(random_numbers.integers(0, 255, (9, 9, 3), dtype=np.uint8))
        image = rough.resize((96, 96), Image.Resampling.BICUBIC)
        image.save(file)
        if number % 20 == 0:
            image.point(lambda value: value * 9 // 10).save(file.with_name(f"{number:03} darker.png"))
        if number % 50 == 0:
            file.with_name(f"{number:03} copy.png").write_bytes(file.read_bytes())
    (folder / "ant" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno image")
    for file in folder.rglob("*.png"):  # the manifest marks files that changed just before they were listed
        os.utime(file, (CHANGED_AT, CHANGED_AT))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A local AWS beside that of the other scenarios, which is in use."""
    return Place(tmp_path_factory.mktemp("preparation"), aws_port=free_port(), sagemaker_port=free_port())


@pytest.fixture(scope="module")
def aws(place: Place) -> Iterator[Aws]:
    services = ChaosServices(place)
    try:
        services.start_local_aws()
        services.await_local_aws()
        state = place.aws_state
        ready, keys = (json.loads((state / name).read_text()) for name in ("ready.json", "keys.json"))
        os.environ.update(dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"))
        yield Aws(ready, key=keys["root"], calls_log=services.calls_log)
    finally:
        services.stop()


@dataclass
class Preparation:
    """The preparation of the folder into a bucket of its own, which keeps every version of its objects."""

    aws: Aws
    folder: Path
    bucket: str
    environment: dict[str, str]
    runner: str = "task"
    listing: str = "{}"
    begun: list[subprocess.Popen[str]] = field(default_factory=list)

    def begin(self, step: str, shard: int = 0, **environment: str) -> subprocess.Popen[str]:
        """Start a step in a process of its own."""
        arguments = [step, self.bucket, str(self.folder), self.runner, self.listing, str(shard)]
        command = [str(AIRFLOW_PYTHON), "-m", "tests.chaos.preparing", *arguments]
        process = subprocess.Popen(
            command,
            env=self.environment | environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.begun.append(process)
        return process

    def run(self, step: str, shard: int = 0) -> str:
        """Run a step to its end; returns what it printed."""
        out, error = self.begin(step, shard).communicate(timeout=PATIENCE_S)
        assert self.begun[-1].returncode == 0, error
        return out.strip()

    def write_listing(self) -> None:
        self.listing = self.run("list")

    def run_all(self) -> str:
        """A whole run; returns the fingerprint."""
        self.write_listing()
        return self.run("task")

    def count(self, sign: str) -> int:
        """How many objects there are whose key has the sign."""
        return sum(sign in key for key in self.all_keys())

    def all_keys(self) -> list[str]:
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def content(self) -> dict[str, bytes]:
        """What is in the bucket, but for the listing and current.json, which has hashes; documents name the bucket."""
        kept = [key for key in self.all_keys() if "/listing/" not in key and not key.endswith("/current.json")]
        return {key: self.read(key).replace(self.bucket.encode(), b"bucket") for key in kept}

    def read(self, key: str) -> bytes:
        return bytes(self.aws.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def uploaded_twice(self) -> list[str]:
        """The images that went up more than once, but for those of which copies lie in two shards."""
        copies = {self._stored_as(file) for file in self.folder.rglob("* copy.png")}
        pages = self.aws.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        times = Counter(one["Key"] for page in pages for one in page.get("Versions", []))
        again = [key for key, count in times.items() if count > 1 and key.endswith(".jpg")]
        return [key for key in again if key.rpartition("/")[2] not in copies]

    @staticmethod
    def _stored_as(file: Path) -> str:
        return file_name(file.read_bytes(), parameters=PixelParameters(SIDE_PX), unmodified=False)

    def halt_at(self, images: int, process: subprocess.Popen[str], *, moment_s: float = MOMENT_S) -> None:
        """Halt a step once it has uploaded so many images, so that it does not end before it is killed."""
        what = f"{images} images"
        if images:
            until(lambda: self.count(IMAGE) or process.poll() is not None, seconds=PATIENCE_S, what="an image")
        halt_once(process, lambda: self.count(IMAGE) >= images, what=what, moment_s=moment_s)


@pytest.fixture(scope="module")
def new_preparation(aws: Aws, folder: Path, place: Place) -> Any:
    numbers = itertools.count()
    ready = json.loads((place.aws_state / "ready.json").read_text())
    key = json.loads((place.aws_state / "keys.json").read_text())["root"]
    keys = {"AWS_ACCESS_KEY_ID": key["access_key"], "AWS_SECRET_ACCESS_KEY": key["secret"]}
    environment = {
        **os.environ,
        **ready["aws"],
        **ready["settings"],
        **keys,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT)]),
    }
    environment.pop("AWS_SESSION_TOKEN", None)

    def make(runner: str = "task") -> Preparation:
        bucket = f"preparation-{next(numbers)}"
        aws.s3.create_bucket(Bucket=bucket)
        aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return Preparation(aws, folder, bucket, environment, runner)

    return make


@pytest.fixture(scope="module")
def expected(new_preparation: Any) -> tuple[str, dict[str, bytes]]:
    """Fingerprint and content after a run that nothing disturbed."""
    undisturbed = new_preparation()
    return undisturbed.run_all(), undisturbed.content()


@pytest.fixture
def preparation(new_preparation: Any) -> Iterator[Preparation]:
    made = new_preparation()
    yield made
    for process in made.begun:
        end(process)


def point(scenario: str, number: int, *, least: int, most: int) -> int:
    """A random number that the scenario and its own number decide."""
    return random.Random(f"{SEED} {scenario} {number}").randint(least, most)


def check_next_run(preparation: Preparation, row: Row, expected: tuple[str, dict[str, bytes]], *, where: str) -> None:
    """A new run ends with the set of the undisturbed run, and uploads nothing again."""
    fingerprint = preparation.run_all()
    twice, same = preparation.uploaded_twice(), (fingerprint, preparation.content()) == expected
    row.check_ours(
        same and not twice,
        f"killed {where}: the next run has the {'right' if same else 'wrong'} set, {len(twice)} images went up twice",
    )


@pytest.mark.parametrize("number", POINTS)
def test_a_process_that_prepares_shards_is_killed(preparation, row, expected, number):
    images = point("shard", number, least=1, most=IMAGES * 3 // 4)
    preparation.write_listing()
    task = preparation.begin("task")
    preparation.halt_at(images, task)

    workers = [one for one in psutil.Process(task.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    kill(workers[number % len(workers)])
    go_on(family(psutil.Process(task.pid)))

    assert task.wait(PATIENCE_S) == 1
    assert "PreparationError" in task.stderr.read()
    check_next_run(preparation, row, expected, where=f"after {images} images")


@pytest.mark.parametrize("number", POINTS)
def test_the_task_with_its_processes_is_killed(preparation, row, expected, number):
    images = point("task", number, least=0, most=IMAGES * 3 // 4)
    preparation.write_listing()
    task = preparation.begin("task")
    preparation.halt_at(images, task)

    kill(psutil.Process(task.pid))

    assert task.wait(PATIENCE_S) == -signal.SIGKILL
    check_next_run(preparation, row, expected, where=f"after {images} images")


@pytest.mark.parametrize("number", POINTS)
def test_a_mapped_task_is_killed_and_tried_again(new_preparation, row, expected, number):
    preparation = new_preparation("mapped")
    preparation.write_listing()
    shards = json.loads(preparation.listing)["shards"]
    shard, images = number * (shards - 1) // max(POINTS), point("mapped", number, least=1, most=30)
    task = preparation.begin("shard", shard)
    preparation.halt_at(images, task, moment_s=MOMENT_S / 5)  # the shard has few images

    kill(psutil.Process(task.pid))

    assert task.wait(PATIENCE_S) == -signal.SIGKILL
    for again in (shard, (shard + 1) % shards):
        preparation.run("shard", again)
    check_next_run(preparation, row, expected, where=f"after {images} images of shard {shard} of {shards}")


def kill_itself(preparation: Preparation, step: str, sign: str, after: int) -> None:
    """Run a step until it has written so many objects whose key has the sign, and is about to write another."""
    process = preparation.begin(step, KILL_BEFORE=sign, KILL_AFTER=str(after))
    _, error = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, preparation.count(sign)) == (-signal.SIGKILL, after), error


@pytest.mark.parametrize("number", POINTS)
def test_the_last_step_is_killed(preparation, row, expected, number):
    documents = point("last", number, least=0, most=6)
    preparation.write_listing()

    kill_itself(preparation, "task", "/versions/", documents)

    check_next_run(preparation, row, expected, where=f"after {documents} documents of the version")


@pytest.mark.parametrize("number", range(2))
def test_the_listing_is_killed(preparation, row, expected, number):
    files = point("listing", number, least=1, most=10)

    kill_itself(preparation, "list", "/listing/", files)

    check_next_run(preparation, row, expected, where=f"after {files} files of the listing")


def test_workers_share_the_shards_and_make_the_same_set(new_preparation, row, expected):
    preparation = new_preparation("mapped")
    preparation.write_listing()
    shards = json.loads(preparation.listing)["shards"]
    for first in range(0, shards, 2):
        for process in [preparation.begin("shard", shard) for shard in range(first, min(first + 2, shards))]:
            assert process.wait(PATIENCE_S) == 0, process.stderr.read()

    fingerprint = preparation.run("task")

    same = (fingerprint, preparation.content()) == expected
    row.check_ours(same, f"{shards} shards, two at a time: {'the same' if same else 'another'} set")
