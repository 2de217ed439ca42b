"""Exports of labelling tools, and data sets whose masks lie beside the images."""

import json

from tests.unit.odd_trees.corpora.building import Corpus, accepted, below, cycle, refused, table, use_list, use_lists

PHOTOS = below("photos", file="{:03}.jpg", count=16)
PETS = cycle(PHOTOS, ("cat", "dog"))
KIND = "groundtruth/image-classification"
BREAST = [f"{kind}/{kind} ({at})" for kind in ("benign", "malignant") for at in range(1, 9)]


def lines(objects):
    return "".join(json.dumps(one) + "\n" for one in objects)


def rekognition(path, *labels):
    """Return a line of a manifest of Rekognition Custom Labels, in which each label has an attribute."""
    metadata = {label: {"class-name": label, "confidence": 1, "type": KIND} for label in labels}
    of_labels = {f"pets_{label}": 1 for label in labels}
    return {"source-ref": path, **of_labels, **{f"pets_{one}-metadata": found for one, found in metadata.items()}}


def image_lists(places):
    """Return lists in which each image has a number, of PaddleClas."""
    return {
        f"{name}_list.txt": "".join(f"{path} {int(label == 'dog')}\n" for path, label in PETS[start:end])
        for name, start, end in places
    }


CORPORA = {
    "breast ultrasound with masks": Corpus(
        [f"{name}{end}.png" for name in BREAST for end in ("", "_mask")] + ["benign/benign (1)_mask_1.png"],
        [
            *refused(
                "17 files of",
                "as 'benign/benign (1)_mask.png' beside 'benign/benign (1).png'",
                '`exclude: ["*_mask.png", "*_mask_[0-9].png"]`',
                "put `layout: classes` there",
            ),
            *accepted(("benign", "malignant"), {None: 16}, exclude=["*_mask.png", "*_mask_[0-9].png"]),
            *accepted(("benign", "malignant"), {None: 33}, layout="classes"),
        ],
    ),
    "skin lesions with segmentations in splits": Corpus(
        [
            f"{part}/{kind}/ISIC_{start + at:07}{end}"
            for part, start in (("train", 10), ("test", 50))
            for kind in ("mel", "nv")
            for at in range(4)
            for end in (".jpg", "_Segmentation.png")
        ],
        [
            *refused('`exclude: ["*_Segmentation.png"]`', "put `layout: splits` there"),
            *accepted(("mel", "nv"), {None: 8, "test": 8}, exclude=["*_Segmentation.png"]),
        ],
    ),
    "magnetic tiles": Corpus(
        below("MT_Blowhole/Imgs", "MT_Free/Imgs", file="exp1_num_{}.jpg")
        + below("MT_Blowhole/Imgs", "MT_Free/Imgs", file="exp1_num_{}.png"),
        [
            *accepted(
                ("MT_Blowhole", "MT_Free"),
                {None: 32},
                warns=["16 images have the name of another one", "one of the patterns '*.jpg', '*.png'"],
            ),
            *accepted(("MT_Blowhole", "MT_Free"), {None: 16}, exclude=["*.png"]),
        ],
    ),
    "masked faces whose names end so": Corpus(
        below("with_mask", "without_mask", file="{}_{name}.jpg"),
        accepted(("with_mask", "without_mask"), {None: 16}),
    ),
    "Rekognition manifest": Corpus(
        PHOTOS,
        accepted(("cat", "dog"), {None: 16}, source="output.manifest"),
        {"output.manifest": lines(rekognition(path, label) for path, label in PETS)},
    ),
    "Rekognition manifest of several labels": Corpus(
        PHOTOS,
        refused("several labels in line 1", "'pets_cat' is 'cat', 'pets_dog' is 'dog'", source="output.manifest"),
        {"output.manifest": lines(rekognition(path, "cat", "dog") for path in PHOTOS)},
    ),
    "Azure Machine Learning JSON Lines": Corpus(
        PHOTOS,
        use_list("train.jsonl", "path: image_url, label: label", ("cat", "dog"), {None: 16}),
        {"train.jsonl": lines({"image_url": f"AmlDatastore://pets/{path}", "label": label} for path, label in PETS)},
    ),
    "Doccano": Corpus(
        PHOTOS,
        use_list("all.jsonl", "path: filename, label: label", ("cat", "dog"), {None: 16}),
        {"all.jsonl": lines({"id": 1, "filename": path[7:], "label": [label], "Comments": []} for path, label in PETS)},
    ),
    "Vertex AI JSON Lines": Corpus(
        PHOTOS,
        use_list(
            "import.jsonl",
            "path: imageGcsUri, label: classificationAnnotation.displayName, "
            'split: "dataItemResourceLabels.aiplatform.googleapis.com/ml_use"',
            ("cat", "dog"),
            {"train": 8, "validation": 4, "test": 4},
        ),
        {
            "import.jsonl": lines(
                {
                    "imageGcsUri": f"gs://pets/{path}",
                    "classificationAnnotation": {"displayName": label},
                    "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": part},
                }
                for (path, label), part in zip(PETS, ["training"] * 8 + ["validation"] * 4 + ["test"] * 4, strict=True)
            )
        },
    ),
    "ODIR fundus": Corpus(
        PHOTOS,
        accepted(("D", "N"), {None: 16}, source="full_df.csv", columns={"path": "filename", "label": "labels"}),
        {
            "full_df.csv": table(
                "ID,N,D,G,filepath,labels,target,filename",
                (
                    (at, 1, 1, 0, f"../input/ODIR-5K/{path}", f"['{'ND'[at % 2]}']", '"[1, 0, 0]"', path[7:])
                    for at, path in enumerate(PHOTOS)
                ),
            )
        },
    ),
    "Label Studio beside the original files": Corpus(
        below("photos", file="{}.jpg", count=16),
        [
            *refused("Only one class in"),
            *refused(
                "No path in the list",
                "as '/data/upload/1/8f1b2c3d-1.jpg'",
                source="project.csv",
                columns={"path": "image", "label": "choice"},
            ),
        ],
        {
            "project.csv": table(
                "image,id,choice",
                ((f"/data/upload/1/8f1b2c3d-{at}.jpg", at, ("cat", "dog")[at % 2]) for at in range(1, 17)),
            )
        },
    ),
    "Fitzpatrick 17k": Corpus(
        PHOTOS,
        use_list("fitzpatrick17k.csv", "path: md5hash, label: label", ("acne", "nevus"), {None: 16}),
        {
            "fitzpatrick17k.csv": table(
                "md5hash,fitzpatrick_scale,label,nine_partition_label,three_partition_label,url",
                (
                    (
                        path[7:-4],
                        at % 6,
                        ("acne", "nevus")[at % 2],
                        "benign epidermal",
                        ("benign", "malignant")[at % 3 > 1],
                        "",
                    )
                    for at, path in enumerate(PHOTOS)
                ),
            )
        },
    ),
    "lists of splits with a column of another split": Corpus(
        [*below("train", count=16), *below("val", start=50)],
        use_lists("path: file, label: gender", ("Female", "Male"), {"train": 16, "validation": 8}),
        {
            f"label_{part}.csv": table(
                "file,age,gender,service_test",
                ((f"{part}/{at}.jpg", at, ("Male", "Female")[at % 2], at % 3 == 0) for at in numbers),
            )
            for part, numbers in (("train", range(1, 17)), ("val", range(50, 58)))
        },
    ),
    "FER+": Corpus(
        [*below("FER2013Train", file="fer{}.png"), *below("FER2013Test", file="fer{}.png", start=50)],
        refused("where COLUMN is one of 'neutral', 'happiness'"),
        {
            "fer2013new.csv": table(
                "Usage,Image name,neutral,happiness",
                (
                    (usage, f"fer{at}.png", at % 4, at % 3)
                    for usage, start in (("Training", 1), ("PrivateTest", 50))
                    for at in range(start, start + 8)
                ),
            )
        },
    ),
    "PaddleClas": Corpus(
        PHOTOS,
        [
            *refused("`columns: {path: 0, label: 1}`", "'train_list.txt' (train), 'val_list.txt' (validation)"),
            *accepted(("0", "1"), {"train": 8, "validation": 4, "test": 4}, columns={"path": 0, "label": 1}, ignored=1),
        ],
        {
            **image_lists((("train", 0, 8), ("val", 8, 12), ("test", 12, 16))),
            "label_list.txt": "0 pink primrose\n1 hard-leaved pocket orchid\n",
        },
    ),
    "metadata as Parquet": Corpus(
        below("train", count=4), refused("may be in 'train/metadata.parquet'"), {"train/metadata.parquet": b"PAR1"}
    ),
}
