import gzip
import os
import shutil

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError, ObjectGoneError
from image_classifier.prepare import dataset as steps
from image_classifier.prepare.inspection import inspector
from image_classifier.prepare.shards import header, shard, sharding
from image_classifier.prepare.shards.listing import Listing, inspected_key
from image_classifier.prepare.sources.folder import FolderSource

BUCKET = "pictures"
KEYS = Keys("pets")
CONTENT = {
    "cat": {
        **{f"{number}.png": number for number in range(12)},
        "copy.png": 3,
        "broken.png": b"\x89PNG\r\n\x1a\nno image",
    },
    "dog": {**{f"{number}.png": number for number in range(60, 75)}, "both.png": 5, "notes.txt": b"text"},
}


@pytest.fixture
def sharded(s3, settings, classifier, monkeypatch):
    """The steps of a run, each to be called by itself."""

    class Sharded:
        def list(self, *, images_per_shard=7, **changes):
            changes = {"preparation": {"runner": "task"}, **changes}
            monkeypatch.setattr(sharding, "IMAGES_OF_A_SHARD", images_per_shard)
            return steps.list_dataset(classifier.revised(changes), s3=s3, settings=settings)

        def prepare(self, number, listing):
            return shard.prepare_shard(
                number, classifier="pets", run=listing.run, s3=s3, bucket=BUCKET, data_folder=settings.data_folder
            )

        def finish(self, listing):
            return steps.finish_dataset("pets", listing, s3=s3, settings=settings)

    return Sharded()


@pytest.fixture
def written(stored):
    """What is in the bucket beside listings."""
    return lambda: {key: data for key, data in stored().items() if "/listing/" not in key}


@pytest.fixture
def emptied(s3, stored):
    def empty():
        for key in stored():
            s3.delete_object(Bucket=BUCKET, Key=key)

    return empty


@pytest.mark.parametrize("images_per_shard", [1, 4, 10, 1000])
def test_any_number_of_shards_gives_the_same_bytes(images, sharded, written, emptied, images_per_shard):
    images(CONTENT)
    expected = sharded.finish(sharded.list(images_per_shard=1000)), written()
    emptied()

    listing = sharded.list(images_per_shard=images_per_shard)
    for number in reversed(range(listing.shards)):
        sharded.prepare(number, listing)

    assert listing.shards == -(-31 // images_per_shard)
    assert (sharded.finish(listing), written()) == expected


def test_shards_of_any_size_in_any_order_give_the_same_bytes(images, sharded, written, emptied):
    """Some are prepared twice, and some are left to the last step."""
    images({name: dict([*files.items()][:4] + [*files.items()][-2:]) for name, files in CONTENT.items()})
    expected = sharded.finish(sharded.list(images_per_shard=1000)), written()

    @settings(max_examples=6, phases=[Phase.generate])  # a smaller failing example would take minutes
    @given(st.integers(1, 12), st.data())
    def check(images_per_shard, data):
        emptied()
        listing = sharded.list(images_per_shard=images_per_shard)
        order = data.draw(st.permutations(range(listing.shards)))
        done = order[: data.draw(st.integers(0, listing.shards))]
        for number in (*done, *done[:2]):
            sharded.prepare(number, listing)
        assert (sharded.finish(listing), written()) == expected

    check()


def test_a_source_that_grows_gives_the_same_bytes_in_any_number_of_shards(images, sharded, written, emptied):
    def grown(images_per_shard):
        folder = images(CONTENT)
        for file in folder.rglob("*.*"):
            os.utime(file, ns=(0, 0))
        sharded.finish(sharded.list(images_per_shard=images_per_shard))
        images({"cat": {f"{number}.png": number for number in range(200, 212)}})
        (folder / "dog" / "60.png").rename(folder / "dog" / "renamed.png")
        for file in (folder / "cat").glob("2??.png"):
            os.utime(file, ns=(0, 0))
        listing = sharded.list(images_per_shard=images_per_shard)
        prepared = sharded.finish(listing)
        shutil.rmtree(folder)
        return listing.unread, prepared, written()

    expected = grown(1000)
    emptied()

    assert expected[0] == 13
    assert grown(3) == expected


def test_the_same_source_has_the_same_listing_and_another_one_another(images, sharded):
    images(CONTENT)
    first, again = sharded.list(), sharded.list()
    images({"cat": {"new.png": 99}})

    assert first == again == Listing(run=first.run, images=31, unread=31, runner="task", shards=5)
    assert sharded.list().run != first.run
    assert sharded.list(seed=1).run != sharded.list().run


def test_an_unchanged_source_has_no_shard(images, sharded):
    images(CONTENT)
    sharded.finish(sharded.list())

    listing = sharded.list()

    assert (listing.images, listing.unread, listing.shards) == (31, 0, 0)


def test_a_shard_that_is_prepared_is_not_read_again(images, sharded, monkeypatch):
    images(CONTENT)
    listing = sharded.list()
    first = sharded.prepare(1, listing)
    monkeypatch.setattr(FolderSource, "read", lambda *given, **_: pytest.fail("read"))

    assert sharded.prepare(1, listing) == first
    assert (first.images, first.rejected, first.uploaded) == (6, 0, 6)


def test_the_log_names_the_shard_and_what_an_earlier_try_has_prepared(images, sharded, caplog):
    images(CONTENT)
    listing = sharded.list()
    caplog.set_level("INFO", logger=shard.__name__)

    for _ in range(2):
        sharded.prepare(1, listing)

    said = [line for line in caplog.messages if line.startswith("Shard")]
    assert said == ["Shard 2 of 5: 6 images", "Shard 2 of 5: 6 images, of which an earlier try has prepared 6"]


def test_what_was_unreadable_is_read_again(images, sharded, monkeypatch):
    folder = images(CONTENT)
    (folder / "cat" / "0.png").rename(folder / "away.png")
    (folder / "cat" / "0.png").symlink_to(folder / "absent.png")
    listing = sharded.list(images_per_shard=1000)
    assert sharded.prepare(0, listing).rejected == 3
    (folder / "cat" / "0.png").unlink()
    (folder / "away.png").rename(folder / "cat" / "0.png")
    read, names = FolderSource.read, []
    monkeypatch.setattr(FolderSource, "read", lambda self, name, **how: names.append(name) or read(self, name, **how))

    assert sharded.prepare(0, listing).rejected == 2
    assert names == ["cat/0.png"]


def test_an_image_that_is_gone_from_s3_is_prepared_again(images, sharded, s3, stored):
    images(CONTENT)
    listing = sharded.list(images_per_shard=1000)
    sharded.prepare(0, listing)
    key = min(stored("pets/dataset/train/"))
    s3.delete_object(Bucket=BUCKET, Key=key)

    sharded.prepare(0, listing)

    assert key in stored()


def test_a_shard_that_was_interrupted_uploads_only_what_is_missing(images, sharded, s3, stored, monkeypatch):
    images(CONTENT)
    listing, put = sharded.list(images_per_shard=1000), s3.put_object
    sharded.prepare(0, listing)
    s3.delete_object(Bucket=BUCKET, Key=inspected_key(0, keys=KEYS, run=listing.run))
    missing = min(stored("pets/dataset/train/"))
    s3.delete_object(Bucket=BUCKET, Key=missing)
    written = []
    monkeypatch.setattr(s3, "put_object", lambda **request: written.append(request["Key"]) or put(**request))

    assert sharded.prepare(0, listing).uploaded == 1
    assert written == [missing, inspected_key(0, keys=KEYS, run=listing.run)]


def test_the_last_step_prepares_the_shards_that_nothing_has_prepared(images, sharded, stored):
    images(CONTENT)
    listing = sharded.list()
    sharded.prepare(2, listing)

    assert sharded.finish(listing).rejected == 1
    assert {inspected_key(number, keys=KEYS, run=listing.run) for number in range(5)} < stored().keys()


def test_the_last_step_may_be_called_again(images, sharded, written):
    images(CONTENT)
    listing = sharded.list()
    first = sharded.finish(listing)
    before = written()

    assert sharded.finish(listing) == first
    assert written() == before


def test_a_listing_has_the_same_name_whatever_the_release_of_zlib(images, sharded, monkeypatch):
    images(CONTENT)
    first, compress = sharded.list(), gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda data, **_: compress(data, compresslevel=1, mtime=0))

    assert sharded.list() == first


def test_a_new_listing_deletes_the_others(images, sharded, stored):
    images(CONTENT)
    first = sharded.list()
    images({"cat": {"new.png": 99}})
    second = sharded.list()

    assert {key.split("/")[3] for key in stored("pets/dataset/listing/")} == {second.run}
    with pytest.raises(ObjectGoneError, match=f"listing/{first.run}/header.json.gz is gone"):
        sharded.prepare(0, first)


def test_a_worker_without_the_folder_says_so(images, sharded):
    folder = images(CONTENT)
    listing = sharded.list()
    folder.rename(folder.with_name("elsewhere"))

    with pytest.raises(DatasetError, match="is not there on this machine"):
        sharded.prepare(0, listing)


def test_a_worker_of_another_release_says_so(images, sharded, monkeypatch):
    images(CONTENT)
    listing = sharded.list()
    monkeypatch.setattr(shard, "inspected_by", lambda: {"procedure": "0", "pillow": "1"})

    with pytest.raises(DatasetError, match="Bring all workers to the same release"):
        sharded.prepare(0, listing)


def test_a_file_that_was_only_touched_is_read_and_not_decoded(images, sharded, monkeypatch):
    folder = images(CONTENT)
    sharded.finish(sharded.list())
    (folder / "cat" / "1.png").touch()
    listing = sharded.list()
    monkeypatch.setattr(inspector.pixels, "picture", lambda *given: pytest.fail("decoded"))

    assert listing.unread == 1
    assert sharded.prepare(0, listing).uploaded == 0


def test_a_run_works_by_the_classifier_as_it_was_listed(images, sharded, s3, classifier):
    images(CONTENT)
    changed = {
        "exclude": ["dog/*5.png"],
        "pixels": {"fit": "crop"},
        "classes": {"pet": ["cat"]},
        "preparation": {"runner": "mapped"},
    }

    listing = sharded.list(**changed)

    head = header.Header.read(s3, bucket=BUCKET, keys=KEYS, run=listing.run)
    assert head.classifier == classifier.revised(changed)
    assert head.layout.classes == ("dog", "pet")
