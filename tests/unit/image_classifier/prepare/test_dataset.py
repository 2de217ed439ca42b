import hashlib
import io
import json
import random

import pytest
from PIL import Image

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError, LabelsChangedError, ResourceBusyError
from image_classifier.contracts.labels import labels_document, labels_sha256, parse_labels
from image_classifier.contracts.training import image_list
from image_classifier.prepare import manifest as manifest_module
from image_classifier.prepare.inspection import inspector
from image_classifier.prepare.manifest import read_manifest
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier.prepare.publish import delete_unreferenced_images
from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.split import Fractions

BUCKET = "pictures"
LISTS = ("train_lst/train.lst", "validation_lst/validation.lst")
TWO_CLASSES = {"cat": range(10), "dog": range(100, 110)}
SPLIT = {
    "train/cat": range(8),
    "train/dog": range(100, 108),
    "validation/cat": range(20, 23),
    "validation/dog": range(120, 122),
}


def key_of(uri):
    return uri.removeprefix(f"s3://{BUCKET}/")


def soft(seed, salt):
    """A picture with soft patches, as a photograph has; another salt gives other bytes and nearly the same picture."""
    patches = Image.frombytes("L", (6, 6), random.Random(seed).randbytes(36))
    image = patches.resize((64, 64), Image.Resampling.BICUBIC)
    image.putpixel((0, 0), salt % 256)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def lists(stored, prepared):
    """The entries of both lists, as the algorithm would read them."""
    keys = key_of(prepared.train_lst_uri) + "train.lst", key_of(prepared.validation_lst_uri) + "validation.lst"
    return [image_list.parse(stored(key)[key].decode()) for key in keys]


def test_the_answer_names_everything_a_training_job_needs(images, prepare):
    images(SPLIT)

    prepared = prepare()

    version = f"pets/dataset/versions/{prepared.fingerprint}"
    assert prepared.model_dump(mode="json") == {
        "fingerprint": prepared.fingerprint,
        "labels_key": f"{version}/labels.json",
        "labels_sha256": labels_sha256(["cat", "dog"]),
        "num_classes": 2,
        "num_training_samples": 16,
        "num_validation_samples": 5,
        "num_test_samples": 0,
        "train_uri": f"s3://{BUCKET}/pets/dataset/train/",
        "validation_uri": f"s3://{BUCKET}/pets/dataset/validation/",
        "train_lst_uri": f"s3://{BUCKET}/{version}/train_lst/",
        "validation_lst_uri": f"s3://{BUCKET}/{version}/validation_lst/",
        "test_manifest_key": "",
        "test_manifest_sha256": prepared.test_manifest_sha256,
        "report_key": f"{version}/report.json",
        "check_images": [image.model_dump() for image in prepared.check_images],
        "uploaded": 21,
        "unchanged": 0,
        "rejected": 0,
    }
    assert PreparedDataset.model_validate(prepared.model_dump(mode="json")) == prepared


@pytest.mark.parametrize("source", [f"s3://{BUCKET}/", f"s3://{BUCKET}/pets/"])
def test_a_run_never_trains_on_what_an_earlier_one_has_written(s3, prepare, stored, source):
    s3.put_object(Bucket=BUCKET, Key="pets/cat/1.png", Body=b"")

    with pytest.raises(DatasetError, match=r"hold the same objects: the next run would train on them"):
        prepare(source=source)

    assert set(stored("")) == {"pets/cat/1.png"}


def test_a_version_holds_its_lists_and_documents_and_nothing_else(images, prepare, stored):
    images(SPLIT)

    prepared = prepare()

    version = f"pets/dataset/versions/{prepared.fingerprint}/"
    names = ("labels.json", "report.json", "report.html", "manifest/part-00000.jsonl.gz", LISTS[0], LISTS[1])
    assert set(stored(version)) == {version + name for name in names}


def test_the_lists_name_every_image_once_with_its_label(images, prepare, stored):
    images(SPLIT)

    train, validation = lists(stored, prepared := prepare())

    assert len({entry.index for entry in train + validation}) == 21
    for entries, uri in ((train, prepared.train_uri), (validation, prepared.validation_uri)):
        prefix = key_of(uri)
        assert {prefix + entry.path for entry in entries} == set(stored(prefix))
        assert {(entry.label, entry.path.split("/")[0]) for entry in entries} == {(0, "cat"), (1, "dog")}


def test_the_lists_are_mixed(images, prepare, stored):
    images({"cat": range(40), "dog": range(100, 140)})

    train, _ = lists(stored, prepare())

    assert 1 < sum(entry.label for entry in train[:20]) < 19


def test_the_stored_images_are_what_the_endpoint_will_see(images, prepare, stored, tmp_path):
    images(TWO_CLASSES)

    prepared = prepare()

    for key in (image.key for image in prepared.check_images):
        (tmp_path / "seen.jpg").write_bytes(stored(key)[key])
        with Image.open(tmp_path / "seen.jpg") as seen:
            assert (seen.format, seen.mode, seen.size) == ("JPEG", "RGB", (32, 32))


def test_a_source_without_splits_is_split_by_content(images, prepare, manifest):
    images({"cat": range(40), "dog": range(100, 140)})
    before = {name: line["split"] for name, line in manifest(prepare()).items()}

    images({"cat": [50], "dog": [150, 151]})
    after = {name: line["split"] for name, line in manifest(prepare()).items()}

    assert before.items() <= after.items()
    assert set(before.values()) == {"train", "validation"}


def test_the_smallest_possible_set_has_both_splits(images, prepare, stored):
    images({"cat": [1, 2], "dog": [3, 4]})

    train, validation = lists(stored, prepared := prepare(validation_fraction=0.01))

    assert [sorted(entry.label for entry in entries) for entries in (train, validation)] == [[0, 1], [0, 1]]
    assert {"pets/dataset/validation/" + entry.path for entry in validation} <= set(stored("pets/dataset/validation/"))
    assert prepared.uploaded == 4


def test_an_s3_prefix_gives_the_same_data_set_as_the_folder(images, prepare, s3):
    folder = images(SPLIT)
    for file in sorted(folder.rglob("*.png")):
        s3.put_object(Bucket=BUCKET, Key=f"raw/{file.relative_to(folder).as_posix()}", Body=file.read_bytes())

    assert prepare(source=f"s3://{BUCKET}/raw/").fingerprint == prepare().fingerprint


def test_a_second_run_writes_only_its_listing_and_decodes_nothing(images, prepare, s3, stored, monkeypatch):
    images(TWO_CLASSES)
    first = prepare()
    before, put, written = stored(), s3.put_object, []
    monkeypatch.setattr(s3, "put_object", lambda **request: written.append(request["Key"]) or put(**request))
    for name in ("delete_object", "copy_object"):
        monkeypatch.setattr(s3, name, lambda **request: pytest.fail(f"wrote {request}"))
    monkeypatch.setattr(inspector.pixels, "picture", lambda *given: pytest.fail("decoded"))

    second = prepare()

    assert all(key.startswith("pets/dataset/listing/") for key in written)
    assert stored() == before
    assert second == first.model_copy(update={"uploaded": 0, "unchanged": 20})


def test_an_unchanged_set_is_listed_and_not_read(images, prepare, s3, monkeypatch):
    folder = images({**TWO_CLASSES, "dog/bad": {"broken.png": b"no image"}})
    for file in folder.rglob("*.png"):
        s3.put_object(Bucket=BUCKET, Key=f"raw/{file.relative_to(folder).as_posix()}", Body=file.read_bytes())
    for source, kind in (("images", FolderSource), (f"s3://{BUCKET}/raw/", BucketSource)):
        first = prepare(source=source)
        with monkeypatch.context() as patch:
            patch.setattr(kind, "read", lambda *given, **_: pytest.fail("read"))
            second = prepare(source=source)
        assert second == first.model_copy(update={"uploaded": 0, "unchanged": 20})


LEAVES_OUT = {
    **SPLIT,
    "train/dog": {**{f"{number}.png": number for number in range(100, 108)}, "leaks.png": 0},
    "train/cat": {**{f"{number}.png": number for number in range(1, 8)}, "both.png": 60, "twin.png": 1},
    "test/cat": {"0.png": 0, "both.png": 61},
    "test/dog": {"both.png": 60, "1.png": 130},
}


@pytest.mark.parametrize("data_format", ["images", "recordio"])
def test_a_set_whose_validation_is_nearly_equal_to_its_test_is_refused(images, prepare, stored, data_format):
    for place, salt, numbers in (("train", 0, range(10)), ("test", 50, range(1, 10))):
        for first, name in enumerate(("cat", "dog")):
            images({f"{place}/{name}": {f"{one}.png": soft(100 * first + one, one + salt) for one in numbers}})

    with pytest.raises(DatasetError, match=r"No validation image is left in folder .*: test images look nearly"):
        prepare(format=data_format)

    assert not [key for key in stored() if "/versions/" in key]


def test_what_was_left_out_is_neither_read_nor_stored_again(images, prepare, s3, report, monkeypatch):
    images({**LEAVES_OUT, "train/emu": {f"{number}.png": soft(number, number) for number in range(12)}})
    images({"test/emu": {f"near {number}.png": soft(number, number + 50) for number in range(3)}})
    images({"validation/emu": {"1.png": soft(40, 40)}, "test/cat": {"leaks.png": 2}})
    first = prepare()
    counts = report(first)["counts"]
    assert [counts[name] for name in ("near_test", "leaks", "conflicts", "duplicates")] == [3, 1, 4, 1]
    delete_unreferenced(s3, first)
    monkeypatch.setattr(FolderSource, "read", lambda *given, **_: pytest.fail("read"))

    second = prepare()

    assert second == first.model_copy(update={"uploaded": 0, "unchanged": second.unchanged})
    assert delete_unreferenced(s3, second) == 0


def test_what_was_left_out_is_stored_once_it_is_used(images, prepare, s3, stored, manifest):
    folder = images({**SPLIT, "test/cat": {"near.png": soft(1, 50), "1.png": 131}, "test/dog": [130]})
    images({"train/cat": {"0.png": soft(1, 1)}})
    delete_unreferenced(s3, prepare())
    (folder / "test/cat/near.png").unlink()

    prepared = prepare()

    line = manifest(prepared)["train/cat/0.png"]
    assert line["key"] in stored()
    assert (prepared.uploaded, "left_out" in line) == (1, False)


def test_a_file_that_was_changed_is_read_again(images, prepare):
    images(TWO_CLASSES)
    first = prepare()
    images({"cat": {"3.png": 50}})

    second = prepare()

    assert (second.uploaded, second.unchanged) == (1, 19)
    assert second.fingerprint != first.fingerprint


def test_a_file_that_is_of_another_class_now_is_of_that_class(images, prepare, stored, manifest):
    folder = images(TWO_CLASSES)
    prepare()
    (folder / "cat" / "3.png").rename(folder / "dog" / "3.png")

    line = manifest(prepare())["dog/3.png"]

    assert (line["class"], line["key"].split("/")[3]) == ("dog", "dog")
    assert line["key"] in stored()


def test_a_version_of_release_0_1_keeps_its_fingerprint_and_names(images, prepare, s3, stored):
    """Its manifest is one file without groups, statistics and times, and nothing points to it."""
    images({"cat": {f"{number}.png": soft(number // 3, number) for number in range(30)}, "dog": range(100, 120)})
    fractions = Fractions(0, 0.2, 0.0)
    keys = Keys("pets")
    first = prepare()  # stores the images; the version below is what release 0.1 would have made of them
    lines = list(read_manifest(s3, bucket=BUCKET, version=keys.version(first.fingerprint)))
    for key in stored():
        if "/versions/" in key or key.endswith("current.json"):
            s3.delete_object(Bucket=BUCKET, Key=key)
    kept = ("name", "class", "sha256", "width", "height")
    old = [
        {**{name: line[name] for name in kept}, "split": fractions.split_of(line["sha256"], None), "key": "x"}
        for line in lines
    ]
    version = keys.version("0" * 16)
    s3.put_object(Bucket=BUCKET, Key=f"{version}manifest.jsonl", Body="\n".join(map(json.dumps, old)).encode())
    s3.put_object(Bucket=BUCKET, Key=f"{version}train_lst/train.lst", Body=b"")

    upgraded = prepare()

    splits = {line["name"]: line["split"] for line in old}
    found = {
        line["name"]: line for line in read_manifest(s3, bucket=BUCKET, version=keys.version(upgraded.fingerprint))
    }
    assert {name: line["split"] for name, line in found.items()} == splits
    assert len({line["group"] for line in found.values()}) == 30
    identity = [(splits[name], int(name.startswith("dog")), line["sha256"]) for name, line in found.items()]
    assert upgraded.fingerprint == image_list.fingerprint(identity, pixels_key="1-pad-32-q90", labels=["cat", "dog"])


def test_new_near_duplicates_go_where_the_old_ones_are(images, prepare, manifest):
    images({"cat": {f"{number}.png": soft(number, number) for number in range(30)}, "dog": range(100, 120)})
    before = manifest(prepare(test_fraction=0.2))
    images({"cat": {f"copy of {number}.png": soft(number, number + 100) for number in range(30)}})

    after = manifest(prepare(test_fraction=0.2))

    assert {name: line["split"] for name, line in before.items()}.items() <= {
        name: line["split"] for name, line in after.items()
    }.items()
    copies = {name.removeprefix("cat/copy of "): line for name, line in after.items() if "copy" in name}
    assert [line["split"] for line in copies.values()] == [before[f"cat/{name}"]["split"] for name in copies]
    assert {line["split"] for line in copies.values()} == {"train", "validation", "test"}


def test_other_fractions_split_again(images, prepare, manifest):
    images({"cat": range(60), "dog": range(100, 160)})
    first = manifest(prepare(validation_fraction=0.1))

    second = manifest(prepare(validation_fraction=0.5))

    count = [sum(line["split"] == "validation" for line in found.values()) for found in (first, second)]
    assert count[0] < 25 < 45 < count[1]


def test_a_manifest_with_fewer_parts_leaves_none_behind(images, prepare, stored, monkeypatch):
    monkeypatch.setattr(manifest_module, "LINES_OF_A_PART", 10)
    folder = images({**TWO_CLASSES, "dog": {f"{number}.png": 100 + number // 3 for number in range(30)}})
    first = prepare()
    parts = [key for key in stored() if "/manifest/part-" in key]
    for number in range(30):
        if number % 3:
            (folder / "dog" / f"{number}.png").unlink()

    second = prepare()

    assert (second.fingerprint, len(parts)) == (first.fingerprint, 4)
    assert len([key for key in stored() if "/manifest/part-" in key]) == 2


def test_a_file_may_say_that_more_is_left_out(images, prepare):
    bad = {f"{number}.jpg": b"text" for number in range(12)}
    images({"cat": range(30), "dog": {**{f"{number}.png": number for number in range(100, 118)}, **bad}})

    with pytest.raises(DatasetError, match=r"12 of 60 files .* up to 15% are left out.* raise max_left_out"):
        prepare(max_left_out=0.15)
    assert prepare(max_left_out=0.2).rejected == 12


@pytest.mark.parametrize(("others", "is_repaired"), [({}, False), ({"c.jpg": b"text"}, True)])
def test_images_that_are_all_git_lfs_pointers_are_not_to_be_removed(images, prepare, others, is_repaired):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    images({"cat": {f"{number}.jpg": pointer for number in range(12)}, "dog": {"a.jpg": pointer, **others}})

    with pytest.raises(DatasetError, match="run `git lfs pull`") as caught:
        prepare()

    assert ("Repair or remove them" in str(caught.value)) == is_repaired


def test_files_that_are_no_images_are_counted_apart(images, prepare, report):
    notes = {f"{number}.txt": b"a box, a class" for number in range(40)}
    images({"cat": range(30), "dog": {**{f"{number}.png": number for number in range(100, 130)}, **notes}})

    prepared = prepare()

    assert prepared.rejected == 0
    assert (report(prepared)["counts"]["no_images"], report(prepared)["no_images"][0]) == (40, "dog/0.txt")
    assert any("40 files in class folders are no images" in warning for warning in report(prepared)["warnings"])


def test_only_what_is_new_is_uploaded(images, prepare):
    images(TWO_CLASSES)
    first = prepare()
    images({"cat": [50]})

    second = prepare()

    assert (second.uploaded, second.unchanged) == (1, 20)
    assert second.fingerprint != first.fingerprint


def test_an_image_that_is_missing_in_s3_is_uploaded_again(images, prepare, s3):
    images(TWO_CLASSES)
    first = prepare()
    s3.delete_object(Bucket=BUCKET, Key=first.check_images[0].key)
    s3.put_object(Bucket=BUCKET, Key=first.check_images[1].key, Body=b"")

    assert prepare().uploaded == 2


def test_other_names_and_folders_give_the_same_data_set(images, prepare):
    folder = images(TWO_CLASSES)
    first = prepare()
    (folder / "cat" / "deep").mkdir()
    for number in range(10):
        (folder / "cat" / f"{number}.png").rename(folder / "cat" / "deep" / f"renamed {number}")

    second = prepare()

    assert (second.fingerprint, second.uploaded) == (first.fingerprint, 0)


@pytest.mark.parametrize(
    "change",
    [{"pixels": {"fit": "crop"}}, {"pixels": {"jpeg_quality": 80}}, {"hyperparameters": {"image_shape": "3,28,28"}}],
)
def test_other_pixels_are_another_data_set_and_other_objects(images, prepare, change):
    images(TWO_CLASSES)
    first = prepare()

    second = prepare(**change)

    assert second.fingerprint != first.fingerprint
    assert second.uploaded == 20


def test_as_is_uploads_the_files_themselves(images, prepare, stored, picture):
    images(TWO_CLASSES)

    prepared = prepare(pixels={"unmodified": True})

    uploaded = {**stored("pets/dataset/train/"), **stored("pets/dataset/validation/")}
    assert set(uploaded.values()) == {picture(number) for numbers in TWO_CLASSES.values() for number in numbers}
    assert all(key.endswith(".png") for key in uploaded)
    assert prepared.uploaded == 20


def test_odd_names_reach_s3_as_plain_keys_and_the_labels_as_they_are(images, prepare, stored, manifest):
    images(
        {
            "żółw \t'x\"": {"a\tb\nc.png": 1, " blank .png": 2, "é.png": 3},
            "cat/deep": {"%41+&?.png": 11, ".hidden.png": b"", "ok.png": 12},
        }
    )

    prepared = prepare()

    keys = [key for split in ("train", "validation") for key in stored(f"pets/dataset/{split}/")]
    assert len({key.split("/")[-1] for key in keys}) == 5
    assert all(key.isascii() and key.isprintable() and " " not in key for key in keys)
    labels = parse_labels(stored(prepared.labels_key)[prepared.labels_key])
    assert labels == ("cat", "żółw \t'x\"")
    assert set(manifest(prepared)) == {
        "żółw \t'x\"/a\tb\nc.png",
        "żółw \t'x\"/ blank .png",
        "żółw \t'x\"/é.png",
        "cat/deep/%41+&?.png",
        "cat/deep/ok.png",
    }


def test_a_bad_image_is_reported_and_the_rest_is_used(images, prepare, report, manifest):
    images(SPLIT)
    images({"train/dog": {"bad.jpg": b"\xff\xd8\xff"}})

    prepared = prepare()

    (rejected,) = report(prepared)["rejected"]
    assert (rejected["name"], rejected["code"]) == ("train/dog/bad.jpg", "corrupt")
    assert (prepared.num_training_samples, prepared.rejected) == (16, 1)
    line = manifest(prepared)["train/dog/bad.jpg"]
    assert (line["class"], line["rejected"], line["reason"]) == ("dog", "corrupt", rejected["reason"])


def test_a_bad_image_does_not_make_another_data_set(images, prepare):
    images(SPLIT)
    first = prepare()
    images({"train/cat": {"notes.txt": b"text"}})

    assert prepare().fingerprint == first.fingerprint


def test_a_tenth_of_bad_images_is_too_much(images, prepare):
    bad = {f"{number}.jpg": b"text" for number in range(6)}
    images({"cat": range(30), "dog": {**{f"{number}.png": number for number in range(100, 118)}, **bad}})

    with pytest.raises(DatasetError, match=r"6 of 54 files .*not_an_image \(6\), such as 'dog/0.jpg'"):
        prepare()


def test_a_class_without_a_usable_image_says_why(images, prepare):
    images({"cat": range(20), "dog": {"1.jpg": b"", "2.jpg": b"text"}})

    with pytest.raises(DatasetError, match=r"usable image .*'dog'\. 2 rejected: empty \(1\), such as 'dog/1.jpg'"):
        prepare()


def test_a_class_with_a_single_usable_image_is_refused(images, prepare):
    images({"cat": range(20), "dog": [100]})

    with pytest.raises(DatasetError, match="Too few images: of 'dog'"):
        prepare()


def test_of_many_classes_that_are_too_small_a_few_are_named(images, prepare):
    images({f"{number:02}": [number] for number in range(20)})

    with pytest.raises(DatasetError, match="'07' and 12 more there is one usable image each"):
        prepare()


def test_copies_are_used_once_and_reported(images, prepare, report, manifest):
    images({**SPLIT, "train/cat": {"a.png": 1, "b.png": 1, "c.png": 2}})

    prepared = prepare()

    assert report(prepared)["duplicates"] == [{"name": "train/cat/b.png", "same_as": "train/cat/a.png"}]
    assert manifest(prepared)["train/cat/b.png"]["left_out"] == "duplicate"
    assert prepared.num_training_samples == 10


def test_a_validation_image_that_is_trained_on_is_left_out_and_reported(images, prepare, report):
    images(SPLIT)
    images({"validation/cat": {"leak.png": 0}})

    prepared = prepare()

    assert report(prepared)["leaks"] == [{"name": "validation/cat/leak.png", "same_as": "train/cat/0.png"}]
    assert prepared.num_validation_samples == 5


def test_leaks_that_leave_a_class_unvalidated_are_an_error(images, prepare):
    images({**SPLIT, "validation/dog": [100, 101]})

    with pytest.raises(DatasetError, match=r"in validation of .*'dog'\. 2 left out because another split has"):
        prepare()


def test_an_image_in_two_classes_is_in_none_and_reported(images, prepare, report, manifest):
    images(TWO_CLASSES)
    images({"dog": {"really.png": 0}})

    prepared = prepare()

    assert report(prepared)["conflicts"] == [{"names": ["cat/0.png", "dog/really.png"], "labels": ["cat", "dog"]}]
    assert manifest(prepared)["cat/0.png"]["left_out"] == "conflict"
    assert prepared.num_training_samples + prepared.num_validation_samples == 19


def test_a_class_that_is_only_conflicts_is_an_error(images, prepare):
    images({"cat": range(10), "dog": range(2)})

    with pytest.raises(DatasetError, match=r"'dog'\. 2 left out because another class has the same image"):
        prepare()


def test_a_new_class_gets_the_next_index(images, prepare, stored):
    images(TWO_CLASSES)
    prepare()
    images({"ant": range(200, 210)})

    prepared = prepare()

    assert parse_labels(stored(prepared.labels_key)[prepared.labels_key]) == ("cat", "dog", "ant")
    train, validation = lists(stored, prepared)
    assert {entry.label for entry in train + validation if entry.path.startswith("ant/")} == {2}


def test_a_class_that_is_gone_is_refused_before_anything_is_written(images, prepare, stored):
    folder = images({**TWO_CLASSES, "emu": range(200, 204)})
    prepare()
    before = stored()
    (folder / "emu").rename(folder / "new")

    with pytest.raises(LabelsChangedError, match="'emu'"):
        prepare()
    assert stored() == before


def test_a_reset_starts_a_new_label_space_that_is_kept(images, prepare, stored):
    folder = images({**TWO_CLASSES, "ant": range(200, 204)})
    prepare()
    for file in (folder / "ant").iterdir():
        file.unlink()
    (folder / "ant").rmdir()

    prepare(reset_labels=True)

    assert parse_labels(stored("pets/dataset/labels.json")["pets/dataset/labels.json"]) == ("cat", "dog")
    assert prepare().num_classes == 2


def test_labels_are_not_known_before_a_version_has_them(images, prepare, stored):
    images({"cat": range(20), "dog": [100]})
    with pytest.raises(DatasetError):
        prepare()

    assert "pets/dataset/labels.json" not in stored()


def test_a_labels_file_that_was_edited_is_refused_by_its_key(images, prepare, s3):
    images(TWO_CLASSES)
    s3.put_object(Bucket=BUCKET, Key="pets/dataset/labels.json", Body=b'{"schema": 1}')

    with pytest.raises(DatasetError, match=r"s3://pictures/pets/dataset/labels\.json: The labels document cannot"):
        prepare()


def test_two_runs_at_once_do_not_both_number_the_classes(images, prepare, s3, monkeypatch):
    images(TWO_CLASSES)
    put = s3.put_object

    def other_run_was_first(**request):
        if request["Key"] == "pets/dataset/labels.json":
            put(Bucket=BUCKET, Key=request["Key"], Body=labels_document(["dog", "cat"]))
        return put(**request)

    monkeypatch.setattr(s3, "put_object", other_run_was_first)
    with pytest.raises(ResourceBusyError, match="changed by another run"):
        prepare()


MANY = {"cat": range(60), "dog": range(100, 160)}


def test_test_images_are_in_no_list_and_exactly_they_are_in_the_manifest(images, prepare, stored, manifest):
    images(MANY)

    train, validation = lists(stored, prepared := prepare(test_fraction=0.2))

    [document] = stored(prepared.test_manifest_key).values()
    root, *paths = json.loads(document)
    in_test = {line["key"] for line in manifest(prepared).values() if line["split"] == "test"}
    assert root == {"prefix": f"s3://{BUCKET}/pets/dataset/"}
    assert {"pets/dataset/" + path for path in paths} == in_test == set(stored("pets/dataset/test/"))
    assert len(paths) == prepared.num_test_samples > 10
    assert len(train) + len(validation) + len(paths) == 120
    assert prepared.test_manifest_sha256 == hashlib.sha256(document).hexdigest()


def test_the_test_split_is_taken_out_of_train_alone(images, prepare, stored):
    images(MANY)

    before, after = prepare(), prepare(test_fraction=0.2)

    assert lists(stored, before)[1] != []
    assert {one.path for one in lists(stored, before)[1]} == {one.path for one in lists(stored, after)[1]}
    assert after.num_training_samples + after.num_test_samples == before.num_training_samples


def test_a_sources_own_test_images_are_used_and_no_others(images, prepare, stored):
    images({**SPLIT, "test/cat": range(30, 33), "test/dog": [130]})

    prepared = prepare(test_fraction=0.5)

    assert (prepared.num_training_samples, prepared.num_test_samples) == (16, 4)


def test_a_test_image_that_is_trained_on_too_is_left_out_of_train(images, prepare, report):
    images({**SPLIT, "test/cat": [0, 30], "test/dog": [130]})

    prepared = prepare()

    assert report(prepared)["leaks"] == [{"name": "train/cat/0.png", "same_as": "test/cat/0.png"}]
    assert (prepared.num_training_samples, prepared.num_test_samples) == (15, 3)


def test_of_a_source_that_names_two_splits_test_is_taken_out_of_train(images, prepare):
    images({**SPLIT, "train/cat": range(200, 240), "train/dog": range(300, 340)})

    prepared = prepare(test_fraction=0.2)

    assert prepared.num_validation_samples == 5
    assert 5 < prepared.num_test_samples < 30
    assert prepared.num_training_samples + prepared.num_test_samples == 80


def test_test_images_that_left_the_set_are_deleted_and_the_others_stay(images, prepare, stored, s3):
    images(MANY)
    prepared = prepare(test_fraction=0.2)
    kept = set(stored("pets/dataset/test/"))
    s3.put_object(Bucket=BUCKET, Key="pets/dataset/test/cat/old.jpg", Body=b"x")

    deleted = delete_unreferenced_images(
        "pets", s3=s3, bucket=BUCKET, fingerprint=prepared.fingerprint, training_in_progress=False
    )

    assert deleted == 1
    assert set(stored("pets/dataset/test/")) == kept


def test_the_train_list_is_written_last_of_a_version(images, prepare, s3, monkeypatch):
    images(SPLIT)
    put, order = s3.put_object, []
    monkeypatch.setattr(s3, "put_object", lambda **request: order.append(request["Key"]) or put(**request))

    prepare()

    order = [key for key in order if "/listing/" not in key]
    assert [key.split("/")[-1] for key in order[21:]] == [
        "part-00000.jsonl.gz",
        "report.html",
        "report.json",
        "labels.json",
        "validation.lst",
        "train.lst",
        "labels.json",
        "current.json",
    ]
    assert all("/versions/" not in key for key in order[:21])


def test_a_version_that_lacks_a_list_is_completed(images, prepare, s3, stored):
    images(SPLIT)
    prepare()
    before = stored()
    lost = next(key for key in before if key.endswith("train.lst"))
    s3.delete_object(Bucket=BUCKET, Key=lost)

    prepare()

    assert stored() == before


def test_check_images_are_spread_over_the_classes(images, prepare, manifest):
    first = {"a": 0, "b": 20, "c": 40}
    images({f"train/{name}": range(number, number + 4) for name, number in first.items()})
    images({f"validation/{name}": range(number + 10, number + 14) for name, number in first.items()})

    prepared = prepare()

    assert [image.label for image in prepared.check_images] == ["a", "b", "c", "a", "b"]
    validation = {line["key"]: line["class"] for line in manifest(prepared).values() if line["split"] == "validation"}
    assert {image.key: image.label for image in prepared.check_images}.items() <= validation.items()


def test_check_images_are_as_many_as_there_are(images, prepare):
    images({"cat": [1, 2], "dog": [3, 4]})

    assert len(prepare().check_images) == 2


def test_the_report_counts_and_warns(images, prepare, report):
    images({"cat": range(60), "Cat": range(100, 104), "dog": range(200, 260)})
    images({"": {"README.md": b"text"}, "dog": {"x": b""}})
    said = []

    found = report(prepared := prepare(said=said))

    assert found["fingerprint"] == prepared.fingerprint
    assert found["labels"] == ["Cat", "cat", "dog"]
    assert sum(found["images"]["train"].values()) == prepared.num_training_samples
    assert sum(found["images"]["validation"].values()) == prepared.num_validation_samples
    assert (found["pixels"], found["ignored"]) == ("1-pad-32-q90", ["README.md"])
    expected = [
        "1 file cannot be used",
        "1 file is in no class folder",
        "and hyperparameters.mini_batch_size is 32",
        "does not weigh classes",
        "Fewer than 20 training images: 'Cat'",
        "'Cat' and 'cat' differ in case alone",
        "nearly of one colour",
        "124 images are smaller than 32 pixels",
    ]
    assert [part in warning for part, warning in zip(expected, found["warnings"], strict=True)] == [True] * 8
    warned = [line.removeprefix("Warning: ") for line in said if line.startswith("Warning: ")]
    assert warned == found["warnings"]


def test_a_class_that_validation_lacks_is_a_warning(images, prepare, report):
    images({**SPLIT, "train/emu": range(200, 204)})

    assert any("No validation image: 'emu'" in warning for warning in report(prepare())["warnings"])


def test_progress_says_what_is_read_and_how_far_it_is(images, prepare, tmp_path):
    images(SPLIT)
    said = []

    prepare(said=said)

    assert said[:2] == [
        f"21 images of 2 classes in folder {tmp_path / 'images'}",
        "The classes are the folders below train/ (train), validation/ (validation): 'cat', 'dog'.",
    ]
    assert said[2] == "21 images are read: in one task (runner: task)."
    assert said[3].startswith("21 of 21 images inspected, 0 rejected; ")


def test_the_manifest_says_where_each_image_is_and_how_large_it_was(images, prepare, manifest, picture):
    images({**SPLIT, "train/cat": {"wide.png": picture(9, size=(40, 20))}})

    line = manifest(prepared := prepare())["train/cat/wide.png"]

    assert (line["class"], line["split"], line["width"], line["height"]) == ("cat", "train", 40, 20)
    assert line["key"].startswith(key_of(prepared.train_uri) + "cat/")
    assert len(line["sha256"]) == 64


def test_an_error_of_s3_names_the_bucket_and_what_to_check(images, prepare, s3, settings):
    images(TWO_CLASSES)
    s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(DatasetError, match=r"s3://pictures/pets/.*NoSuchBucket.*Check that the bucket exists"):
        prepare()


def delete_unreferenced(s3, prepared, *, training_in_progress=False):
    return delete_unreferenced_images(
        "pets", s3=s3, bucket=BUCKET, fingerprint=prepared.fingerprint, training_in_progress=training_in_progress
    )


def test_images_that_left_the_set_are_deleted_and_nothing_else(images, prepare, s3, stored):
    folder = images(SPLIT)
    prepare()
    before = stored()
    (folder / "train" / "cat" / "0.png").unlink()
    (folder / "validation" / "cat" / "20.png").unlink()
    prepared = prepare()
    s3.put_object(Bucket=BUCKET, Key="pets/incoming/x.jpg")

    assert delete_unreferenced(s3, prepared) == 2

    train, validation = lists(stored, prepared)
    assert len(stored("pets/dataset/train/")) == len(train) == 15
    assert len(stored("pets/dataset/validation/")) == len(validation) == 4
    assert {key for key in before if "/versions/" in key} <= set(stored())
    assert "pets/incoming/x.jpg" in stored()
    assert delete_unreferenced(s3, prepared) == 0


def test_nothing_is_deleted_while_a_training_job_reads(images, prepare, s3, stored):
    folder = images(SPLIT)
    prepare()
    (folder / "train" / "cat" / "0.png").unlink()
    prepared = prepare()
    before = stored()

    assert delete_unreferenced(s3, prepared, training_in_progress=True) == 0
    assert stored() == before


def test_without_the_lists_no_image_is_called_unreferenced(images, prepare, s3, stored):
    images(SPLIT)
    prepared = prepare().model_copy(update={"fingerprint": "0" * 16})
    before = stored()

    with pytest.raises(DatasetError, match=r"versions/0000000000000000/train_lst/train.lst is absent"):
        delete_unreferenced(s3, prepared)
    assert stored() == before


def test_an_image_that_s3_does_not_delete_is_an_error(images, prepare, s3, monkeypatch):
    folder = images(SPLIT)
    prepare()
    (folder / "train" / "cat" / "0.png").unlink()
    prepared = prepare()
    refusal = {"Errors": [{"Key": "some/key", "Code": "AccessDenied", "Message": "Access Denied"}]}
    monkeypatch.setattr(s3, "delete_objects", lambda **request: refusal)

    with pytest.raises(DatasetError, match="did not delete 1 objects, such as s3://pictures/some/key: AccessDenied"):
        delete_unreferenced(s3, prepared)


def test_labels_json_is_the_same_for_the_version_and_the_next_run(images, prepare, stored):
    images(TWO_CLASSES)
    prepared = prepare()

    document = stored(prepared.labels_key)[prepared.labels_key]

    assert stored()["pets/dataset/labels.json"] == document
    assert json.loads(document)["sha256"] == prepared.labels_sha256
