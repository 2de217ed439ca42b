"""Checks that lists whose images have several labels are refused, and that those which only look so are read."""

import pytest

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.sources.lists.rows import read_list

TEN = [f"{at}.png,{'ab'[at % 2]}" for at in range(10)]


def written(*lines, head="path,label"):
    return "\n".join([head, *lines])


def labels(*texts):
    lines = [f'{at}.png,"{text}"' for at, text in enumerate(texts)]
    return [row.label for row in read_list(written(*lines).encode(), name="l.csv", columns=Columns()).rows]


@pytest.mark.parametrize(
    "texts",
    [
        ("['cat', 'dog']", "['cat']"),
        ("[cat, dog]", "bird"),
        ('{""choices"": [""cat"", ""dog""]}', "cat"),
        ("0 3", "3"),
        ("cat|dog", "cat"),
        ("cat|dog", "dog|bird", "bird|cat"),
        ("cat; dog", "dog; bird", "bird; cat", "bird; dog"),
        ("cat,dog", "dog,cat"),
    ],
)
def test_labels_that_are_several_labels_are_refused(texts):
    with pytest.raises(
        DatasetError, match=r"has rows with several labels, such as .* of '0.png' \([1-4] of [2-4] rows\)"
    ):
        labels(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ("cat, black", "cat", "cat;x"),
        ("pet|cat", "pet|dog", "farm|cow"),
        ("tench, Tinca tinca", "crane", "crane, bird"),
        ("bird|cat", "cat|dog"),
        ("[unknown]", "cat"),
        ("{cat}", "{dog, big}"),
        ("(0, 2)", "(4, 6)"),
        ("|", ";", ","),
        ("Gorilla|Gorilla", "Bison|Bison"),
    ],
)
def test_labels_that_only_look_like_several_are_kept(texts):
    assert labels(*texts) == list(texts)


def test_the_only_label_of_an_array_is_the_label():
    assert labels("['cat']", '[ ""dog"" ]', "cat") == ["cat", "dog", "cat"]
    text = '{"path": "a.png", "label": ["cat"]}\n{"path": "b.png", "label": [3]}'
    assert [row.label for row in read_list(text.encode(), name="l.jsonl", columns=Columns()).rows] == ["cat", "3"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "path,label\na.png,\nb.png,cat\nc.png,[]\n,dog"),
        ("l.jsonl", '{"path": "a.png", "label": []}\n{"path": "b.png"}\n{"path": "c.png", "label": null}'),
    ],
)
def test_all_lines_without_a_label_are_counted_at_once(name, text):
    first = 2 if name.endswith(".csv") else 1
    said = rf"There is no 'label' in line {first} of {name}; 3 lines lack a path or label\. Add it to each, or delete"

    with pytest.raises(DatasetError, match=said):
        read_list(text.encode(), name=name, columns=Columns())


def test_lines_of_no_class_column_are_counted_at_once():
    text = "path,cat,dog\na.png,0,0\nb.png,1,0\nc.png,0,1\nd.png,0,0\n"

    with pytest.raises(DatasetError, match=r"'cat', 'dog' none is 1 in line 2 of l.csv, .*; 2 lines lack"):
        read_list(text.encode(), name="l.csv", columns=Columns(label=("cat", "dog")))


def test_images_with_several_labels_in_several_rows_are_refused(layout):
    said = (
        r"2 of 10 images of .*l.csv.* have several labels, in several rows, such as '0.png' with 'a', 'b'.* one row for"
    )
    files = {"l.csv": written(*TEN, "0.png,b", "1.png,a"), **{f"{at}.png": "" for at in range(10)}}

    with pytest.raises(DatasetError, match=said):
        layout(files, "l.csv")
    with pytest.raises(DatasetError, match=said):
        layout({}, columns={"path": "path", "label": "label"})


def test_a_tenth_with_several_labels_and_repeated_rows_are_read(layout):
    files = {"l.csv": written(*TEN, "0.png,b", *TEN[1:]), **{f"{at}.png": "" for at in range(10)}}

    assert len(layout(files, "l.csv").images) == 11


def test_several_labels_that_the_file_joins_are_one(layout):
    files = {"l.csv": written(*TEN, "0.png,c", "2.png,c"), "0.png": ""}

    assert layout(files, "l.csv", classes={"a": ["a", "c"]}).classes == ("a", "b")


@pytest.mark.parametrize("line", ["0.png,cat,dog", "0.png,cat, black", '0.png, "cat, black"'])
@pytest.mark.parametrize(("head", "columns"), [("path,label", {}), ("1.png,dog", {"path": 0, "label": 1})])
def test_a_line_with_more_values_than_columns_is_refused(line, head, columns):
    with pytest.raises(
        DatasetError, match=r"more values than columns in line 2 of l.csv, .* one label.*put quotes around"
    ):
        read_list(f"{head}\n{line}\n".encode(), name="l.csv", columns=Columns(**columns))


@pytest.mark.parametrize("text", ["path,label\n0.png,cat,,\n", "path,label,caption\n0.png,cat,a cat, asleep\n"])
def test_more_values_after_the_columns_that_are_read_are_ignored(text):
    assert [row.label for row in read_list(text.encode(), name="l.csv", columns=Columns()).rows] == ["cat"]


def test_arrays_of_labels_by_image_are_refused_as_such():
    with pytest.raises(DatasetError, match=r"The label in object 1 of l.json is .*cat.*; one label for each image"):
        read_list(b'{"a.png": ["cat", "dog"], "b.png": ["cat"]}', name="l.json", columns=Columns())
