"""Deletes old models and endpoint configs, which count towards the account's quotas; the newest stay for a rollback."""

import logging
from functools import partial
from typing import TYPE_CHECKING

from image_classifier.aws.client_errors import delete, described
from image_classifier.aws.names import endpoint_name
from image_classifier.aws.ownership import our_endpoint_configs, our_models
from image_classifier.deploy.endpoint import configs_in_use, describe_endpoint

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)


def delete_old_models(sagemaker: "SageMakerClient", *, classifier: str, keep: int) -> list[str]:
    """Delete all but the newest `keep` endpoint configs and models of the classifier; return the deleted names.

    The config that the endpoint serves or is being updated to is kept at any age, and so is a model of a kept config.
    Model artifacts stay on S3: they cost cents, and SageMaker can create a model from one without training.

    Args:
        sagemaker: the client.
        classifier: the classifier's name; resources without its tag are not deleted.
        keep: the number of configs and models to keep beside those in use.

    """
    configs, models = our_endpoint_configs(sagemaker, classifier), our_models(sagemaker, classifier)
    # Read after the lists: a config that an update uses later is newer than the listed ones.
    kept = {*configs[:keep], *configs_in_use(describe_endpoint(sagemaker, endpoint_name(classifier)))}
    named = {model for config in kept for model in _models_of(sagemaker, config)} | set(models[:keep])
    deleted = [config for config in configs if config not in kept]
    for config in deleted:
        delete(partial(sagemaker.delete_endpoint_config, EndpointConfigName=config), what=f"Endpoint config {config}")
    for model in models:
        if model not in named:
            delete(partial(sagemaker.delete_model, ModelName=model), what=f"Model {model}")
            deleted.append(model)
    log.info("%d endpoint configs and models of %s were old and are deleted", len(deleted), classifier)
    return deleted


def _models_of(sagemaker: "SageMakerClient", config: str) -> list[str]:
    found = described(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config))
    return [variant["ModelName"] for variant in found["ProductionVariants"]] if found else []
