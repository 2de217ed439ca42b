"""Defines the batch transform jobs in which a model scores images, and builds their request."""

from typing import Any

from image_classifier.aws.jobs.attempts import JobErrors, RequestedJobs
from image_classifier.aws.jobs.kinds import TRANSFORM_JOB
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list
from image_classifier.contracts.errors import EvaluationError, EvaluationInputError, EvaluationStoppedError

CONTENT_TYPE = "application/x-image"
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


def transform_request(classifier: Classifier, *, model: str, manifest_uri: str, output_uri: str) -> dict[str, Any]:
    """Return CreateTransformJob's request for the first attempt; the same images and model give the same name.

    The job sends one request per image (SplitType None, SingleRecord). MaxConcurrentTransforms is not set, because the
    built-in algorithms choose it in their answer to /execution-parameters.

    Args:
        classifier: the classifier whose instances, network and tags the job has.
        model: name of the SageMaker model.
        manifest_uri: S3 URI of a manifest (S3DataType ManifestFile) of the images to score.
        output_uri: S3 URI of the results' prefix; each image has one ``.out`` object.

    """
    key = classifier.kms_keys.model_artifact
    source = {"S3DataType": "ManifestFile", "S3Uri": manifest_uri}
    spec = {
        "ModelName": model,
        "BatchStrategy": "SingleRecord",
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
