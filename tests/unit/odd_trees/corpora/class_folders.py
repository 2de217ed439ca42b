"""Public data sets with a folder for each class."""

import numpy as np
from tests.unit.odd_images.makers import tiff_of
from tests.unit.odd_trees.corpora.building import MAC, Corpus, below, refused, under, use

PETS = below("PetImages/Cat", "PetImages/Dog", count=12)


CORPORA = {
    "Kaggle PetImages": Corpus(
        PETS,
        use("PetImages", ("Cat", "Dog"), {None: 26}, warns=["2 files cannot be used"]),
        {
            "PetImages/Cat/Thumbs.db": b"\xd0\xcf\x11\xe0",
            "PetImages/Cat/666.jpg": b"",
            "PetImages/Dog/11702.jpg": b"",
            "PetImages/Dog/Thumbs.db": b"\xd0\xcf\x11\xe0",
            "readme[1].txt": "README",
            "CDLA-Permissive-2.0.pdf": b"%PDF-1.5",
        },
    ),
    "Stanford Dogs": Corpus(
        [
            *below("Images/n02085620-Chihuahua", file="n02085620_{}.jpg"),
            *below("Images/n02085782-Japanese_spaniel", file="n02085782_{}.jpg"),
        ],
        use("Images", ("n02085620-Chihuahua", "n02085782-Japanese_spaniel"), {None: 16}),
        {
            **dict.fromkeys(below("Annotation/n02085620-Chihuahua", file="n02085620_{}"), "<annotation>"),
            **dict.fromkeys(below("Annotation/n02085782-Japanese_spaniel", file="n02085782_{}"), "<annotation>"),
            "lists/file_list.mat": b"MATLAB 5.0 MAT-file",
            "lists/train_list.mat": b"MATLAB 5.0 MAT-file",
            "lists/test_list.mat": b"MATLAB 5.0 MAT-file",
        },
    ),
    "Caltech-101": Corpus(
        below(
            *under("caltech-101/101_ObjectCategories", ["BACKGROUND_Google", "Faces", "accordion", "wild_cat"]),
            file="image_{:04}.jpg",
        ),
        use(
            "caltech-101/101_ObjectCategories",
            ("BACKGROUND_Google", "Faces", "accordion", "wild_cat"),
            {None: 33},
            warns=["1 file cannot be used"],
        ),
        {
            **dict.fromkeys(
                below(
                    *under("caltech-101/Annotations", ["Faces_2", "accordion", "wild_cat"]),
                    file="annotation_{:04}.mat",
                ),
                b"MATLAB 5.0 MAT-file",
            ),
            "caltech-101/show_annotation.m": "function show_annotation(imgfile, annotation_file);",
            "caltech-101/101_ObjectCategories/BACKGROUND_Google/tmp": "",
            "__MACOSX/caltech-101/._101_ObjectCategories": MAC,
        },
    ),
    "Caltech-256": Corpus(
        [
            *below("256_ObjectCategories/001.ak47", file="001_{:04}.jpg"),
            *below("256_ObjectCategories/056.dog", file="056_{:04}.jpg"),
            *below("256_ObjectCategories/056.dog/greg/vision309", file="056_{:04}.jpg", count=3, start=90),
            *below("256_ObjectCategories/198.spider", file="198_{:04}.jpg"),
            *below("256_ObjectCategories/257.clutter", file="257_{:04}.jpg"),
        ],
        use("256_ObjectCategories", ("001.ak47", "056.dog", "198.spider", "257.clutter"), {None: 36}),
        {"256_ObjectCategories/198.spider/RENAME2": "mv"},
    ),
    "CUB-200-2011": Corpus(
        [
            *below("CUB_200_2011/images/001.Black_footed_Albatross", file="Black_Footed_Albatross_{:04}_18.jpg"),
            *below("CUB_200_2011/images/002.Laysan_Albatross", file="Laysan_Albatross_{:04}_5.jpg"),
        ],
        use("CUB_200_2011/images", ("001.Black_footed_Albatross", "002.Laysan_Albatross"), {None: 16}),
        {
            "attributes.txt": "1 has_bill_shape::curved\n",
            "CUB_200_2011/README": "=",
            **{
                f"CUB_200_2011/{name}": "1 1\n"
                for name in (
                    "attributes/certainties.txt",
                    "bounding_boxes.txt",
                    "classes.txt",
                    "image_class_labels.txt",
                    "images.txt",
                    "parts/parts.txt",
                    "train_test_split.txt",
                )
            },
        },
    ),
    "CUB-200-2011 with segmentations": Corpus(
        [
            *below("images/001.Black_footed_Albatross", file="Black_Footed_Albatross_{:04}_18.jpg"),
            *below("images/002.Laysan_Albatross", file="Laysan_Albatross_{:04}_5.jpg"),
            *below("segmentations/001.Black_footed_Albatross", file="Black_Footed_Albatross_{:04}_18.png"),
            *below("segmentations/002.Laysan_Albatross", file="Laysan_Albatross_{:04}_5.png"),
        ],
        use("images", ("001.Black_footed_Albatross", "002.Laysan_Albatross"), {None: 16}),
        {"images.txt": "1 001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg\n", "README": "="},
    ),
    "Food-101": Corpus(
        below(*under("food-101/images", ["apple_pie", "baby_back_ribs", "waffles"]), file="10056{}.jpg"),
        use("food-101/images", ("apple_pie", "baby_back_ribs", "waffles"), {None: 24}),
        {
            "food-101/license_agreement.txt": "ETH",
            "food-101/README.txt": "ETH",
            **{
                f"food-101/meta/{name}": "apple_pie/100561\n"
                for name in ("classes.txt", "labels.txt", "train.txt", "test.txt")
            },
            "food-101/meta/train.json": '{"apple_pie": ["apple_pie/100561"]}',
            "food-101/meta/test.json": '{"apple_pie": ["apple_pie/100562"]}',
        },
    ),
    "flower_photos": Corpus(
        below(*under("flower_photos", ["daisy", "dandelion", "roses", "sunflowers", "tulips"]), file="{}_df0c08.jpg"),
        use("flower_photos", ("daisy", "dandelion", "roses", "sunflowers", "tulips"), {None: 40}, ignored=1),
        {"flower_photos/LICENSE.txt": "All images in this archive are licensed under CC-BY"},
    ),
    "EuroSAT RGB": Corpus(
        below("2750/AnnualCrop", "2750/Forest", "2750/SeaLake", file="{name}_{}.jpg"),
        use("2750", ("AnnualCrop", "Forest", "SeaLake"), {None: 24}),
    ),
    "EuroSAT of all bands": Corpus(
        below("EuroSATallBands/AnnualCrop", "EuroSATallBands/Forest", file="{name}_{}.png", count=1),
        [
            *refused("add /EuroSATallBands to"),
            *refused(
                "of 18 files", "a TIFF of a kind that is not read: save it as JPEG or PNG", source="EuroSATallBands"
            ),
        ],
        dict.fromkeys(
            below("EuroSATallBands/AnnualCrop", "EuroSATallBands/Forest", file="{name}_{}.tif"),
            tiff_of(np.zeros((8, 8, 13), np.uint16), bits=16, photometric=1),
        ),
    ),
    "UC Merced": Corpus(
        [
            *below("UCMerced_LandUse/Images/agricultural", file="agricultural{:02}.tif"),
            *below("UCMerced_LandUse/Images/airplane", file="airplane{:02}.tif"),
        ],
        use("UCMerced_LandUse/Images", ("agricultural", "airplane"), {None: 16}),
        {"UCMerced_LandUse/readme.txt": "UC Merced"},
    ),
    "Garbage classification": Corpus(
        below(
            *under("Garbage classification/Garbage classification", ["cardboard", "glass", "trash"]),
            file="{name}{}.jpg",
        ),
        use("Garbage classification/Garbage classification", ("cardboard", "glass", "trash"), {None: 24}),
        {
            f"{name}.txt": "cardboard202.jpg 3\n"
            for name in (
                "one-indexed-files-notrash_test",
                "one-indexed-files-notrash_train",
                "one-indexed-files-notrash_val",
                "one-indexed-files",
                "zero-indexed-files",
            )
        },
    ),
    "Rice images": Corpus(
        below(*under("Rice_Image_Dataset", ["Arborio", "Basmati", "Karacadag"]), file="{name} ({}).jpg"),
        use("Rice_Image_Dataset", ("Arborio", "Basmati", "Karacadag"), {None: 24}, ignored=1),
        {"Rice_Image_Dataset/Rice_Citation_Request.txt": "Citation"},
    ),
    "Kvasir v2": Corpus(
        below(*under("kvasir-dataset-v2", ["dyed-lifted-polyps", "esophagitis", "polyps"]), file="0a7{}.jpg"),
        use("kvasir-dataset-v2", ("dyed-lifted-polyps", "esophagitis", "polyps"), {None: 24}),
    ),
    "BreakHis": Corpus(
        [
            *below(
                "BreaKHis_v1/histology_slides/breast/benign/SOB/adenosis/SOB_B_A_14-22549AB/40X",
                file="SOB_B_A-14-22549AB-40-{:03}.png",
            ),
            *below(
                "BreaKHis_v1/histology_slides/breast/malignant/SOB/lobular_carcinoma/SOB_M_LC_14-12204/100X",
                file="SOB_M_LC-14-12204-100-{:03}.png",
            ),
        ],
        use("BreaKHis_v1/histology_slides/breast", ("benign", "malignant"), {None: 16}),
        {"Folds.csv": "fold,mag,grp,filename\n1,100,train,BreaKHis_v1/histology_slides/breast/benign/x.png\n"},
    ),
    "animals-10": Corpus(
        below("raw-img/cane", "raw-img/cavallo", file="OIP-{}.jpeg"),
        use("raw-img", ("cane", "cavallo"), {None: 16}),
        {"translate.py": "translate = {}"},
    ),
    "DTD": Corpus(
        below("dtd/images/banded", "dtd/images/blotchy", file="{name}_{:04}.jpg"),
        use("dtd/images", ("banded", "blotchy"), {None: 16}),
        {"dtd/labels/train1.txt": "banded/banded_0002.jpg\n", "dtd/imdb/imdb.mat": b"MATLAB"},
    ),
}
