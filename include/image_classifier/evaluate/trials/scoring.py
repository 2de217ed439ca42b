"""Scores validation images with the trained models among which one is chosen."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.answers import Answer, answers_of, read_answers, write_answers
from image_classifier.evaluate.images import VersionImage, input_manifest, to_score
from image_classifier.evaluate.results import read_results
from image_classifier.evaluate.transform_jobs import largest_prepared_bytes, transform_request

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Validation:
    """At most 2,000 validation images of a data set version, and the place of the models' answers for them."""

    classifier: str
    bucket: str
    images: tuple[VersionImage, ...]

    def prefix(self, training_job: str) -> str:
        """Return the prefix of a model's answers; it depends on the set of validation images."""
        digest = hashlib.sha256("\n".join(image.key for image in self.images).encode()).hexdigest()
        return f"{Keys(self.classifier).evaluations}{training_job}/validation-{digest[:8]}/"


def validation_of(images: tuple[VersionImage, ...], *, classifier: str, bucket: str) -> Validation:
    """Select the validation images among a version's images."""
    _, validation = to_score(images)
    return Validation(classifier, bucket, tuple(validation))


def request_for_trial(
    s3: "S3Client", validation: Validation, *, classifier: Classifier, training_job: str, model: str
) -> dict[str, Any] | None:
    """Return the request of the transform job that scores the validation images; None if the answers are stored."""
    prefix, bucket = validation.prefix(training_job), validation.bucket
    if read_answers(s3, bucket=bucket, evaluation=prefix) is not None:
        return None
    key = f"{prefix}input.manifest"
    manifest = input_manifest(validation.images, bucket=bucket, root=Keys(validation.classifier).dataset)
    storage.write(s3, bucket=bucket, key=key, body=manifest, content_type="application/json")
    uris = {"manifest_uri": f"s3://{bucket}/{key}", "output_uri": f"s3://{bucket}/{prefix}output/"}
    return transform_request(classifier, model=model, largest_bytes=largest_prepared_bytes(classifier), **uris)


def validation_answers(
    s3: "S3Client", validation: Validation, *, training_job: str, labels: tuple[str, ...]
) -> tuple[Answer, ...]:
    """Return a model's answers for the validation images, and store them.

    Raises:
        PredictionError: an answer cannot be read, or no image has one.

    """
    prefix, bucket = validation.prefix(training_job), validation.bucket
    stored = read_answers(s3, bucket=bucket, evaluation=prefix)
    if stored is not None:
        return stored
    keys = [image.key for image in validation.images]
    results = read_results(s3, bucket=bucket, prefix=f"{prefix}output/", keys=keys)
    answers = answers_of(validation.images, results, labels=labels)
    if not answers:
        message = f"No validation image has an answer of {training_job} below s3://{bucket}/{prefix}output/; run again."
        raise PredictionError(message)
    write_answers(s3, answers, bucket=bucket, evaluation=prefix)
    return answers
