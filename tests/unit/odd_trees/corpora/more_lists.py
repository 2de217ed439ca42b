"""More public data sets whose labels are in lists, tables, arrays or names of files."""

import json

from tests.unit.odd_trees.corpora.building import (
    Corpus,
    accepted,
    base,
    below,
    cycle,
    refused,
    table,
    use_list,
    use_lists,
)

PAD = [*below("images/imgs_part_1", file="PAT_{}_1.png"), *below("images/imgs_part_2", file="PAT_{}_2.png", start=50)]
WEEDS = below("images", file="20170207-1546{:02}-1.jpg", count=16)
PADDY = below("train_images/blast", "train_images/normal", file="{name}1000{}.jpg")
GTSRB = below("Train/0", "Train/1", file="0000{name}_00000_0000{}.png")
RVL = [f"images/imagesa/a/a/a/aaa{at:02}a00/{at}0.tif" for at in range(1, 17)]
GROCERY = below(
    "dataset/train/Fruit/Apple/Golden-Delicious", "dataset/train/Packages/Juice/Bravo", file="{name}_{:03}.jpg"
)
GROCERY_TEST = [name.replace("/train/", "/test/") for name in GROCERY]
CELEBA = below("img_align_celeba", file="{:06}.jpg")
CHEXPERT = [
    f"CheXpert/{part}/patient{at:05}/study1/view1_frontal.jpg" for part in ("train", "valid") for at in range(1, 9)
]


def spaced(rows):
    return "".join(" ".join(map(str, row)) + "\n" for row in rows)


CORPORA = {
    "DTD with its lists": Corpus(
        below("images/banded", "images/blotchy", file="{name}_{:04}.jpg"),
        use_lists("path: 0", ("banded", "blotchy"), {"train": 8, "validation": 4, "test": 4}),
        {
            f"labels/{part}1.txt": spaced(
                (f"{kind}/{kind}_{at:04}.jpg",) for kind in ("banded", "blotchy") for at in numbers
            )
            for part, numbers in (("train", range(1, 5)), ("val", range(5, 7)), ("test", range(7, 9)))
        },
    ),
    "GTSRB with Train.csv and Test.csv": Corpus(
        [*GTSRB, *below("Test", file="{:05}.png", start=50), "Meta/0.png", "Meta/1.png"],
        [
            *accepted(
                ("0", "1"),
                {None: 16},
                ignored=13,
                warns=["'Test.csv' (test), 'Train.csv' (train) name images", "`columns: {path: Path, label: ClassId}`"],
            ),
            *accepted(
                ("0", "1"),
                {None: 16, "test": 8},
                columns={"path": "Path", "label": "ClassId"},
                ignored=3,
                warns=["'Meta.csv' have other columns", "2 images are in no list"],
            ),
        ],
        {
            "Train.csv": table(
                "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path",
                ((27, 26, 5, 5, 22, 20, name.split("/")[1], name) for name in GTSRB),
            ),
            "Test.csv": table(
                "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path",
                (
                    (53, 54, 6, 5, 48, 49, at % 2, name)
                    for at, name in enumerate(below("Test", file="{:05}.png", start=50))
                ),
            ),
            "Meta.csv": table(
                "Path,ClassId,ShapeId,ColorId,SignId",
                (("Meta/0.png", 0, 1, 0, "3.29"), ("Meta/1.png", 1, 1, 0, "3.29")),
            ),
        },
    ),
    "PAD-UFES-20": Corpus(
        PAD,
        use_list("metadata.csv", "path: img_id, label: diagnostic", ("BCC", "NEV"), {None: 16}),
        {
            "metadata.csv": table(
                "patient_id,lesion_id,smoke,age,region,diagnostic,itch,img_id,biopsed",
                (
                    ("PAT_1", 1, "", 55, "ARM", kind, "True", base(name), "True")
                    for name, kind in cycle(PAD, ("BCC", "NEV"))
                ),
            )
        },
    ),
    "DeepWeeds": Corpus(
        WEEDS,
        [
            *refused("'labels/train_subset0.csv' (train)", "`columns: {path: Filename, label: Label}`"),
            *refused(
                "is in 'test' by the list 'labels/test_subset0.csv', and in 'train' by 'labels/train_subset1.csv'",
                '`exclude: ["labels/train_subset1.csv"]`',
                columns={"path": "Filename", "label": "Label"},
            ),
            *accepted(
                ("0", "1"),
                {"train": 8, "validation": 4, "test": 4},
                columns={"path": "Filename", "label": "Label"},
                exclude=["labels/*1.csv"],
                warns=["'labels/labels.csv' have other columns"],
                ignored=1,
            ),
        ],
        {
            "labels/labels.csv": table(
                "Filename,Label,Species",
                ((base(name), at % 2, ("Chinee apple", "Lantana")[at % 2]) for at, name in enumerate(WEEDS)),
            ),
            **{
                f"labels/{part}_subset{fold}.csv": table(
                    "Filename,Label",
                    ((base(name), at % 2) for at, name in enumerate(WEEDS) if (at + fold) // 2 % 4 in of),
                )
                for fold in (0, 1)
                for part, of in (("train", (0, 1)), ("val", (2,)), ("test", (3,)))
            },
        },
    ),
    "paddy disease": Corpus(
        [*PADDY, *below("test_images", file="20000{}.jpg")],
        accepted(
            ("blast", "normal"),
            {None: 16},
            ignored=10,
            warns=[
                "'train.csv' name images of the source and were not used",
                "The folders 'test_images' hold no class",
            ],
        ),
        {
            "train.csv": table(
                "image_id,label,variety,age", ((base(name), name.split("/")[1], "ADT45", 45) for name in PADDY)
            ),
            "sample_submission.csv": table("image_id,label", ((f"20000{at}.jpg", "") for at in range(1, 9))),
        },
    ),
    "RVL-CDIP": Corpus(
        RVL,
        use_lists("path: 0, label: 1", ("0", "1"), {"train": 8, "validation": 4, "test": 4}),
        {
            f"labels/{part}.txt": spaced(
                (name.removeprefix("images/"), at % 2) for at, name in enumerate(RVL) if at // 2 % 4 in of
            )
            for part, of in (("train", (0, 1)), ("val", (2,)), ("test", (3,)))
        },
    ),
    "grocery store": Corpus(
        [*GROCERY, *GROCERY_TEST],
        use_lists("path: 0, label: 1", ("0", "1"), {None: 16, "test": 16}, ignored=1),
        {
            f"dataset/{part}.txt": "".join(
                f"{name.removeprefix('dataset/')}, {('Apple' not in name):d}, 0\n" for name in names
            )
            for part, names in (("train", GROCERY), ("test", GROCERY_TEST))
        }
        | {"dataset/classes.csv": "Class Name (str),Class ID (int)\nGolden-Delicious,0\n"},
    ),
    "CelebA with text lists": Corpus(
        CELEBA,
        refused("'Anno', 'Eval' hold only files that end in .txt", "write labels.csv"),
        {
            "Anno/list_attr_celeba.txt": "8\nSmiling Young\n"
            + "".join(f"{base(name)} {smiling:2} -1\n" for name, smiling in cycle(CELEBA, (1, -1))),
            "Eval/list_eval_partition.txt": spaced((base(name), 0) for name in CELEBA),
            "Anno/identity_CelebA.txt": spaced((base(name), at) for at, name in enumerate(CELEBA)),
        },
    ),
    "CheXpert with many findings": Corpus(
        CHEXPERT,
        [
            *refused("`columns: {path: Path, label: COLUMN}`", "'Cardiomegaly', 'Edema'"),
            *accepted(("0.0", "1.0"), {"train": 8, "validation": 8}, columns={"path": "Path", "label": "Cardiomegaly"}),
        ],
        {
            f"CheXpert/{part}.csv": table(
                "Path,Sex,Age,No Finding,Cardiomegaly,Edema,Fracture",
                (
                    (
                        f"CheXpert-v1.0-small/{name.removeprefix('CheXpert/')}",
                        "Female",
                        68,
                        "",
                        float(at % 2),
                        float(-(at % 3 == 0)),
                        "",
                    )
                    for at, name in enumerate(CHEXPERT)
                    if f"/{part}/" in name
                ),
            )
            for part in ("train", "valid")
        },
    ),
    "FER2013 as CSV of pixels": Corpus(
        [],
        refused("their names end in .csv"),
        {"fer2013.csv": table("emotion,pixels,Usage", ((at % 2, "70 80 82 72", "Training") for at in range(8)))},
    ),
    "MedMNIST": Corpus(
        [],
        refused("pack many images or tables", "save each image as a file", "labels.csv"),
        {"pathmnist.npz": b"PK\3\4", "bloodmnist.npz": b"PK\3\4"},
    ),
    "PatchCamelyon": Corpus(
        [],
        refused("pack many images or tables", "save each image as a file"),
        {
            f"camelyonpatch_level_2_split_{part}_{kind}.h5": b"\x89HDF"
            for part in ("train", "valid", "test")
            for kind in ("x", "y")
        },
    ),
    "STL-10": Corpus(
        [],
        refused("pack many images or tables", "save each image as a file"),
        {f"stl10_binary/{name}": b"\0\1" for name in ("train_X.bin", "train_y.bin", "class_names.txt")},
    ),
    "SVHN": Corpus(
        [],
        refused("'test_32x32.mat', 'train_32x32.mat' pack many images"),
        {"train_32x32.mat": b"MATLAB", "test_32x32.mat": b"MATLAB"},
    ),
    "Stanford Cars of the authors": Corpus(
        below("cars_train", "cars_test", file="{:05}.jpg"),
        refused("'devkit/cars_meta.mat', 'devkit/cars_train_annos.mat': make the list from them"),
        {"devkit/cars_train_annos.mat": b"MATLAB", "devkit/cars_meta.mat": b"MATLAB", "devkit/README.txt": "Cars"},
    ),
    "iWildCam": Corpus(
        below("train", "test", file="58{name}{:03}-23d2.jpg"),
        use_list("iwildcam2020_train_annotations.json", "path: file_name, label: label", ("deer", "empty"), {None: 8}),
        {
            "iwildcam2020_train_annotations.json": json.dumps(
                {
                    "images": [
                        {"id": f"58train{at:03}-23d2", "file_name": f"58train{at:03}-23d2.jpg"} for at in range(1, 9)
                    ],
                    "annotations": [
                        {"id": at, "image_id": f"58train{at:03}-23d2", "category_id": at % 2} for at in range(1, 9)
                    ],
                    "categories": [{"id": 0, "name": "empty"}, {"id": 1, "name": "deer"}],
                }
            ),
            "iwildcam2020_test_information.json": "{}",
        },
    ),
    "iWildCam with tables": Corpus(
        below("train_images", "test_images", file="58{name}{:03}-23d2.jpg"),
        use_list("train.csv", "path: file_name, label: category_id", ("0", "1"), {None: 8}),
        {
            "train.csv": table(
                "category_id,date_captured,file_name,id,seq_num_frames",
                (
                    (at % 2, "2011-05-13 23:43:18", f"58train_images{at:03}-23d2.jpg", f"58train_images{at:03}-23d2", 3)
                    for at in range(1, 9)
                ),
            ),
            "test.csv": table(
                "date_captured,file_name,id,seq_num_frames",
                (
                    ("2011-05-13 23:43:18", f"58test_images{at:03}-23d2.jpg", f"58test_images{at:03}-23d2", 3)
                    for at in range(1, 9)
                ),
            ),
        },
    ),
    "DDR retinopathy": Corpus(
        below("DR_grading/train", "DR_grading/valid", "DR_grading/test", file="007-{name}-{:03}.jpg"),
        use_lists("path: 0, label: 1", ("0", "1"), {"train": 8, "validation": 8, "test": 8}),
        {
            f"DR_grading/{part}.txt": spaced((f"007-{part}-{at:03}.jpg", at % 2) for at in range(1, 9))
            for part in ("train", "valid", "test")
        },
    ),
    "EyePACS": Corpus(
        [f"train/{at}_{side}.jpeg" for at in range(10, 18) for side in ("left", "right")],
        use_list("trainLabels.csv", "path: image, label: level", ("0", "2"), {None: 16}),
        {
            "trainLabels.csv": table(
                "image,level", ((f"{at}_{side}", at % 2 * 2) for at in range(10, 18) for side in ("left", "right"))
            )
        },
    ),
    "SIIM-ISIC 2020": Corpus(
        [*below("jpeg/train", file="ISIC_{:07}.jpg"), *below("jpeg/test", file="ISIC_{:07}.jpg", start=50)],
        use_list("train.csv", "path: image_name, label: target", ("0", "1"), {None: 8}),
        {
            "train.csv": table(
                "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target",
                (
                    (
                        f"ISIC_{at:07}",
                        "IP_7279968",
                        "male",
                        45,
                        "head/neck",
                        "unknown",
                        ("benign", "malignant")[at % 2],
                        at % 2,
                    )
                    for at in range(1, 9)
                ),
            ),
            "test.csv": table(
                "image_name,patient_id,sex,age_approx,anatom_site_general_challenge",
                ((f"ISIC_{at:07}", "IP_3579794", "male", 70, "") for at in range(50, 58)),
            ),
            "sample_submission.csv": table("image_name,target", ((f"ISIC_{at:07}", 0) for at in range(50, 58))),
        },
    ),
    "ISIC 2018": Corpus(
        below("ISIC2018_Task3_Training_Input", "ISIC2018_Task3_Validation_Input", file="ISIC_{name}{:03}.jpg"),
        use_lists("path: image, label: [MEL, NV, BCC]", ("BCC", "MEL", "NV"), {"train": 8, "validation": 8}),
        {
            f"ISIC2018_Task3_{part}_GroundTruth/ISIC2018_Task3_{part}_GroundTruth.csv": table(
                "image,MEL,NV,BCC",
                (
                    (
                        f"ISIC_ISIC2018_Task3_{part}_Input{at:03}",
                        *("1.0" if at % 3 == place else "0.0" for place in range(3)),
                    )
                    for at in range(1, 9)
                ),
            )
            for part in ("Training", "Validation")
        },
    ),
    "RSNA pneumonia in DICOM": Corpus(
        [],
        refused("are medical images", "save them as PNG or JPEG"),
        {
            **{f"stage_2_train_images/0004cfab-{at}.dcm": b"\0" * 128 + b"DICM" for at in range(1, 9)},
            "stage_2_train_labels.csv": table(
                "patientId,x,y,width,height,Target", ((f"0004cfab-{at}", "", "", "", "", at % 2) for at in range(1, 9))
            ),
        },
    ),
    "Market-1501": Corpus(
        below("bounding_box_train", "bounding_box_test", "query", file="000{}_c1s1_000151_01.jpg"),
        refused("may be a split or a class"),
    ),
    "COIL-100": Corpus(
        [f"coil-100/obj{at}__{angle}.png" for at in (1, 2) for angle in range(0, 40, 5)],
        refused("Only one class", "labels.csv with the columns path and label"),
    ),
    "herbarium": Corpus(
        [f"train/images/00{at % 2}/0{at % 3}/{at}.jpg" for at in range(1, 17)],
        use_list("train/metadata.json", "path: file_name, label: label", ("Acer", "Ilex"), {None: 16}),
        {
            "train/metadata.json": json.dumps(
                {
                    "annotations": [{"category_id": at % 2, "id": at, "image_id": at} for at in range(1, 17)],
                    "categories": [{"id": 0, "name": "Acer"}, {"id": 1, "name": "Ilex"}],
                    "images": [{"file_name": f"images/00{at % 2}/0{at % 3}/{at}.jpg", "id": at} for at in range(1, 17)],
                }
            )
        },
    ),
}
