import contextlib
import itertools
import threading

import pytest
from obstore.exceptions import GenericError
from obstore.store import MemoryStore

from image_classifier.contracts.errors import DatasetError, StorageError
from image_classifier.contracts.pixels import Prepared
from image_classifier.prepare.stores import (
    BURST,
    FEW_FOLDERS,
    MOST_FAILURES,
    MOST_KEPT,
    PAGE,
    BucketStore,
    ConcurrentStore,
    open_store,
    stored_keys,
)

BUCKET = "pictures"
IMAGE = Prepared(b"jpeg", 32, 32)


class Objects:
    """What obstore opens: each put waits for ``gate``, if there is one, and fails for keys with "bad"."""

    def __init__(self, gate=None):
        self.gate, self.put_keys = gate, []

    def put(self, key, body, *, attributes, use_multipart):
        if self.gate:
            assert self.gate.wait(timeout=60)
        self.put_keys.append(key)
        if "bad" in key:
            raise GenericError("Generic S3 error\n\nDebug source: ...")


def test_obstore_uploads_images_with_their_content_type(s3):
    objects = MemoryStore()
    store = ConcurrentStore(BucketStore(s3, BUCKET), objects)

    store.put("a.jpg", IMAGE)
    store.put("b.png", IMAGE)
    store.finish()

    assert {key: objects.get(key).attributes["Content-Type"] for key in ("a.jpg", "b.png")} == {
        "a.jpg": "image/jpeg",
        "b.png": "image/png",
    }
    assert bytes(objects.get("a.jpg").bytes()) == b"jpeg"


def test_put_does_not_wait_and_finish_does(s3):
    gate = threading.Event()
    objects = Objects(gate)
    store = ConcurrentStore(BucketStore(s3, BUCKET), objects)

    for number in range(MOST_KEPT):
        store.put(f"{number}.jpg", IMAGE)
    assert objects.put_keys == []
    gate.set()
    store.finish()

    assert len(objects.put_keys) == MOST_KEPT


def test_uploads_start_together(s3):
    begun = threading.Event()

    class Noting(Objects):
        def put(self, key, body, **options):
            begun.set()
            super().put(key, body, **options)

    objects = Noting()
    store = ConcurrentStore(BucketStore(s3, BUCKET), objects)

    for number in range(BURST - 1):
        store.put(f"{number}.jpg", IMAGE)
    assert not begun.wait(timeout=0.1)
    store.put("last.jpg", IMAGE)
    assert begun.wait(timeout=60)
    store.finish()

    assert len(objects.put_keys) == BURST


def test_put_waits_while_too_many_images_are_in_memory(s3):
    gate, went = threading.Event(), threading.Event()
    store = ConcurrentStore(BucketStore(s3, BUCKET), Objects(gate))
    for number in range(MOST_KEPT):
        store.put(f"{number}.jpg", IMAGE)

    one_more = threading.Thread(target=lambda: (store.put("more.jpg", IMAGE), went.set()))
    one_more.start()
    assert not went.wait(timeout=0.1)
    gate.set()

    assert went.wait(timeout=60)
    one_more.join()


def test_boto3_uploads_what_obstore_fails_to(s3, stored, caplog):
    store = ConcurrentStore(BucketStore(s3, BUCKET), Objects())

    store.put("bad.jpg", IMAGE)
    store.finish()

    assert stored() == {"bad.jpg": b"jpeg"}
    assert "obstore failed: Generic S3 error" in caplog.text


def test_obstore_is_given_up_after_some_failures(s3, stored):
    objects = Objects()
    store = ConcurrentStore(BucketStore(s3, BUCKET), objects)

    for number in range(MOST_FAILURES + 5):
        store.put(f"bad{number}.jpg", IMAGE)
        store.finish()

    assert len(objects.put_keys) == MOST_FAILURES
    assert len(stored()) == MOST_FAILURES + 5


def test_an_image_that_nobody_can_upload_ends_the_run(s3):
    store = ConcurrentStore(BucketStore(s3, "other"), Objects())

    store.put("bad.jpg", IMAGE)

    with pytest.raises(DatasetError, match=r"Cannot write s3://other/bad\.jpg"):
        store.finish()
    with pytest.raises(DatasetError, match=r"Cannot write s3://other/bad\.jpg"):
        store.put("good.jpg", IMAGE)


def test_an_image_that_was_just_put_can_be_copied(s3, stored):
    store = ConcurrentStore(BucketStore(s3, BUCKET), Objects())

    store.put("bad.jpg", IMAGE)  # by boto3, into the bucket that copies
    store.copy("bad.jpg", to="copy.jpg")

    assert stored() == {"bad.jpg": b"jpeg", "copy.jpg": b"jpeg"}


def test_boto3_uploads_where_obstore_cannot_be_set_up(s3, monkeypatch, caplog):
    def refuse(s3, *, bucket):
        raise GenericError("no certificate")

    assert open_store(s3, BUCKET) == BucketStore(s3, BUCKET)  # other signatures: see conftest
    monkeypatch.setattr("image_classifier.prepare.stores.object_store", refuse)

    assert open_store(s3, BUCKET) == BucketStore(s3, BUCKET)
    assert "no certificate" in caplog.text


class Bucket:
    """What obstore opens, kept where boto3 finds it; one upload fails, if ``fails`` says which, counted from 0."""

    def __init__(self, s3, *, fails=None):
        self.s3, self.fails, self.put_keys, self._counter = s3, fails, [], itertools.count()

    def put(self, key, body, *, attributes, use_multipart):
        if next(self._counter) == self.fails:
            raise GenericError("Generic S3 error")
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.put_keys.append(key)

    def list(self, prefix, *, chunk_size):
        return [self._listed(prefix)["objects"]]

    def list_with_delimiter(self, prefix):
        return self._listed(prefix, Delimiter="/")

    def _listed(self, prefix, **more):
        page = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix, **more)
        objects = [{"path": stored["Key"], "size": stored["Size"]} for stored in page.get("Contents", [])]
        folders = [folder["Prefix"].removesuffix("/") for folder in page.get("CommonPrefixes", [])]
        return {"objects": objects, "common_prefixes": folders}


def test_no_list_is_written_before_all_images_are_stored(s3, prepare, images, stored, monkeypatch):
    def refuse(self, key, prepared):
        raise StorageError("S3 is down")

    stores = []

    class Recorded(ConcurrentStore):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            stores.append(self)

    images({"cat": range(6), "dog": range(6, 12)})
    first, second = Bucket(s3, fails=2), Bucket(s3)
    with monkeypatch.context() as failing:
        failing.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: first)
        failing.setattr("image_classifier.prepare.stores.ConcurrentStore", Recorded)
        failing.setattr(BucketStore, "put", refuse)
        with pytest.raises(StorageError, match="S3 is down"):
            prepare()
        for store in stores:
            with contextlib.suppress(StorageError):
                store.finish()  # waits for the other images
    assert not [key for key in stored() if key.endswith(".lst")]

    monkeypatch.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: second)
    prepare()

    assert len(second.put_keys) == 12 - len(first.put_keys)
    assert not set(second.put_keys) & set(first.put_keys)  # nothing goes up twice


@pytest.mark.parametrize("by_obstore", [True, False])
def test_the_keys_below_a_prefix_are_listed_without_empty_objects(s3, monkeypatch, by_obstore):
    objects = MemoryStore()
    for key, body in {"c/train/a.jpg": b"1", "c/train/empty": b"", "c/train2/b.jpg": b"1"}.items():
        objects.put(key, body)
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    monkeypatch.setattr(
        "image_classifier.prepare.stores.object_store", lambda s3, *, bucket: objects if by_obstore else None
    )

    assert stored_keys(s3, bucket=BUCKET, prefixes=["c/train/"]) == {"c/train/a.jpg"}


def test_boto3_lists_where_obstore_fails(s3, monkeypatch):
    class Failing:
        def list_with_delimiter(self, prefix):
            raise GenericError("Generic S3 error")

    s3.put_object(Bucket=BUCKET, Key="c/a.jpg", Body=b"1")
    monkeypatch.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: Failing())

    assert stored_keys(s3, bucket=BUCKET, prefixes=["c/"]) == {"c/a.jpg"}


@pytest.mark.parametrize("images", [PAGE - 1, PAGE, PAGE + 1])
def test_all_keys_are_listed_wherever_a_page_ends(s3, monkeypatch, images):
    objects = MemoryStore()
    keys = {f"c/train/class{number % 3}/{number}.jpg" for number in range(images - 2)} | {"c/train/a.jpg"}
    for key in [*keys, "c/validation/class0/b.jpg", "c/test/class0/other.jpg"]:
        objects.put(key, b"1")
    for empty in ("c/train/class0/empty", "c/train/empty"):
        objects.put(empty, b"")
    monkeypatch.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: objects)

    found = stored_keys(s3, bucket=BUCKET, prefixes=["c/train/", "c/validation/", "c/none/"])

    assert found == keys | {"c/validation/class0/b.jpg"}


@pytest.mark.parametrize(
    ("images", "folders", "requests"),
    [
        (PAGE, FEW_FOLDERS, FEW_FOLDERS),
        (PAGE, FEW_FOLDERS + 1, 1 + FEW_FOLDERS + 1),
        (PAGE - 1, FEW_FOLDERS + 1, 1),
        (1, 1, 1),
    ],
)
def test_folders_are_listed_by_themselves_unless_a_page_holds_all(s3, monkeypatch, images, folders, requests):
    objects, listed = MemoryStore(), list[str]()
    for number in range(images):
        objects.put(f"c/train/class{number % folders}/{number}.jpg", b"1")

    class Noting:
        def list(self, prefix, *, chunk_size):
            listed.append(prefix)
            return objects.list(prefix, chunk_size=chunk_size)

        list_with_delimiter = staticmethod(objects.list_with_delimiter)

    monkeypatch.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: Noting())

    assert len(stored_keys(s3, bucket=BUCKET, prefixes=["c/train/"])) == images
    assert len(listed) == len(set(listed)) == requests
