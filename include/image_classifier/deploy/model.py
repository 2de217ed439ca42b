"""Builds CreateModel's request, and creates the model.

A model cannot be changed in AWS. Its name is computed from its content, so another content makes a new one, and the
live model and earlier models stay unchanged.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import model_name
from image_classifier.aws.roles import once_assumable
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list, vpc_config
from image_classifier.deploy.creation import Outcome, ensure_unchangeable

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def model_request(
    classifier: Classifier, *, settings: Settings, training_job: str, model_artifact: str, image: str
) -> dict[str, Any]:
    """Return CreateModel's request; the artifact's S3 address contains the training job's name."""
    spec = {
        "PrimaryContainer": {"Image": image, "ModelDataUrl": model_artifact},
        "ExecutionRoleArn": settings.model_role_arn,
        "EnableNetworkIsolation": classifier.network_isolation,
        **vpc_config(classifier),
    }
    name = model_name(classifier.name, [training_job, spec])
    return {"ModelName": name, **spec, "Tags": tag_list(classifier)}


def ensure_model(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Outcome:
    """Create the model unless it exists.

    Raises:
        ResourceClashError: a model with other content has the name.
        AwsRefusalError: its role cannot be assumed.

    """
    name = request["ModelName"]
    what = f"Model {name}"
    return ensure_unchangeable(
        what,
        request,
        describe=lambda: sagemaker.describe_model(ModelName=name),
        create=lambda: once_assumable(lambda: sagemaker.create_model(**request), what=what),
    )
