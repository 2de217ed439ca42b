"""Checks when the checkpoints of a job are uploaded while its program runs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from local_aws.sagemaker.jobs.synced_folder import SyncedFolder


class Bucket:
    """Takes files; before each a test may do what a program would."""

    def __init__(self):
        self.taken = {}
        self.meanwhile = lambda: None

    def upload_file(self, file, _, key):
        self.meanwhile()
        self.taken[key] = Path(file).read_bytes()


@pytest.fixture
def bucket():
    return Bucket()


@pytest.fixture
def checkpoints(tmp_path, bucket):
    return SyncedFolder(tmp_path, uri="s3://b/c", aws=SimpleNamespace(s3=bucket))


def test_a_file_is_sent_once_it_stays_as_it_is(tmp_path, bucket, checkpoints):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "1").write_bytes(b"one")
    checkpoints.sync()
    assert bucket.taken == {}
    checkpoints.sync()
    assert bucket.taken == {"c/deep/1": b"one"}
    bucket.taken.clear()
    checkpoints.sync(everything=True)
    assert bucket.taken == {}


def test_a_file_that_its_program_removes_meanwhile_is_no_failure(tmp_path, bucket, checkpoints):
    (tmp_path / "1").write_bytes(b"one")
    (tmp_path / "2").write_bytes(b"two")
    bucket.meanwhile = lambda: (tmp_path / "1").unlink(missing_ok=True)

    checkpoints.sync(everything=True)

    assert bucket.taken == {"c/2": b"two"}
