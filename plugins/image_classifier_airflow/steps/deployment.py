"""Builds the requests that deploy a trained model, for a new model and for an earlier one."""

from typing import Any

from image_classifier.aws.names import tags
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier


def deployment_requests(
    classifier: Classifier, settings: Settings, *, training_job: str, model_artifact: str, image: str
) -> dict[str, Any]:
    """Return the requests of ``model``, ``endpoint_config`` and ``endpoint``, and the ``function``'s configuration.

    Args:
        classifier: the classifier, with the params of the run.
        settings: the deployment's settings.
        training_job: name of the job that trained the model.
        model_artifact: S3 URI of the model artifact.
        image: URI of the container image that serves the model.

    """
    from image_classifier.connect.function_configuration import function_configuration
    from image_classifier.deploy.endpoint import endpoint_request
    from image_classifier.deploy.endpoint_config import endpoint_config_request
    from image_classifier.deploy.model import model_request

    model = model_request(
        classifier, settings=settings, training_job=training_job, model_artifact=model_artifact, image=image
    )
    endpoint_config = endpoint_config_request(classifier, training_job=training_job, model=model)
    name = endpoint_config["EndpointConfigName"]
    function = function_configuration(classifier, settings=settings, training_job=training_job, endpoint_config=name)
    return {
        "model": model,
        "endpoint_config": endpoint_config,
        "endpoint": endpoint_request(classifier, endpoint_config=name),
        "function": function.model_dump(mode="json"),
    }


def trigger_configuration(classifier: Classifier, settings: Settings) -> dict[str, Any]:
    """Return `image_classifier.connect.trigger.TriggerConfiguration` as a dict, as the classifier's file says."""
    return {
        "classifier": classifier.name,
        "bucket": settings.bucket,
        "mode": classifier.trigger,
        "failure_queue_arn": settings.failure_queue_arn,
        "instance_count": classifier.endpoint.instance_count,
        "tags": tags(classifier.name, classifier.tags),
    }
