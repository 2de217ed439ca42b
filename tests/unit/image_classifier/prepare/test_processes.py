import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.image_classifier.prepare.folder_s3 import FolderS3
from tests.waiting import until

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError, PreparationError
from image_classifier.prepare import dataset as steps
from image_classifier.prepare.shards import pending, processes, sharding
from image_classifier.prepare.shards.listing import inspected_key
from image_classifier.prepare.shards.processes import Shards

BUCKET = "pictures"
CONTENT = {"cat": list(range(40)), "dog": list(range(60, 100))}


@pytest.fixture
def s3(tmp_path):
    (tmp_path / "s3").mkdir()
    return FolderS3(tmp_path / "s3")


@pytest.fixture
def listed(images, s3, settings, classifier, monkeypatch):
    """A listing of ten shards, and the arguments of what prepares them."""
    monkeypatch.setattr(sharding, "IMAGES_OF_A_SHARD", 8)
    monkeypatch.setattr(pending, "most_processes", lambda: 2)
    images(CONTENT)
    listing = steps.list_dataset(classifier, s3=s3, settings=settings)
    return listing, Shards("pets", listing.run, BUCKET, settings.data_folder)


def parts(s3, listing):
    return [
        s3.get_object(Bucket=BUCKET, Key=inspected_key(number, keys=Keys("pets"), run=listing.run))["Body"].read()
        for number in range(listing.shards)
    ]


def test_several_processes_write_what_one_writes(listed, s3):
    listing, shards = listed
    said = []

    pending.prepare_pending(listing, shards, s3=s3, connect=lambda: s3, on_progress=said.append)
    by_two = parts(s3, listing)
    for number in range(listing.shards):
        s3.file(BUCKET, inspected_key(number, keys=Keys("pets"), run=listing.run)).unlink()
    for file in s3.folder.glob("*.jpg"):
        file.unlink()
    pending.prepare_pending(listing, shards, s3=s3, connect=None, on_progress=said.append)

    assert by_two == parts(s3, listing)
    assert said[0] == "10 shards are prepared by 2 processes"
    assert sum(line.startswith("80 of 80 images inspected, 0 rejected") for line in said) == 2


def test_an_error_of_a_process_is_the_one_that_it_raised(listed, s3, tmp_path):
    listing, shards = listed
    (tmp_path / "images").rename(tmp_path / "elsewhere")

    with pytest.raises(DatasetError, match="is not there on this machine"):
        pending.prepare_pending(listing, shards, s3=s3, connect=lambda: s3, on_progress=lambda line: None)


class Killed:
    """Ends the process that asks it for a client."""

    def __call__(self):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_named_and_the_next_try_continues(listed, s3):
    listing, shards = listed

    with pytest.raises(PreparationError, match="was killed, perhaps because the worker has too little memory"):
        pending.prepare_pending(listing, shards, s3=s3, connect=Killed, on_progress=lambda line: None)
    pending.prepare_pending(listing, shards, s3=s3, connect=lambda: s3, on_progress=lambda line: None)

    assert len(parts(s3, listing)) == 10


def test_few_shards_start_no_process(listed, s3, monkeypatch):
    listing, shards = listed
    monkeypatch.setattr(pending, "SHARDS_OF_A_PROCESS", 6)
    monkeypatch.setattr(pending, "prepare_in_processes", lambda *_, **__: pytest.fail("a process was started"))

    pending.prepare_pending(listing, shards, s3=s3, connect=lambda: s3, on_progress=lambda line: None)

    assert len(parts(s3, listing)) == 10


def test_shards_that_mapped_tasks_have_prepared_are_left_alone(listed, s3, monkeypatch):
    listing, shards = listed
    prepared = []
    monkeypatch.setattr(pending, "prepare_one", lambda number, *_, **__: prepared.append(number) or Result())
    processes.prepare_one(3, shards, s3=s3, stored=processes.StoredKeys(s3, BUCKET))

    mapped = listing.model_copy(update={"runner": "mapped"})
    pending.prepare_pending(mapped, shards, s3=s3, connect=None, on_progress=lambda line: None)

    assert prepared == [0, 1, 2, 4, 5, 6, 7, 8, 9]


class Result:
    images, rejected = 8, 0


PARENT = """
import multiprocessing, sys, time
from image_classifier.prepare.shards import processes

if __name__ == "__main__":
    with processes.process_pool(1) as pool:
        print(pool.submit(processes.os.getpid).result(), flush=True)
        pool.submit(time.sleep, 600).result()
"""


def test_a_process_ends_with_its_parent(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True, env=env)
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    until(lambda: not is_alive(child), seconds=30, what="the end of the child")


def is_alive(process):
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().split(") ")[1][0] != "Z"


def test_a_process_that_may_not_have_children_does_it_itself(listed, s3, monkeypatch):
    listing, shards = listed
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)

    pending.prepare_pending(listing, shards, s3=s3, connect=lambda: pytest.fail("a client"), on_progress=print)

    assert len(parts(s3, listing)) == 10
