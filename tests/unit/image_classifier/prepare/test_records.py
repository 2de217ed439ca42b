import io
import struct

import pytest

from image_classifier.contracts.errors import DatasetError, ObjectGoneError
from image_classifier.contracts.training.image_list import parse
from image_classifier.contracts.training.recordio import MAGIC, encoded
from image_classifier.prepare import records

BUCKET = "pictures"


@pytest.fixture
def packed(prepare, images):
    """A prepared data set of twelve images in RecordIO."""
    images({"cat": range(6), "dog": range(6, 12)})
    return prepare(format="recordio")


def key_of(uri):
    return uri.removeprefix(f"s3://{BUCKET}/")


def version_of(prepared):
    return prepared.report_key.removesuffix("report.json")


def read_records(data):
    """Labels, indices and image files, in the order of the file; none of them holds the magic number."""
    found, stream = [], io.BytesIO(data)
    while head := stream.read(8):
        magic, length = struct.unpack("<4sI", head)
        assert magic == MAGIC
        content = stream.read(length)
        stream.read(-length % 4)
        count, label, index, _ = struct.unpack_from("<IfQQ", content)
        assert count == 0
        found.append((label, index, content[24:]))
    return found


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_records_are_those_of_the_image_list_in_its_order(packed, stored, split):
    objects, version = stored(), version_of(packed)
    listed = parse(objects[f"{version}{split}_lst/{split}.lst"].decode())

    found = read_records(objects[f"{version}recordio/{split}/{split}.rec"])

    images = [objects[f"pets/dataset/{split}/{entry.path}"] for entry in listed]
    assert found == [(entry.label, entry.index, image) for entry, image in zip(listed, images, strict=True)]


def test_the_index_names_the_offset_of_each_record(packed, stored):
    objects, version = stored(), version_of(packed)
    data, index = (objects[f"{version}recordio/{name}"] for name in ("train/train.rec", "index/train.idx"))

    lines = [tuple(map(int, line.split("\t"))) for line in index.decode().splitlines()]

    assert len(lines) == packed.num_training_samples
    for record, offset in lines:
        assert data[offset:].startswith(MAGIC)
        assert struct.unpack_from("<Q", data, offset + 16) == (record,)


def test_the_channels_are_folders_with_one_record_file_and_no_list(packed, stored):
    assert packed.train_lst_uri == packed.validation_lst_uri == ""
    for split, uri in (("train", packed.train_uri), ("validation", packed.validation_uri)):
        assert list(stored(key_of(uri))) == [f"{version_of(packed)}recordio/{split}/{split}.rec"]


def test_the_format_does_not_change_the_fingerprint(packed, prepare):
    assert prepare(format="images").fingerprint == packed.fingerprint


def test_parts_are_joined_and_deleted(packed, prepare, s3, stored, monkeypatch):
    whole = stored(f"{version_of(packed)}recordio/")
    storage_of_parts = dict.fromkeys(whole)
    records.storage.delete(s3, bucket=BUCKET, keys=list(storage_of_parts))
    monkeypatch.setattr(records, "PART_BYTES", 1)
    monkeypatch.setattr("moto.settings.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)

    prepare(format="recordio")

    assert stored(f"{version_of(packed)}recordio/") == whole


def test_a_run_that_was_interrupted_continues_with_the_next_part(prepare, images, s3, stored, monkeypatch):
    images({"cat": range(6), "dog": range(6, 12)})
    monkeypatch.setattr(records, "PART_BYTES", 1)
    monkeypatch.setattr("moto.settings.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    packing, pack = [], records.RecordFiles.pack

    def interrupted(files, part, split):
        packing.append(part.key)
        if len(packing) == 4:
            raise DatasetError("killed")
        return pack(files, part, split)

    monkeypatch.setattr(records.RecordFiles, "pack", interrupted)
    with pytest.raises(DatasetError, match="killed"):
        prepare(format="recordio")
    assert not [key for key in stored() if key.endswith(("train.rec", "validation.rec", ".lst"))]

    prepared = prepare(format="recordio")

    assert len(packing) == 1 + prepared.num_training_samples + prepared.num_validation_samples
    assert packing[3] == packing[4]
    assert len(read_records(stored()[f"{version_of(prepared)}recordio/train/train.rec"])) == (
        prepared.num_training_samples
    )


def test_a_second_run_packs_nothing(packed, prepare, monkeypatch):
    monkeypatch.setattr(records.RecordFiles, "write_split", lambda *_: pytest.fail("packed again"))

    assert prepare(format="recordio").uploaded == 0


def test_an_image_that_was_deleted_ends_the_packing(packed, s3, stored):
    key = next(iter(stored("pets/dataset/train/")))
    lists = {"train": parse(stored()[f"{version_of(packed)}train_lst/train.lst"].decode()), "validation": []}
    s3.delete_object(Bucket=BUCKET, Key=key)
    keys = records.Keys("pets")

    with pytest.raises(ObjectGoneError, match="is gone"):
        records.RecordFiles(s3, BUCKET, keys, keys.version("other"), lists).write()


def test_record_files_of_other_versions_are_deleted(packed, prepare, images, s3, stored):
    images({"cat": range(20, 22)})
    newer = prepare(format="recordio")

    records.delete_superseded(s3, bucket=BUCKET, keys=records.Keys("pets"), fingerprint=newer.fingerprint)

    objects = stored()
    assert not [key for key in objects if key.startswith(f"{version_of(packed)}recordio/")]
    assert f"{version_of(packed)}train_lst/train.lst" in objects
    assert f"{version_of(newer)}recordio/train/train.rec" in objects


def test_a_record_with_the_magic_number_in_it_is_cut_there():
    assert encoded(b"abcd" + MAGIC + b"ef") == (
        MAGIC + struct.pack("<I", 1 << 29 | 4) + b"abcd" + MAGIC + struct.pack("<I", 3 << 29 | 2) + b"ef\0\0"
    )
