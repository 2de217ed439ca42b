"""Fingerprints and S3 names that release 0.1 gave to small generated sets: the same images must keep them
without a test split, which is what changed the fingerprints of the others once.

The encoders of Pillow 13.0.0 made the files; another release may write other bytes.
"""

import io

import pytest
from PIL import Image

from image_classifier.aws.names import training_job_name

RECORDED = {
    "no split": ("10419e63ed147f34", 19, "pets/dataset/train/cat/0134c4052a54d193.jpg"),
    "split": ("b2b2ee86e48f8345", 24, "pets/dataset/train/cat/0134c4052a54d193.jpg"),
    "formats": ("915dfb3fd76b1843", 66, "pets/dataset/train/alpha/39978c73b9e2aa46.jpg"),
    "crop": ("ff71fd2b9f7698fb", 19, "pets/dataset/train/cat/1cc34a02ec18f796.jpg"),
    "own bytes": ("41e07d89104dc85f", 19, "pets/dataset/train/cat/11d3a18521b6c25d.png"),
    "names": ("b9f9e73286dc04fa", 30, "pets/dataset/train/Begonia.3fe7d95b1884/0134c4052a54d193.jpg"),
}


def encoded(number, image_format, *, mode="RGB", size=(20, 14), **options):
    out = io.BytesIO()
    image = Image.new("RGB", size, (number % 256, number * 7 % 256, 99))
    image.paste((5, 200, number % 256), (2, 3, 9, 8))
    image.convert(mode).save(out, image_format, **options)
    return out.getvalue()


def class_folder(first, *, image_format="PNG", count=12, **options):
    return {
        f"{number:03}.{image_format.lower()}": encoded(number, image_format, **options)
        for number in range(first, first + count)
    }


SETS = {
    "no split": ({"cat": class_folder(0), "dog": class_folder(60)}, {}),
    "split": (
        {
            "train/cat": class_folder(0),
            "train/dog": class_folder(60),
            "validation/cat": class_folder(30, count=3),
            "validation/dog": class_folder(90, count=3),
        },
        {},
    ),
    "formats": (
        {
            "bmp": class_folder(0, image_format="BMP"),
            "gif": class_folder(60, image_format="GIF", mode="P"),
            "jpeg": class_folder(120, image_format="JPEG"),
            "tiff": class_folder(180, image_format="TIFF"),
            "webp": class_folder(20, image_format="WEBP", lossless=True),
            "grey 16": class_folder(80, mode="I;16"),
            "alpha": class_folder(140, mode="RGBA"),
        },
        {},
    ),
    "crop": ({"cat": class_folder(0), "dog": class_folder(60)}, {"pixels": {"fit": "crop"}, "seed": 3}),
    "own bytes": ({"cat": class_folder(0), "dog": class_folder(60)}, {"pixels": {"unmodified": True}}),
    "names": ({"Bégonia": class_folder(0), "Œillet rosé": class_folder(60), "test set": class_folder(90)}, {}),
}


@pytest.mark.parametrize("name", SETS)
def test_a_set_keeps_the_fingerprint_and_names_of_release_0_1(images, prepare, stored, name):
    content, changes = SETS[name]
    images(content)

    prepared = prepare(**{"test_fraction": 0, **changes})

    first = min(stored(prepared.train_uri.split("/", 3)[3]))
    assert (prepared.fingerprint, prepared.num_training_samples, first) == RECORDED[name]


def test_the_first_run_after_an_upgrade_trains_once_and_the_second_nothing(images, prepare):
    content, _ = SETS["no split"]
    images(content)

    def job(**changes):
        prepared = prepare(**changes)
        return training_job_name("pets", fingerprint=prepared.fingerprint, hyperparameters={})

    before, *after = job(test_fraction=0), job(test_fraction=0.1), job(test_fraction=0.1)

    assert before not in after
    assert after[0] == after[1]
