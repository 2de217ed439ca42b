"""Sources that are one file: archives, tables, arrays and other files that are refused, and lists in text and JSON."""

import json

from tests.unit.odd_trees.corpora.building import Corpus, accepted, below, refused, use_list

PETS = ("cat", "dog")
PATHS = below("images")
COCO = {
    "images": [{"id": at, "file_name": f"{at}.jpg"} for at in range(1, 9)],
    "annotations": [{"id": at, "image_id": at, "category_id": at % 2} for at in range(1, 9)],
    "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
}
SEVERAL = {**COCO, "annotations": [*COCO["annotations"], {"id": 9, "image_id": 1, "category_id": 0}]}
NESTED = "".join(
    json.dumps({"image": name, "annotations": {"label": PETS[at % 2]}}) + "\n" for at, name in enumerate(PATHS)
)
AS_CSV = "save the sheet with the labels as CSV in UTF-8"
AS_FILES = "save each image as a file, and the labels as labels.csv with the columns path and label"
AS_LIST = "labels.csv with the columns path and label"
REFUSED = {
    "images.zip": ("it is an archive", "unpack it", "then give that folder as the source"),
    "images.tar": ("it is an archive", "unpack it"),
    "images.tar.gz": ("it is an archive", "unpack it"),
    "images.rar": ("it is an archive", "unpack it"),
    "labels.csv.gz": ("it is a compressed list. Unpack it, and give 'labels.csv' as the source",),
    "LABELS.CSV.zip": ("give 'LABELS.CSV' as the source",),
    "labels.xlsx": ("it is a spreadsheet", AS_CSV, "then give that file as the source"),
    "labels.ods": ("it is a spreadsheet", AS_CSV),
    "labels.xml": ("it is a document", AS_LIST),
    "data.yaml": ("it is a document", AS_LIST),
    "labels.db": ("it is a database", AS_LIST),
    "imagelabels.mat": ("packs many images or tables", AS_FILES),
    "train-00000-of-00002.parquet": ("packs many images or tables", AS_FILES),
    "train.arrow": ("packs many images or tables", AS_FILES),
    "train.tfrecord-00000-of-00008": ("packs many images or tables", AS_FILES),
    "images.npz": ("packs many images or tables", AS_FILES),
    "images.h5": ("packs many images or tables", AS_FILES),
    "scan.dcm": ("it is a medical image", "save it as PNG or JPEG"),
    "clip.mp4": ("it is a video", "save frames of it as images"),
    "photo.jpg": ("it is one image", "use the folder that holds the folders of the classes"),
    "notes.md5": ("not of a kind that is read",),
}

CORPORA = {
    **{
        f"{name} as the source": Corpus([], refused("is no folder", *says, source=name), {name: b"PK\3\4"})
        for name, says in REFUSED.items()
    },
    "a text of paths and labels": Corpus(
        PATHS,
        [
            *use_list("labels.txt", "path: 0, label: 1", ("0", "1"), {None: 8}),
            *accepted(("0", "1"), {None: 8}, source="labels.txt"),
        ],
        {"labels.txt": "# path and class\n" + "".join(f"{name} {at % 2}\n" for at, name in enumerate(PATHS))},
    ),
    "a text of paths with blanks": Corpus(
        below("my images", file="photo {}.jpg"),
        accepted(("0", "1"), {None: 8}, source="labels.txt"),
        {"labels.txt": "".join(f"my images/photo {at}.jpg\t{at % 2}\n" for at in range(1, 9))},
    ),
    "a text of paths in class folders": Corpus(
        below("cat", "dog"),
        accepted(PETS, {None: 10}, source="some.txt"),
        {"some.txt": "".join(f"{kind}/{at}.jpg\n" for kind in PETS for at in range(1, 6))},
    ),
    "a text of paths alone": Corpus(
        PATHS,
        refused(
            "There is no label in line 1 of all.txt", "'images/1.jpg' is in no folder of a class", source="all.txt"
        ),
        {"all.txt": "".join(f"{name}\n" for name in PATHS)},
    ),
    "COCO with one category for each image": Corpus(
        PATHS,
        [
            *use_list("coco.json", "path: file_name, label: label", PETS, {None: 8}),
            *accepted(PETS, {None: 8}, source="coco.json"),
        ],
        {"coco.json": json.dumps(COCO)},
    ),
    "COCO with several categories": Corpus(
        PATHS,
        refused(
            "1 of 8 images have several categories, such as '1.jpg' with 'cat', 'dog'", AS_LIST, source="coco.json"
        ),
        {"coco.json": json.dumps(SEVERAL)},
    ),
    "COCO that ends in jsonl": Corpus(
        PATHS, refused("in the format of COCO", "end in .json", source="coco.jsonl"), {"coco.jsonl": json.dumps(COCO)}
    ),
    "COCO without file names": Corpus(
        PATHS,
        refused("in the format of COCO: 'file_name' is missing", source="coco.json"),
        {"coco.json": json.dumps({**COCO, "images": [{"id": 1}]})},
    ),
    "JSON of paths and labels": Corpus(
        PATHS,
        accepted(PETS, {None: 8}, source="labels.json"),
        {"labels.json": json.dumps({name: PETS[at % 2] for at, name in enumerate(PATHS)})},
    ),
    "JSON of labels and paths": Corpus(
        PATHS,
        accepted(PETS, {None: 8}, source="labels.json"),
        {"labels.json": json.dumps({"cat": PATHS[:4], "dog": PATHS[4:]})},
    ),
    "JSON of paths and objects": Corpus(
        PATHS,
        accepted(PETS, {None: 4, "test": 4}, source="labels.json"),
        {
            "labels.json": json.dumps(
                {name: {"label": PETS[at % 2], "split": ("train", "test")[at // 4]} for at, name in enumerate(PATHS)}
            )
        },
    ),
    "JSON array of objects": Corpus(
        PATHS,
        accepted(PETS, {None: 8}, source="labels.json"),
        {"labels.json": json.dumps([{"path": name, "label": PETS[at % 2]} for at, name in enumerate(PATHS)])},
    ),
    "JSON in another form": Corpus(
        PATHS,
        [
            *refused("JSON in a form that is not read", AS_LIST, source="a.json"),
            *refused("Cannot read b.json", "JSON Lines end in .jsonl", source="b.json"),
            *refused("Cannot read object 2 of c.json", source="c.json"),
        ],
        {"a.json": '{"images": {"1": {}}, "labels": [1]}', "b.json": NESTED, "c.json": '[{"path": "a"}, 1]'},
    ),
    "JSON Lines with nested labels": Corpus(
        PATHS,
        [
            *refused("it has 'image', 'annotations', 'annotations.label'", source="nested.jsonl"),
            *refused(
                "If it is one of 'annotations.label'",
                source="nested.jsonl",
                columns={"label": "annotations"},
            ),
            *use_list("nested.jsonl", "path: image, label: annotations.label", PETS, {None: 8}),
        ],
        {"nested.jsonl": NESTED},
    ),
    "a spreadsheet beside the images": Corpus(
        PATHS, refused("Only one class", "'labels.xlsx': make the list from them"), {"labels.xlsx": b"PK\3\4"}
    ),
}
