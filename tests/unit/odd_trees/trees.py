"""Folder trees as people and programs leave them, each with its layout and warnings, or with its refusal."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.unit.odd_trees.building import Tree, image, pets, pipe, undecodable

PETS = ("cat", "dog")
SPLIT = ("train", "validation", "test")


@dataclass(frozen=True)
class Read:
    """A tree that is a data set.

    Attributes:
        classes: in the order of their indices.
        images: how many are listed.
        splits: that the source names.
        ignored: files outside class folders.
        rejected: listed files that are no usable images, without those that are no images by their names either.
        warns: parts of the warnings that must be given; of each tree, those of `ALWAYS` may be given too.

    """

    tree: Tree
    classes: Sequence[str] = PETS
    images: int = 6
    splits: Sequence[str] = ()
    ignored: int = 0
    rejected: int = 0
    warns: Sequence[str] = ()


@dataclass(frozen=True)
class Refused:
    """A tree that is refused, before an image is read unless `after_reading`; the message has all of these parts."""

    tree: Tree
    says: Sequence[str]
    after_reading: bool = False


ACCENT, ACCENTS = "caf\u00e9", "cafe\u0301"
CYRILLIC = "\u0441\u0430t"
LONG = "n" * 250

READ = {
    "class folders": Read(Tree(pets())),
    "digits as names": Read(
        Tree({str(number): 2 for number in range(11)}),
        classes=("0", "1", "10", *map(str, range(2, 10))),
        images=22,
    ),
    "splits": Read(Tree(pets("train", "validation", "test")), images=18, splits=SPLIT),
    "splits in other words and cases": Read(Tree(pets("Training", "VALID", "Testing_set")), images=18, splits=SPLIT),
    "splits that are doubled": Read(
        Tree({**pets("seg_train/seg_train", "seg_test/seg_test"), "seg_pred/seg_pred": 4}),
        images=12,
        splits=("train", "test"),
        ignored=4,
        warns=["'seg_pred' are neither a split nor a class"],
    ),
    "splits with one folder more": Read(Tree(pets("train/images", "val/images")), images=12, splits=SPLIT[:2]),
    "splits in several numbered folders": Read(
        Tree(pets("train_1", "train_2", "test")), images=18, splits=("train", "test")
    ),
    "test images without classes": Read(
        Tree({**pets("train"), "test": 5}), splits=("train",), ignored=5, warns=["'test' hold no class folder"]
    ),
    "a class called train below train": Read(
        Tree({"train/train": 3, "train/bus": 3, "test/train": 2}),
        classes=("bus", "train"),
        images=8,
        splits=("train", "test"),
        warns=["No test image: 'bus'"],
    ),
    "folders below the classes": Read(
        Tree({"cat/2024/05": 3, "cat/train": 1, "dog/" + "deep/" * 40: 3}),
        images=7,
        warns=["in folders below the class folders, such as 'cat/2024', 'cat/train', 'dog/deep'"],
    ),
    "an archive of a Mac": Read(
        Tree(pets(), files=["__MACOSX/cat/._0.png", "cat/.DS_Store", "__MACOSX/._cat", ".DS_Store", "dog/._1.png"])
    ),
    "a Synology and a Windows share": Read(
        Tree(
            pets(),
            files=["cat/@eaDir/0.png/thumb.jpg", "@eaDir/x.jpg", "cat/Thumbs.db", "DESKTOP.INI", "dog/desktop.ini"],
        )
    ),
    "hidden folders": Read(Tree({**pets(), ".git/objects": 2, "cat/.ipynb_checkpoints": 2, "__pycache__": 1})),
    "hidden classes": Read(
        Tree({**pets("train", "val"), "train/.NET": 2, "train/__unknown__": 2, "val/.NET": 1}),
        images=12,
        splits=SPLIT[:2],
        warns=["The folders 'train/.NET', 'train/__unknown__', 'val/.NET' are hidden"],
    ),
    "files at the top": Read(
        Tree(pets(), files=["labels.csv", "notes.txt"]), ignored=2, warns=["2 files are in no class folder"]
    ),
    "texts beside the images": Read(
        Tree(pets(), files=["cat/0.txt", "dog/labels.xml"]), images=8, warns=["2 files in class folders are no image"]
    ),
    "an error page called JPEG": Read(
        Tree(pets(), files={"cat/9.jpg": b"<!doctype html>"}), images=7, rejected=1, warns=["1 file cannot be used"]
    ),
    "links to folders and files": Read(
        Tree({"cat": 3, ".store/dog": 3}, links={"dog": ".store/dog", "cat/copy.png": "0.png"}),
        images=7,
        warns=["1 copy of an image"],
    ),
    "links to folders above": Read(Tree(pets(), links={"cat/all": "..", "cat/again": ".", "dog/x/y": "../../dog"})),
    "links in a circle": Read(
        Tree(pets(), links={"dog/one": "two", "dog/two": "one"}), images=8, rejected=2, warns=["2 files cannot be used"]
    ),
    "a link that leads nowhere": Read(
        Tree(pets(), links={"cat/9.png": "absent.png"}), images=7, rejected=1, warns=["1 file cannot be used"]
    ),
    "a pipe among the images": Read(Tree(pets(), also=pipe)),
    "one name in two spellings of Unicode": Read(
        Tree({f"train/{ACCENT}": 3, f"train/{ACCENTS}": 2, "train/dog": 3, f"test/{ACCENTS}": 2}),
        classes=(ACCENT, "dog"),
        images=10,
        splits=("train", "test"),
        warns=["No test image: 'dog'"],
    ),
    "names that differ in a blank": Read(
        Tree({"cat": 3, "cat ": 3}), classes=("cat", "cat "), warns=["'cat' and 'cat ' (cat ) differ in blanks"]
    ),
    "names that differ in an alphabet": Read(
        Tree({"cat": 3, CYRILLIC: 3}), classes=("cat", CYRILLIC), warns=["in letters that look alike"]
    ),
    "names that differ in an invisible letter": Read(
        Tree({"cat": 3, "cat\u200b": 3}), classes=("cat", "cat\u200b"), warns=["in letters that look alike"]
    ),
    "names that differ in case": Read(
        Tree({"Cat": 3, "cat": 3}), classes=("Cat", "cat"), warns=["differ in case alone"]
    ),
    "very long names": Read(
        Tree({LONG: 3, "dog": 3}, files={f"dog/{LONG}.png": image(999)}), classes=("dog", LONG), images=7
    ),
    "line ends and tabs in names": Read(
        Tree({"cat\nand\tdog": 3, "dog": 3}, files={"dog/a\r\nb.png": image(999)}),
        classes=("cat\nand\tdog", "dog"),
        images=7,
    ),
    "quotes, angles and emoji in names": Read(
        Tree({"<script>alert('1')</script>".replace("/", "|"): 3, '"dog", \\ \U0001f415': 3}),
        classes=('"dog", \\ \U0001f415', "<script>alert('1')<|script>"),
    ),
    "words of YAML as names": Read(Tree({"null": 3, "no": 3, "1e5": 3}), classes=("1e5", "no", "null"), images=9),
    "a file's name that is no UTF-8": Read(
        Tree(pets(), files={undecodable(b"cat", b"caf\xe9.png"): image(999)}), images=7
    ),
    "one class with very many images": Read(
        Tree({"cat": 44, "dog": 4}), images=48, warns=["Class 'cat' has", "'dog' has"]
    ),
    "one image in two classes": Read(
        Tree(pets(), files={"cat/x.png": image(999), "dog/x.png": image(999)}),
        images=8,
        warns=["1 image lies in several"],
    ),
    "the same image in train and test": Read(
        Tree(pets("train", "test"), files={"train/cat/x.png": image(999), "test/cat/x.png": image(999)}),
        images=14,
        splits=("train", "test"),
        warns=["1 image is in two splits"],
    ),
    "a validation folder that lacks a class": Read(
        Tree({**pets("train"), "val/cat": 2}), images=8, splits=SPLIT[:2], warns=["No validation image: 'dog'"]
    ),
    "a class whose name speaks of a split": Read(
        Tree({"bus": 3, "bullet_train": 3}), classes=("bullet_train", "bus"), warns=["their names speak of a split"]
    ),
}

REFUSED = {
    "nothing": Refused(Tree({}), ["No classes", "found no folder", "one folder per class"]),
    "hidden folders alone": Refused(Tree({".cat": 3, ".dog": 3}), ["found no folder"]),
    "files at the top alone": Refused(Tree({".": 6}), ["found 6 files that are in no class folder"]),
    "one class": Refused(Tree({"cat": 6}), ["Only one class", "'cat'", "add another"]),
    "an empty class": Refused(
        Tree(pets(), folders=["bird"]), ["without a training image", "'bird'", "delete these folders"]
    ),
    "a class of texts": Refused(Tree(pets(), files=["bird/1.txt"]), ["without an image", "'bird'", ".txt"]),
    "a class of broken images": Refused(
        Tree(pets(), files=["bird/1.png"]), ["without one usable image", "'bird'", "not_an_image"], after_reading=True
    ),
    "a folder above the data set": Refused(Tree(pets("PetImages")), ["add /PetImages to `source`"]),
    "folders above the data set": Refused(Tree(pets("a/b/c")), ["add /a/b/c to `source`"]),
    "a folder above the splits": Refused(Tree(pets("data/train", "data/test")), ["add /data to `source`"]),
    "an archive with a folder above the data set": Refused(
        Tree(pets("pets"), files=["__MACOSX/pets/cat/._0.png"]), ["add /pets to `source`"]
    ),
    "the root of a repository": Refused(
        Tree(
            {**pets("images", count=20), "docs": 2}, files=["README.md", "LICENSE", "src/train.py", "requirements.txt"]
        ),
        ["add /images to `source`", "cat, dog"],
    ),
    "folds": Refused(Tree(pets("fold1", "fold2", "fold3")), ["they look like splits", "`layout: classes`"]),
    "a class called train": Refused(
        Tree({"bus": 3, "train": 3}), ["'train' may be a split or a class", "`layout: classes`"]
    ),
    "splits beside classes": Refused(Tree({**pets("train", "test"), "cat": 3}), ["not clear which folders"]),
    "a split without train": Refused(
        Tree(pets("validation", "test")), ["not clear which folders", "`layout: classes`"]
    ),
    "several folders for train": Refused(
        Tree(pets("train", "train_masks", "val")), ["Several folders", "'train', 'train_masks'"]
    ),
    "a class of test that train lacks": Refused(
        Tree({**pets("train"), "test/bird": 2}), ["Test has classes that train lacks", "'bird'"]
    ),
    "an empty validation folder": Refused(Tree(pets("train"), folders=["val"]), ["Validation", "has no image"]),
    "images and labels of YOLO": Refused(
        Tree({"train/images": 4, "val/images": 4}, files=["train/labels/0.txt", "val/labels/0.txt", "data.yaml"]),
        ["'labels'", ".txt", "one folder for each class"],
    ),
    "images and annotations of Pascal VOC": Refused(
        Tree({"JPEGImages": 4}, files=["Annotations/0.xml", "ImageSets/Main/train.txt"]),
        ["'Annotations', 'ImageSets', 'JPEGImages' usually hold images, annotations", "one folder for each class"],
    ),
    "images and annotations of COCO": Refused(
        Tree({"train2017": 4, "val2017": 4}, files=["annotations/instances_train2017.json"]),
        ["found 9 files that are in no class folder", "annotations of objects", "train/<class>/"],
    ),
    "splits without classes": Refused(
        Tree({"train": 4, "test": 4}), ["found 8 files that are in no class folder", "train/<class>/"]
    ),
    "a class folder's name that is no UTF-8": Refused(
        Tree({"cat": 3, undecodable(b"caf\xe9"): 3}), ["not Unicode text", "rename it"]
    ),
    "a link from one class to another": Refused(
        Tree(pets(), links={"cat/more": "../dog"}), ["'dog'", "another class has the same image"], after_reading=True
    ),
}
