import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.pixels import PixelParameters, prepare
from image_classifier.prepare import inspection as judge_room
from image_classifier.prepare.dataset import store_in
from image_classifier.prepare.inspection import IN_FLIGHT, WORKERS, Judge, Judged, Rejected, progress
from image_classifier.prepare.layout import Listed
from image_classifier.prepare.source import FolderSource

BUCKET = "pictures"
PARAMETERS = PixelParameters(32)


@pytest.fixture
def judge(s3, tmp_path):
    def make(**changes):
        given = {
            "source": FolderSource(tmp_path),
            "store": store_in(s3, bucket=BUCKET),
            "keys": Keys("pets"),
            "parameters": PARAMETERS,
            "as_is": False,
            "split_of": lambda sha256: "train",
            "stored": frozenset(),
        }
        return Judge(**{**given, **changes})

    return make


def test_a_good_image_is_stored_under_its_content_and_parameters(judge, tmp_path, picture, stored):
    (tmp_path / "a.png").write_bytes(data := picture(1))

    found = judge().one(Listed("a.png", "cat", None))

    name = hashlib.sha256(data + PARAMETERS.key().encode()).hexdigest()[:16]
    assert found == Judged(
        image=Listed("a.png", "cat", None),
        split="train",
        sha256=hashlib.sha256(data).hexdigest(),
        path=f"cat/{name}.jpg",
        width=16,
        height=12,
        uploaded=True,
    )
    assert stored() == {f"pets/dataset/train/cat/{name}.jpg": prepare(data, PARAMETERS).jpeg}


def test_the_folder_s_split_comes_before_the_computed_one(judge, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(picture(1))

    assert judge().one(Listed("a.png", "cat", "validation")).split == "validation"


def test_the_computed_split_sees_the_content(judge, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(data := picture(1))
    asked = []

    judge(split_of=lambda sha256: asked.append(sha256) or "validation").one(Listed("a.png", "cat", None))

    assert asked == [hashlib.sha256(data).hexdigest()]


def test_an_image_that_s3_has_is_neither_decoded_nor_uploaded(judge, tmp_path, picture, stored, monkeypatch):
    (tmp_path / "a.png").write_bytes(picture(1))
    first = judge().one(Listed("a.png", "cat", None))
    monkeypatch.setattr(judge_room.pixels, "prepare", lambda *given: pytest.fail("decoded"))

    again = judge(stored=frozenset(stored()), store=lambda *given: pytest.fail("uploaded")).one(
        Listed("a.png", "cat", None)
    )

    assert (again.path, again.width, again.height, again.uploaded) == (first.path, 16, 12, False)


def test_the_same_content_is_uploaded_once_in_a_run(judge, tmp_path, picture, s3, monkeypatch):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(picture(1))
    put, keys = s3.put_object, []
    monkeypatch.setattr(s3, "put_object", lambda **request: keys.append(request["Key"]) or put(**request))

    one, other = judge().all([Listed(name, "cat", None) for name in ("a.png", "b.png")], report=lambda done: None)

    assert len(keys) == 1
    assert one.path == other.path


@pytest.mark.parametrize(
    ("image_format", "ending", "kind"), [("PNG", "png", "image/png"), ("JPEG", "jpg", "image/jpeg")]
)
def test_as_is_stores_the_source_s_own_bytes(judge, tmp_path, picture, s3, image_format, ending, kind):
    (tmp_path / "a").write_bytes(data := picture(1, image_format=image_format))

    found = judge(as_is=True).one(Listed("a", "cat", None))

    assert found.path == f"cat/{hashlib.sha256(data + b'as-is').hexdigest()[:16]}.{ending}"
    answer = s3.get_object(Bucket=BUCKET, Key=f"pets/dataset/train/{found.path}")
    assert (answer["Body"].read(), answer["ContentType"]) == (data, kind)


def test_an_unusable_image_is_rejected_and_not_stored(judge, tmp_path, stored):
    (tmp_path / "a.png").write_bytes(b"text")

    found = judge().one(Listed("a.png", "cat", None))

    assert isinstance(found, Rejected)
    assert (found.code, found.image.name) == ("not_an_image", "a.png")
    assert stored() == {}


def test_a_file_that_is_too_large_is_rejected_as_such(judge, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(data := picture(1))
    parameters = PixelParameters(32, max_image_bytes=len(data) - 1)

    assert judge(parameters=parameters).one(Listed("a.png", "cat", None)).code == "too_large"


def test_answers_come_in_the_order_of_the_images_and_are_counted(judge, tmp_path, picture):
    images = [Listed(f"{number}.png", "cat", None) for number in range(IN_FLIGHT + 8)]
    for number, image in enumerate(images):
        (tmp_path / image.name).write_bytes(picture(number))
    counted = []

    found = list(judge().all(images, report=counted.append))

    assert [one.image for one in found] == images
    assert counted == list(range(1, len(images) + 1))


def test_no_more_images_are_under_way_than_memory_allows(judge, monkeypatch):
    taken = []
    monkeypatch.setattr(Judge, "one", lambda self, image: image)

    def images():
        for number in range(10 * IN_FLIGHT):
            taken.append(number)
            yield Listed(str(number), "cat", None)

    answers = judge().all(images(), report=lambda done: None)
    next(answers)

    assert len(taken) == IN_FLIGHT
    answers.close()


def test_no_more_images_are_decoded_at_once_than_there_are_cores(judge, tmp_path, picture, monkeypatch):
    monkeypatch.setattr(judge_room.os, "cpu_count", lambda: 2)
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(picture(number))
    lock, now, most = threading.Lock(), 0, 0
    both = threading.Barrier(2)

    def decode(data, parameters):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait(timeout=10)  # goes on once two decode at the same time
        with lock:
            now -= 1
        return prepare(data, parameters)

    monkeypatch.setattr(judge_room.pixels, "prepare", decode)
    images = [Listed(f"{number}.png", "cat", None) for number in range(12)]

    assert len(list(judge().all(images, report=lambda done: None))) == 12
    assert most == 2


def test_a_failing_upload_ends_the_run(judge, s3, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(picture(1))

    with pytest.raises(DatasetError, match="Cannot write s3://other/pets/dataset/train/cat/"):
        list(judge(store=store_in(s3, bucket="other")).all([Listed("a.png", "cat", None)], report=lambda done: None))


def test_what_waits_is_not_begun_once_the_run_has_failed(judge, monkeypatch):
    begun, ending, shutdown = [], threading.Event(), ThreadPoolExecutor.shutdown

    def one(self, image):
        begun.append(image)
        if image.name == "0":
            raise DatasetError
        ending.wait(timeout=10)

    def end(pool, wait=True, **how):
        shutdown(pool, wait=False, **how)
        ending.set()
        shutdown(pool)

    monkeypatch.setattr(Judge, "one", one)
    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", end)
    images = [Listed(str(number), "cat", None) for number in range(IN_FLIGHT)]

    with pytest.raises(DatasetError):
        list(judge().all(images, report=lambda done: None))
    assert len(begun) <= WORKERS + 1


def test_progress_is_said_every_few_seconds_and_at_the_end():
    now, said = iter([0, 1, 4.9, 5, 5, 6, 10, 10, 11, 11]), []
    report = progress(said.append, total=9_469, clock=lambda: next(now))

    for done in (1, 1_199, 1_200, 1_201, 2_400, 9_469):
        report(done)

    assert said == ["1,200 of 9,469 images judged", "2,400 of 9,469 images judged", "9,469 of 9,469 images judged"]
