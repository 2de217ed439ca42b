"""More public data sets in class folders: satellite, medical, plants, objects, letters and video."""

from tests.unit.odd_trees.corpora.building import Corpus, accepted, below, refused, split, use, use_lists

CORPORA = {
    "NWPU-RESISC45": Corpus(
        below("NWPU-RESISC45/airplane", "NWPU-RESISC45/lake", file="{name}_{:03}.jpg"),
        use("NWPU-RESISC45", ("airplane", "lake"), {None: 16}),
    ),
    "AID": Corpus(
        below("AID/Airport", "AID/BareLand", file="{name}_{}.jpg"),
        use("AID", ("Airport", "BareLand"), {None: 16}, ignored=1),
        {"AID/readme.doc": b"\xd0\xcf"},
    ),
    "PatternNet": Corpus(
        below("PatternNet/images/airplane", "PatternNet/images/bridge", file="{name}{:03}.jpg"),
        use("PatternNet/images", ("airplane", "bridge"), {None: 16}),
        {"PatternNet/patternnet_description.pdf": b"%PDF"},
    ),
    "WHU-RS19": Corpus(
        below("WHU-RS19/Airport", "WHU-RS19/Beach", file="{name}_{:02}.jpg"),
        use("WHU-RS19", ("Airport", "Beach"), {None: 16}),
    ),
    "BigEarthNet": Corpus(
        [
            f"BigEarthNet-v1.0/S2A_MSIL2A_2017_{at}/S2A_MSIL2A_2017_{at}_B{band:02}.tif"
            for at in range(1, 5)
            for band in (2, 3, 4)
        ],
        use(
            "BigEarthNet-v1.0",
            [f"S2A_MSIL2A_2017_{at}" for at in range(1, 5)],
            {None: 16},
            warns=["4 files in class folders are no images", "Fewer than 20 training images"],
        ),
        {
            f"BigEarthNet-v1.0/S2A_MSIL2A_2017_{at}/S2A_MSIL2A_2017_{at}_labels_metadata.json": '{"labels": ["Bogs"]}'
            for at in range(1, 5)
        },
    ),
    "PlantDoc": Corpus(
        split("train", "test", classes=("Apple leaf", "Corn rust leaf"), top="PlantDoc-Dataset-master"),
        use("PlantDoc-Dataset-master", ("Apple leaf", "Corn rust leaf"), {None: 16, "test": 16}, ignored=2),
        {"PlantDoc-Dataset-master/README.md": "#", "PlantDoc-Dataset-master/LICENSE.txt": "CC"},
    ),
    "new plant diseases": Corpus(
        [
            *split(
                "train",
                "valid",
                classes=("Apple___scab", "Apple___healthy"),
                top="New Plant Diseases Dataset(Augmented)/New Plant Diseases Dataset(Augmented)",
            ),
            *below("test/test", file="AppleCedarRust{}.JPG"),
        ],
        use(
            "New Plant Diseases Dataset(Augmented)/New Plant Diseases Dataset(Augmented)",
            ("Apple___healthy", "Apple___scab"),
            {"train": 16, "validation": 16},
        ),
    ),
    "SUN397": Corpus(
        below("SUN397/a/abbey", "SUN397/a/alley", "SUN397/b/bakery/shop", "SUN397/b/bar", file="sun_aaa{}.jpg"),
        [
            *refused("add /SUN397 to"),
            *refused("initials of the folders below them", "one folder up", source="SUN397"),
        ],
        {"SUN397/ClassName.txt": "/a/abbey\n"},
    ),
    "MIT Indoor 67": Corpus(
        below("Images/bakery", "Images/bar", file="{name}_{}.jpg"),
        use_lists("path: 0", ("bakery", "bar"), {None: 12, "test": 4}),
        {
            f"{part}Images.txt": "".join(f"{kind}/{kind}_{at}.jpg\n" for kind in ("bakery", "bar") for at in numbers)
            for part, numbers in (("Train", range(1, 7)), ("Test", (7, 8)))
        },
    ),
    "AwA2": Corpus(
        below(
            "Animals_with_Attributes2/JPEGImages/antelope",
            "Animals_with_Attributes2/JPEGImages/bat",
            file="{name}_1{:04}.jpg",
        ),
        use("Animals_with_Attributes2/JPEGImages", ("antelope", "bat"), {None: 16}),
        {
            "Animals_with_Attributes2/classes.txt": "1 antelope\n",
            "Animals_with_Attributes2/trainclasses.txt": "antelope\n",
        },
    ),
    "Omniglot": Corpus(
        below(
            *(
                f"images_{part}/{letter}/character0{at}"
                for part in ("background", "evaluation")
                for letter in ("Greek", "Latin")
                for at in (1, 2)
            ),
            file="0{}_01.png",
        ),
        refused("'images_background', 'images_evaluation'", "hold the same folders", "rename them to train"),
    ),
    "LFW": Corpus(
        below("lfw/Aaron_Eckhart", "lfw/Abba_Eban", file="{name}_{:04}.jpg"),
        use("lfw", ("Aaron_Eckhart", "Abba_Eban"), {None: 16}),
        {"pairs.txt": "10\t300\n"},
    ),
    "ORL faces": Corpus(
        below("s1", "s2", "s3", file="{}.pgm"),
        refused("24 of 24 files", "PPM or PGM image", "save it as JPEG or PNG"),
        {"README": "ORL"},
    ),
    "UCF101 frames": Corpus(
        below(
            *(f"UCF-101-frames/{kind}/v_{kind}_g01_c0{at}" for kind in ("Archery", "Biking") for at in (1, 2)),
            file="frame{:03}.jpg",
        ),
        use("UCF-101-frames", ("Archery", "Biking"), {None: 32}, warns=["All images are in folders below the class"]),
        {
            "ucfTrainTestlist/trainlist01.txt": "Archery/v_Archery_g01_c01.avi 1\n",
            "ucfTrainTestlist/classInd.txt": "1 Archery\n2 Biking\n",
        },
    ),
    "UCF101 as videos": Corpus(
        [],
        refused("are videos: save frames of them as images"),
        {f"UCF-101/{kind}/v_{kind}_g01_c0{at}.avi": b"RIFF" for kind in ("Archery", "Biking") for at in range(1, 5)},
    ),
    "WikiArt": Corpus(
        below("wikiart/Cubism", "wikiart/Baroque", file="pablo-picasso_{}.jpg"),
        [
            *refused("add /wikiart to", "`columns: {path: 0, label: 1}`"),
            *accepted(("0", "1"), {"train": 12, "validation": 4}, columns={"path": 0, "label": 1}),
        ],
        {
            f"wikiart/Style/style_{part}.csv": "".join(
                f"{kind}/pablo-picasso_{at}.jpg,{label}\n"
                for label, kind in enumerate(("Cubism", "Baroque"))
                for at in numbers
            )
            for part, numbers in (("train", range(1, 7)), ("val", (7, 8)))
        },
    ),
    "iNaturalist 2021": Corpus(
        [
            *below("train_mini/00000_Animalia_Annelida_Lumbricus", "train_mini/00001_Plantae_Acer", file="1b7f{}.jpg"),
            *below("val/00000_Animalia_Annelida_Lumbricus", "val/00001_Plantae_Acer", file="3c2d{}.jpg"),
        ],
        accepted(
            ("00000_Animalia_Annelida_Lumbricus", "00001_Plantae_Acer"), {"train": 16, "validation": 16}, ignored=2
        ),
        {"train_mini.json": '{"info": {}}', "val.json": '{"info": {}}'},
    ),
    "iNaturalist 2021 with public_test": Corpus(
        [*split("train", "val", classes=("00000_Animalia", "00001_Plantae")), *below("public_test", file="0fa{}.jpg")],
        accepted(
            ("00000_Animalia", "00001_Plantae"),
            {"train": 16, "validation": 16},
            ignored=8,
            warns=["The folders 'public_test' hold no class folder"],
        ),
    ),
    "COVIDx": Corpus(
        below("train", "test", file="{name}-{}.png"),
        use_lists("path: 1, label: 2", ("negative", "positive"), {None: 8, "test": 8}),
        {
            f"{part}.txt": "".join(
                f"{at} {part}-{at}.png {('positive', 'negative')[at % 2]} rsna\n" for at in range(1, 9)
            )
            for part in ("train", "test")
        },
    ),
    "Kvasir-Capsule": Corpus(
        below("labelled_images/Angiectasia", "labelled_images/Polyp", file="0728084c8da942d9_{}.jpg"),
        use("labelled_images", ("Angiectasia", "Polyp"), {None: 16}),
        {"metadata.csv": "filename;video_id;finding_category\n0728084c8da942d9_1.jpg;0728084c8da942d9;Luminal\n"},
    ),
    "SARS-CoV-2 CT": Corpus(
        below("COVID", "non-COVID", file="Covid ({}).png"), accepted(("COVID", "non-COVID"), {None: 16})
    ),
    "LC25000": Corpus(
        below(
            "lung_colon_image_set/lung_image_sets/lung_aca",
            "lung_colon_image_set/lung_image_sets/lung_n",
            "lung_colon_image_set/colon_image_sets/colon_aca",
            "lung_colon_image_set/colon_image_sets/colon_n",
            file="{name}{}.jpeg",
        ),
        use(
            "lung_colon_image_set",
            ("colon_image_sets", "lung_image_sets"),
            {None: 32},
            warns=["such as 'colon_image_sets/colon_aca'"],
        ),
    ),
    "ImageNet-R": Corpus(
        below("imagenet-r/n01443537", "imagenet-r/n01484850", file="art_{}.jpg"),
        use("imagenet-r", ("n01443537", "n01484850"), {None: 16}, ignored=1),
        {"imagenet-r/README.txt": "n01443537 goldfish\n"},
    ),
    "NEU steel defects": Corpus(
        [f"NEU-DET/train/images/{kind}/{kind}_{at}.jpg" for kind in ("crazing", "patches") for at in range(1, 9)]
        + [
            f"NEU-DET/validation/images/{kind}/{kind}_{at}.jpg"
            for kind in ("crazing", "patches")
            for at in range(50, 54)
        ],
        [
            *refused("add /NEU-DET to"),
            *refused("'annotations' hold only", '`exclude: ["*annotations/*"]`', source="NEU-DET"),
            *accepted(
                ("crazing", "patches"), {"train": 16, "validation": 8}, source="NEU-DET", exclude=["*annotations/*"]
            ),
        ],
        {
            f"NEU-DET/{part}/annotations/{kind}_{at}.xml": "<annotation/>"
            for part, numbers in (("train", range(1, 9)), ("validation", range(50, 54)))
            for kind in ("crazing", "patches")
            for at in numbers
        },
    ),
    "Roboflow folders with a README": Corpus(
        split("train", "valid", "test", classes=("cat", "dog"), file="{name}_{}_jpg.rf.0a1b.jpg"),
        accepted(("cat", "dog"), {"train": 16, "validation": 16, "test": 16}, ignored=2),
        {"README.dataset.txt": "#", "README.roboflow.txt": "#"},
    ),
    "Teachable Machine": Corpus(
        below("cat-samples", "dog-samples", file="{}.jpg"), accepted(("cat-samples", "dog-samples"), {None: 16})
    ),
    "Open Images by class": Corpus(
        [*below("train/Apple", "train/Bus", "validation/Apple", "validation/Bus", file="0a1b{}.jpg")],
        accepted(("Apple", "Bus"), {"train": 32, "validation": 32}, warns=["32 files in class folders are no images"]),
        {
            f"{part}/{kind}/Label/0a1b{at}.txt": "Apple 1 2 3 4\n"
            for part in ("train", "validation")
            for kind in ("Apple", "Bus")
            for at in range(1, 9)
        },
    ),
    "CINIC-10": Corpus(
        split("train", "valid", "test", classes=("airplane", "cat"), file="cifar10-{name}-{}.png", top="CINIC-10"),
        use("CINIC-10", ("airplane", "cat"), {"train": 16, "validation": 16, "test": 16}, ignored=1),
        {"CINIC-10/synsets-to-cinic-10-classes.txt": "n0 cat\n"},
    ),
    "EMNIST as MAT": Corpus([], refused("pack many images or tables"), {"matlab/emnist-letters.mat": b"MATLAB"}),
    "QuickDraw": Corpus(
        [], refused("'cat.npy', 'dog.npy' pack many images"), {"cat.npy": b"\x93NUMPY", "dog.npy": b"\x93NUMPY"}
    ),
    "webdataset shards": Corpus(
        [], refused("are archives: unpack them"), {f"train-{at:06}.tar": b"0.jpg\0" for at in range(4)}
    ),
    "TensorFlow datasets": Corpus(
        [],
        refused("'cats/4.0.0/cats-train.tfrecord-00000-of-00008' pack many images"),
        {
            "cats/4.0.0/cats-train.tfrecord-00000-of-00008": b"\0\1",
            "cats/4.0.0/dataset_info.json": "{}",
            "cats/4.0.0/features.json": "{}",
        },
    ),
    "Hugging Face save_to_disk": Corpus(
        [],
        refused("pack many images or tables"),
        {
            f"{part}/{name}": b"ARROW"
            for part in ("train", "test")
            for name in ("data-00000-of-00001.arrow", "dataset_info.json", "state.json")
        },
    ),
}
