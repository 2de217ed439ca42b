import io
import json
import os
import time

import pytest
from PIL import Image
from tests.unit.image_classifier.prepare.inspected_images import inspected_image
from tests.unit.image_classifier.prepared import prepare_dataset

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare.manifest import read_manifest
from image_classifier.prepare.preparation import list_images
from image_classifier.prepare.sources.opening import open_source

BUCKET = "pictures"
HOUR_NS = 3_600_000_000_000
ROLE = "arn:aws:iam::123456789012:role/some"


@pytest.fixture
def settings(tmp_path):
    queue = "arn:aws:sqs:us-east-1:123456789012:failures"
    return Settings(
        bucket=BUCKET, sagemaker_role_arn=ROLE, function_role_arn=ROLE, failure_queue_arn=queue, data_folder=tmp_path
    )


@pytest.fixture
def picture():
    """Makes a small image file; the same number gives the same bytes, another number others."""

    def make(number, *, size=(16, 12), image_format="PNG"):
        out = io.BytesIO()
        Image.new("RGB", size, (number % 256, number // 256 % 256, 99)).save(out, image_format)
        return out.getvalue()

    return make


@pytest.fixture
def images(tmp_path, picture):
    """Fills the source folder: each number of `{"class": [1, 2]}` becomes an image; bytes are written as they are.

    The files are an hour old: what has just changed may change again without another time of change.
    """
    folder = tmp_path / "images"

    def fill(content):
        for place, files in content.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            named = files if isinstance(files, dict) else {f"{number}.png": number for number in files}
            for name, file in named.items():
                (folder / place / name).write_bytes(file if isinstance(file, bytes) else picture(file))
                changed = time.time_ns() - HOUR_NS
                os.utime(folder / place / name, ns=(changed, changed))
        return folder

    return fill


@pytest.fixture
def layout(tmp_path):
    """Writes files, whose content is their text, and returns the layout of the folder or list."""

    def write_and_list(files, source=".", **options):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        classifier = Classifier(name="pets", source=str(tmp_path / source), **options)
        return list_images(classifier, open_source(classifier, s3=None, data_folder=tmp_path))

    return write_and_list


@pytest.fixture
def classifier():
    """Without a test split, so that a few images are enough to train and validate."""
    shape = {"image_shape": "3,32,32", "num_layers": 20}
    return Classifier(name="pets", source="images", hyperparameters=shape, test_fraction=0)


@pytest.fixture
def prepare(s3, settings, classifier):
    """Prepares the source folder; changes go to the classifier."""

    def run(*, reset_labels=False, said=None, **changes):
        return prepare_dataset(
            classifier.revised(changes),
            s3=s3,
            settings=settings,
            reset_labels=reset_labels,
            on_progress=(said if said is not None else []).append,
        )

    return run


@pytest.fixture
def stored(s3):
    """All objects of the bucket: bytes by key."""

    def read(prefix=""):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    return read


@pytest.fixture
def report(stored):
    def read(prepared):
        return json.loads(stored(prepared.report_key)[prepared.report_key])

    return read


@pytest.fixture
def manifest(s3):
    """The lines of the manifest, by the file's name in the source."""

    def read(prepared):
        version = prepared.report_key.removesuffix("report.json")
        return {line["name"]: line for line in read_manifest(s3, bucket=BUCKET, version=version)}

    return read


@pytest.fixture
def inspected():
    """Makes an inspected image without a file: its content decides the hash, and ``look`` what it looks like."""
    return inspected_image
