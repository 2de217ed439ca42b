import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.pixels import PixelParameters, prepare
from image_classifier.prepare.inspection import inspector as inspection
from image_classifier.prepare.inspection.inspector import IN_FLIGHT, WORKERS, Inspector, Rejected
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.previous import Previous
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.stores import BucketStore

BUCKET = "pictures"
PARAMETERS = PixelParameters(32)


@pytest.fixture
def inspector(s3, tmp_path):
    def make(**changes):
        given = {
            "source": FolderSource(tmp_path),
            "store": BucketStore(s3, BUCKET),
            "keys": Keys("pets"),
            "parameters": PARAMETERS,
            "unmodified": False,
            "split_of": lambda sha256, placed: placed or "train",
            "stored": frozenset(),
            "known": Previous(),
        }
        return Inspector(**{**given, **changes})

    return make


def test_a_good_image_is_stored_under_its_content_and_parameters(inspector, tmp_path, picture, stored):
    (tmp_path / "a.png").write_bytes(data := picture(1))

    found = inspector().one(Listed("a.png", "cat", None))

    name = hashlib.sha256(data + PARAMETERS.key().encode()).hexdigest()[:16]
    assert (found.image, found.split, found.uploaded) == (Listed("a.png", "cat", None), "train", True)
    assert (found.sha256, found.path) == (hashlib.sha256(data).hexdigest(), f"cat/{name}.jpg")
    assert (found.facts.width, found.facts.height) == (16, 12)
    assert stored() == {f"pets/dataset/train/cat/{name}.jpg": prepare(data, PARAMETERS).jpeg}


def test_the_folder_s_split_comes_before_the_computed_one(inspector, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(picture(1))

    assert inspector().one(Listed("a.png", "cat", "validation")).split == "validation"


def test_the_split_is_decided_by_the_content_and_what_the_folder_names(inspector, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(data := picture(1))
    asked = []

    inspector(split_of=lambda *given: asked.append(given) or "test").one(Listed("a.png", "cat", "train"))

    assert asked == [(hashlib.sha256(data).hexdigest(), "train")]


class KnownByContent:
    """What an earlier run found out about files that have other names or times now."""

    def __init__(self, *facts):
        self.facts = {one.sha256: one for one in facts}

    def unchanged(self, image):
        return None

    def same_content(self, sha256):
        return self.facts.get(sha256)

    def left_out(self, image):
        return False


def test_an_image_that_s3_has_is_neither_decoded_nor_uploaded(inspector, tmp_path, picture, stored, monkeypatch):
    (tmp_path / "a.png").write_bytes(picture(1))
    first = inspector().one(Listed("a.png", "cat", None))
    monkeypatch.setattr(inspection.pixels, "picture", lambda *given: pytest.fail("decoded"))

    again = inspector(stored=frozenset(stored()), store=None, known=KnownByContent(first.facts)).one(
        Listed("a.png", "cat", None)
    )

    assert (again.path, again.facts, again.uploaded) == (first.path, first.facts, False)


def test_an_image_that_s3_has_and_nobody_measured_is_measured(inspector, tmp_path, picture, stored):
    (tmp_path / "a.png").write_bytes(picture(1))
    first = inspector().one(Listed("a.png", "cat", None))

    again = inspector(stored=frozenset(stored()), store=None).one(Listed("a.png", "cat", None))

    assert (again.facts, again.uploaded) == (first.facts, False)


def test_the_same_content_is_uploaded_once_in_a_run(inspector, tmp_path, picture, s3, monkeypatch):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(picture(1))
    put, keys = s3.put_object, []
    monkeypatch.setattr(s3, "put_object", lambda **request: keys.append(request["Key"]) or put(**request))

    one, other = inspector().all([Listed(name, "cat", None) for name in ("a.png", "b.png")], report=lambda found: None)

    assert len(keys) == 1
    assert one.path == other.path


@pytest.mark.parametrize(
    ("image_format", "ending", "kind"), [("PNG", "png", "image/png"), ("JPEG", "jpg", "image/jpeg")]
)
def test_as_is_stores_the_source_s_own_bytes(inspector, tmp_path, picture, s3, image_format, ending, kind):
    (tmp_path / "a").write_bytes(data := picture(1, image_format=image_format))

    found = inspector(unmodified=True).one(Listed("a", "cat", None))

    assert found.path == f"cat/{hashlib.sha256(data + b'as-is').hexdigest()[:16]}.{ending}"
    answer = s3.get_object(Bucket=BUCKET, Key=f"pets/dataset/train/{found.path}")
    assert (answer["Body"].read(), answer["ContentType"]) == (data, kind)


def test_an_unusable_image_is_rejected_and_not_stored(inspector, tmp_path, stored):
    (tmp_path / "a.png").write_bytes(b"text")

    found = inspector().one(Listed("a.png", "cat", None))

    assert isinstance(found, Rejected)
    assert (found.code, found.image.name) == ("not_an_image", "a.png")
    assert stored() == {}


def test_a_file_that_is_too_large_is_rejected_as_such(inspector, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(data := picture(1))
    parameters = PixelParameters(32, max_image_bytes=len(data) - 1)

    assert inspector(parameters=parameters).one(Listed("a.png", "cat", None)).code == "too_large"


def test_answers_come_in_the_order_of_the_images_and_are_counted(inspector, tmp_path, picture):
    images = [Listed(f"{number}.png", "cat", None) for number in range(IN_FLIGHT + 8)]
    for number, image in enumerate(images):
        (tmp_path / image.name).write_bytes(picture(number))
    counted = []

    found = list(inspector().all(images, report=counted.append))

    assert [one.image for one in found] == images
    assert counted == found


def test_no_more_images_are_in_progress_than_memory_allows(inspector, monkeypatch):
    taken = []
    monkeypatch.setattr(Inspector, "one", lambda self, image: image)

    def images():
        for number in range(10 * IN_FLIGHT):
            taken.append(number)
            yield Listed(str(number), "cat", None)

    answers = inspector().all(images(), report=lambda found: None)
    next(answers)

    assert len(taken) == IN_FLIGHT
    answers.close()


def test_no_more_images_are_decoded_at_once_than_there_are_cores(inspector, tmp_path, picture, monkeypatch):
    monkeypatch.setattr(inspection, "usable_cores", lambda: 2)
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(picture(number))
    lock, now, most = threading.Lock(), 0, 0
    both = threading.Barrier(2)
    shown = inspection.pixels.picture

    def decode(data, parameters):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait(timeout=10)  # goes on once two decode at the same time
        with lock:
            now -= 1
        return shown(data, parameters)

    monkeypatch.setattr(inspection.pixels, "picture", decode)
    images = [Listed(f"{number}.png", "cat", None) for number in range(12)]

    assert len(list(inspector().all(images, report=lambda found: None))) == 12
    assert most == 2


def test_a_process_beside_others_decodes_few_images_at_once(monkeypatch):
    monkeypatch.setattr(inspection, "usable_cores", lambda: 64)
    monkeypatch.setattr(inspection, "usable_memory_bytes", lambda: 2**40)
    alone = inspection.decoded_at_once()
    monkeypatch.setattr(inspection.multiprocessing, "parent_process", lambda: "a process")

    assert (alone, inspection.decoded_at_once()) == (64, 2)


@pytest.mark.parametrize(("gib", "decoded"), [(2, 3), (0.25, 1)])
def test_no_more_images_are_decoded_at_once_than_the_memory_allows(monkeypatch, gib, decoded):
    monkeypatch.setattr(inspection, "usable_cores", lambda: 64)
    monkeypatch.setattr(inspection, "usable_memory_bytes", lambda: int(gib * 1024**3))

    assert inspection.decoded_at_once() == decoded


def test_a_failing_upload_ends_the_run(inspector, s3, tmp_path, picture):
    (tmp_path / "a.png").write_bytes(picture(1))

    with pytest.raises(DatasetError, match="Cannot write s3://other/pets/dataset/train/cat/"):
        list(inspector(store=BucketStore(s3, "other")).all([Listed("a.png", "cat", None)], report=lambda found: None))


def test_what_waits_is_not_begun_once_the_run_has_failed(inspector, monkeypatch):
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

    monkeypatch.setattr(Inspector, "one", one)
    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", end)
    images = [Listed(str(number), "cat", None) for number in range(IN_FLIGHT)]

    with pytest.raises(DatasetError):
        list(inspector().all(images, report=lambda found: None))
    assert len(begun) <= WORKERS + 1
