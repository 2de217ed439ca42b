"""Public data sets with class folders below or beside other folders."""

from pathlib import Path

from tests.unit.odd_trees.corpora.building import Corpus, accepted, below, refused, under, use, with_copies

PLANTS = ("Apple___Apple_scab", "Corn_(maize)___healthy", "Tomato___Late_blight")


def _up(folder: Path) -> None:
    for place in (folder / "data_256").glob("*/*"):
        place.rename(folder / "data_256" / place.name)
    for letter in "afz":
        (folder / "data_256" / letter).rmdir()


def _number(folder: Path) -> None:
    for number, patient in enumerate(sorted(folder.iterdir()), start=1):
        patient.rename(folder / f"train-{number}")


CORPORA = {
    "Places365 by letter": Corpus(
        [
            *below("data_256/a/abbey", "data_256/a/airplane_cabin", file="{:08}.jpg"),
            *below("data_256/f/field/cultivated", "data_256/f/field/wild", file="{:08}.jpg"),
            *below("data_256/z/zen_garden", file="{:08}.jpg"),
        ],
        [
            *refused("add /data_256 to"),
            *refused("initials", "one folder up", source="data_256"),
            *accepted(("abbey", "airplane_cabin", "field", "zen_garden"), {None: 40}, source="data_256", does=_up),
        ],
    ),
    "malaria": Corpus(
        with_copies(
            [
                *below("cell_images/Parasitized", file="C33P1thinF_IMG_20150619_114756a_cell_{}.png"),
                *below("cell_images/Uninfected", file="C100P61ThinF_IMG_20150918_144104_cell_{}.png"),
            ]
        )
        | {
            name.replace("cell_images/", "cell_images/cell_images/"): name
            for name in (
                *below("cell_images/Parasitized", file="C33P1thinF_IMG_20150619_114756a_cell_{}.png"),
                *below("cell_images/Uninfected", file="C100P61ThinF_IMG_20150918_144104_cell_{}.png"),
            )
        },
        use(
            "cell_images", ("Parasitized", "Uninfected"), {None: 16}, ignored=16, warns=["'cell_images' repeat images"]
        ),
        {
            "cell_images/Parasitized/Thumbs.db": b"\xd0\xcf\x11\xe0",
            "cell_images/cell_images/Uninfected/Thumbs.db": b"\xd0\xcf\x11\xe0",
        },
    ),
    "Kaggle natural images": Corpus(
        with_copies(below("natural_images/airplane", "natural_images/car", file="{name}_{:04}.jpg"), "data"),
        use("natural_images", ("airplane", "car"), {None: 16}),
    ),
    "breast histopathology by patient": Corpus(
        [
            name
            for patient in ("8863", "8864", "8865")
            for kind in ("0", "1")
            for name in below(f"{patient}/{kind}", file=f"{patient}_idx5_x{{}}01_y1001_class{kind}.png", count=4)
        ],
        [
            *refused("hold the same folders", "rename them to train-1, train-2 and so on"),
            *accepted(("0", "1"), {None: 24}, does=_number),
        ],
    ),
    "Office-Home": Corpus(
        below(
            *(
                f"OfficeHomeDataset_10072016/{domain}/{kind}"
                for domain in ("Art", "Clipart", "Product", "Real World")
                for kind in ("Alarm_Clock", "Backpack")
            ),
            file="{:05}.jpg",
        ),
        [
            *refused("add /OfficeHomeDataset_10072016 to"),
            *refused("variants of one data set", "add /Art to", source="OfficeHomeDataset_10072016"),
            *accepted(("Alarm_Clock", "Backpack"), {None: 16}, source="OfficeHomeDataset_10072016/Art"),
        ],
        {"OfficeHomeDataset_10072016/ImageInfo.csv": "Art,Alarm_Clock\n"},
    ),
    "casting product": Corpus(
        [
            *below(
                *(
                    f"casting_data/casting_data/{split}/{kind}"
                    for split in ("train", "test")
                    for kind in ("def_front", "ok_front")
                ),
                file="cast_{}.jpeg",
            ),
            *below(
                "casting_512x512/casting_512x512/def_front",
                "casting_512x512/casting_512x512/ok_front",
                file="cast_{}.jpeg",
            ),
        ],
        use("casting_512x512/casting_512x512", ("def_front", "ok_front"), {None: 16}),
    ),
    "colorectal histology": Corpus(
        [
            *below(
                *under(
                    "Kather_texture_2016_image_tiles_5000/Kather_texture_2016_image_tiles_5000",
                    ["01_TUMOR", "02_STROMA"],
                ),
                file="10{}_CRC-Prim-HE-03_009.tif",
            ),
            *below(
                "Kather_texture_2016_larger_images_10000/Kather_texture_2016_larger_images_10000",
                file="CRC-Prim-HE-{:02}_APPLICATION.tif",
            ),
        ],
        use(
            "Kather_texture_2016_image_tiles_5000/Kather_texture_2016_image_tiles_5000",
            ("01_TUMOR", "02_STROMA"),
            {None: 16},
        ),
        {"hmnist_28_28_L.csv": "pixel0000,pixel0001,label\n1,2,1\n"},
    ),
    "HyperKvasir": Corpus(
        [
            *below("labeled-images/lower-gi-tract/anatomical-landmarks/cecum", file="a{}.jpg"),
            *below("labeled-images/lower-gi-tract/pathological-findings/polyps", file="b{}.jpg"),
            *below("labeled-images/upper-gi-tract/anatomical-landmarks/z-line", file="c{}.jpg"),
        ],
        [
            *refused("add /labeled-images to"),
            *accepted(
                ("lower-gi-tract", "upper-gi-tract"),
                {None: 24},
                source="labeled-images",
                ignored=1,
                warns=["in folders below the class folders", "'image-labels.csv' name images"],
            ),
            *accepted(
                ("cecum", "polyps", "z-line"),
                {None: 24},
                source="labeled-images/image-labels.csv",
                columns={"path": "Video file", "label": "Finding"},
            ),
        ],
        {
            "labeled-images/image-labels.csv": "Video file,Organ,Finding,Classification\n"
            + "".join(
                f"{letter}{number},{organ},{finding},x\n"
                for letter, organ, finding in (
                    ("a", "Lower GI", "cecum"),
                    ("b", "Lower GI", "polyps"),
                    ("c", "Upper GI", "z-line"),
                )
                for number in range(1, 9)
            )
        },
    ),
    "COVID-19 Radiography": Corpus(
        [
            name
            for kind in ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
            for part in ("images", "masks")
            for name in below(f"COVID-19_Radiography_Dataset/{kind}/{part}", file=f"{kind}-{{}}.png")
        ],
        [
            *refused("add /COVID-19_Radiography_Dataset to"),
            *refused("'masks' are not photographs", '`exclude: ["*/masks/*"]`', source="COVID-19_Radiography_Dataset"),
            *accepted(
                ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"),
                {None: 32},
                source="COVID-19_Radiography_Dataset",
                exclude=["*/masks/*"],
                ignored=5,
            ),
        ],
        {
            **{
                f"COVID-19_Radiography_Dataset/{kind}.metadata.xlsx": b"PK\3\4"
                for kind in ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
            },
            "COVID-19_Radiography_Dataset/README.md.txt": "COVID-19",
        },
    ),
    "PlantVillage": Corpus(
        [
            *below(*under("plantvillage dataset/color", PLANTS), file="{:04}_FREC_Scab 3417.JPG"),
            *below(*under("plantvillage dataset/grayscale", PLANTS), file="{:04}_FREC_Scab 3417.JPG"),
            *below(*under("plantvillage dataset/segmented", PLANTS), file="{:04}_FREC_Scab 3417_final_masked.jpg"),
        ],
        [
            *refused("add /plantvillage dataset to"),
            *refused(
                "hold the same folders", "variants of one data set", "add /color to", source="plantvillage dataset"
            ),
            *accepted(
                ("Apple___Apple_scab", "Corn_(maize)___healthy", "Tomato___Late_blight"),
                {None: 24},
                source="plantvillage dataset/color",
            ),
        ],
    ),
}
