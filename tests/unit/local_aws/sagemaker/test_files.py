"""Checks that artifacts and channels are reproducible, and never outside their folder."""

import io
import tarfile

import pytest

from local_aws.sagemaker import artifacts
from local_aws.sagemaker.aws import S3Object
from local_aws.sagemaker.jobs.downloads import DataError, ObjectCache, relative_path
from local_aws.sagemaker.jobs.failures import JobStoppedError


def test_the_same_files_give_the_same_artifact(tmp_path):
    for number in (1, 2):
        folder = tmp_path / f"model{number}"
        (folder / "sub").mkdir(parents=True)
        for name in ("b.params", "sub/a.json")[:: 1 if number == 1 else -1]:
            (folder / name).write_text(name)
        artifacts.pack(folder, to=tmp_path / f"{number}.tar.gz")

    assert (tmp_path / "1.tar.gz").read_bytes() == (tmp_path / "2.tar.gz").read_bytes()
    artifacts.unpack(tmp_path / "1.tar.gz", to=tmp_path / "out")
    assert (tmp_path / "out" / "sub" / "a.json").read_text() == "sub/a.json"


def test_the_hosts_models_become_one_and_the_first_host_wins_a_clash(tmp_path):
    for host, files in (("algo-1", ("model", "symbol")), ("algo-2", ("model", "extra"))):
        (tmp_path / host).mkdir()
        for name in files:
            (tmp_path / host / name).write_text(host)

    artifacts.pack(tmp_path / "algo-1", tmp_path / "algo-2", to=tmp_path / "model.tar.gz")

    artifacts.unpack(tmp_path / "model.tar.gz", to=tmp_path / "out")
    found = {file.name: file.read_text() for file in (tmp_path / "out").iterdir()}
    assert found == {"model": "algo-1", "symbol": "algo-1", "extra": "algo-2"}


@pytest.mark.parametrize("name", ["../escaped", "sub/../../escaped"])
def test_a_member_outside_the_folder_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo(name)
        archive.addfile(member, io.BytesIO(b""))

    with pytest.raises(artifacts.ArtifactError, match=r"evil.tar.gz is not a gzip-compressed tar archive"):
        artifacts.unpack(tmp_path / "evil.tar.gz", to=tmp_path / "out")

    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_link_which_could_lead_outside_is_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)

    with pytest.raises(artifacts.ArtifactError, match="link is neither a file nor a folder"):
        artifacts.unpack(tmp_path / "evil.tar.gz", to=tmp_path / "out")


def test_a_program_stays_one_that_can_be_run(tmp_path):
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("code/start.sh")
        member.mode = 0o700
        archive.addfile(member, io.BytesIO(b""))

    artifacts.unpack(tmp_path / "model.tar.gz", to=tmp_path / "out")

    assert (tmp_path / "out/code/start.sh").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"", b"plain", b"\x1f\x8b\x08\x00cut"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "model.tar.gz").write_bytes(content)

    with pytest.raises(artifacts.ArtifactError):
        artifacts.unpack(tmp_path / "model.tar.gz", to=tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "prefix", "path"),
    [
        ("data/train/cat/1.jpg", "data/train/", "cat/1.jpg"),
        ("data/train/cat/1.jpg", "data/train", "cat/1.jpg"),
        ("data/train_lst/train.lst", "data/train", "train_lst/train.lst"),
        ("data/train.lst", "data/train.lst", "train.lst"),
        ("cat/1.jpg", "", "cat/1.jpg"),
        ("data/train/", "data/train/", "."),
    ],
)
def test_an_object_lands_at_its_key_below_the_prefix(key, prefix, path):
    assert relative_path(key, prefix=prefix) == path


@pytest.mark.parametrize("key", ["data/../../x", "data//x/../../../y", "data//etc/x"])
def test_a_key_that_would_leave_the_channel_is_refused(key):
    with pytest.raises(DataError, match="cannot be a path of a file"):
        relative_path(key, prefix="data/")


class FakeS3:
    """Objects in memory that count how often they are fetched."""

    def __init__(self, **objects):
        self.contents = {key.replace("__", "/"): value for key, value in objects.items()}
        self.fetched = []

    def objects(self, _):
        return [S3Object("b", key, f"etag-{value}", len(value)) for key, value in self.contents.items()]

    def fetch(self, item, *, to):
        self.fetched.append(item.key)
        to.write(self.contents[item.key].encode())


def test_a_second_download_fetches_nothing(tmp_path):
    aws = FakeS3(a__1="x", a__2="y")
    cache = ObjectCache(tmp_path / "objects", aws=aws)

    counts = [cache.download("s3://b/a/", to=tmp_path / f"{n}") for n in (1, 2)]

    assert counts == [2, 2]
    assert sorted(aws.fetched) == ["a/1", "a/2"]
    assert (tmp_path / "2" / "2").read_text() == "y"


def test_an_object_that_changed_is_fetched_again(tmp_path):
    aws = FakeS3(a__1="x")
    cache = ObjectCache(tmp_path / "objects", aws=aws)
    cache.download("s3://b/a/", to=tmp_path / "1")
    aws.contents["a/1"] = "z"

    cache.download("s3://b/a/", to=tmp_path / "2")

    assert [(tmp_path / n / "1").read_text() for n in "12"] == ["x", "z"]


def test_an_object_that_a_power_cut_left_empty_is_fetched_again(tmp_path):
    aws = FakeS3(a__1="x")
    cache = ObjectCache(tmp_path / "objects", aws=aws)
    cache.download("s3://b/a/", to=tmp_path / "first")
    (kept,) = (tmp_path / "objects").iterdir()
    kept.unlink()
    kept.touch()

    cache.download("s3://b/a/", to=tmp_path / "second")

    assert (tmp_path / "second/1").read_text() == "x"


def test_keys_of_one_path_leave_the_kept_objects_as_they_are(tmp_path):
    cache = ObjectCache(tmp_path / "objects", aws=FakeS3(a__b__1="first", a__b____1="again", c__1="first"))

    cache.download("s3://b/a/", to=tmp_path / "first")
    cache.download("s3://b/c/", to=tmp_path / "second")

    assert (tmp_path / "first/b/1").read_text() in ("first", "again")
    assert sorted(file.read_text() for file in (tmp_path / "objects").iterdir()) == ["again", "first"]


def test_a_sharded_channel_gives_every_object_to_one_host(tmp_path):
    cache = ObjectCache(tmp_path / "objects", aws=FakeS3(a__1="x", a__2="y", a__3="z"))

    for host in (0, 1):
        cache.download("s3://b/a/", to=tmp_path / f"{host}", part=(host, 2))

    found = [sorted(file.name for file in (tmp_path / host).iterdir()) for host in "01"]
    assert found == [["1", "3"], ["2"]]


def test_a_cancelled_download_stops(tmp_path):
    cache = ObjectCache(tmp_path / "objects", aws=FakeS3(a__1="x"), cancelled=lambda: True)

    with pytest.raises(JobStoppedError):
        cache.download("s3://b/a/", to=tmp_path / "1")


def test_trimming_forgets_until_the_rest_fits(tmp_path):
    aws = FakeS3(a__1="x" * 10, a__2="y" * 10)
    cache = ObjectCache(tmp_path / "objects", aws=aws)
    cache.download("s3://b/a/", to=tmp_path / "1")

    cache.trim(max_bytes=15)

    assert len(list((tmp_path / "objects").iterdir())) == 1
    assert (tmp_path / "1" / "1").read_text() == "x" * 10
