"""Checks that report, endpoint and function give a test image the same label, whatever its EXIF, aspect and size."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.chaos.airflow_runs import until

from image_classifier.aws.names import endpoint_name
from image_classifier.deploy.invocation import invoke

pytestmark = pytest.mark.timeout(1800)

NAME, DAG_ID = "photos", "photos_train_and_deploy"
PER_CLASS = {"train": 24, "validation": 6, "test": 18}
ASPECTS = ((1, 1), (4, 3), (3, 4), (16, 9), (3, 1), (1, 3))
LARGE_PX, SMALL_PX, EVERY = 4200, 300, 6  # each sixth is as large as a camera's
ORIENTATION = 0x0112
# How the stored pixels are turned, so that a viewer that follows the orientation shows the image upright.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photograph(number: int, *, lying: bool) -> Image.Image:
    """Lying or standing stripes in colour; an image that is turned by mistake is of the other class."""
    dice = random.Random(number)
    colours = [tuple(dice.randrange(256) for _ in range(3)) for _ in range(8)]
    stripes = Image.new("RGB", (1, 8))
    stripes.putdata(colours)
    wide, high = ASPECTS[number % len(ASPECTS)]
    longest = LARGE_PX if number % EVERY == 0 else SMALL_PX
    size = (longest * wide // max(wide, high), longest * high // max(wide, high))
    turned = stripes if lying else stripes.transpose(Image.Transpose.ROTATE_90)
    return turned.resize(size, Image.Resampling.NEAREST)


def write_photographs(folder: Path) -> dict[str, Path]:
    """All splits; returns the test images by the sha256 of their files."""
    number, tests = 0, {}
    for split, count in PER_CLASS.items():
        for label in ("lying", "standing"):
            (folder / split / label).mkdir(parents=True, exist_ok=True)
            for _ in range(count):
                number += 1
                orientation = 1 + number % 8
                image, exif = photograph(number, lying=label == "lying"), Image.Exif()
                exif[ORIENTATION] = orientation
                turn = STORED[orientation]
                file = folder / split / label / f"{number:04}.jpg"
                (image.transpose(turn) if turn is not None else image).save(file, quality=92, exif=exif)
                if split == "test":
                    tests[hashlib.sha256(file.read_bytes()).hexdigest()] = file
    return tests


def answers(aws: Any) -> dict[str, dict[str, Any]]:
    """What the report is made of, by the sha256 of the source file."""
    listed = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=f"{NAME}/evaluations/")["Contents"]
    [key] = [found["Key"] for found in listed if found["Key"].endswith("predictions.jsonl")]
    lines = aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read().decode().splitlines()
    return {line["sha256"]: line for line in map(json.loads, lines)}


def labels_of_the_function(aws: Any, tests: dict[str, Path]) -> dict[str, str]:
    for sha256, file in tests.items():
        aws.s3.put_object(Bucket=aws.bucket, Key=f"{NAME}/incoming/{sha256}.jpg", Body=file.read_bytes())
    keys = {sha256: f"{NAME}/predictions/{sha256}.jpg.json" for sha256 in tests}

    def written() -> bool:
        listed = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=f"{NAME}/predictions/")
        return set(keys.values()) <= {found["Key"] for found in listed.get("Contents", [])}

    until(written, seconds=600, what="the records of all test images")
    records = {
        sha256: json.loads(aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read()) for sha256, key in keys.items()
    }
    return {sha256: record["label"] for sha256, record in records.items()}


def labels_of_the_endpoint(aws: Any, prepared: dict[str, str], labels: list[str]) -> dict[str, str]:
    found = {}
    for sha256, key in prepared.items():
        image = aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read()
        values = invoke(aws.sagemaker_runtime, endpoint=endpoint_name(NAME), image=image).probabilities
        found[sha256] = labels[values.index(max(values))]
    return found


def test_report_endpoint_and_function_give_each_test_image_the_same_label(airflow, aws, place, row):
    tests = write_photographs(place.images / NAME)
    run = airflow.ordered_run(DAG_ID, "photos", conf={})
    assert run.await_end(seconds=1200) == "success", run.explain()

    report = answers(aws)
    by_report = {sha256: line["predicted"] for sha256, line in report.items()}
    by_endpoint = labels_of_the_endpoint(
        aws, {sha256: line["key"] for sha256, line in report.items()}, ["lying", "standing"]
    )
    by_function = labels_of_the_function(aws, tests)

    right = sum(line["predicted"] == line["label"] for line in report.values())
    different = [tests[one].name for one in tests if len({by[one] for by in (by_report, by_endpoint, by_function)}) > 1]
    found = f"{len(tests)} test images, {right} right; different: {', '.join(different) or 'none'}"
    row.check_ours(set(tests) == set(report) and not different and right > 0.7 * len(tests), found)
