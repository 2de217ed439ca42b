import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.labels import labels_document, parse_labels
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.image_list import Entry, dumps, fingerprint, parse, shuffled

IM2REC = Path(__file__).parent / "fixtures" / "im2rec"
READ = json.loads((IM2REC / "read.json").read_text(encoding="utf-8"))
# The same order of files and classes that im2rec found; see make.py there.
IM2REC_ORDER = [
    (0, 0, "cat/ blank first.jpg"),
    (1, 0, "cat/1.jpg"),
    (2, 0, "cat/10.JPG"),
    (3, 0, "cat/2.jpeg"),
    (4, 0, "cat/a blank.jpg"),
    (5, 0, "cat/blank last .png"),
    (6, 1, "cat/kittens/100%.jpg"),
    (7, 2, "cat/kittens/deep/x.jpg"),
    (8, 3, "dog/a+b&c=d#e?f.jpg"),
    (9, 3, "dog/a,b;c.png"),
    (10, 3, "dog/back\\slash.jpg"),
    (11, 3, 'dog/it\'s "one".jpg'),
    (12, 4, "żółw żółty/e\u0301.jpg"),
    (13, 4, "żółw żółty/line\u2028separator.jpg"),
    (14, 4, "żółw żółty/żółw.jpg"),
    (15, 4, "żółw żółty/亀🐢.jpg"),
]
SHUFFLED_INDICES = [11, 8, 13, 3, 9, 0, 15, 1, 10, 5, 6, 2, 12, 14, 7, 4]

paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r"), min_size=1).filter(
    lambda path: path == path.strip()
)
labels = st.one_of(
    st.integers(0, 10_000).map(lambda label: (float(label),)),
    st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=6).map(tuple),
)
entries = st.lists(st.tuples(labels, paths)).map(
    lambda drawn: [Entry(index, labels, path) for index, (labels, path) in enumerate(drawn)]
)


def entry(index=0, label=0.0, path="a.jpg"):
    return Entry(index, (float(label),), path)


@given(entries)
def test_parsing_undoes_writing(listed):
    assert parse(dumps(listed)) == listed


def test_the_same_order_is_written_byte_for_byte_as_im2rec_writes_it():
    listed = [entry(index, label, path) for index, label, path in IM2REC_ORDER]

    assert dumps(listed).encode() == (IM2REC / "plain.lst").read_bytes()
    assert dumps([listed[index] for index in SHUFFLED_INDICES]).encode() == (IM2REC / "shuffled.lst").read_bytes()


def test_several_labels_are_written_byte_for_byte_as_im2rec_writes_them():
    listed = [
        Entry(7, (0.0, 1.0, 1.0), "a.jpg"),
        Entry(0, (1.0, 0.0, 0.0), "b c/d.jpg"),
        Entry(123456789, (0.5, 0.25, 0.125), "e.jpg"),
    ]

    assert dumps(listed).encode() == (IM2REC / "multi_label.lst").read_bytes()


@pytest.mark.parametrize("name", ["plain.lst", "shuffled.lst", "multi_label.lst"])
def test_what_im2rec_wrote_is_read_back(name):
    text = (IM2REC / name).read_bytes().decode()

    assert dumps(parse(text)) == text


def test_a_class_index_is_a_whole_number():
    assert parse("0\t3.000000\ta.jpg\n")[0].label == 3
    for labels in ((0.5,), (0.0, 1.0)):
        with pytest.raises(DatasetError, match="one class index"):
            _ = Entry(0, labels, "a.jpg").label


@pytest.mark.parametrize("case", READ, ids=[repr(case["text"]) for case in READ])
def test_lines_are_read_as_im2rec_does_and_dropped_lines_are_errors(case):
    blank_lines = sum(not line.strip() for line in case["text"].splitlines())
    if case["dropped"] > blank_lines or case["text"].startswith("-1"):  # MXNet's record header has no room for -1
        with pytest.raises(DatasetError, match="Line 1 "):
            parse(case["text"])
    else:
        assert parse(case["text"]) == [Entry(index, tuple(values), path) for index, path, *values in case["items"]]


def test_the_oracle_covers_both_sides():
    assert {case["dropped"] > 0 for case in READ} == {True, False}


def test_an_error_names_the_line():
    with pytest.raises(DatasetError, match=r"Line 3 .*2 fields"):
        parse("0\t0\ta.jpg\r\n\r\n1\tb.jpg\r\n")


def test_a_repeated_index_names_both_lines():
    with pytest.raises(DatasetError, match=r"Line 2 .* repeats index 0 of line 1"):
        parse("0\t0\ta.jpg\n0\t1\tb.jpg\n")


@pytest.mark.parametrize("label", ["nan", "inf"])
def test_a_label_that_is_no_number_is_refused(label):
    with pytest.raises(DatasetError, match=r"Line 1 .*finite"):
        parse(f"0\t{label}\ta.jpg\n")


@pytest.mark.parametrize(
    "path", ["", "a\tb.jpg", "a\nb.jpg", "a\rb.jpg", " a.jpg", "a.jpg ", "a.jpg\u00a0", "\udcff.jpg"]
)
def test_a_path_that_would_be_read_as_another_is_not_written(path):
    with pytest.raises(DatasetError, match="cannot stand in an image list"):
        dumps([entry(path=path)])


def test_an_entry_without_a_label_is_not_written():
    with pytest.raises(DatasetError, match="labels"):
        dumps([Entry(0, (), "a.jpg")])


def test_a_negative_index_is_not_written():
    with pytest.raises(DatasetError, match="index -1"):
        dumps([entry(-1)])


def test_shuffling_keeps_every_entry_and_mixes_the_classes():
    listed = [entry(index, index // 50, f"{index}.jpg") for index in range(100)]

    mixed = shuffled(listed, seed="s")

    assert sorted(mixed, key=lambda one: one.index) == listed
    assert 15 < sum(one.label for one in mixed[:50]) < 35


def test_the_order_depends_on_the_seed_and_not_on_the_order_before():
    listed = [entry(index, path=f"{index}.jpg") for index in range(20)]

    assert shuffled(listed, seed="s") == shuffled(listed[::-1], seed="s")
    assert shuffled(listed, seed="s") != shuffled(listed, seed="t")


def test_the_order_is_the_same_on_every_machine_and_python():
    listed = [entry(index, path=f"{index}.jpg") for index in range(6)]

    by_hand = sorted(listed, key=lambda one: hashlib.sha256(f"s\n{one.path}".encode()).digest())

    assert shuffled(listed, seed="s") == by_hand


def test_labels_json_has_the_bytes_that_were_agreed():
    digest = hashlib.sha256('["cat","żółw"]'.encode()).hexdigest()

    assert (
        labels_document(["cat", "żółw"]).decode() == f'{{"schema": 1, "labels": ["cat", "żółw"], "sha256": "{digest}"}}'
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True))
def test_labels_are_read_back_in_their_order(names):
    assert parse_labels(labels_document(names)) == tuple(names)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"schema": 1, "labels": ["a"]}', "cannot be read"),
        (b'{"schema": 2, "labels": ["a"], "sha256": ""}', "schema 2"),
        (b'{"schema": 1, "labels": [1], "sha256": ""}', "must list texts"),
        (b'{"schema": 1, "labels": "ab", "sha256": ""}', "must list texts"),
        (labels_document(["a", "a"]), "twice"),
        (labels_document(["a", "b"]).replace(b'"a", "b"', b'"b", "a"'), "changed by hand"),
    ],
)
def test_a_wrong_labels_json_says_what_is_wrong(document, said):
    with pytest.raises(DatasetError, match=said):
        parse_labels(document)


IMAGES = [("train", 0, "aa"), ("train", 1, "bb"), ("validation", 0, "cc")]


def identity(images=IMAGES, *, pixels_key="p", labels=("cat", "dog")):
    return fingerprint(images, pixels_key=pixels_key, labels=labels)


def test_a_fingerprint_does_not_depend_on_the_order_of_the_images():
    assert identity() == identity(IMAGES[::-1])
    assert len(identity()) == 16


@pytest.mark.parametrize(
    "changed",
    [
        {"images": IMAGES[:2]},
        {"images": [*IMAGES, ("train", 0, "dd")]},
        {"images": [("validation", 0, "aa"), *IMAGES[1:]]},
        {"images": [("train", 1, "aa"), *IMAGES[1:]]},
        {"images": [("train", 0, "ab"), *IMAGES[1:]]},
        {"pixels_key": "q"},
        {"labels": ("dog", "cat")},
        {"labels": ("cat", "hound")},
    ],
)
def test_a_fingerprint_depends_on_everything_that_is_trained_on(changed):
    assert identity(**changed) != identity()


def test_a_fingerprint_never_changes_by_an_update_of_this_code():
    """A change here trains every classifier anew: raise FINGERPRINT_FORMAT knowingly."""
    assert (image_list.FINGERPRINT_FORMAT, identity()) == (1, "ce16418659be4038")
