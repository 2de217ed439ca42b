"""Checks the preparation's runner in a file: processing instances must be able to reach the images."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError


def classifier(tmp_path, text):
    file = tmp_path / "cats.yaml"
    file.write_text(text)
    return Classifier.from_file(file)


def test_without_a_word_about_it_no_instance_is_started(tmp_path):
    assert classifier(tmp_path, "source: cats").preparation.runner == "auto"


def test_processing_takes_its_instances_from_the_file(tmp_path):
    text = (
        "source: s3://photos/cats/\npreparation: {runner: processing, instance_type: ml.c5.xlarge, instance_count: 4}"
    )

    found = classifier(tmp_path, text).preparation

    assert (found.runner, found.instance_type, found.instance_count) == ("processing", "ml.c5.xlarge", 4)


@pytest.mark.parametrize("source", ["cats", "/data/cats", "cats.csv"])
def test_a_folder_is_out_of_the_reach_of_instances(tmp_path, source):
    with pytest.raises(ClassifierFileError, match=r"read from S3 only.* choose runner: mapped"):
        classifier(tmp_path, f"source: {source}\npreparation: {{runner: processing}}")


def test_a_run_cannot_choose_a_folder_either(tmp_path):
    processed = classifier(tmp_path, "source: s3://photos/cats/\npreparation: {runner: processing}")

    with pytest.raises(ClassifierFileError, match="read from S3 only"):
        processed.revised({"source": "cats"})


def test_isolated_instances_cannot_reach_s3(tmp_path):
    text = "source: s3://photos/cats/\npreparation: {runner: processing}\nnetwork_isolation: true"

    with pytest.raises(ClassifierFileError, match="network_isolation keeps them from it"):
        classifier(tmp_path, text)
