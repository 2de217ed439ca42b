"""Data sets of public competitions: flat folders, and a table of labels."""

from pathlib import Path

from tests.unit.odd_trees.corpora.building import (
    Corpus,
    accepted,
    base,
    below,
    cycle,
    onehot,
    refused,
    stem,
    table,
    use_list,
)

APTOS = below("train_images", file="{:03}c1434d8d7.png", count=15)

ISIC = below("ISIC_2019_Training_Input/ISIC_2019_Training_Input", file="ISIC_00000{:02}.jpg", count=16)

LESIONS = ("MEL", "NV", "BCC", "UNK")

TISSUE = below("train", file="f38a6374c348f90b587e046aac607995{:08}.tif", count=16)

LEAVES = below("images", file="Train_{}.jpg", count=16, start=0)


def _write_cats_and_dogs(folder: Path) -> None:
    names = [f"train/{file.name}" for file in sorted((folder / "train").iterdir())]
    (folder / "labels.csv").write_text(table("path,label", ((name, base(name).partition(".")[0]) for name in names)))


CORPORA = {
    "Dogs vs. Cats": Corpus(
        [*below("train", file="cat.{}.jpg", start=0), *below("train", file="dog.{}.jpg", start=0), *below("test1")],
        [
            *refused("found 25 files that are in no class folder", "labels.csv with the columns path and label"),
            *accepted(("cat", "dog"), {None: 16}, source="labels.csv", does=_write_cats_and_dogs),
        ],
        {"sampleSubmission.csv": "id,label\n1,0\n2,0\n"},
    ),
    "APTOS 2019": Corpus(
        [*APTOS, *below("test_images", file="{:03}5cb29fb56.png")],
        use_list("train.csv", "path: id_code, label: diagnosis", ("0", "2", "4"), {None: 15}),
        {
            "train.csv": table("id_code,diagnosis", ((stem(name), grade) for name, grade in cycle(APTOS, (0, 2, 4)))),
            "test.csv": table("id_code", ((stem(name),) for name in below("test_images", file="{:03}5cb29fb56.png"))),
            "sample_submission.csv": "id_code,diagnosis\n0015cb29fb56,0\n",
        },
    ),
    "ISIC 2019": Corpus(
        ISIC,
        use_list(
            "ISIC_2019_Training_GroundTruth.csv",
            "path: image, label: [MEL, NV, BCC, UNK]",
            ("BCC", "MEL", "NV"),
            {None: 16},
        ),
        {
            "ISIC_2019_Training_GroundTruth.csv": table(
                f"image,{','.join(LESIONS)}", ((stem(name), *onehot(at, 3), "0.0") for at, name in enumerate(ISIC))
            ),
            "ISIC_2019_Training_Metadata.csv": table(
                "image,age_approx,anatom_site_general,lesion_id,sex",
                ((stem(name), 55.0, "anterior torso", "", "female") for name in ISIC),
            ),
        },
    ),
    "histopathologic cancer detection": Corpus(
        [*TISSUE, *below("test", file="0b2ea2a822ad23fdb1b5dd26653da899{:08}.tif")],
        use_list("train_labels.csv", "path: id, label: label", ("0", "1"), {None: 16}),
        {
            "train_labels.csv": table("id,label", ((stem(name), label) for name, label in cycle(TISSUE, (0, 1)))),
            "sample_submission.csv": "id,label\n0b2ea2a822ad23fdb1b5dd26653da89900000001,0\n",
        },
    ),
    "plant pathology": Corpus(
        [*LEAVES, *below("images", file="Test_{}.jpg", start=0)],
        use_list(
            "train.csv",
            "path: image_id, label: [healthy, multiple_diseases, rust, scab]",
            ("healthy", "multiple_diseases", "rust", "scab"),
            {None: 16},
        ),
        {
            "train.csv": table(
                "image_id,healthy,multiple_diseases,rust,scab",
                ((stem(name), *onehot(at, 4, yes="1", no="0")) for at, name in enumerate(LEAVES)),
            ),
            "test.csv": "image_id\nTest_0\n",
            "sample_submission.csv": "image_id,healthy,multiple_diseases,rust,scab\nTest_0,0.25,0.25,0.25,0.25\n",
        },
    ),
    "dog breed identification": Corpus(
        [
            *below("train", file="000bec180eb18c7604dcecc8fe0dba{:02}.jpg", count=16),
            *below("test", file="000621fb{:02}.jpg"),
        ],
        use_list("labels.csv", "path: id, label: breed", ("boston_bull", "dingo"), {None: 16}),
        {
            "labels.csv": table(
                "id,breed",
                cycle([f"000bec180eb18c7604dcecc8fe0dba{at:02}" for at in range(1, 17)], ("boston_bull", "dingo")),
            ),
            "sample_submission.csv": "id,boston_bull,dingo\n000621fb01,0.5,0.5\n",
        },
    ),
    "CIFAR-10 of Kaggle": Corpus(
        [*below("train", file="{}.png", count=16), *below("test", file="{}.png")],
        [
            *refused("trainLabels.csv (DATA for `make demo`) and `columns: {path: id, label: label}`"),
            *accepted(
                ("frog", "truck"), {None: 16}, source="trainLabels.csv", columns={"path": "id", "label": "label"}
            ),
            *accepted(
                ("frog", "truck"),
                {None: 16},
                source="trainLabels.csv",
                columns={"path": "id", "label": "label", "folder": "train"},
            ),
        ],
        {
            "trainLabels.csv": table("id,label", cycle([str(at) for at in range(1, 17)], ("frog", "truck"))),
            "sampleSubmission.csv": "id,label\n1,cat\n",
        },
    ),
    "cassava": Corpus(
        [*below("train_images", file="10000{:02}.jpg", count=16), "test_images/2216849948.jpg"],
        use_list("train.csv", "path: image_id, label: label", ("0", "3"), {None: 16}),
        {
            "train.csv": table("image_id,label", cycle([f"10000{at:02}.jpg" for at in range(1, 17)], (0, 3))),
            "sample_submission.csv": "image_id,label\n2216849948.jpg,4\n",
            "label_num_to_disease_map.json": '{"0": "Cassava Bacterial Blight", "3": "Cassava Mosaic Disease"}',
            "train_tfrecords/ld_train00-1338.tfrec": b"\0\1",
        },
    ),
}
