"""Public data sets whose folders name the splits."""

from tests.unit.odd_trees.corpora.building import (
    MAC,
    Corpus,
    accepted,
    base,
    below,
    split,
    table,
    use,
)

XRAY = split("train", "test", "val", classes=("NORMAL", "PNEUMONIA"), file="IM-{:04}-0001.jpeg", top="chest_xray")
FACES = split("train", "valid", "test", classes=("fake", "real"), file="{:05}.jpg", top="real_vs_fake/real-vs-fake")

CORPORA = {
    "Intel scenes": Corpus(
        [
            *split("seg_train/seg_train", "seg_test/seg_test", classes=("buildings", "forest", "sea")),
            *below("seg_pred/seg_pred"),
        ],
        accepted(("buildings", "forest", "sea"), {None: 24, "test": 24}, ignored=8, warns=["'seg_pred' are neither"]),
    ),
    "chest X-ray": Corpus(
        {name: name for name in XRAY}
        | {name.replace("chest_xray/", "chest_xray/chest_xray/", 1): name for name in XRAY},
        use(
            "chest_xray",
            ("NORMAL", "PNEUMONIA"),
            {"train": 16, "test": 16, "validation": 16},
            ignored=48,
            warns=["'chest_xray' repeat images"],
        ),
        {
            "chest_xray/.DS_Store": MAC,
            "chest_xray/chest_xray/.DS_Store": MAC,
            "chest_xray/train/.DS_Store": MAC,
            "chest_xray/__MACOSX/chest_xray/train/NORMAL/._IM-0001-0001.jpeg": MAC,
        },
    ),
    "MNIST as PNG": Corpus(
        split("training", "testing", classes=tuple("0123"), file="{}.png", top="mnist_png"),
        use("mnist_png", ("0", "1", "2", "3"), {None: 32, "test": 32}),
    ),
    "CIFAR-10 as PNG": Corpus(
        split("train", "test", classes=("airplane", "cat", "truck"), file="{:04}.png", top="cifar10"),
        use("cifar10", ("airplane", "cat", "truck"), {None: 24, "test": 24}, ignored=1),
        {"cifar10/labels.txt": "airplane\ncat\ntruck\n"},
    ),
    "brain tumour": Corpus(
        [
            *split("Training", classes=("glioma", "notumor"), file="Tr-{:04}.jpg"),
            *split("Testing", classes=("glioma", "notumor"), file="Te-{:04}.jpg"),
        ],
        accepted(("glioma", "notumor"), {None: 16, "test": 16}),
    ),
    "140k real and fake faces": Corpus(
        FACES,
        use("real_vs_fake/real-vs-fake", ("fake", "real"), {"train": 16, "validation": 16, "test": 16}),
        {
            f"{one}.csv": table(
                ",original_path,id,label,label_str,path",
                (
                    (
                        at,
                        f"/kaggle/input/flickr/{base(name)}",
                        at,
                        int("real/" in name),
                        name.split("/")[3],
                        name.split("/", 2)[2],
                    )
                    for at, name in enumerate(FACES)
                    if f"/{one}/" in name
                ),
            )
            for one in ("train", "valid", "test")
        },
    ),
    "ImageNet mini": Corpus(
        split("train", "val", classes=("n01440764", "n01443537"), file="n0144_{}.JPEG", top="imagenet-mini"),
        use("imagenet-mini", ("n01440764", "n01443537"), {"train": 16, "validation": 16}),
    ),
    "Roboflow folders": Corpus(
        split("train", "valid", "test", classes=("helmet", "no-helmet"), file="img{}_jpg.rf.0a1b2c.jpg"),
        accepted(("helmet", "no-helmet"), {"train": 16, "validation": 16, "test": 16}, ignored=2),
        {"README.dataset.txt": "# Helmets", "README.roboflow.txt": "Helmets - v1"},
    ),
    "cats_and_dogs_filtered": Corpus(
        split("train", "validation", classes=("cats", "dogs"), file="{name}.{}.jpg", top="cats_and_dogs_filtered"),
        use("cats_and_dogs_filtered", ("cats", "dogs"), {"train": 16, "validation": 16}, ignored=1),
        {"cats_and_dogs_filtered/vectorize.py": "import os"},
    ),
    "iNaturalist mini": Corpus(
        split(
            "train_mini",
            "val",
            classes=("00000_Animalia_Annelida_Clitellata_Haplotaxida", "00001_Animalia_Annelida_Polychaeta"),
            file="0{}f9c9c3-5d8a.jpg",
        ),
        accepted(
            ("00000_Animalia_Annelida_Clitellata_Haplotaxida", "00001_Animalia_Annelida_Polychaeta"),
            {"train": 16, "validation": 16},
            ignored=2,
        ),
        {"train_mini.json": "{}", "val.json": "{}"},
    ),
    "ten monkey species": Corpus(
        split("training/training", "validation/validation", classes=("n0", "n1"), file="{name}0{}.jpg"),
        accepted(("n0", "n1"), {"train": 16, "validation": 16}, ignored=1),
        {"monkey_labels.txt": "Label, Latin Name\nn0, alouatta_palliata\n"},
    ),
    "sports": Corpus(
        [
            *split("train", "valid", "test", classes=("air hockey", "archery"), file="{:03}.jpg"),
            *below("images to predict"),
        ],
        accepted(
            ("air hockey", "archery"),
            {"train": 16, "validation": 16, "test": 16},
            ignored=10,
            warns=["'images to predict' are neither", "'sports.csv' name images"],
        ),
        {
            "sports.csv": table(
                "class id,filepaths,labels,data set",
                (
                    (0, name, name.split("/")[1], name.split("/")[0])
                    for name in split("train", "valid", "test", classes=("air hockey", "archery"), file="{:03}.jpg")
                ),
            ),
            "EfficientNetB0-100-(224 X 224)- 98.40.h5": b"\x89HDF",
        },
    ),
    "plant seedlings": Corpus(
        [*split("train", classes=("Black-grass", "Maize"), file="{}f9a.png"), *below("test", file="{}c2b.png")],
        accepted(("Black-grass", "Maize"), {None: 16}, ignored=9, warns=["'test' hold no class folder"]),
        {"sample_submission.csv": "file,species\n1c2b.png,Sugar beet\n"},
    ),
    "State Farm drivers": Corpus(
        [
            *split("train", classes=("c0", "c1", "c2"), file="img_{name}{}.jpg", top="imgs"),
            *below("imgs/test", file="img_{}.jpg"),
        ],
        use("imgs", ("c0", "c1", "c2"), {None: 24}, ignored=8, warns=["'test' hold no class folder"]),
        {
            "driver_imgs_list.csv": table(
                "subject,classname,img",
                (("p002", kind, f"img_{kind}{number}.jpg") for kind in ("c0", "c1", "c2") for number in range(1, 9)),
            ),
            "sample_submission.csv": "img,c0,c1,c2\nimg_1.jpg,0.1,0.1,0.1\n",
        },
    ),
    "RAF-DB": Corpus(
        split("train", "test", classes=("1", "2"), file="{name}_{:05}_aligned.jpg", top="DATASET"),
        use("DATASET", ("1", "2"), {None: 16, "test": 16}),
        {
            f"{one}_labels.csv": table(
                "image,label",
                ((base(name), label) for label in "12" for name in below(label, file="{name}_{:05}_aligned.jpg")),
            )
            for one in ("train", "test")
        },
    ),
    "face mask 12k": Corpus(
        split(
            "Train", "Validation", "Test", classes=("WithMask", "WithoutMask"), file="{}.png", top="Face Mask Dataset"
        ),
        use("Face Mask Dataset", ("WithMask", "WithoutMask"), {"train": 16, "validation": 16, "test": 16}),
    ),
}
