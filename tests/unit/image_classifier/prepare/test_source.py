import io
import os
from itertools import permutations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError, ImageRejectedError, StorageError
from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.sources.opening import open_source

BUCKET = "pictures"


def classifier_of(source, **changes):
    return Classifier(name="pets", source=source, **changes)


def names_of(source):
    return [file.name for file in source.files()]


@pytest.fixture
def folder(tmp_path):
    for name in ("cat/1.jpg", "cat/deep/er/2.jpg", "dog/1.jpg", "top.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_folder_gives_files_and_folders_relative_to_it(folder):
    assert names_of(FolderSource(folder)) == [
        "top.txt",
        "cat/",
        "cat/1.jpg",
        "cat/deep/",
        "cat/deep/er/",
        "cat/deep/er/2.jpg",
        "dog/",
        "dog/1.jpg",
        "empty/",
    ]


def test_links_to_files_and_folders_are_followed(folder):
    (folder / "dog" / "linked.jpg").symlink_to(folder / "cat" / "1.jpg")
    (folder / "ant").symlink_to(folder / "cat" / "deep")

    names = names_of(FolderSource(folder))

    assert {"dog/linked.jpg", "ant/er/2.jpg"} <= set(names)
    assert FolderSource(folder).read("dog/linked.jpg", limit_bytes=99) == b"cat/1.jpg"


def test_a_link_back_to_a_folder_above_does_not_go_round(folder):
    (folder / "cat" / "deep" / "again").symlink_to(folder / "cat")

    assert [name for name in names_of(FolderSource(folder)) if "again" in name] == ["cat/deep/again/"]


def test_folders_with_links_to_each_other_are_refused_soon(tmp_path):
    for one, other in permutations("abcdefghijkl", 2):
        (tmp_path / one).mkdir(exist_ok=True)
        (tmp_path / one / f"to {other}").symlink_to(tmp_path / other)

    with pytest.raises(DatasetError, match=r"More than 100 paths lead to .*/\w, such as .*/a/to b/"):
        FolderSource(tmp_path).files()


def test_pipes_are_not_images(folder):
    os.mkfifo(folder / "cat" / "pipe")

    assert "cat/pipe" not in names_of(FolderSource(folder))


def test_a_pipe_that_a_list_names_is_not_waited_for(folder):
    os.mkfifo(folder / "cat" / "pipe.jpg")

    with pytest.raises(ImageRejectedError, match="no file") as caught:
        FolderSource(folder).read("cat/pipe.jpg", limit_bytes=99)
    assert caught.value.code == "unreadable"


def test_a_link_that_leads_nowhere_is_listed_and_cannot_be_read(folder):
    (folder / "cat" / "lost.jpg").symlink_to(folder / "nowhere")
    source = FolderSource(folder)

    assert "cat/lost.jpg" in names_of(source)
    with pytest.raises(ImageRejectedError, match="No such file") as caught:
        source.read("cat/lost.jpg", limit_bytes=99)
    assert caught.value.code == "unreadable"


def test_names_that_are_not_unicode_are_listed_and_read(folder):
    raw = os.path.join(os.fsencode(folder), b"cat", b"caf\xe9.jpg")  # noqa: PTH118 - pathlib takes no bytes
    with open(raw, "wb") as file:  # noqa: PTH123
        file.write(b"x")
    source = FolderSource(folder)

    (name,) = [name for name in names_of(source) if "caf" in name]

    assert source.read(name, limit_bytes=99) == b"x"


@pytest.mark.parametrize("limit_bytes", [3, 9, 99])
def test_no_more_is_read_than_the_limit(folder, s3, limit_bytes):
    s3.put_object(Bucket=BUCKET, Key="p/cat/1.jpg", Body=b"cat/1.jpg")
    for source in (FolderSource(folder), BucketSource(s3, BUCKET, "p/")):
        assert source.read("cat/1.jpg", limit_bytes=limit_bytes) == b"cat/1.jpg"[:limit_bytes]


def test_a_folder_that_is_not_there_is_refused_with_its_path(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere is no folder: it does not exist.*`source`"):
        names_of(FolderSource(tmp_path / "nowhere"))


def test_a_file_is_not_a_folder(folder):
    with pytest.raises(DatasetError, match="it is a file"):
        names_of(FolderSource(folder / "top.txt"))


def test_a_relative_source_starts_at_the_data_folder(folder, s3):
    assert names_of(open_source(classifier_of("cat"), s3=s3, data_folder=folder)) == [
        "1.jpg",
        "deep/",
        "deep/er/",
        "deep/er/2.jpg",
    ]
    assert open_source(classifier_of(str(folder)), s3=s3, data_folder=folder / "cat").where == f"folder {folder}"


def test_a_prefix_gives_keys_relative_to_it(s3):
    for key in ("p/", "p/cat/1.jpg", "p/cat/", "p/top.txt", "p2/other.jpg"):
        s3.put_object(Bucket=BUCKET, Key=key)

    source = open_source(classifier_of(f"s3://{BUCKET}/p/"), s3=s3, data_folder=None)

    assert names_of(source) == ["cat/", "cat/1.jpg", "top.txt"]
    assert source.where == f"prefix s3://{BUCKET}/p/"


def test_a_whole_bucket_is_a_source(s3):
    s3.put_object(Bucket=BUCKET, Key="cat/1.jpg")

    assert names_of(open_source(classifier_of(f"s3://{BUCKET}/"), s3=s3, data_folder=None)) == ["cat/1.jpg"]


def test_an_empty_prefix_is_refused_by_name(s3):
    with pytest.raises(DatasetError, match="s3://pictures/nothing/ holds no object"):
        names_of(BucketSource(s3, BUCKET, "nothing/"))


def test_a_bucket_that_is_not_there_is_refused_by_name(s3):
    with pytest.raises(DatasetError, match=r"Cannot list s3://other/p/: .*NoSuchBucket.*Check that the bucket exists"):
        names_of(BucketSource(s3, "other", "p/"))


def test_an_object_that_has_gone_meanwhile_is_one_rejected_image(s3):
    with pytest.raises(ImageRejectedError, match="NoSuchKey") as caught:
        BucketSource(s3, BUCKET, "p/").read("gone.jpg", limit_bytes=9)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "SlowDown", "Message": "slow"}}, "GetObject"),
        EndpointConnectionError(endpoint_url="https://s3"),
    ],
)
def test_a_failing_service_does_not_thin_out_the_set(s3, failure, monkeypatch):
    def fail(**request):
        raise failure

    monkeypatch.setattr(s3, "get_object", fail)
    with pytest.raises(StorageError, match=r"Cannot read s3://pictures/p/cat at present: .* Nothing is wrong with the"):
        BucketSource(s3, BUCKET, "p/").read("cat", limit_bytes=9)


class Answers:
    """Stands for get_object: of ten bytes the first answers hand out what a broken connection lets through."""

    def __init__(self, *lengths):
        self.left = list(lengths)

    def __call__(self, **request):
        return {"Body": io.BytesIO(b"0123456789"[: self.left.pop(0)]), "ContentLength": 10}


def test_an_answer_that_breaks_off_is_asked_for_again(s3, monkeypatch):
    monkeypatch.setattr(s3, "get_object", Answers(5, 0, 10))
    assert BucketSource(s3, BUCKET, "p/").read("cat", limit_bytes=99) == b"0123456789"


def test_answers_that_always_break_off_are_no_image(s3, monkeypatch):
    monkeypatch.setattr(s3, "get_object", Answers(5, 5, 5))
    with pytest.raises(StorageError, match="5 read, but total bytes expected is 10"):
        BucketSource(s3, BUCKET, "p/").read("cat", limit_bytes=99)


def test_links_in_a_circle_are_listed_and_cannot_be_read(folder):
    (folder / "cat" / "loop.jpg").symlink_to("loop.jpg")
    source = FolderSource(folder)

    assert "cat/loop.jpg" in names_of(source)
    with pytest.raises(ImageRejectedError, match="Too many levels"):
        source.read("cat/loop.jpg", limit_bytes=99)


def test_hidden_folders_are_not_entered(folder, monkeypatch):
    (folder / ".Trash-0" / "cat").mkdir(parents=True)
    (folder / ".DS_Store").touch()
    entered = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (entered.append(path), scandir(path))[1])

    assert not [name for name in names_of(FolderSource(folder)) if name.startswith(".")]
    assert folder / ".Trash-0" not in entered


@pytest.mark.parametrize(
    "prefix", ["", "pets/", "pets/dataset/", "pets/dataset/train/", "pets/models/", "pets/predictions/a/"]
)
def test_a_source_that_holds_what_the_package_writes_is_refused(prefix):
    with pytest.raises(DatasetError, match=rf"Source s3://{BUCKET}/{prefix} and s3://{BUCKET}/pets/.*Move the images"):
        BucketSource(None, BUCKET, prefix).check_apart_from(BUCKET, Keys("pets"))


@pytest.mark.parametrize(
    ("bucket", "prefix"),
    [("other", "pets/"), (BUCKET, "pets/raw/"), (BUCKET, "pets-images/"), (BUCKET, "pets/incoming/")],
)
def test_any_other_prefix_is_a_source(bucket, prefix):
    BucketSource(None, bucket, prefix).check_apart_from(BUCKET, Keys("pets"))

    with pytest.raises(DatasetError):
        BucketSource(None, bucket, prefix).check_apart_from(bucket, Keys(prefix.rstrip("/")))


def test_an_object_is_read_as_it_was_listed_or_rejected(s3):
    s3.put_object(Bucket=BUCKET, Key="p/cat/1.jpg", Body=b"listed")
    source = BucketSource(s3, BUCKET, "p/")
    (file,) = source.files()

    assert source.read(file.name, limit_bytes=9, stamp=file.stamp) == b"listed"

    s3.put_object(Bucket=BUCKET, Key="p/cat/1.jpg", Body=b"replaced")
    with pytest.raises(ImageRejectedError, match="replaced after it had been listed") as caught:
        source.read(file.name, limit_bytes=9, stamp=file.stamp)
    assert caught.value.code == "changed"


HEADER = "x-amz-request-payer"


def test_only_where_the_file_says_so_this_account_pays_for_reading(s3, monkeypatch):
    s3.put_object(Bucket=BUCKET, Key="p/cat/1.jpg", Body=b"x")
    sent = []
    s3.meta.events.register("request-created.s3", lambda request, **_: sent.append(request.headers.get(HEADER)))

    for pays in (False, True):
        source = open_source(classifier_of(f"s3://{BUCKET}/p/", requester_pays=pays), s3=s3, data_folder=None)
        source.read(source.files()[0].name, limit_bytes=9)

    assert sent == [None, None, "requester", "requester"]


def test_a_file_s_stamp_is_another_once_it_was_changed(folder):
    stamps = {file.name: file.stamp for file in FolderSource(folder).files()}
    os.utime(folder / "cat/1.jpg", ns=(1, 1))

    again = {file.name: file.stamp for file in FolderSource(folder).files()}

    assert {name for name in stamps if stamps[name] != again[name]} == {"cat/1.jpg"}
    assert stamps["cat/"] == ""


def test_what_systems_leave_behind_is_not_entered(folder):
    for name in ("__MACOSX/cat", "cat/@eaDir"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.jpg").touch()
    (folder / "cat" / "Thumbs.db").touch()

    assert not [
        name for name in names_of(FolderSource(folder)) if any(word in name for word in ("MACOSX", "@eaDir", "Thumbs"))
    ]
