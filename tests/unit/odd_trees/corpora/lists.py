"""Public data sets whose labels are in a file beside the images."""

import json
from pathlib import Path

from tests.unit.odd_trees.corpora.building import (
    Corpus,
    accepted,
    base,
    below,
    cycle,
    refused,
    stem,
    table,
    use,
    use_list,
    use_lists,
)

HAM = [
    *below("HAM10000_images_part_1", file="ISIC_00243{:02}.jpg"),
    *below("HAM10000_images_part_2", file="ISIC_00293{:02}.jpg"),
]
CHEST = [
    *below("images_001/images", file="0000000{}_000.png"),
    *below("images_002/images", file="0000133{}_000.png"),
    *below("images_003/images", file="0000392{}_000.png"),
]
CELEBA = below("img_align_celeba/img_align_celeba", file="{:06}.jpg", count=16)
PARTS = ("train", "valid", "test")
FASHION = below("fashion-dataset/images", file="159{:02}.jpg", count=16)
CHEXPERT = [
    f"CheXpert-v1.0-small/{part}/patient{number:05}/study1/view1_frontal.jpg"
    for part, first in (("train", 1), ("valid", 64541))
    for number in range(first, first + 8)
]


def metadata(file: str, labels: tuple[object, ...]) -> str:
    return "".join(json.dumps({"file_name": f"{at:04}.png", file: labels[at % 2]}) + "\n" for at in range(1, 9))


def _without_combined(folder: Path) -> None:
    file = folder / "Data_Entry_2017.csv"
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if "|" not in line))


CORPORA = {
    "Flowers-102": Corpus(
        below("jpg", file="image_{:05}.jpg"),
        refused("Only one class", "'jpg'", "write a list"),
        {"imagelabels.mat": b"MATLAB", "setid.mat": b"MATLAB"},
    ),
    "Flowers-102 with segmentations": Corpus(
        [*below("jpg", file="image_{:05}.jpg"), *below("segmim", file="segmim_{:05}.jpg")],
        refused("'jpg', 'segmim'", "not all classes", "write a list", "`layout: classes`"),
        {"imagelabels.mat": b"MATLAB", "setid.mat": b"MATLAB"},
    ),
    "EuroSAT with lists": Corpus(
        below("EuroSAT/AnnualCrop", "EuroSAT/Forest", file="{name}_{}.jpg"),
        use(
            "EuroSAT",
            ("AnnualCrop", "Forest"),
            {None: 16},
            ignored=4,
            warns=["'test.csv', 'train.csv', 'validation.csv' name images"],
        ),
        {
            **{
                f"EuroSAT/{part}.csv": ",Filename,Label,ClassName\n0,Forest/Forest_1.jpg,1,Forest\n"
                for part in ("train", "validation", "test")
            },
            "EuroSAT/label_map.json": '{"AnnualCrop": 0, "Forest": 1}',
        },
    ),
    "HAM10000": Corpus(
        HAM,
        use_list("HAM10000_metadata.csv", "path: image_id, label: dx", ("bkl", "nv"), {None: 16}),
        {
            "HAM10000_metadata.csv": table(
                "lesion_id,image_id,dx,dx_type,age,sex,localization",
                (
                    ("HAM_0000118", stem(name), dx, "histo", 80.0, "male", "scalp")
                    for name, dx in cycle(HAM, ("bkl", "nv"))
                ),
            ),
            "hmnist_8_8_RGB.csv": "pixel0000,pixel0001,label\n172,123,2\n",
            "hmnist_28_28_L.csv": "pixel0000,pixel0001,label\n169,171,2\n",
        },
    ),
    "NIH chest X-ray": Corpus(
        CHEST,
        [
            *refused(
                "look like numbered parts",
                "Data_Entry_2017.csv (DATA for `make demo`) and `columns: {path: Image Index, label: Finding Labels}`",
            ),
            *refused(
                "several labels",
                "Cardiomegaly|Emphysema",
                "6 of 24 rows",
                source="Data_Entry_2017.csv",
                columns={"path": "Image Index", "label": "Finding Labels"},
            ),
            *accepted(
                ("Cardiomegaly", "Emphysema", "No Finding"),
                {None: 18},
                source="Data_Entry_2017.csv",
                columns={"path": "Image Index", "label": "Finding Labels"},
                does=_without_combined,
            ),
        ],
        {
            "Data_Entry_2017.csv": table(
                "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position",
                (
                    (base(name), label, 0, 1, 58, "M", "PA")
                    for name, label in cycle(
                        CHEST, ("Cardiomegaly", "Cardiomegaly|Emphysema", "No Finding", "Emphysema")
                    )
                ),
            ),
            "BBox_List_2017.csv": "Image Index,Finding Label,Bbox [x,y,w,h],,\n00000001_000.png,Mass,225,547,86,79\n",
            "train_val_list.txt": "00000001_000.png\n",
            "test_list.txt": "00013301_000.png\n",
            "README_CHESTXRAY.pdf": b"%PDF",
        },
    ),
    "CelebA": Corpus(
        CELEBA,
        use_list("list_attr_celeba.csv", "path: image_id, label: Smiling", ("-1", "1"), {None: 16}),
        {
            "list_attr_celeba.csv": table(
                "image_id,5_o_Clock_Shadow,Smiling,Young",
                ((base(name), -1, smiling, 1) for name, smiling in cycle(CELEBA, (1, -1))),
            ),
            "list_eval_partition.csv": table("image_id,partition", ((base(name), 0) for name in CELEBA)),
            "list_bbox_celeba.csv": "image_id,x_1,y_1,width,height\n000001.jpg,95,71,226,313\n",
        },
    ),
    "Roboflow multi-class CSV": Corpus(
        [name for part in PARTS for name in below(part, file=f"{part}{{}}_jpg.rf.0a1b.jpg")],
        accepted(("cat", "dog"), {"train": 8, "validation": 8, "test": 8}, ignored=1),
        {
            **{
                f"{part}/_classes.csv": table(
                    "filename, cat, dog",
                    ((f"{part}{at}_jpg.rf.0a1b.jpg", f" {at % 2}", f" {1 - at % 2}") for at in range(1, 9)),
                )
                for part in PARTS
            },
            "README.roboflow.txt": "Pets - v1",
        },
    ),
    "Hugging Face metadata.csv": Corpus(
        [*below("train", file="{:04}.png"), *below("test", file="{:04}.png", start=50)],
        accepted(("cat", "dog"), {None: 8, "test": 8}, ignored=1),
        {
            "train/metadata.csv": table(
                "file_name,label", cycle([f"{at:04}.png" for at in range(1, 9)], ("cat", "dog"))
            ),
            "test/metadata.csv": table(
                "file_name,label", cycle([f"{at:04}.png" for at in range(50, 58)], ("cat", "dog"))
            ),
            "README.md": "---\nlicense: mit\n---\n",
        },
    ),
    "Hugging Face metadata.jsonl": Corpus(
        below("pets", file="{:04}.png"),
        accepted(("cat", "dog"), {None: 8}),
        {"pets/metadata.jsonl": metadata("label", ("cat", "dog"))},
    ),
    "Hugging Face captions": Corpus(
        below("pokemon", file="{:04}.png"),
        refused("Only one class", "'pokemon'"),
        {"pokemon/metadata.jsonl": metadata("text", ("a drawing of a green pokemon", "a blue one"))},
    ),
    "Vertex AI import file": Corpus(
        below("img", file="daisy{}.jpg", count=16),
        use_list(
            "import.csv", "path: 1, label: 2, split: 0", ("daisy", "tulip"), {"train": 6, "validation": 5, "test": 5}
        ),
        {
            "import.csv": "".join(
                f"{part},gs://my-bucket/flowers/img/daisy{at}.jpg,{('daisy', 'tulip')[at % 2]}\n"
                for at, part in enumerate(("training", "validation", "test") * 5 + ("training",), start=1)
            )
        },
    ),
    "Label Studio": Corpus(
        below("upload/1", file="1a2b3c4d-cat{}.jpg", count=16),
        use_list(
            "project-1-at-2024-05-01-10-00-0a1b2c3d.csv", "path: image, label: choice", ("Cat", "Dog"), {None: 16}
        ),
        {
            "project-1-at-2024-05-01-10-00-0a1b2c3d.csv": table(
                "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at",
                (
                    (
                        at,
                        1,
                        ("Cat", "Dog")[at % 2],
                        "2024-05-01T10:00:00Z",
                        at,
                        f"/data/upload/1/1a2b3c4d-cat{at}.jpg",
                        2.5,
                        "2024",
                    )
                    for at in range(1, 17)
                ),
            )
        },
    ),
    "fashion products": Corpus(
        {name: name for name in FASHION}
        | {name.replace("fashion-dataset/", "fashion-dataset/fashion-dataset/"): name for name in FASHION},
        use_list("fashion-dataset/styles.csv", "path: id, label: masterCategory", ("Apparel", "Footwear"), {None: 16}),
        {
            "fashion-dataset/styles.csv": table(
                "id,gender,masterCategory,subCategory,productDisplayName",
                (
                    (stem(name), "Men", kind, "Topwear", "Turtle Check Men Navy")
                    for name, kind in cycle(FASHION, ("Apparel", "Footwear"))
                ),
            ),
            "fashion-dataset/styles/15901.json": "{}",
        },
    ),
    "CheXpert": Corpus(
        CHEXPERT,
        use_lists("path: Path, label: Edema", ("0.0", "1.0"), {"train": 8, "validation": 8}),
        {
            f"CheXpert-v1.0-small/{part}.csv": table(
                "Path,Sex,Age,Frontal/Lateral,AP/PA,Edema",
                (
                    (name, "Female", 68, "Frontal", "AP", edema)
                    for name, edema in cycle(CHEXPERT, ("1.0", "0.0"))
                    if f"/{part}/" in name
                ),
            )
            for part in ("train", "valid")
        },
    ),
    "FairFace": Corpus(
        [*below("fairface/train"), *below("fairface/val")],
        use_lists("path: file, label: gender", ("Female", "Male"), {"train": 8, "validation": 8}),
        {
            f"fairface/fairface_label_{part}.csv": table(
                "file,age,gender,race,service_test",
                ((f"{part}/{at}.jpg", "20-29", ("Male", "Female")[at % 2], "East Asian", False) for at in range(1, 9)),
            )
            for part in ("train", "val")
        },
    ),
    "IDRiD grading": Corpus(
        [
            *below("B. Disease Grading/1. Original Images/a. Training Set", file="IDRiD_{:03}.jpg"),
            *below("B. Disease Grading/1. Original Images/b. Testing Set", file="IDRiD_{:03}.jpg"),
        ],
        use_lists("path: Image name, label: Retinopathy grade", ("0", "3"), {None: 8, "test": 8}),
        {
            f"B. Disease Grading/2. Groundtruths/{part} Labels.csv": table(
                "Image name,Retinopathy grade,Risk of macular edema ,,,",
                ((f"IDRiD_{at:03}", at % 2 * 3, 1, "", "", "") for at in range(1, 9)),
            )
            for part in ("a. IDRiD_Disease Grading_Training", "b. IDRiD_Disease Grading_Testing")
        },
    ),
    "UTKFace": Corpus(
        [f"UTKFace/{age}_0_2_2017010{age}.jpg.chip.jpg" for age in range(20, 36)],
        refused("Only one class", "'UTKFace'", "write a list"),
    ),
    "FGVC aircraft": Corpus(
        below("fgvc-aircraft-2013b/data/images", file="00345{:02}.jpg"),
        refused("Only one class", "write a list"),
        {
            "fgvc-aircraft-2013b/data/images_variant_train.txt": "0034501 707-320\n",
            "fgvc-aircraft-2013b/README.md": "# Aircraft",
        },
    ),
}
