"""Checks that listings, manifests and lists of images are read back as they were written."""

import csv
import io
import json
import os
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.image_classifier.prepare.inspected_images import inspected_image

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training.image_list import Entry as ListEntry
from image_classifier.contracts.training.image_list import dumps, shuffled
from image_classifier.prepare import manifest
from image_classifier.prepare.inspection.inspector import Rejected
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.shards.lines import (
    Entry,
    entry_line,
    image_line,
    read_entry,
    read_image,
    read_result,
    result_line,
)
from image_classifier.prepare.shards.sharding import MOST_MAPPED, MOST_SHARDS, sharding
from image_classifier.prepare.sources.lists.row import Row
from image_classifier.prepare.sources.lists.rows import read_list

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FILE_NAMES = TEXT | st.binary(min_size=1).map(os.fsdecode)  # a folder may hold names that are no UTF-8
SPLITS = st.sampled_from([None, "train", "validation", "test"])
LISTED = st.builds(Listed, FILE_NAMES, TEXT, SPLITS, TEXT)
LOOKS = st.builds(Look, st.integers(0, 2**64 - 1), st.binary(min_size=128, max_size=128), st.booleans())
SHARES = st.floats(0, 1e6, allow_nan=False)


@st.composite
def facts(draw):
    made = inspected_image("a", draw(TEXT), look=draw(st.none() | LOOKS)).facts
    measured = replace(made.statistics, brightness=draw(SHARES), sharpness=draw(SHARES), camera=draw(TEXT))
    traits = tuple(draw(st.lists(st.sampled_from(["cmyk", "grey", "rotated"]), unique=True)))
    size = draw(st.integers(1, 65_535))
    return replace(made, statistics=measured, traits=traits, width=size, revision=draw(st.sampled_from(["", "-2"])))


@st.composite
def results(draw):
    image = draw(LISTED)
    if draw(st.booleans()):
        return Rejected(image, draw(TEXT.filter(bool)), draw(TEXT))
    made = inspected_image("a", split=draw(SPLITS.filter(bool)))
    return replace(made, image=image, facts=draw(facts()), uploaded=draw(st.booleans()))


def written_and_read(*lines):
    """Return the lines after a way through a file."""
    return list(manifest.unpacked(manifest.packed(lines)))


@given(st.lists(results(), max_size=5))
def test_the_results_of_a_shard_are_read_back(found):
    lines = written_and_read(*(result_line(at, one) for at, one in enumerate(found)))

    assert [line["at"] for line in lines] == list(range(len(found)))
    assert list(map(read_result, lines)) == found


@given(st.lists(st.builds(Entry, st.integers(0, 10**9), LISTED, st.none() | facts(), SPLITS), max_size=5))
def test_the_entries_of_a_shard_are_read_back(entries):
    assert list(map(read_entry, written_and_read(*map(entry_line, entries)))) == entries


@given(st.integers(0, 10**9), LISTED)
def test_an_unchanged_image_is_read_back(at, image):
    [line] = written_and_read(image_line(at, image))

    assert (line["at"], read_image(line)) == (at, image)


@given(LOOKS)
def test_a_look_is_read_back(look):
    assert Look.loads(look.dumps()) == look


@given(st.lists(TEXT, unique=True, max_size=60), st.integers(1, 7))
def test_the_parts_of_a_manifest_hold_every_line_once(names, size):
    lines = [{"name": name} for name in names]
    parts, before = [], manifest.LINES_OF_A_PART
    manifest.LINES_OF_A_PART = size
    try:
        parts = [list(manifest.unpacked(data)) for _, data in manifest.parts(lines)]
    finally:
        manifest.LINES_OF_A_PART = before

    assert [line for part in parts for line in part] == lines
    assert len(parts) == max(1, -(-len(lines) // size))


@given(st.sampled_from(["auto", "task", "mapped", "processing"]), st.integers(0, 10**8))
def test_every_shard_has_an_image_and_none_too_many(wanted, images):
    found = sharding(wanted, images)

    assert 0 <= found.shards <= min(images, MOST_MAPPED if found.runner == "mapped" else MOST_SHARDS)
    assert bool(found.shards) == bool(images)


CELLS = TEXT.filter(lambda text: text.strip() and not re.search(r"\0|\[|\||[0-9] [0-9]", text)).map(str.strip)
ROWS = st.lists(
    st.builds(Row, CELLS, CELLS, st.sampled_from([None, "train", "validation", "test"])), min_size=1, unique=True
).filter(lambda rows: len({row.label for row in rows if re.search("[,;]", row.label)}) < 2)  # several may be combined


@given(ROWS, st.sampled_from([",", ";", "\t"]))
def test_a_table_is_read_back(rows, delimiter):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([("path", "label", "split"), *((row.path, row.label, row.split or "") for row in rows)])

    assert read_list(text.getvalue().encode(), name="a.csv", columns=Columns()).rows == rows


@given(ROWS, st.booleans())
def test_json_lines_are_read_back(rows, is_ascii):
    lines = [{"file_name": row.path, "label": row.label, "split": row.split} for row in rows]
    text = "\n".join(json.dumps(line, ensure_ascii=is_ascii) for line in lines)

    assert read_list(text.encode(), name="a.jsonl", columns=Columns()).rows == rows


LINES = st.text(st.sampled_from("ab0,;\t\n\r\"'{}[]:\\ \0\ufeff"), max_size=60)
HEADS = st.sampled_from(["", "path,label\n", "path;label;split\n", '{"path": "a", "label": ', "0\t1\ta\n"])


@given(
    st.sampled_from(["a.lst", "a.csv", "a.tsv", "a.txt", "a.json", "a.jsonl", "a.manifest"]),
    st.binary() | st.tuples(HEADS, LINES),
)
def test_any_bytes_are_rows_or_an_error_that_names_the_list(name, given_):
    data = given_ if isinstance(given_, bytes) else "".join(given_).encode()
    try:
        rows = read_list(data, name=name, columns=Columns()).rows
    except DatasetError:
        return
    assert rows
    assert all(row.path and row.label for row in rows)


PATHS = st.text(st.sampled_from("abc/. \u00e9"), min_size=1, max_size=8).filter(lambda path: path == path.strip())


@given(st.lists(PATHS, unique=True), st.text(), st.randoms(use_true_random=False))
def test_the_order_of_a_list_depends_on_its_paths_and_seed_alone(paths, seed, chance):
    entries = [ListEntry(index, (0.0,), path) for index, path in enumerate(paths)]
    mixed = chance.sample(entries, len(entries))

    assert dumps(shuffled(entries, seed=seed)) == dumps(shuffled(mixed, seed=seed))
    assert sorted(shuffled(mixed, seed=seed), key=lambda entry: entry.index) == entries
