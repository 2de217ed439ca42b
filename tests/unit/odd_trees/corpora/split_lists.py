"""Public data sets with a list of labels for each split, or with a column of splits."""

import json

from tests.unit.odd_trees.corpora.building import (
    Corpus,
    accepted,
    below,
    cycle,
    refused,
    table,
    use,
    use_list,
    use_lists,
)

PARTS = ("train", "validation", "test")
PETS = ("cat", "dog")
KINDS = ("apple_pie", "waffles")


def lines(names, labels):
    """Return JSON Lines of the names with the labels in turn."""
    return "".join(json.dumps({"file_name": name, "label": label}) + "\n" for name, label in cycle(names, labels))


def numbered(count=8, start=1, file="{:04}.png"):
    return [file.format(at) for at in range(start, start + count)]


def with_column(name, words, found):
    """Return a data set with a column that names splits, which the list alone tells."""
    rows = ((image, PETS[at % 2], words[at // 2 % len(words)]) for at, image in enumerate(below("images", count=16)))
    return Corpus(
        below("images", count=16),
        [*refused("`columns: {path: path, label: label"), *accepted(PETS, found, source="labels.csv")],
        {"labels.csv": table(f"path,label,{name}", rows)},
    )


COLUMNS = {
    "split": (("train", "val", "test"), {"train": 6, "validation": 6, "test": 4}),
    "set": (("train", "test"), {None: 8, "test": 8}),
    "subset": (("training", "validation"), {"train": 8, "validation": 8}),
    "fold": (("train", "test"), {None: 8, "test": 8}),
    "partition": (("Train", "Test"), {None: 8, "test": 8}),
    "Usage": (("Training", "PublicTest", "PrivateTest"), {None: 6, "test": 10}),
    "fold of numbers": ((0, 1, 2, 3), {None: 16}),
}
CORPORA = {
    "Hugging Face metadata.jsonl of each split": Corpus(
        below(*(f"pets/{part}" for part in PARTS), file="{:04}.png"),
        accepted(PETS, {"train": 8, "validation": 8, "test": 8}),
        {f"pets/{part}/metadata.jsonl": lines(numbered(), PETS) for part in PARTS},
    ),
    "Hugging Face metadata.csv at the top": Corpus(
        below("data/train", "data/test", file="{:04}.png"),
        accepted(PETS, {None: 8, "test": 8}),
        {"metadata.csv": table("file_name,label", cycle(below("data/train", "data/test", file="{:04}.png"), PETS))},
    ),
    "Hugging Face metadata.csv with two labels": Corpus(
        below("train", "test", file="{:04}.png"),
        [
            *refused("let `source` be", "`columns: {path: file_name, label: COLUMN}`", "one of 'colour', 'shape'"),
            *accepted(("blue", "red"), {None: 8, "test": 8}, columns={"path": "file_name", "label": "colour"}),
        ],
        {
            f"{part}/metadata.csv": table(
                "file_name,colour,shape",
                ((name, ("red", "blue")[at % 2], ("round", "flat")[at // 2 % 2]) for at, name in enumerate(numbered())),
            )
            for part in ("train", "test")
        },
    ),
    "Hugging Face metadata.csv beside class folders": Corpus(
        below("train/a", "train/b", "test/a", "test/b", file="{:04}.png"),
        [
            *refused("labels other than the folders", "`columns: {path: file_name, label: label}`", "`layout: splits`"),
            *refused("Remove one of them", columns={"label": "label"}, layout="splits"),
            *accepted(PETS, {None: 16, "test": 16}, columns={"label": "label"}),
        ],
        {
            f"{part}/metadata.csv": table("file_name,label", cycle(below("a", "b", file="{:04}.png"), PETS))
            for part in ("train", "test")
        },
    ),
    "Roboflow multi-label CSV": Corpus(
        [name for part in ("train", "valid") for name in below(part, file=f"{part}{{}}_jpg.rf.0a1b.jpg")],
        refused("COLUMN is one of 'cat', 'dog'", "may have several of 'cat', 'dog'"),
        {
            f"{part}/_classes.csv": table(
                "filename, cat, dog",
                ((f"{part}{at}_jpg.rf.0a1b.jpg", f" {at % 2}", f" {at % 3 // 2}") for at in range(1, 9)),
            )
            for part in ("train", "valid")
        },
    ),
    "train.csv and val.csv over one folder": Corpus(
        below("images", file="{:04}.jpg", count=24),
        use_lists("path: image, label: label", PETS, {"train": 16, "validation": 8}),
        {
            "train.csv": table("image,label", cycle(numbered(16, file="{:04}.jpg"), PETS)),
            "val.csv": table("image,label", cycle(numbered(8, 17, file="{:04}.jpg"), PETS)),
        },
    ),
    "class folders for training and a list of test images": Corpus(
        [*below("train/cat", "train/dog"), *below("test", start=50)],
        [
            *refused("No training image in folder", "all are for test", columns={"path": "filename", "label": "class"}),
            *accepted(
                ("cat", "dog"),
                {None: 16},
                ignored=9,
                warns=[
                    "The lists 'test.csv' name images",
                    "They name no image for training. To use their labels, write one",
                ],
            ),
        ],
        {"test.csv": table("filename,class", ((f"{at}.jpg", ("cat", "dog")[at % 2]) for at in range(50, 58)))},
    ),
    "train.csv and an unlabelled test.csv": Corpus(
        below("train", "test", file="{:04}.jpg"),
        [
            *refused("/train.csv (DATA for `make demo`) and `columns: {path: filename, label: label}`"),
            *refused("There is no label in line 2 of test.csv", source="test.csv"),
            *refused(
                "No list", "the columns 'image'", "'train.csv' has 'filename', 'label'", columns={"path": "image"}
            ),
            *accepted(PETS, {None: 8}, source="train.csv", columns={"path": "filename", "label": "label"}),
            *accepted(
                PETS,
                {None: 8},
                columns={"path": "filename", "label": "label"},
                ignored=10,
                warns=["'test.csv' have other columns or no labels", "8 images are in no list with labels"],
            ),
        ],
        {
            "train.csv": table("filename,label", cycle(numbered(file="{:04}.jpg"), PETS)),
            "test.csv": table("filename", ((name,) for name in numbered(file="{:04}.jpg"))),
            "sample_submission.csv": table("filename,label", cycle(numbered(file="{:04}.jpg"), ("cat",))),
        },
    ),
    "train_labels.csv and test_labels.csv": Corpus(
        below("train", "test", file="{:04}.jpg"),
        use_lists("path: filename, label: label", PETS, {None: 8, "test": 8}),
        {
            f"{part}_labels.csv": table("filename,label", cycle(numbered(file="{:04}.jpg"), PETS))
            for part in ("train", "test")
        },
    ),
    "ImageNet with train.txt and val.txt": Corpus(
        [
            *below("train/n01440764", "train/n01443537", file="{name}_{}.JPEG"),
            *below("val", file="ILSVRC2012_val_{:08}.JPEG"),
        ],
        use_lists("path: 0, label: 1", ("0", "1"), {"train": 16, "validation": 8}),
        {
            "train.txt": "".join(
                f"{name} {label}\n"
                for label, kind in enumerate(("n01440764", "n01443537"))
                for name in below(kind, file="{name}_{}.JPEG")
            ),
            "val.txt": "".join(
                f"{name} {at % 2}\n" for at, name in enumerate(numbered(file="ILSVRC2012_val_{:08}.JPEG"))
            ),
        },
    ),
    "ImageNet of Kaggle": Corpus(
        [
            *below(
                *(f"ILSVRC/Data/CLS-LOC/train/{kind}" for kind in ("n01440764", "n01443537")), file="{name}_{}.JPEG"
            ),
            *below("ILSVRC/Data/CLS-LOC/val", file="ILSVRC2012_val_{:08}.JPEG"),
            *below("ILSVRC/Data/CLS-LOC/test", file="ILSVRC2012_test_{:08}.JPEG"),
        ],
        [
            *refused("add /ILSVRC/Data/CLS-LOC to"),
            *refused('`exclude: ["val/*"]`', source="ILSVRC/Data/CLS-LOC"),
            *accepted(
                ("n01440764", "n01443537"), {None: 16}, source="ILSVRC/Data/CLS-LOC", exclude=["val/*"], ignored=8
            ),
        ],
        {
            "LOC_val_solution.csv": table(
                "ImageId,PredictionString",
                (
                    (f"ILSVRC2012_val_{at:08}", f"{('n01440764', 'n01443537')[at % 2]} {at} 108 366 301")
                    for at in range(1, 9)
                ),
            ),
            "LOC_synset_mapping.txt": "n01440764 tench\nn01443537 goldfish\n",
            "ILSVRC/ImageSets/CLS-LOC/train_cls.txt": "n01440764/n01440764_1 1\n",
        },
    ),
    "Places365 with lists": Corpus(
        below("val_256", file="Places365_val_{:08}.jpg"),
        use_list("places365_val.txt", "path: 0, label: 1", ("0", "1"), {None: 8}),
        {
            "categories_places365.txt": "/a/airfield 0\n/b/bakery/shop 1\n",
            "places365_val.txt": "".join(
                f"{name} {at % 2}\n" for at, name in enumerate(numbered(file="Places365_val_{:08}.jpg"))
            ),
        },
    ),
    "Food-101 with both lists": Corpus(
        below(*(f"images/{kind}" for kind in KINDS), file="10056{}.jpg"),
        use_lists("path: 0", KINDS, {None: 12, "test": 4}, ignored=2),
        {
            "meta/classes.txt": "\n".join(KINDS),
            "meta/labels.txt": "Apple pie\nWaffles\n",
            "meta/train.txt": "".join(f"{kind}/10056{at}\n" for kind in KINDS for at in range(1, 7)),
            "meta/test.txt": "".join(f"{kind}/10056{at}\n" for kind in KINDS for at in (7, 8)),
        },
    ),
    "CUB-200-2011 with its lists": Corpus(
        below("images/001.Black_footed_Albatross", "images/002.Laysan_Albatross", file="{name}_{:04}.jpg"),
        use("images", ("001.Black_footed_Albatross", "002.Laysan_Albatross"), {None: 16}),
        {
            "images.txt": "".join(
                f"{at} {name}\n"
                for at, name in enumerate(
                    below("001.Black_footed_Albatross", "002.Laysan_Albatross", file="{name}_{:04}.jpg"), start=1
                )
            ),
            "image_class_labels.txt": "".join(f"{at} {1 + (at > 8)}\n" for at in range(1, 17)),
            "train_test_split.txt": "".join(f"{at} {at % 2}\n" for at in range(1, 17)),
            "classes.txt": "1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n",
        },
    ),
    "Oxford-IIIT Pet with its lists": Corpus(
        [*below("images", file="Abyssinian_{}.jpg"), *below("images", file="beagle_{}.jpg")],
        use_lists("path: 0, label: 1", ("1", "2"), {None: 8, "test": 8}),
        {
            "annotations/list.txt": "#Image CLASS-ID SPECIES BREED ID\n"
            + "".join(
                f"{kind}_{at} {1 + (kind == 'beagle')} 1 1\n" for kind in ("Abyssinian", "beagle") for at in range(1, 9)
            ),
            "annotations/trainval.txt": "".join(
                f"{kind}_{at} {1 + (kind == 'beagle')} 1 1\n" for kind in ("Abyssinian", "beagle") for at in range(1, 5)
            ),
            "annotations/test.txt": "".join(
                f"{kind}_{at} {1 + (kind == 'beagle')} 1 1\n" for kind in ("Abyssinian", "beagle") for at in range(5, 9)
            ),
        },
    ),
    "Stanford Online Products": Corpus(
        below("bicycle_final", "chair_final", file="11108537{}.JPG"),
        [
            *accepted(
                ("bicycle_final", "chair_final"),
                {None: 16},
                ignored=2,
                warns=["were not used: the folders", "`columns: {path: path, label: super_class_id}`"],
            ),
            *accepted(("1", "2"), {None: 10, "test": 6}, columns={"path": "path", "label": "super_class_id"}),
        ],
        {
            f"Ebay_{part}.txt": "image_id class_id super_class_id path\n"
            + "".join(
                f"{at} {at} {1 + (top == 'chair_final')} {top}/11108537{at}.JPG\n"
                for top in ("bicycle_final", "chair_final")
                for at in numbers
            )
            for part, numbers in (("train", range(1, 6)), ("test", range(6, 9)))
        },
    ),
    **{f"a CSV with the column {name}": with_column(name, words, found) for name, (words, found) in COLUMNS.items()},
    "a CSV whose set is something else": Corpus(
        below("images", count=16),
        refused("The split 'Jungle' in line 2", "columns.split", source="labels.csv"),
        {
            "labels.csv": table(
                "path,label,set",
                (
                    (name, PETS[at % 2], ("Jungle", "City")[at // 2 % 2])
                    for at, name in enumerate(below("images", count=16))
                ),
            )
        },
    ),
    "CSV in UTF-16": Corpus(
        below("images", count=8),
        use_list("labels.csv", "path: path, label: label", PETS, {None: 8}),
        {"labels.csv": table("path,label", cycle(below("images"), PETS)).encode("utf-16")},
    ),
}
