"""Checks the errors about the text of a source, before anything is read."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.classifier.source import source_problem


@pytest.mark.parametrize(
    "source",
    [
        "pets",
        "/data/pets",
        "../pets",
        "labels.csv",
        "odd:name",
        "s3://bucket/",
        "s3://bucket/prefix/",
        "s3://bucket/labels.csv",
        "s3://bucket/a/train.manifest",
        "s3://bucket/a/train.txt",
        "s3://bucket/a/coco.json",
    ],
)
def test_folders_prefixes_and_lists_are_sources(source):
    assert source_problem(source) is None


@pytest.mark.parametrize(
    ("source", "instead"),
    [
        ("S3://bucket/pets/", "Write s3://bucket/pets/."),
        ("S3://bucket/pets", "Write s3://bucket/pets/."),
        ("s3a://bucket/pets/", "Write s3://bucket/pets/."),
        ("s3n://bucket/labels.csv", "Write s3://bucket/labels.csv."),
        ("arn:aws:s3:::bucket/pets/*", "Write s3://bucket/pets/."),
        ("arn:aws:s3:::bucket", "Write s3://bucket/."),
        ("https://bucket.s3.eu-west-1.amazonaws.com/my%20pets/", "Write s3://bucket/my pets/."),
        ("https://bucket.s3.amazonaws.com/pets", "Write s3://bucket/pets/."),
        ("https://s3.eu-west-1.amazonaws.com/bucket/pets/", "Write s3://bucket/pets/."),
        ("https://eu-west-1.console.aws.amazon.com/s3/buckets/bucket?region=x&prefix=a/b/", "Write s3://bucket/a/b/."),
        ("https://s3.console.aws.amazon.com/s3/buckets/bucket", "Write s3://bucket/."),
        ("https://example.com/pets.zip", "Copy them there, and write s3://bucket/prefix/."),
        ("arn:aws:iam::123456789012:role/x", "Copy them there, and write s3://bucket/prefix/."),
        ("gs://bucket/pets/", "not from gs:// addresses"),
        ("file:///data/pets", "Write the folder alone: /data/pets."),
        ("s3://bucket/pets", "An S3 source reads s3://bucket/prefix/"),
        ("s3://bucket", "An S3 source reads s3://bucket/prefix/"),
        ("s3:///pets/", "An S3 source reads s3://bucket/prefix/"),
        ("s3:/bucket/", "An S3 source reads s3://bucket/prefix/"),
        ("s3://bucket/pets.zip", "it is an archive. To use it, unpack it, so that the images are files"),
        ("s3://bucket/a/labels.xlsx", "it is a spreadsheet. To use it, save the sheet with the labels as CSV"),
        ("s3a://bucket/pets.tar.gz", "s3://bucket/pets.tar.gz is none: it is an archive"),
        ("s3://", "An S3 source reads s3://bucket/prefix/"),
    ],
)
def test_other_addresses_are_answered_with_what_to_write(source, instead):
    assert instead in source_problem(source)


def test_a_classifier_s_file_says_it_with_the_source():
    with pytest.raises(ValueError, match=r"source is 's3a://bucket/pets/'. Write s3://bucket/pets/"):
        Classifier(name="pets", source="s3a://bucket/pets/")


def test_a_class_goes_into_one_class():
    with pytest.raises(ValueError, match=r"classes takes 'tabby' into several classes; name each once"):
        Classifier(name="pets", source="pets", classes={"cat": ["tabby", "siamese"], "tiger": ["tabby"]})
