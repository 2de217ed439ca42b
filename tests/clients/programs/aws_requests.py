"""The requests that boto3 and the AWS CLI send, as plain dictionaries. Standard library only."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
RECORDS = "application/x-recordio"
IMAGES = "application/x-image"
INSTANCE = "ml.p3.2xlarge"
IMAGE_CHANNELS = {split: split for split in ("train", "validation", "train_lst", "validation_lst")}
RECORD_CHANNELS = {"train": "train_rec", "validation": "validation_rec"}
MULTI_LABEL_CHANNELS = {**IMAGE_CHANNELS, "train_lst": "train_multi_lst", "validation_lst": "validation_multi_lst"}


def training_job(
    settings: Document, name: str, channels: dict[str, str], *, content_type: str = IMAGES, **hyperparameters: str
) -> Document:
    """CreateTrainingJob; `channels` maps a channel to a folder below the client's prefix, or to an s3:// URI."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": settings["image"], "TrainingInputMode": "File"},
        "RoleArn": settings["role"],
        "HyperParameters": settings["hyperparameters"] | hyperparameters,
        "InputDataConfig": [
            channel(settings, name, source, content_type=content_type) for name, source in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{settings['bucket']}/{settings['prefix']}/models"},
        "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def channel(settings: Document, name: str, source: str, *, content_type: str) -> Document:
    uri = source if source.startswith("s3://") else f"s3://{settings['bucket']}/{settings['prefix']}/data/{source}/"
    return {
        "ChannelName": name,
        "ContentType": "application/x-sagemaker-model" if name == "model" else content_type,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }


def spot(settings: Document, request: Document) -> Document:
    """The same job on managed spot machines, with checkpoints."""
    return request | {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
        "CheckpointConfig": {"S3Uri": f"s3://{settings['bucket']}/{settings['prefix']}/checkpoints/"},
    }


def model(settings: Document, name: str, artifact: str) -> Document:
    container = {"Image": settings["image"], "ModelDataUrl": artifact}
    return {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": settings["role"]}


def endpoint_config(name: str, model_name: str) -> Document:
    variant = {
        "VariantName": "all",
        "ModelName": model_name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def refused_notifications(function_arn: str) -> dict[str, Document]:
    """Configurations that S3 refuses with InvalidArgument, by what is wrong with them."""

    def one(*, events: list[str] | None = None, rules: list[list[str]], **more: str) -> Document:
        return {
            "LambdaFunctionArn": function_arn,
            "Events": events or ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": rule, "Value": value} for rule, value in rules]}},
            **more,
        }

    found = {
        "an unknown event": [one(events=["s3:ObjectCreated:Made"], rules=[])],
        "an unknown filter": [one(rules=[["infix", "a"]])],
        "two prefix rules": [one(rules=[["prefix", "a/"], ["prefix", "b/"]])],
        "equal Ids": [one(rules=[["prefix", prefix]], Id="same") for prefix in ("a/", "b/")],
    }
    return {what: {"LambdaFunctionConfigurations": configurations} for what, configurations in found.items()}
