"""Public data sets whose split folders have other names, or hold unsorted images."""

from tests.unit.odd_trees.corpora.building import (
    MAC,
    Corpus,
    accepted,
    below,
    refused,
    renamed,
    split,
    table,
    under,
    use,
)

SIGNS = [name for kind in ("0", "1", "14") for name in below(f"Train/{kind}", file=f"{int(kind):05}_{{:05}}_00000.png")]


CORPORA = {
    "Fruits-360": Corpus(
        [
            *split(
                "Training",
                "Test",
                classes=("Apple Braeburn 1", "Banana 1"),
                file="{}_100.jpg",
                top="fruits-360_dataset/fruits-360",
            ),
            *below("fruits-360_dataset/fruits-360/test-multiple_fruits", file="apples{}.jpg"),
        ],
        use(
            "fruits-360_dataset/fruits-360",
            ("Apple Braeburn 1", "Banana 1"),
            {None: 16, "test": 16},
            ignored=11,
            warns=["'test-multiple_fruits' are neither"],
        ),
        {
            "fruits-360_dataset/fruits-360/papers/Fruit recognition.pdf": b"%PDF",
            "fruits-360_dataset/fruits-360/LICENSE": "MIT",
            "fruits-360_dataset/fruits-360/readme.md": "# Fruits-360",
        },
    ),
    "Fruits-360 of the original size": Corpus(
        [
            *split("Training", "Validation", "Test", classes=("apple_6", "pear_1"), file="r0_{}.jpg", top="fruits-360"),
        ],
        use(
            "fruits-360",
            ("apple_6", "pear_1"),
            {"train": 16, "validation": 16, "test": 16},
            ignored=4,
            warns=["'Meta', 'Papers' are neither"],
        ),
        {
            "fruits-360/Meta/apple_6/info.txt": "Fruit: apple",
            "fruits-360/Meta/pear_1/info.txt": "Fruit: pear",
            "fruits-360/Papers/paper.pdf": b"%PDF",
            "fruits-360/LICENSE": "MIT",
        },
    ),
    "chest CT scans": Corpus(
        [
            *split("train", classes=("adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib", "normal"), top="Data"),
            *split("test", classes=("adenocarcinoma", "normal"), file="{:06}.png", top="Data"),
        ],
        [
            *refused("add /Data to"),
            *refused(
                "'adenocarcinoma'",
                '`exclude: ["*/adenocarcinoma/*"]`',
                '`classes: {"adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib": '
                '["adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib", "adenocarcinoma"]}`',
                source="Data",
            ),
            *accepted(
                ("adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib", "normal"),
                {None: 16, "test": 16},
                source="Data",
                classes_of_file={
                    "adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib": [
                        "adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib",
                        "adenocarcinoma",
                    ]
                },
            ),
        ],
    ),
    "Kaggle cats and dogs": Corpus(
        [
            *split("training_set/training_set", classes=("cats", "dogs"), file="{name}.{}.jpg"),
            *split("test_set/test_set", classes=("cats", "dogs"), file="{name}.400{}.jpg"),
        ],
        accepted(("cats", "dogs"), {None: 17, "test": 17}, warns=["2 files cannot be used"]),
        {f"{one}/{one}/cats/_DS_Store": b"\0\0\0\1Bud1" for one in ("training_set", "test_set")},
    ),
    "a test folder with a folder of any name": Corpus(
        [*split("train", classes=("cat", "dog")), *below("test/unknown")],
        [
            *refused("'unknown'", '`exclude: ["*/unknown/*"]`'),
            *accepted(("cat", "dog"), {None: 16}, exclude=["*/unknown/*"], warns=["'test' hold no class folder"]),
        ],
    ),
    "GTSRB of Kaggle": Corpus(
        [*SIGNS, *below("Test", file="{:05}.png"), *below("Meta", file="{}.png", count=3)],
        accepted(
            ("0", "1", "14"),
            {None: 24},
            ignored=14,
            warns=["'Test' hold no class folder", "'Meta' are neither", "'Train.csv' name images"],
        ),
        {
            "Train.csv": table(
                "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path",
                ((27, 26, 5, 5, 22, 20, name.split("/")[1], name) for name in SIGNS),
            ),
            "Test.csv": table(
                "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path",
                ((27, 26, 5, 5, 22, 20, at % 2, name) for at, name in enumerate(below("Test", file="{:05}.png"))),
            ),
            "Meta.csv": "Path,ClassId,ShapeId,ColorId,SignId\nMeta/1.png,1,1,0,3.29\n",
        },
    ),
    "GTSRB with both cases": Corpus(
        {
            name: name[0].upper() + name[1:]
            for name in (
                *SIGNS,
                *below("Test", file="{:05}.png"),
                *below("Meta", file="{}.png", count=3),
                *(name.replace("Train", "train") for name in SIGNS),
                *below("test", file="{:05}.png"),
                *below("meta", file="{}.png", count=3),
            )
        },
        accepted(
            ("0", "1", "14"),
            {None: 48},
            ignored=23,
            warns=["'Test', 'test' hold no class folder", "24 copies", "'Train.csv' name images"],
        ),
        {"Train.csv": table("ClassId,Path", ((name.split("/")[1], name) for name in SIGNS))},
    ),
    "GTSRB of the authors": Corpus(
        [
            *split("Final_Training/Images", classes=("00000", "00001"), file="{:05}_00000.ppm", top="GTSRB"),
            *below("GTSRB/Final_Test/Images", file="{:05}.ppm"),
        ],
        [*refused("add /GTSRB to"), *refused("of 18 files", "PPM", source="GTSRB")],
        {
            "GTSRB/Final_Training/Images/00000/GT-00000.csv": "Filename;Width;ClassId\n00001_00000.ppm;29;0\n",
            "GTSRB/Final_Training/Images/00001/GT-00001.csv": "Filename;Width;ClassId\n00001_00000.ppm;29;1\n",
            "GTSRB/Final_Test/Images/GT-final_test.test.csv": "Filename;Width;Height\n00001.ppm;53;54\n",
            "GTSRB/Readme-Images.txt": "GTSRB",
        },
    ),
    "Tiny ImageNet": Corpus(
        [
            *below("tiny-imagenet-200/train/n01443537/images", file="n01443537_{}.JPEG"),
            *below("tiny-imagenet-200/train/n01629819/images", file="n01629819_{}.JPEG"),
            *below("tiny-imagenet-200/val/images", file="val_{}.JPEG"),
            *below("tiny-imagenet-200/test/images", file="test_{}.JPEG"),
        ],
        [
            *refused("add /tiny-imagenet-200 to"),
            *refused(
                "Validation of", "has no image in a class folder", '`exclude: ["val/*"]`', source="tiny-imagenet-200"
            ),
            *accepted(
                ("n01443537", "n01629819"),
                {None: 18},
                source="tiny-imagenet-200",
                exclude=["val/*"],
                ignored=10,
                warns=["'test' hold no class folder"],
            ),
        ],
        {
            "tiny-imagenet-200/train/n01443537/n01443537_boxes.txt": "n01443537_0.JPEG\t0\t10\t63\t58\n",
            "tiny-imagenet-200/train/n01629819/n01629819_boxes.txt": "n01629819_0.JPEG\t0\t10\t63\t58\n",
            "tiny-imagenet-200/val/val_annotations.txt": "val_1.JPEG\tn01443537\t0\t32\t44\t62\n",
            "tiny-imagenet-200/wnids.txt": "n01443537\nn01629819\n",
            "tiny-imagenet-200/words.txt": "n00001740\tentity\n",
        },
    ),
    "ASL alphabet": Corpus(
        [
            *below(*under("asl_alphabet_train/asl_alphabet_train", ["A", "B", "nothing"]), file="{name}{}.jpg"),
            *(f"asl_alphabet_test/asl_alphabet_test/{letter}_test.jpg" for letter in ("A", "B", "nothing")),
        ],
        accepted(("A", "B", "nothing"), {None: 24}, ignored=3, warns=["'asl_alphabet_test' hold no class folder"]),
    ),
    "horse-or-human": Corpus(
        split("horse-or-human", "validation-horse-or-human", classes=("horses", "humans"), file="{name}01-{}.png"),
        [
            *refused("rename them to train, validation and test"),
            *accepted(
                ("horses", "humans"),
                {"train": 16, "validation": 16},
                does=renamed({"horse-or-human": "train", "validation-horse-or-human": "validation"}),
            ),
        ],
    ),
    "rock-paper-scissors": Corpus(
        [
            *split("rps", classes=("paper", "rock", "scissors"), file="{name}01-{:03}.png"),
            *split("rps-test-set", classes=("paper", "rock", "scissors"), file="test{name}01-{:02}.png"),
            *below("rps-validation", file="rock{}.png"),
        ],
        [
            *refused("rename rps-test-set to test, rps-validation to validation, rps to train if it is one of them"),
            *refused(
                "Validation of",
                '`exclude: ["validation/*"]`',
                does=renamed({"rps": "train", "rps-test-set": "test", "rps-validation": "validation"}),
            ),
            *accepted(("paper", "rock", "scissors"), {None: 24, "test": 24}, exclude=["validation/*"]),
        ],
    ),
    "blood cells": Corpus(
        [
            *split(
                "TRAIN",
                "TEST",
                "TEST_SIMPLE",
                classes=("EOSINOPHIL", "NEUTROPHIL"),
                file="_{}_1414.jpeg",
                top="dataset2-master/dataset2-master/images",
            ),
            *below("dataset-master/dataset-master/JPEGImages", file="BloodImage_{:05}.jpg"),
        ],
        [
            *refused("add /dataset2-master/dataset2-master/images to"),
            *refused(
                "'TEST', 'TEST_SIMPLE'", '`exclude: ["TEST_SIMPLE/*"]`', source="dataset2-master/dataset2-master/images"
            ),
            *accepted(
                ("EOSINOPHIL", "NEUTROPHIL"),
                {None: 16, "test": 16},
                source="dataset2-master/dataset2-master/images",
                exclude=["TEST_SIMPLE/*"],
            ),
        ],
        {
            **dict.fromkeys(
                below("dataset-master/dataset-master/Annotations", file="BloodImage_{:05}.xml"), "<annotation>"
            ),
            "dataset-master/dataset-master/labels.csv": ",Image,Category\n0,1,NEUTROPHIL\n",
            "dataset2-master/dataset2-master/labels.csv": ",Image,Category\n0,1,NEUTROPHIL\n",
        },
    ),
    "OCT2017 with a blank": Corpus(
        split("train", "val", "test", classes=("CNV", "NORMAL"), file="{name}-{}-1.jpeg", top="OCT2017 "),
        [
            *refused("add '/OCT2017 ' to"),
            *accepted(("CNV", "NORMAL"), {"train": 16, "validation": 16, "test": 16}, source="OCT2017 "),
        ],
        {"__MACOSX/OCT2017 /train/CNV/._CNV-1-1.jpeg": MAC},
    ),
    "Stanford Cars of Kaggle": Corpus(
        [*below("cars_train/cars_train", file="{:05}.jpg"), *below("cars_test/cars_test", file="{:05}.jpg")],
        refused("found 18 files that are in no class folder", "write a list"),
        {"cars_annos.mat": b"MATLAB", "car_devkit/devkit/cars_meta.mat": b"MATLAB"},
    ),
}
