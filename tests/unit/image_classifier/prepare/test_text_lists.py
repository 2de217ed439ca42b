"""Checks lists that are texts: a path in each line, and a label or other values after it, with blanks and quotes."""

import pytest

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.sources.lists.rows import read_list

MY = [("my images/1.png", "cat"), ("my images/2.png", "dog")]
BREEDS = [("1.png", "golden retriever"), ("2.png", "pug")]


def rows(*lines, **columns):
    found = read_list("\n".join(lines).encode(), name="l.txt", columns=Columns(**columns)).rows
    return [(row.path, row.label) for row in found]


@pytest.mark.parametrize(
    "lines",
    [
        ("my images/1.png cat", "my images/2.png dog"),
        ("my images/1.png\tcat", "my images/2.png\tdog"),
        ('"my images/1.png" cat', '"my images/2.png" dog'),
        ("'my images/1.png' 'cat'", "'my images/2.png' 'dog'"),
        ('"my images/1.png" "cat"', "my images/2.png   dog"),
        ('"my images/1.png","cat"', '"my images/2.png", "dog"'),
        ("'my images/1.png';'cat'", "'my images/2.png';'dog'"),
        ("# a comment", "my images/1.png cat", "", "my images/2.png dog"),
        ("path label", "my images/1.png cat", "my images/2.png dog"),
        ('"path","label"', '"my images/1.png","cat"', '"my images/2.png","dog"'),
    ],
)
def test_paths_may_have_blanks_in_every_line(lines):
    assert rows(*lines) == MY


@pytest.mark.parametrize(
    "lines",
    [
        ("1.png golden retriever", "2.png pug"),
        ('1.png "golden retriever"', "2.png pug"),
        ("1.png\tgolden retriever", "2.png\tpug"),
        ("1.png, golden retriever", "2.png, pug"),
        ("path label", "1.png golden retriever", "2.png pug"),
        ("1.png golden retriever train", "2.png pug test"),
        ("1.png golden retriever 7", "2.png pug 8"),
        ("1.png golden retriever 1e-05", "2.png pug 9.5E-01"),
    ],
)
def test_labels_may_have_blanks(lines):
    assert rows(*lines) == BREEDS


@pytest.mark.parametrize(
    "lines",
    [
        ("2", "image_name  category_label", "my images/1.png   cat", "my images/2.png   dog"),
        ("2", "my images/1.png cat", "my images/2.png dog"),
        ("image_name category_label", "my images/1.png cat", "my images/2.png dog"),
        ("Name,Breed", "my images/1.png,cat", "my images/2.png,dog"),
        ("2", "Name;Breed", "my images/1.png;cat", "my images/2.png;dog"),
        ("Name\tBreed", "my images/1.png\tcat", "my images/2.png\tdog"),
    ],
)
def test_a_count_of_rows_and_names_of_columns_are_no_rows(lines):
    assert rows(*lines) == MY


@pytest.mark.parametrize(
    "lines",
    [
        ("photo cat", "1.png cat", "2.png dog"),  # the image may be `photo.png`
        ("photo_1 tabby", "1.png cat", "2.png dog"),
        ("photo tabby", "1 cat", "2.png dog"),
        ("photo tabby",),
    ],
)
def test_a_first_line_that_may_be_a_row_is_one(lines):
    assert rows(*lines)[0] == tuple(lines[0].split())


def test_a_name_without_its_label_is_no_count_of_rows():
    with pytest.raises(DatasetError):
        rows("1", "2 dog", "3 cat", "4 cat", label=1)


def test_columns_of_a_header_without_usual_names_can_be_named():
    lines = ["image_name category label_of_others", "1.png cat 7", "2.png dog 8"]

    assert rows(*lines, path="image_name", label="category") == [("1.png", "cat"), ("2.png", "dog")]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (
            ("1 golden retriever", "2 pug"),
            r"Line 1 of l.txt, '1 golden retriever', has more words than line 2, '2 pug'",
        ),
        (("# breeds", "1 pug", "", "2 golden retriever"), "Line 4 of l.txt, .* more words than line 2,"),
        (("1.png pug", "2 golden retriever"), "Line 2 of l.txt, .* more words than line 1,"),
        (("1 red 7", "2 dark red 8"), "Line 2 of l.txt, .* more words than line 1,"),
        (
            ("image label", "1 golden retriever", "2 black cat"),
            "Line 2 of l.txt, .* more words than the header,",
        ),
        (("1.png pug", "pug"), "Line 1 of l.txt, .* more words than line 2,"),
    ],
)
def test_a_path_without_an_end_is_not_guessed(lines, named):
    with pytest.raises(DatasetError, match=f"{named}.* Put quotes around .*, or a tab between"):
        rows(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        ('1 "golden retriever"', "2 pug"),
        ("1\tgolden retriever", "2\tpug"),
        ('"1" "golden retriever"', "'2' pug"),
    ],
)
def test_quotes_or_tabs_end_a_path_without_an_ending(lines):
    assert rows(*lines) == [("1", "golden retriever"), ("2", "pug")]


def test_a_label_before_the_path_may_have_quotes():
    lines = ('"golden retriever" 1.png 7', "pug 2.png 8")

    assert rows(*lines, path=1, label=0) == BREEDS


@pytest.mark.parametrize("line", ["#2.png pug", "#2.png,pug", "#a/2.png pug", "#2.PNG"])
def test_a_line_that_may_be_a_comment_or_an_image_is_refused(line):
    with pytest.raises(DatasetError, match=f"Line 2 of l.txt, '{line}', may be a comment.*blank after '#'.*quotes"):
        rows("1.png golden retriever", line)


@pytest.mark.parametrize("line", ["# 2.png pug", "#pug: 2.png", "## 2.png", "#image label"])
def test_other_lines_that_begin_so_are_comments(line):
    assert rows("1.png cat", line) == [("1.png", "cat")]


@pytest.mark.parametrize("lines", [('"#2.png" pug', "1.png cat"), ('"#2.png",pug', "1.png,cat")])
def test_a_path_in_quotes_may_begin_with_the_mark_of_comments(lines):
    assert rows(*lines) == [("#2.png", "pug"), ("1.png", "cat")]


def test_a_list_of_comments_says_how_to_write_such_paths():
    with pytest.raises(DatasetError, match=r"List l.txt has no row: all its lines begin with '#'.* quotes around"):
        rows("#1 cat", "#2 dog")


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("cat {}.png", r"`columns: {path: 1, label: 0}`"),
        ("cat {}.png 0.9", r"`columns: {path: 1, label: 0}`"),
        ("7 cat {}.png", r"`columns: {path: 2, label: NUMBER}`, where NUMBER"),
    ],
)
def test_a_label_before_the_path_is_refused_with_the_columns(layout, line, use):
    images = {f"{at}.png": "" for at in range(2)}

    with pytest.raises(DatasetError, match=use):
        layout({**images, "l.txt": "".join(f"{line.format(at)}\n" for at in range(2))}, "l.txt")


def test_apostrophes_in_names_are_no_quotes():
    assert rows("'t/d'or.png rock 'n' roll", "2.png cat's") == [("'t/d'or.png", "rock 'n' roll"), ("2.png", "cat's")]
    assert rows("'til;a/1.png", "'til;d'or.png", path=1, label=0) == [("a/1.png", "'til"), ("d'or.png", "'til")]


@pytest.mark.parametrize(
    "lines",
    [
        ("1.png golden retriever", "2.png german shepherd"),
        ("1 golden retriever", "2 german shepherd"),
        ("1.png 1 0 0", "2.png 0 0 1"),
    ],
)
def test_a_label_that_may_be_of_several_columns_is_to_be_named(lines):
    with pytest.raises(
        DatasetError, match=r"it has '0', '1', '2'.*columns\.label .*a list of columns.* Put quotes around"
    ):
        rows(*lines)


def test_a_column_that_is_named_is_the_label():
    assert rows("1.png cat outdoor", "2.png dog indoor", label=1) == [("1.png", "cat"), ("2.png", "dog")]
    assert rows("1.png 1 0 0", "2.png 0 0 1", path=0, label=[1, 2, 3]) == [("1.png", "1"), ("2.png", "3")]


@pytest.mark.parametrize("line", ["Abyssinian_1 1 2 3", "1.png cat 3 7", "1.png cat train", "1.png 0 cat"])
def test_numbers_and_splits_after_the_label_are_not_part_of_it(line):
    assert rows(line)[0][1] == line.split()[1]


def test_paths_alone_may_have_blanks():
    assert rows("apple pie/1.png", "ice cream/2.png", path=0) == [
        ("apple pie/1.png", "apple pie"),
        ("ice cream/2.png", "ice cream"),
    ]


def test_a_comma_in_some_lines_is_no_delimiter():
    assert rows("a/1,2.png cat", "a/3.png dog") == [("a/1,2.png", "cat"), ("a/3.png", "dog")]


def test_a_path_after_other_values_is_named_by_its_number():
    assert rows("cat a/1.png", "dog a/2.png", path=1, label=0) == [("a/1.png", "cat"), ("a/2.png", "dog")]


def test_a_value_before_the_path_is_refused_with_the_column_to_name(layout):
    with pytest.raises(DatasetError, match=r"as 'cat a/1.png'.* If that is no path, name the column .* columns\.path"):
        layout({"a/1.png": "", "a/2.png": "", "l.txt": "cat a/1.png\ndog a/2.png\n"}, "l.txt")


def test_the_numbers_of_several_labels_are_refused():
    with pytest.raises(DatasetError, match=r"several labels, such as '0 3' of '1.png'"):
        rows("1.png 0 3", "2.png 1")


@pytest.mark.parametrize("line", ["1.png cat", "0 0 1.png", "0\tcat\t1.png"])
def test_a_list_of_mxnet_with_other_lines_is_refused_with_its_form(line):
    with pytest.raises(DatasetError, match=r"The lines of l.lst must be index, .* tabs.* Rename another list: a .txt"):
        read_list(line.encode(), name="l.lst", columns=Columns())


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("my/1.png cat\nmy/2.png dog\n", {"path": 0, "label": 1}),
        ("my own/1.png big cat\nmy own/2.png dog\n", {"path": 0}),
        ("cat my/1.png\ndog my/2.png\n", {"path": 1}),
        ("7 my/1.png cat\n8 my/2.png dog\n", {"path": 1, "label": 2}),
    ],
)
def test_in_a_folder_paths_and_labels_are_found_in_texts(layout, text, columns):
    folder = "my own" if "own" in text else "my"

    found = layout({f"{folder}/1.png": "", f"{folder}/2.png": "", "l.txt": text}, columns=columns)

    assert [image.name for image in found.images] == [f"{folder}/1.png", f"{folder}/2.png"]
    assert found.classes == ("big cat" if "own" in text else "cat", "dog")


def test_lists_of_each_class_are_refused_with_what_to_write(layout):
    lists = {f"{kind}_train.txt": f"a/{kind}_0.png\na/{kind}_1.png\n" for kind in ("run", "jump")}
    images = {f"a/{kind}_{at}.png": "" for kind in ("run", "jump") for at in range(2)}

    with pytest.raises(DatasetError, match=r"'jump_train.txt' \(train\), .* have no certain label\. .*labels.csv with"):
        layout({**images, **lists}, columns={"path": 0})


def test_in_a_folder_too_a_label_of_several_columns_is_to_be_named(layout):
    text = "".join(f"a/{at}.png {label} x{at % 2}\n" for at, label in enumerate(("cat", "dog") * 2))
    images = {f"a/{at}.png": "" for at in range(4)}

    with pytest.raises(DatasetError, match=r"have no certain label\. .*where COLUMN is one of '1', '2'"):
        layout({**images, "l.txt": text}, columns={"path": 0})
