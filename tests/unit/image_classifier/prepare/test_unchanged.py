import hashlib
import json
import os
import time

import pytest

from image_classifier.aws.names import Keys
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import ObjectGoneError
from image_classifier.prepare import dataset as steps
from image_classifier.prepare import unchanged
from image_classifier.prepare.pointer import Pointer
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier.prepare.publish import delete_unreferenced_images
from image_classifier.prepare.sources.folder import FolderSource

BUCKET = "pictures"
KEYS = Keys("pets")
PETS = {"cat": range(10), "dog": range(60, 70), "dog/bad": {"broken.png": b"no image"}}


@pytest.fixture
def pets(images):
    return images(PETS)


@pytest.fixture
def short(monkeypatch):
    """Return a function that tells whether a call neither reads the last manifest nor writes a listing."""

    def is_short(call):
        taken = []
        with monkeypatch.context() as patch:
            preparation = steps.preparation_of
            patch.setattr(steps, "preparation_of", lambda *given, **how: taken.append(1) or preparation(*given, **how))
            call()
        return not taken

    return is_short


def test_a_run_that_changes_nothing_lists_the_source_alone(pets, prepare, s3, monkeypatch):
    first, said = prepare(test_fraction=0.2), []
    for name in ("put_object", "copy_object", "delete_object"):
        monkeypatch.setattr(s3, name, lambda **request: pytest.fail(f"wrote {request}"))
    monkeypatch.setattr(steps, "preparation_of", lambda *given, **how: pytest.fail("took the long way"))

    second = prepare(test_fraction=0.2, said=said)

    assert second == first.model_copy(update={"uploaded": 0, "unchanged": 20})
    assert said[0].startswith(f"Nothing has changed since version {first.fingerprint}: none of the 21 images")
    assert any(line.startswith("Warning: Fewer than 20 training images") for line in said)


def test_the_short_way_gives_what_the_long_way_gives(pets, prepare, short, monkeypatch):
    prepare()
    brief = prepare()
    monkeypatch.setattr(unchanged, "code_digest", lambda: "another release")

    assert not short(lambda: prepare())
    assert prepare() == brief


def test_images_that_left_the_data_set_may_be_deleted(pets, prepare, s3, short):
    prepare()
    (pets / "cat/3.png").unlink()
    newest = prepare()
    deleted = delete_unreferenced_images(
        "pets", s3=s3, bucket=BUCKET, fingerprint=newest.fingerprint, training_in_progress=False
    )

    assert deleted >= 1
    assert short(lambda: prepare())


@pytest.mark.parametrize(
    "change",
    [
        lambda folder, picture: (folder / "cat/new.png").write_bytes(picture(200)),
        lambda folder, picture: (folder / "cat/3.png").write_bytes(picture(200)),
        lambda folder, picture: (folder / "cat/3.png").unlink(),
        lambda folder, picture: (folder / "cat/3.png").rename(folder / "dog/3.png"),
    ],
    ids=["new", "changed", "gone", "moved"],
)
def test_another_source_is_noticed(pets, prepare, picture, short, change):
    prepare()
    change(pets, picture)

    assert not short(lambda: prepare())


def test_another_setting_is_noticed(pets, prepare, short):
    prepare()

    assert short(lambda: prepare())
    assert not short(lambda: prepare(seed=1))
    assert not short(lambda: prepare(test_fraction=0.1))
    assert not short(lambda: prepare(reset_labels=True))


@pytest.mark.parametrize("what", ["code_digest", "inspected_by"])
def test_another_release_is_noticed(pets, prepare, short, monkeypatch, what):
    prepare()
    monkeypatch.setattr(unchanged, what, lambda: {"pillow": "99"} if what == "inspected_by" else "99")

    assert not short(lambda: prepare())
    assert short(lambda: prepare())


def test_another_runner_changes_nothing(pets, prepare, short):
    prepare()

    assert short(lambda: prepare(preparation={"runner": "mapped"}))


def test_a_new_correction_is_noticed(pets, prepare, s3, picture, short):
    prepare()
    when = "2026-11-28T09:00:00+00:00"
    key, sha256 = "pets/incoming/1.png", hashlib.sha256(picture(150)).hexdigest()
    made = Correction(key, None, sha256, "label", "cat", "dog", "job", "unsure", "ann", when)
    s3.put_object(Bucket=BUCKET, Key=key, Body=picture(150))
    s3.put_object(Bucket=BUCKET, Key="pets/corrections/1.png.json", Body=made.as_json())

    assert not short(lambda: prepare())


DAMAGE = {
    "an image is gone": ("train/", None),
    "a validation image is gone": ("validation/", None),
    "a test image is gone": ("test/", None),
    "an image is empty": ("train/", b""),
    "the report is gone": ("report.json", None),
    "the page is gone": ("report.html", None),
    "a list is cut off": ("train.lst", b"0\t0.000000\tcat/1.jpg\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_s3_is_noticed_and_repaired(pets, prepare, s3, stored, short, damage):
    prepare(test_fraction=0.2)
    before = stored("pets/dataset/")
    part, body = DAMAGE[damage]
    key = next(key for key in before if part in key)
    s3.delete_object(Bucket=BUCKET, Key=key)
    if body is not None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    assert not short(lambda: prepare(test_fraction=0.2))

    after = {key: data for key, data in stored("pets/dataset/").items() if "/listing/" not in key}
    assert after == {key: data for key, data in before.items() if "/listing/" not in key}


def test_labels_that_were_deleted_are_noticed_and_written_again(pets, prepare, s3, stored, short):
    prepare()
    s3.delete_object(Bucket=BUCKET, Key="pets/dataset/labels.json")

    assert not short(lambda: prepare())
    assert "pets/dataset/labels.json" in stored()


def test_a_version_that_was_not_finished_is_not_taken(pets, prepare, picture, short, monkeypatch):
    prepare()
    (pets / "cat/new.png").write_bytes(picture(200))
    with monkeypatch.context() as patch:
        patch.setattr(steps, "remember", lambda *given, **how: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            prepare()

    assert not short(lambda: prepare())


def test_a_file_that_has_just_changed_is_read_again(pets, prepare, picture, monkeypatch):
    now = time.time_ns()
    for file in pets.rglob("3.png"):
        os.utime(file, ns=(now, now))
    first = prepare()
    (pets / "cat/3.png").write_bytes(picture(203))  # as long, and its time of change is the same
    os.utime(pets / "cat/3.png", ns=(now, now))
    read, names = FolderSource.read, []
    monkeypatch.setattr(FolderSource, "read", lambda self, name, **how: names.append(name) or read(self, name, **how))

    second = prepare()

    assert set(names) >= {"cat/3.png"}
    assert second.fingerprint != first.fingerprint


def test_a_version_with_an_unreadable_file_is_made_again(pets, prepare, picture, short):
    (pets / "cat/lost.png").symlink_to(pets / "absent.png")
    prepare()

    assert not short(lambda: prepare())


def test_another_label_in_a_list_is_noticed(pets, prepare, short):
    files = sorted((pets / "cat").iterdir()) + sorted((pets / "dog").glob("*.png"))
    rows = [f"{file.relative_to(pets).as_posix()},{file.parent.name}" for file in files]
    (pets / "pets.csv").write_text("path,label\n" + "\n".join(rows))
    prepare(source="images/pets.csv")
    assert short(lambda: prepare(source="images/pets.csv"))

    (pets / "pets.csv").write_text("path,label\n" + "\n".join([rows[0].replace(",cat", ",dog"), *rows[1:]]))

    assert not short(lambda: prepare(source="images/pets.csv"))


def test_another_label_in_a_list_of_the_folder_is_noticed(pets, prepare, short):
    rows = [f"{file.relative_to(pets).as_posix()},{file.parent.name}" for file in sorted(pets.glob("*/*.png"))]
    (pets / "pets.csv").write_text("path,kind\n" + "\n".join(rows))
    os.utime(pets / "pets.csv", (1, 1))
    prepare(columns={"label": "kind"})
    assert short(lambda: prepare(columns={"label": "kind"}))

    (pets / "pets.csv").write_text("path,kind\n" + "\n".join([rows[0].replace(",cat", ",dog"), *rows[1:]]))

    assert not short(lambda: prepare(columns={"label": "kind"}))


def test_of_an_unchanged_s3_source_nothing_is_downloaded(pets, prepare, s3, picture, short, monkeypatch):
    for file in pets.rglob("*.png"):
        s3.put_object(Bucket=BUCKET, Key=f"raw/{file.relative_to(pets).as_posix()}", Body=file.read_bytes())
    source = f"s3://{BUCKET}/raw/"
    prepare(source=source)
    get, got = s3.get_object, []
    monkeypatch.setattr(s3, "get_object", lambda **request: got.append(request["Key"]) or get(**request))

    assert short(lambda: prepare(source=source))
    assert [key for key in got if key.startswith("raw/")] == []

    s3.put_object(Bucket=BUCKET, Key="raw/cat/3.png", Body=picture(203))
    assert not short(lambda: prepare(source=source))


def test_a_plan_of_an_unchanged_source_inspects_nothing(pets, prepare, classifier, s3, settings, short):
    prepared = prepare()

    def planned():
        assert steps.plan_dataset(classifier, s3=s3, settings=settings) == prepared.again()
        assert steps.count_unread(classifier, s3=s3, settings=settings) == 0

    assert short(planned)


def test_a_version_that_another_run_replaced_is_not_returned(pets, classifier, prepare, s3, settings, picture):
    prepare()
    listing = steps.list_dataset(classifier, s3=s3, settings=settings)
    (pets / "cat/new.png").write_bytes(picture(200))
    prepare()

    with pytest.raises(ObjectGoneError, match="no longer the newest version of the data set"):
        steps.finish_dataset("pets", listing, s3=s3, settings=settings)


def test_a_pointer_of_an_earlier_release_names_its_version_alone(pets, prepare, s3, stored, short):
    prepared = prepare()
    body = json.dumps({"schema": 1, "fingerprint": prepared.fingerprint}).encode()
    s3.put_object(Bucket=BUCKET, Key="pets/dataset/current.json", Body=body)
    assert Pointer.read(s3, bucket=BUCKET, keys=KEYS) == Pointer(prepared.fingerprint)

    assert not short(lambda: prepare())
    pointer = Pointer.read(s3, bucket=BUCKET, keys=KEYS)
    assert pointer.dumps() == stored()["pets/dataset/current.json"]
    assert PreparedDataset.model_validate(pointer.result) == prepared.again()
