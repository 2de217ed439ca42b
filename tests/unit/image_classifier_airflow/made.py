"""Contains results of runs that the tests of several tasks need."""

from image_classifier.classifier.promotion import Promotion
from image_classifier.evaluate.proportions import proportion
from image_classifier.promote.decision import Decision

VERSION = f"pets/dataset/versions/{'f' * 16}/"
DATASET = {
    "fingerprint": "f" * 16,
    "labels_key": f"{VERSION}labels.json",
    "labels_sha256": "1abe15",
    "num_training_samples": 10,
    "num_validation_samples": 10,
    "num_test_samples": 120,
    "test_manifest_sha256": "0badcafe" * 8,
}
DECISION = Decision(
    classifier="pets",
    candidate="new-job",
    champion="old-job",
    test_manifest="0badcafe",
    rule=Promotion(mode="approval", approval_time_limit_s=3600),
    basis="comparison",
    verdict="promote",
    summary="It may serve.",
    reasons=(),
    images=200,
    excluded=0,
    accuracy=proportion(180, 200),
    comparison=None,
    classes=(),
    missing_images=None,
)


def job(training_job: str) -> dict[str, object]:
    """The result of the task that trains."""
    return {
        "training_job": training_job,
        "model_artifact": f"s3://a-bucket/pets/models/{training_job}/output/model.tar.gz",
        "image": "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
        "instance_type": "ml.g4dn.xlarge",
        "instance_count": 1,
        "spot": False,
        "seconds": 60,
        "billable_s": 60,
        "best_validation_accuracy": 0.9,
    }
