"""Defines the batch transform jobs in which a model scores images, and builds their request."""

from typing import Any

from image_classifier.aws.jobs.attempts import JobErrors, RequestedJobs
from image_classifier.aws.jobs.kinds import TRANSFORM_JOB
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list
from image_classifier.contracts.errors import EvaluationError, EvaluationInputError, EvaluationStoppedError
from image_classifier.contracts.pixels import MAX_IMAGE_BYTES

CONTENT_TYPE = "application/x-image"
DEFAULT_PAYLOAD_BYTES = 6_000_000  # SageMaker's MaxPayloadInMB is 6 if a request has none; an image above it fails
# For images up to MAX_IMAGE_BYTES, whichever megabyte AWS counts in; the two numbers' product may be 100 at most.
LARGE_PAYLOADS = {"MaxPayloadInMB": 27, "MaxConcurrentTransforms": 3}
MOST_BYTES_PER_PIXEL = 5  # of a JPEG without subsampling: black and white noise of quality 100 takes 4.7
TRANSFORM_JOBS = RequestedJobs(
    kind=TRANSFORM_JOB,
    errors=JobErrors(
        refused=EvaluationInputError,
        failed=EvaluationError,
        stopped=EvaluationStoppedError,
        unchanged="The endpoint was not touched.",
    ),
    log_group="/aws/sagemaker/TransformJobs",
    resources=("TransformResources",),
)


def largest_image_bytes(*, side_px: int, unmodified: bool) -> int:
    """Return how large an image may be that a model of these pixels is sent."""
    return MAX_IMAGE_BYTES if unmodified else min(MAX_IMAGE_BYTES, side_px**2 * MOST_BYTES_PER_PIXEL)


def largest_prepared_bytes(classifier: Classifier) -> int:
    """Return how large an image of the classifier's data set may be."""
    side_px, unmodified = classifier.hyperparameters.side_px, classifier.pixels.unmodified
    return largest_image_bytes(side_px=side_px, unmodified=unmodified)


def transform_request(
    classifier: Classifier, *, model: str, manifest_uri: str, output_uri: str, largest_bytes: int
) -> dict[str, Any]:
    """Return CreateTransformJob's request for the first attempt; the same images and model give the same name.

    The job sends one request per image (SplitType None, SingleRecord). MaxConcurrentTransforms is only set if images
    may be large; otherwise the built-in algorithms choose it in their answer to /execution-parameters.

    Args:
        classifier: the classifier whose instances, network and tags the job has.
        model: name of the SageMaker model.
        manifest_uri: S3 URI of a manifest (S3DataType ManifestFile) of the images to score.
        output_uri: S3 URI of the results' prefix; each image has one ``.out`` object.
        largest_bytes: how large one of the images may be.

    """
    key = classifier.kms_keys.model_artifact
    source = {"S3DataType": "ManifestFile", "S3Uri": manifest_uri}
    spec = {
        "ModelName": model,
        "BatchStrategy": "SingleRecord",
        **(LARGE_PAYLOADS if largest_bytes > DEFAULT_PAYLOAD_BYTES else {}),
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": CONTENT_TYPE,
            "CompressionType": "None",
            "SplitType": "None",
        },
        "TransformOutput": {"S3OutputPath": output_uri.rstrip("/"), **({"KmsKeyId": key} if key else {})},
        "TransformResources": {"InstanceType": classifier.evaluation.instance_type, "InstanceCount": 1},
    }
    return TRANSFORM_JOBS.request(spec, classifier=classifier.name, tags=tag_list(classifier))
