"""Checks lists of images as sources: .lst, CSV, JSON Lines and SageMaker's manifests."""

import json
import re

import pytest

from image_classifier.classifier import Classifier
from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError, ImageRejectedError
from image_classifier.prepare.preparation import list_images
from image_classifier.prepare.sources.lists.row import Row
from image_classifier.prepare.sources.lists.rows import read_list
from image_classifier.prepare.sources.opening import open_source

BUCKET = "pictures"


def rows(text, name="labels.csv", **columns):
    return read_list(text.encode(), name=name, columns=Columns(**columns)).rows


def ground_truth(kind="groundtruth/image-classification", **more):
    metadata = {"class-name": "cat", "confidence": 0.9, "type": kind, "human-annotated": "yes"}
    return json.dumps({"source-ref": "s3://pictures/a.jpg", "pets": 0, "pets-metadata": metadata, **more})


CAT = [Row("a.jpg", "cat", None)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "path,label\na.jpg,cat\n"),
        ("labels.csv", "\ufefflabel;file_name;other\r\ncat;a.jpg;x\r\n\r\n"),
        ("labels.tsv", "image\tclass\na.jpg\tcat"),
        ("labels.csv", 'filename,category\n"a.jpg","cat"\n"a.jpg","cat"\n'),
        ("labels.csv", "Path,Label\na.jpg,cat\n"),
        ("metadata.jsonl", '{"file_name": "a.jpg", "label": "cat"}\n\n'),
        ("metadata.ndjson", '{"image": "a.jpg", "target": "cat"}'),
    ],
)
def test_the_usual_columns_are_found(name, text):
    assert rows(text, name) == CAT


def test_columns_may_be_named_or_numbered():
    assert rows("id,species\na.jpg,cat\n", path="id", label="species") == CAT
    assert rows("cat,a.jpg\n", path=1, label=0) == CAT
    assert rows('{"x": "a.jpg", "label": "dog", "y": "cat"}', "a.jsonl", path="x", label="y") == CAT


def test_a_column_may_say_the_split():
    text = "path,label,split\na.jpg,cat,train\nb.jpg,cat,VAL\nc.jpg,cat,eval\nd.jpg,cat,\n"

    assert [row.split for row in rows(text)] == ["train", "validation", "test", None]


@pytest.mark.parametrize("value", ["0", "false"])
def test_zero_and_false_in_a_column_of_splits_are_refused(value):
    lines = f'{{"path": "a.jpg", "label": "cat", "split": {value}}}\n{{"path": "b.jpg", "label": "cat", "split": null}}'

    with pytest.raises(DatasetError, match=r"The split '(0|False)' in line 1 of labels.jsonl is none of dev, "):
        rows(lines, "labels.jsonl")


def test_image_lists_of_mxnet_are_read():
    assert rows("0\t1.0\tcat/a.jpg\n1\t0.0\tb.jpg\n", "train.lst") == [
        Row("cat/a.jpg", "1", None),
        Row("b.jpg", "0", None),
    ]


def test_augmented_manifests_are_read_by_class_name_or_label():
    assert rows(ground_truth(), "output.manifest") == [Row("s3://pictures/a.jpg", "cat", None)]
    assert rows('{"source-ref": "s3://pictures/a.jpg", "class": 3}', "train.manifest")[0].label == "3"


def test_one_of_several_label_attributes_may_be_named():
    metadata = {"class-name": "tabby", "type": "groundtruth/image-classification"}
    text = ground_truth(breed=7, **{"breed-metadata": metadata})

    assert rows(text, "output.manifest", label="pets")[0].label == "cat"
    assert rows(text, "output.manifest", label="breed")[0].label == "tabby"


def test_different_labels_of_a_line_are_refused_unless_one_is_named():
    metadata = {"class-name": "tabby", "type": "groundtruth/image-classification"}
    said = r"several labels in line 1 of output.manifest: 'pets' is 'cat', 'breed' is 'tabby'\. .* columns\.label"

    with pytest.raises(DatasetError, match=said):
        rows(ground_truth(breed=7, **{"breed-metadata": metadata}), "output.manifest")


def test_a_label_s_verification_and_a_second_job_of_one_mind_are_read():
    same = {"class-name": "cat", "type": "groundtruth/image-classification"}
    verified = {"class-name": "good", "type": "groundtruth/label-verification"}
    text = ground_truth(**{"check": 1, "check-metadata": verified, "again": 0, "again-metadata": same})

    assert rows(text, "output.manifest")[0].label == "cat"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "labels.csv",
            "a,b\n1,2\n",
            "no column 'path' or .* for the path; it has 'a', 'b'. Name the column with columns",
        ),
        ("labels.csv", "path,b\n1,2\n", "for the label"),
        ("labels.csv", "path,label\na.jpg,\n", "There is no 'label' in line 2 of labels.csv"),
        (
            "labels.csv",
            "path,label\na.jpg,cat|dog\nb.jpg,cat\n",
            r"several labels, such as 'cat\|dog' of 'a.jpg' \(1 of 2",
        ),
        ("labels.csv", "path,label\na.jpg,cat;dog\nb.jpg,cat\nc.jpg,dog", "several labels, such as 'cat;dog'"),
        ("labels.csv", "path,pixel1,pixel2\na.jpg,0,1\n", "Its columns are pixels: save each image as a file"),
        ("labels.csv", "path,label\n,cat\n", "There is no 'path' in line 2 of labels.csv"),
        (
            "labels.csv",
            "path,label,split\na.jpg,cat,gold\n",
            "The split 'gold' in line 2 of labels.csv is none of dev,",
        ),
        ("labels.csv", "path,label\n", "List labels.csv has no row"),
        ("labels.csv", "", "List labels.csv has no row"),
        ("a.jsonl", '{"path": "a.jpg", "label": ["cat", "dog"]}', "one label for each image is read"),
        ("a.jsonl", '{"path": ', "Cannot read line 1 of a.jsonl"),
        ("a.jsonl", "[1]", "each line must be a JSON object"),
        ("a.manifest", ground_truth("groundtruth/object-detection"), "is of type groundtruth/object-detection; images"),
        ("a.manifest", ground_truth("groundtruth/image-classification-multilabel"), "images with one label each"),
        ("a.lst", "0\t1.0\t0.0\ta.jpg\n", "Image 'a.jpg' has the labels 1.0, 0.0; one class index was expected"),
        ("a.lst", "0\t" + "1.0\t" * 80 + "a.jpg\n", "1.0 and 72 more; one class index was expected"),
        ("labels.csv", 'path,label\n"a.jpg,cat\n' + "b.jpg,dog\n" * 20_000, "A quote may be missing"),
        ("labels.csv", "path,label\na\0.jpg,cat\n", "no name of a file or class"),
        ("a.lst", "0\t1\ta\0.jpg\n", "no name of a file or class"),
        ("a.jsonl", '{"path": "\\ud83d.jpg", "label": "cat"}', "no name of a file or class"),
        ("a.jsonl", '{"path": "a.jpg", "label": "\\ud83d"}', "no name of a file or class"),
        ("a.jsonl", "[" * 100_000, "Cannot read line 1 of a.jsonl"),
    ],
)
def test_lists_that_cannot_be_read_are_refused_by_line_or_column(name, text, said):
    with pytest.raises(DatasetError, match=said):
        rows(text, name)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"a.jpg": "cat", "a.jpg": "dog"}', "Cannot read a.json: 'a.jpg' is there twice"),
        ("a.jsonl", '{"path": "a.jpg", "label": "cat", "label": "dog"}', "line 1 of a.jsonl: 'label' is there twice"),
        ("a.jsonl", '{"path": "a.jpg", "label": NaN}', "There is no 'label' in line 1 of a.jsonl"),
        ("a.json", '[{"path": "a.jpg", "label": NaN}]', "There is no 'label' in object 1 of a.json"),
    ],
)
def test_json_that_says_two_labels_or_no_number_is_refused(name, text, said):
    with pytest.raises(DatasetError, match=re.escape(said)):
        rows(text, name)


def test_json_may_repeat_a_value():
    assert rows('{"a.jpg": "cat", "a.jpg": "cat"}', "a.json") == CAT


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(DatasetError, match=r"List labels.csv is not UTF-8 text"):
        read_list("path,label\né,é".encode("latin-1"), name="labels.csv", columns=Columns())


@pytest.fixture
def listed(tmp_path, s3):
    """The classifier of a list, its source and its layout."""

    def make(source, **changes):
        classifier = Classifier(name="pets", source=source, **changes)
        found = open_source(classifier, s3=s3, data_folder=tmp_path)
        return found, list_images(classifier, found)

    return make


def test_a_list_in_a_folder_names_files_from_its_own_folder(listed, tmp_path, picture):
    (tmp_path / "pets" / "images").mkdir(parents=True)
    (tmp_path / "pets/labels.csv").write_text("path,label\n1.png,cafe\u0301\n2.png,dog\n")
    (tmp_path / "pets/images/1.png").write_bytes(picture(1))

    source, layout = listed("pets/labels.csv", columns={"folder": "images"})

    assert layout.classes == ("caf\u00e9", "dog")
    assert [(one.name, one.split, bool(one.stamp)) for one in layout.images] == [
        ("images/1.png", None, True),
        ("images/2.png", None, False),
    ]
    assert source.read("images/1.png", limit_bytes=9**9) == picture(1)
    with pytest.raises(ImageRejectedError, match="No such file"):
        source.read("images/2.png", limit_bytes=9)
    assert layout.level.startswith(f"The classes are the labels of list {tmp_path}/pets/labels.csv: 'caf\u00e9', 'dog'")


def test_a_list_in_s3_names_keys_beside_it_and_addresses(listed, s3):
    s3.put_object(Bucket=BUCKET, Key="raw/1.png", Body=b"one")
    s3.put_object(Bucket=BUCKET, Key="other/2.png", Body=b"two")
    text = "path,label\n1.png,cat\ns3://pictures/other/2.png,dog\ns3://pictures/other/3.png,dog\n"
    s3.put_object(Bucket=BUCKET, Key="raw/labels.csv", Body=text.encode())

    source, layout = listed("s3://pictures/raw/labels.csv")

    assert [bool(one.stamp) for one in layout.images] == [True, True, False]
    read = [source.read(one.name, limit_bytes=9, stamp=one.stamp) for one in layout.images[:2]]
    assert read == [b"one", b"two"]
    assert source.where == "list s3://pictures/raw/labels.csv"


def test_a_list_with_splits_puts_rows_without_one_into_train(listed, tmp_path):
    (tmp_path / "1").touch()
    (tmp_path / "a.csv").write_text("path,label,split\n1,cat,\n2,dog,\n3,cat,val\n4,dog,val\n")

    _, layout = listed("a.csv")

    assert [one.split for one in layout.images] == ["train", "train", "validation", "validation"]
    assert layout.splits == ("train", "validation")


def test_a_list_of_what_the_package_has_written_is_refused(listed, s3, prepare):
    text = "path,label\ns3://pictures/pets/dataset/train/cat/1.jpg,cat\ns3://pictures/b.jpg,dog\n"
    s3.put_object(Bucket=BUCKET, Key="labels.csv", Body=text.encode())

    with pytest.raises(DatasetError, match=r"names s3://pictures/pets/dataset/train/cat/1.jpg, which the package has"):
        prepare(source="s3://pictures/labels.csv")


def test_a_list_that_is_not_there_is_refused_by_name(listed, tmp_path):
    with pytest.raises(DatasetError, match=rf"Source {tmp_path}/labels.csv is no file"):
        listed("labels.csv")
    with pytest.raises(DatasetError, match=r"The list s3://pictures/labels.csv cannot be read: .*NoSuchKey"):
        listed("s3://pictures/labels.csv")


def test_a_list_gives_the_data_set_of_the_same_folders(images, prepare, tmp_path):
    folder = images({"cat": range(10), "dog": range(100, 110)})
    lines = [f"{file.relative_to(tmp_path)},{file.parent.name}" for file in folder.rglob("*.png")]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *lines]))

    assert prepare(source="labels.csv").fingerprint == prepare().fingerprint


def test_patterns_choose_images(images, prepare, report):
    images({"cat": range(10), "dog": range(100, 110), "fish": range(200, 210), "dog/draft": range(120, 125)})

    found = report(prepare(include=["cat/*", "dog/*"], exclude=["*/draft/*"]))

    assert found["labels"] == ["cat", "dog"]
    assert found["counts"]["used"] == 20
    with pytest.raises(DatasetError, match="none is left by include and exclude"):
        prepare(include=["Cat/*"])


def test_classes_are_renamed_and_joined(images, prepare, report):
    images({"tabby": range(10), "siamese": range(20, 30), "dog": range(100, 110)})

    found = report(prepare(classes={"cat": ["tabby", "siamese"]}))

    assert found["labels"] == ["cat", "dog"]
    assert sum(found["images"][split]["cat"] for split in found["images"]) == 20
    assert "The file renames 'siamese', 'tabby'" in found["level"]
    with pytest.raises(DatasetError, match=r"The classes 'persian', which `classes` .* are not in folder"):
        prepare(classes={"cat": ["tabby", "persian"]})
    with pytest.raises(DatasetError, match=r"Only one class in folder .*'pet'"):
        prepare(classes={"pet": ["tabby", "siamese", "dog"]})


def test_each_class_may_have_a_column():
    text = "image, cat, dog\na.jpg, 1.0, 0.0\nb.jpg, 0, 1\nc.jpg,true,\n"

    assert [row.label for row in rows(text, label=["cat", "dog"])] == ["cat", "dog", "cat"]
    assert [row.label for row in rows("a.jpg,0,1\nb.jpg,1,0\n", path=0, label=[1, 2])] == ["2", "1"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a.jpg,1,1", "In line 2 of .* 'cat', 'dog' are 1, .* `columns.label: cat` gives it the classes 0 and 1"),
        ("a.jpg,0,-1", "none is 1 in line 2"),
    ],
)
def test_an_image_of_no_class_or_of_two_is_refused(line, said):
    with pytest.raises(DatasetError, match=said):
        rows(f"image,cat,dog\n{line}\n", label=["cat", "dog"])


@pytest.fixture
def scattered(tmp_path, picture):
    """A folder with images in two folders, of which the names 2 are equal."""
    for number, name in enumerate(("a/1.png", "a/2.png", "b/2.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(number))
    return tmp_path


def test_paths_may_lack_endings_and_folders(listed, scattered):
    (scattered / "l.csv").write_text("id,label\n1,cat\nb/2,dog\n")

    _, layout = listed("l.csv", columns={"path": "id"})

    assert [(one.name, one.class_name) for one in layout.images] == [("a/1.png", "cat"), ("b/2.png", "dog")]
    assert "found by their names, as '1' at 'a/1.png'" in layout.level


def test_no_path_means_a_file_that_another_path_names(listed, scattered):
    (scattered / "l.csv").write_text("path,label\na/1.png,cat\n1,dog\n")

    assert [one.name for one in listed("l.csv")[1].images] == ["a/1.png", "1"]


def test_paths_beside_those_of_files_are_found_by_name_too(listed, scattered, tmp_path_factory, picture):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "2.png"
    elsewhere.write_bytes(picture(9))
    (scattered / "l.csv").write_text(f"path,label\na/1.png,cat\nx/b/2.png,dog\n{elsewhere},cat\n9.png,dog\n")

    assert [one.name for one in listed("l.csv")[1].images] == ["a/1.png", "b/2.png", str(elsewhere), "9.png"]


def test_a_tenth_of_the_paths_may_be_missing_without_a_search(listed, scattered, picture):
    for number in range(10, 19):
        (scattered / f"{number}.png").write_bytes(picture(number))
    rows_there = "".join(f"{number}.png,{'cat' if number % 2 else 'dog'}\n" for number in range(10, 19))
    (scattered / "l.csv").write_text(f"path,label\n1.png,cat\n{rows_there}")

    assert listed("l.csv")[1].images[0].name == "1.png"


def test_in_s3_a_path_that_leads_upwards_is_no_missing_one(listed, s3):
    for key in ("up/1.png", "set/images/1.png", "set/images/2.png"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    s3.put_object(Bucket=BUCKET, Key="set/l.csv", Body=b"path,label\n../up/1.png,cat\n2.png,dog\n")

    assert [one.name for one in listed("s3://pictures/set/l.csv")[1].images] == ["../up/1.png", "images/2.png"]


@pytest.mark.parametrize(
    ("paths", "folder", "said"),
    [
        (("1", "2"), "", "'2' of the list .* may be 'a/2.png', 'b/2.png'. Name the folder .* columns.folder"),
        (("8", "9"), "a", "No path in the list .* leads to an image, as '8': paths start at columns.folder, 'a'"),
        (("8", "9"), "", "leads to an image, as '8': paths start at the list's own folder"),
        (("1", "2"), "c", "columns.folder is 'c', and .*/c is no folder"),
        (("8", "9"), "", "as '8': .* If that is no path, name the column of the paths with columns.path. Name the fol"),
        (("8.png", "9.png"), "", "as '8.png': paths start at the list's own folder, which has 'a/1.png'. Name the fol"),
        (
            ("http://a/8.png?x=1", "http://a/9.png"),
            "",
            "Download them into the list's own folder, or into another",
        ),
        (
            ("https://b.s3.amazonaws.com/8.png", "9"),
            "a",
            "into columns.folder, 'a': .* by the names in .* as s3://bucket/key.$",
        ),
        (("gs://b/8.png", "9"), "", "Images are not read from gs:// addresses. Download them into"),
        (("data:image/png;base64,iVBORw0KGgo" + "A" * 999, "9"), "", "holds the images themselves, .{,60}: save each"),
    ],
)
def test_paths_that_lead_nowhere_or_to_several_files_are_refused(paths, folder, said, listed, scattered):
    (scattered / "l.csv").write_text(f'path,label\n"{paths[0]}",cat\n"{paths[1]}",dog\n')

    with pytest.raises(DatasetError, match=said):
        listed("l.csv", columns={"folder": folder})


def test_the_folder_of_paths_decides_between_equal_names(listed, scattered):
    (scattered / "l.csv").write_text("path,label\n1,cat\n2,dog\n")

    assert [one.name for one in listed("l.csv", columns={"folder": "a"})[1].images] == ["a/1.png", "a/2.png"]


def test_in_s3_too_the_folder_may_be_beside_the_list_s(listed, s3):
    s3.put_object(Bucket=BUCKET, Key="set/images/1.png", Body=b"one")
    s3.put_object(Bucket=BUCKET, Key="set/images/2.png", Body=b"two")
    s3.put_object(Bucket=BUCKET, Key="set/labels/l.csv", Body=b"path,label\n1.png,cat\n2,dog\n")

    source, layout = listed("s3://pictures/set/labels/l.csv", columns={"folder": "../images"})

    assert source.read(layout.images[0].name, limit_bytes=9, stamp=layout.images[0].stamp) == b"one"
    assert all(one.stamp for one in layout.images[:1])


def test_a_list_beside_dvc_files_is_refused_with_the_command(listed, scattered):
    (scattered / "l.csv").write_text("path,label\n8.png,cat\n9.png,dog\n")
    (scattered / "more.dvc").write_text("outs: []")

    with pytest.raises(DatasetError, match=r"DVC keeps the files of 'more.dvc' elsewhere: .* `dvc pull`"):
        listed("l.csv")


@pytest.mark.parametrize(("place", "folder"), [("set", ""), ("set/downloaded", "downloaded")])
def test_images_that_were_downloaded_are_found_by_their_addresses(listed, tmp_path, picture, place, folder):
    (tmp_path / place).mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / place / f"{number}.png").write_bytes(picture(number))
    (tmp_path / "set/l.csv").write_text("path,label\nhttps://a/b/1.png?w=2,cat\nhttps://a/b/2.png?w=1,dog\n")

    _, layout = listed("set/l.csv", columns={"folder": folder})

    assert {one.name.rpartition("/")[2]: one.class_name for one in layout.images} == {"1.png": "cat", "2.png": "dog"}
