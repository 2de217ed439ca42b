"""Builds CreateTrainingJob's request from the classifier, the deployment's settings and the prepared images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import Keys, training_job_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list, vpc_config
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters, for_job
from image_classifier.train.image_uris import algorithm_image

if TYPE_CHECKING:
    from image_classifier.prepare.prepared import PreparedDataset

CONTENT_TYPE = "application/x-image"
RECORDS = "application/x-recordio"
# SageMaker knows the built-in algorithm's metrics; for another image the request must define them.
METRIC_DEFINITIONS = [
    {"Name": f"{split.lower()}:accuracy", "Regex": rf"Epoch\[\d+\] {split}-accuracy=([0-9.]+)"}
    for split in ("Train", "Validation")
]


def training_job_request(
    classifier: Classifier, *, settings: Settings, region: str, dataset: "PreparedDataset"
) -> dict[str, Any]:
    """Return CreateTrainingJob's request for the first attempt, with the preferred instance type.

    Raises:
        HyperparameterError: the algorithm would refuse the hyperparameters for this data set.
        SettingsError: there is no image of the classifier's algorithm in this region.

    """
    hyperparameters = for_job(
        classifier.hyperparameters,
        num_classes=dataset.num_classes,
        num_training_samples=dataset.num_training_samples,
        num_validation_samples=dataset.num_validation_samples,
    )
    image = algorithm_image(classifier, settings=settings, region=region)
    name = _job_name(classifier, dataset, hyperparameters, image=image)
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            **_given(MetricDefinitions=METRIC_DEFINITIONS if classifier.algorithm == "own" else None),
        },
        "RoleArn": settings.sagemaker_role_arn,
        "HyperParameters": hyperparameters.as_strings(),
        "InputDataConfig": _channels(dataset),
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{settings.bucket}/{Keys(classifier.name).models}".rstrip("/"),
            **_given(KmsKeyId=classifier.kms_keys.model_artifact),
        },
        "ResourceConfig": {
            "InstanceType": classifier.training.instance_type,
            "InstanceCount": classifier.training.instance_count,
            "VolumeSizeInGB": classifier.training.volume_size_gb,
            **_given(VolumeKmsKeyId=classifier.kms_keys.training_volume),
        },
        "StoppingCondition": {
            "MaxRuntimeInSeconds": classifier.training.time_limit_s,
            **_given(MaxWaitTimeInSeconds=classifier.training.max_wait_s),
        },
        **_spot(classifier, settings=settings, name=name),
        **vpc_config(classifier),
        "EnableNetworkIsolation": classifier.network_isolation,
        "Tags": tag_list(classifier),
    }


def alternative_requests(classifier: Classifier, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the same request for each alternative, in order: other instance types first, then on demand."""
    first, *others = classifier.training.instance_types
    alternatives = [_on(request, instance_type) for instance_type in others]
    if classifier.training.on_demand_fallback:
        alternatives += [_on_demand(_on(request, instance_type)) for instance_type in (first, *others)]
    return alternatives


def _on(request: Mapping[str, Any], instance_type: str) -> dict[str, Any]:
    return {**request, "ResourceConfig": {**request["ResourceConfig"], "InstanceType": instance_type}}


def _on_demand(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request without managed spot; it keeps the checkpoints, so that training continues from them."""
    limit = {"MaxRuntimeInSeconds": request["StoppingCondition"]["MaxRuntimeInSeconds"]}
    return {**request, "EnableManagedSpotTraining": False, "StoppingCondition": limit}


def _job_name(
    classifier: Classifier, dataset: "PreparedDataset", hyperparameters: JobHyperparameters, *, image: str
) -> str:
    """Name the job: our own image is part of the name, the built-in image, which differs by region, is not."""
    return training_job_name(
        classifier.name,
        fingerprint=dataset.fingerprint,
        hyperparameters=hyperparameters.as_strings(),
        own_image=image if classifier.algorithm == "own" else "",
    )


def _channels(dataset: "PreparedDataset") -> list[dict[str, Any]]:
    uris = {"train": dataset.train_uri, "validation": dataset.validation_uri}
    if not dataset.train_lst_uri:
        return [_channel(name, uri, RECORDS) for name, uri in uris.items()]
    uris |= {"train_lst": dataset.train_lst_uri, "validation_lst": dataset.validation_lst_uri}
    return [_channel(name, uri, CONTENT_TYPE) for name, uri in uris.items()]


def _channel(name: str, uri: str, content_type: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": _folder(uri), "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "ContentType": content_type,
        "CompressionType": "None",
        "InputMode": "File",
        "DataSource": {"S3DataSource": source},
    }


def _folder(uri: str) -> str:
    """Add a slash: S3 matches a prefix by its characters, so .../train would also match .../train_lst."""
    return uri if uri.endswith("/") else f"{uri}/"


def _spot(classifier: Classifier, *, settings: Settings, name: str) -> dict[str, Any]:
    if not classifier.training.spot:
        return {}
    uri = f"s3://{settings.bucket}/{Keys(classifier.name).checkpoints(name)}"
    return {"EnableManagedSpotTraining": True, "CheckpointConfig": {"S3Uri": uri}}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
