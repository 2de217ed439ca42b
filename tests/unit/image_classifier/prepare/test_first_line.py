"""Checks what is said of lists that other programs write, and that are not read as they are."""

import json

import pytest

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.sources.lists.row import Row
from image_classifier.prepare.sources.lists.rows import read_list

CAT = [Row("a.jpg", "cat", None)]
VIA = {
    "a.jpg1000": {"filename": "a.jpg", "size": 1000, "regions": [], "file_attributes": {"kind": "cat"}},
}
OF_VIA = {"path": "filename", "label": "file_attributes.kind"}


def rows(data, name="labels.csv", **columns):
    data = data if isinstance(data, bytes) else data.encode()
    return read_list(data, name=name, columns=Columns(**columns)).rows


def refusal(data, name="labels.csv", **columns):
    with pytest.raises(DatasetError) as caught:
        rows(data, name, **columns)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path|label\na.jpg|cat\n", "it has 'path|label'. Columns are divided by commas, semicolons or tabs: replace"),
        ("sep=;\r\npath;label\r\n", "Its first line, 'sep=', is read by Excel alone: delete it."),
        ("SEP=\t\npath\tlabel\n", "Its first line, 'SEP=', is read by Excel alone"),
        (
            "# of 2024\npath,label\na.jpg,cat\n",
            "columns.path in the classifier's file (a number, from 0",
        ),
        ("<!DOCTYPE html>\n<html>\n", "It is a web page, such as one that asks to sign in: download the list again."),
        ("path label\na.jpg cat\n", "by blanks in a list whose name ends in .txt: rename"),
        ("path,label,label\na.jpg,cat,1\n", "several columns 'label'. Rename or delete those that are not meant."),
        ("# of 2024\npath,label\na.jpg,cat\n", "If its first line, '# of 2024', is a comment, delete it."),
        ("filename,file_attributes\na.jpg,{}\n", "It is of VGG Image Annotator: export JSON there"),
        ("# Exported using VGG Image Annotator (x)\n", "VGG Image Annotator, in a form that is not read: write labels"),
        ("version https://git-lfs.github.com/spec/v1\n", "List labels.csv is a Git LFS pointer, not the list"),
        ("a.jpg,cat\nb.jpg,dog\n", "it has no header: use `columns: {path: 0, label: 1}` in the classifier's file."),
        ("TRAIN,gs://b/a.jpg,cat\n", "`columns: {path: 1, label: 2, split: 0}`"),
        ("UNASSIGNED,gs://b/a.jpg,cat\n", "`columns: {path: 1, label: 2, split: 0}`"),
        ("cat,7,a.jpg\n", "`columns: {path: 2, label: NUMBER}`"),
        ("cats/a.jpg\n", "`columns: {path: 0}`"),
    ],
)
def test_a_list_without_the_usual_columns_is_named_by_its_first_line(text, said):
    assert said in refusal(text + "x,y,z\n")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id": 1, "data": {"image": "a.jpg"}, "annotations": []}, "Label Studio wrote it, export CSV there"),
        ({"image": "a.jpg", "annotations": [{"label": "cat"}]}, "labels are in arrays, as 'annotations', write labels"),
        ({"ID": 1, "Label": {"classifications": []}}, "If the labels are in arrays, as 'Label.classifications', write"),
    ],
)
def test_labels_in_arrays_are_refused_with_what_to_write(values, said):
    message = refusal(json.dumps([values]), "labels.json")

    assert said in message
    assert "Name the column with columns." in message


def test_a_long_label_is_shown_by_its_beginning():
    text = json.dumps([{"path": "a.jpg", "label": [{"points": list(range(1000))}]}])

    assert len(refusal(text, "labels.json")) < 200


@pytest.mark.parametrize("document", [VIA, {"_via_settings": {}, "_via_img_metadata": VIA, "_via_attributes": {}}])
def test_a_file_attribute_of_via_may_be_the_label(document):
    text = json.dumps(document)

    assert "use `columns: {path: filename, label: file_attributes.NAME}`" in refusal(text, "via.json")
    assert rows(text, "via.json", **OF_VIA) == CAT


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig"])
def test_utf_16_is_read_with_and_without_its_mark(encoding):
    assert rows("path,label\na.jpg,cat\n".encode(encoding)) == CAT


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0\0", b"p"])
def test_other_bytes_are_no_utf_16(data):
    assert "labels.csv has no" in refusal(data)


def test_an_unassigned_image_of_vertex_ai_has_no_split():
    text = "TRAIN,gs://b/a.jpg,cat\nUNASSIGNED,gs://b/b.jpg,dog\nTEST,gs://b/c.jpg,dog\n"

    assert [row.split for row in rows(text, path=1, label=2, split=0)] == ["train", None, "test"]


def test_the_column_of_the_paths_is_no_label():
    assert "no column 'label' or" in refusal("1 cats/a.jpg\n2 dogs/b.jpg\n", "images.txt", path=1)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\3\4", "no text, in spite of its name: it is an archive (unpack it) or a spreadsheet (save"),
        (b"\xd0\xcf\x11\xe0", "it is a spreadsheet (save the sheet as CSV in UTF-8)."),
        (b"\x1f\x8b", "it is compressed by gzip (unpack it)."),
    ],
)
def test_a_packed_file_with_the_name_of_a_list_is_named(start, said):
    assert said in refusal(start + bytes(99))


def test_columns_that_are_not_read_may_have_one_name():
    assert rows("path,label,note,note,,\na.jpg,cat,1,2,,\n") == CAT


def test_an_array_in_json_lines_is_refused_with_the_right_name():
    assert "Rename a.jsonl to end in .json." in refusal('[{"path": "a.jpg", "label": "cat"}]', "a.jsonl")
