"""Data sets as programs, systems and languages leave them: names, archives, endings."""

from pathlib import Path

from tests.unit.odd_trees.corpora.building import MAC, Corpus, accepted, below, refused, renamed, table, use, use_list

MIXED = ("a.JPG", "b.JPEG", "c.jfif", "d.jpe", "e.webp", "f.avif", "g.Png", "h.bmp", "i.TIFF", "j.gif")


def _unzipped_again(folder: Path) -> None:
    for file in [place for place in folder.rglob("*") if "\\" in place.name]:
        target = file.parent / file.name.replace("\\", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)


CORPORA = {
    "German names": Corpus(
        below("Äpfel", "Brötchen", "Süßkartoffel", file="Bild {}.jpg"),
        accepted(("Brötchen", "Süßkartoffel", "Äpfel"), {None: 24}),
    ),
    "Japanese names": Corpus(
        below("猫", "犬", "うさぎ", file="写真{}.jpg"), accepted(("うさぎ", "犬", "猫"), {None: 24})
    ),
    "Arabic names": Corpus(
        below("train/قطة", "train/كلب", "test/قطة", "test/كلب", file="صورة {}.jpg"),
        accepted(("قطة", "كلب"), {None: 16, "test": 16}),
    ),
    "German split names": Corpus(
        below("Training/Hund", "Training/Katze", "Validierung/Hund", "Validierung/Katze"),
        [
            *refused("rename Training to train, Validierung to validation or test if it is one of them"),
            *accepted(
                ("Hund", "Katze"),
                {"train": 16, "validation": 16},
                does=renamed({"Training": "train", "Validierung": "validation"}),
            ),
        ],
    ),
    "backslashes of a Windows zip": Corpus(
        [f"pets\\{kind}\\{at}.jpg" for kind in ("cat", "dog") for at in range(1, 9)],
        [
            *refused("contain backslashes", "unzip or 7z"),
            *accepted(("cat", "dog"), {None: 16}, source="pets", does=_unzipped_again),
        ],
    ),
    "backslashes below a folder": Corpus(
        [f"pets/{kind}\\{at}.jpg" for kind in ("cat", "dog") for at in range(1, 9)],
        [
            *refused("contain backslashes", "unzip or 7z"),
            *accepted(("cat", "dog"), {None: 16}, source="pets", does=_unzipped_again),
        ],
    ),
    "zip of a Mac": Corpus(
        below("pets/cat", "pets/dog"),
        use("pets", ("cat", "dog"), {None: 16}),
        {
            **dict.fromkeys(below("__MACOSX/pets/cat", file="._{}.jpg"), MAC),
            "__MACOSX/._pets": MAC,
            "pets/.DS_Store": MAC,
            **dict.fromkeys(below("pets/dog", file="._{}.jpg"), MAC),
        },
    ),
    "blanks and parentheses": Corpus(
        below("Garbage (1)/Plastic bags (LDPE)", "Garbage (1)/Tin cans & foil", file="IMG ({}).jpg"),
        use("Garbage (1)", ("Plastic bags (LDPE)", "Tin cans & foil"), {None: 16}),
    ),
    "linked classes": Corpus(
        below("all/.store/cat", "all/.store/dog"),
        use("view", ("cat", "dog"), {None: 16}),
        links={"view/cat": "../all/.store/cat", "view/dog": "../all/.store/dog"},
    ),
    "one class": Corpus(below("hotdog"), refused("Only one class", "'hotdog'", "add another")),
    "one class in splits": Corpus(
        below("train/hotdog", "test/hotdog"), refused("Only one class", "'hotdog'", "add another")
    ),
    "images without endings": Corpus(below("cat", "dog", file="{:06}"), accepted(("cat", "dog"), {None: 16})),
    "images without endings below a folder": Corpus(
        below("pets/cat", "pets/dog", file="{:06}"), use("pets", ("cat", "dog"), {None: 16})
    ),
    "endings of all kinds": Corpus(
        [f"{kind}/{name}" for kind in ("cat", "dog") for name in MIXED], accepted(("cat", "dog"), {None: 20})
    ),
    "a single folder of images": Corpus(
        below("photos", file="IMG_{:04}.JPG"), refused("Only one class", "'photos'", "one folder for each class")
    ),
    "class in the file's name": Corpus(
        [f"dataset2/{kind}{at}.jpg" for kind in ("cloudy", "rain", "shine") for at in range(1, 9)],
        refused("Only one class", "'dataset2'", "labels.csv with the columns path and label"),
    ),
    "masked and unmasked faces": Corpus(
        below("data/with_mask", "data/without_mask", file="{}_{name}.jpg"),
        use("data", ("with_mask", "without_mask"), {None: 16}),
    ),
    "mask as a class": Corpus(below("Mask", "No Mask", file="{}.jpg"), accepted(("Mask", "No Mask"), {None: 16})),
    "originals and augmented": Corpus(
        below(
            "Original Images/Healthy",
            "Original Images/Monkey Pox",
            "Augmented Images/Healthy",
            "Augmented Images/Monkey Pox",
        ),
        [
            *refused("variants of one data set", "add /Augmented Images to"),
            *accepted(("Healthy", "Monkey Pox"), {None: 16}, source="Original Images"),
        ],
    ),
    "folds": Corpus(
        below(
            "fold1/train/a",
            "fold1/train/b",
            "fold1/test/a",
            "fold1/test/b",
            "fold2/train/a",
            "fold2/train/b",
            "fold2/test/a",
            "fold2/test/b",
        ),
        use("fold1", ("a", "b"), {None: 16, "test": 16}),
    ),
    "numbered batches": Corpus(
        below("batch_1", "batch_2", "batch_3", file="IMG_{name}_{}.jpg"),
        [
            *refused("look like numbered parts", "labels.csv with the columns path and label", "`layout: classes`"),
            *accepted(("batch_1", "batch_2", "batch_3"), {None: 24}, layout="classes"),
        ],
    ),
    "unlabelled beside classes": Corpus(
        below("labeled/cat", "labeled/dog", "unlabeled", file="{}.png"), use("labeled", ("cat", "dog"), {None: 16})
    ),
    "scraped by search": Corpus(
        below("downloads/tabby cat", "downloads/beagle dog", file="{}. {name}.jpg"),
        use("downloads", ("beagle dog", "tabby cat"), {None: 16}, ignored=1),
        {"downloads/logs.txt": "ok"},
    ),
    "split names without separators": Corpus(
        below("TrainData/cat", "TrainData/dog", "TestData"),
        [
            *refused(
                "'TestData', 'TrainData' may be a split or a class", "rename TestData to test, TrainData to train"
            ),
            *accepted(("cat", "dog"), {None: 16}, ignored=8, does=renamed({"TrainData": "train", "TestData": "test"})),
        ],
    ),
    "splits below the classes": Corpus(
        below("cat/train", "cat/test", "dog/train", "dog/test"),
        [
            *refused("which look like splits of each class", "`layout: classes`"),
            *accepted(("cat", "dog"), {None: 32}, layout="classes", warns=["in folders below the class folders"]),
        ],
    ),
    "images beside test images": Corpus(
        below("images", "test_images"),
        refused("'images', 'test_images'", "not all classes", "write a list"),
    ),
    "images by the beginnings of their names": Corpus(
        [
            f"train/{name[0]}/{name[1]}/{name[2]}/{name}.jpg"
            for name in ("00a1", "0b12", "a0cc", "a1dd", "f0a1", "f1b2")
        ],
        refused("beginnings of the images' names", "write a list", "`layout: splits`"),
    ),
    "anomalies with ground truth": Corpus(
        [
            *below("bottle/train/good", "bottle/test/good", "bottle/test/broken_large", file="{:03}.png"),
            *below("bottle/ground_truth/broken_large", file="{:03}_mask.png"),
        ],
        [
            *refused("add /bottle to"),
            *refused("'broken_large'", '`exclude: ["*/broken_large/*"]`', source="bottle"),
        ],
        {"bottle/license.txt": "CC BY-NC-SA", "bottle/readme.txt": "MVTec AD"},
    ),
    "images and augmented images": Corpus(
        below("images/cat", "images/dog", "augmented/cat", "augmented/dog"),
        [*refused("add /augmented to"), *accepted(("cat", "dog"), {None: 16}, source="images")],
    ),
    "images beside the classes": Corpus(
        below("cat", "dog", "images", "predictions"),
        [
            *refused("'images', 'predictions' usually hold", '`exclude: ["images/*", "predictions/*"]`'),
            *accepted(("cat", "dog"), {None: 16}, exclude=["images/*", "predictions/*"]),
        ],
    ),
    "masks beside the classes of train": Corpus(
        below("train/cat", "train/dog", "train/masks"),
        [
            *refused("'masks' usually mean", '`exclude: ["*/masks/*"]`'),
            *accepted(("cat", "dog"), {None: 16}, exclude=["*/masks/*"]),
        ],
    ),
    "splits in the classes' names": Corpus(
        below("train_cat", "train_dog"),
        [
            *refused("No classes", "train/<class>/", "`layout: classes`"),
            *accepted(("train_cat", "train_dog"), {None: 16}, layout="classes"),
        ],
    ),
    "an index without a name": Corpus(
        below("images", file="{}.png"),
        use_list("data.csv", "path: fname, label: cls", ("a", "b"), {None: 8}),
        {"data.csv": table(",fname,cls", ((at, f"{at}.png", "ab"[at % 2]) for at in range(1, 9)))},
    ),
    "nested labels in JSON Lines": Corpus(
        below("images"),
        [
            *refused("Only one class", "'images'"),
            *refused("one label for each image", source="d.jsonl", columns={"path": "uri", "label": "annotation"}),
        ],
        {
            "d.jsonl": "".join(
                f'{{"uri": "images/{at}.jpg", "annotation": {{"name": "{at % 2}"}}}}\n' for at in range(1, 9)
            )
        },
    ),
    "the same names in several folders": Corpus(
        below("a", "b"),
        [
            *refused("'a/1.jpg', 'b/1.jpg'", "columns.folder", "such as 'a'", source="l.csv"),
            *refused("The path '1' of the list 'l.csv' may be 'a/1.jpg', 'b/1.jpg'", columns={"label": "label"}),
            *accepted(("x", "y"), {None: 8}, source="l.csv", columns={"folder": "b"}),
            *accepted(("x", "y"), {None: 8}, columns={"folder": "b"}, warns=["8 images are in no list"], ignored=8),
        ],
        {"l.csv": table("path,label", ((at, "xy"[at % 2]) for at in range(1, 9)))},
    ),
    "numbers instead of padded names": Corpus(
        below("images", file="{:05}.jpg"),
        refused("leads to an image, as '1'", "images/00001.jpg", source="l.csv", columns={"path": "id"}),
        {"l.csv": table("id,label", ((at, "ab"[at % 2]) for at in range(1, 9)))},
    ),
}
