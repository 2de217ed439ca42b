"""Builds the request that creates a processing job."""

from typing import Any

from image_classifier.aws.settings import PREFIX, Settings, image_of_region
from image_classifier.classifier import Classifier
from image_classifier.classifier.instance_types import LOCAL_STORAGE
from image_classifier.classifier.request_parts import tag_list, vpc_config
from image_classifier.contracts.errors import SettingsError
from image_classifier.prepare.processing.jobs import BUCKET_VARIABLE, PROCESSING_JOBS
from image_classifier.prepare.processing.work import Work

VOLUME_GB = 30  # SageMaker asks for a volume; the program keeps no image on it


def processing_request(classifier: Classifier, work: Work, *, settings: Settings, region: str) -> dict[str, Any]:
    """Return CreateProcessingJob's request for the first attempt; the same listing and settings give the same name.

    The job has no inputs and outputs: each instance reads its shards of the listing, and writes the prepared images,
    itself, so that no image waits on a disk.

    Args:
        classifier: names the instances.
        work: the listing, which is named by its content; more instances than it has shards are not asked for.
        settings: name the bucket, the role and the image.
        region: SageMaker takes images of its own region only.

    Raises:
        SettingsError: the deployment has no role or no image for such jobs.

    """
    preparation, kms_key = classifier.preparation, classifier.kms_keys.training_volume
    cluster: dict[str, Any] = {
        "InstanceType": preparation.instance_type,
        "InstanceCount": min(preparation.instance_count, work.shards),
        "VolumeSizeInGB": VOLUME_GB,
    }
    if kms_key and not preparation.instance_type.startswith(LOCAL_STORAGE):
        cluster["VolumeKmsKeyId"] = kms_key
    image = preparation_image(settings, region=region)
    spec = {
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": preparation.time_limit_s},
        "AppSpecification": {"ImageUri": image, "ContainerArguments": work.arguments},
        "Environment": {BUCKET_VARIABLE: settings.bucket},
        "RoleArn": preparation_role(settings),
        **_network(classifier),
    }
    return PROCESSING_JOBS.request(spec, classifier=classifier.name, tags=tag_list(classifier))


def preparation_image(settings: Settings, *, region: str) -> str:
    """Return the URI of the image with the program `image_preparation`.

    Raises:
        SettingsError: it is not set, or of another region.

    """
    variable, image = f"{PREFIX}PREPARATION_IMAGE", settings.preparation_image
    if image is None:
        message = (
            f"preparation.runner is processing, and {variable} is not set. `make preparation-image` builds the image "
            "and says how to push it; set the variable to its URI in the environment of Airflow's workers, or choose "
            "another runner."
        )
        raise SettingsError(message)
    return image_of_region(image, variable=variable, region=region)


def preparation_role(settings: Settings) -> str:
    """Return the ARN of the jobs' role.

    Raises:
        SettingsError: it is not set.

    """
    if settings.preparation_role_arn is None:
        message = (
            f"preparation.runner is processing, and {PREFIX}PREPARATION_ROLE_ARN is not set. Deploy the CloudFormation "
            "stack again (make aws-deploy), and set the variable to its output PreparationRoleArn in the environment "
            "of Airflow's workers, or choose another runner."
        )
        raise SettingsError(message)
    return settings.preparation_role_arn


def _network(classifier: Classifier) -> dict[str, Any]:
    network = vpc_config(classifier)
    return {"NetworkConfig": network} if network else {}
