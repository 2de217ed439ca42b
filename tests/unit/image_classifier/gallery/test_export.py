"""Checks the exported predictions, and that no cell is run as a formula by a spreadsheet."""

import csv
import io
import json

import pytest

from image_classifier.contracts.corrections import Correction
from image_classifier.gallery.export import COLUMNS, as_csv, as_json_lines
from image_classifier.gallery.rows import Row

AT = "2026-11-28T05:00:00.000Z"


def row(name, label="cat"):
    key = f"cats/incoming/{name}"
    return Row(key, "v1", None, "predicted", label, 0.75, 0.5, "dog", AT, AT, 1.0, "job-1", None, None, True, 0)


def correction(name, label="dog"):
    return Correction(f"cats/incoming/{name}", "v1", "0" * 64, "label", label, "cat", "job-1", "random", "anna", AT)


def table(rows, corrections=()):
    text = "".join(as_csv(rows, {one.key: one for one in corrections}))
    return list(csv.DictReader(io.StringIO(text)))


def test_every_row_has_its_prediction_and_its_correction():
    first, second = table([row("a.jpg"), row("b.jpg")], [correction("b.jpg")])

    assert tuple(first) == COLUMNS
    assert (first["key"], first["label"], first["confidence"]) == ("cats/incoming/a.jpg", "cat", "0.75")
    assert (first["corrected_label"], first["corrected_by"]) == ("", "")
    assert [second[f"corrected_{name}"] for name in ("answer", "label", "by", "at")] == ["label", "dog", "anna", AT]


def test_without_rows_there_is_a_header():
    assert "".join(as_csv([], {})).strip() == ",".join(COLUMNS)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_preceded_by_an_apostrophe(first):
    label = f"{first}HYPERLINK(1)"

    [found] = table([row("a.jpg", label)], [correction("a.jpg", label)])

    assert (found["label"], found["corrected_label"]) == (f"'{label}", f"'{label}")


def test_json_lines_have_the_same_columns_and_the_text_as_it_is():
    [line] = as_json_lines([row("ä.jpg", "=1")], {})

    found = json.loads(line)
    assert tuple(found) == COLUMNS
    assert (found["label"], found["confidence"], found["corrected_at"]) == ("=1", 0.75, None)
    assert "ä.jpg" in line
