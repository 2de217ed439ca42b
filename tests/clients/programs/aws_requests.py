"""The requests that boto3 and the AWS CLI send, as plain dictionaries. Standard library only."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
RECORDS = "application/x-recordio"
IMAGES = "application/x-image"
INSTANCE = "ml.p3.2xlarge"
PROCESSING_INPUT, PROCESSING_OUTPUT = "/opt/ml/processing/input/data", "/opt/ml/processing/output"
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


def transform_job(settings: Document, name: str, model_name: str) -> Document:
    """CreateTransformJob: an answer for each image of the folder incoming."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{settings['bucket']}/{settings['prefix']}/data/incoming/"}
    return {
        "TransformJobName": name,
        "ModelName": model_name,
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": IMAGES},
        "TransformOutput": {"S3OutputPath": f"s3://{settings['bucket']}/{settings['prefix']}/transformed"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


def tuning_job(settings: Document, name: str) -> Document:
    """CreateHyperParameterTuningJob: two training jobs with other learning rates."""
    job = training_job(settings, name, IMAGE_CHANNELS)
    fixed = {key: value for key, value in job["HyperParameters"].items() if key != "learning_rate"}
    kept = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    definition = {key: job[key] for key in kept} | {"StoppingCondition": job["StoppingCondition"]}
    learning_rate = {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [learning_rate]},
        },
        "TrainingJobDefinition": definition | {"StaticHyperParameters": fixed},
    }


def model_package(settings: Document, group: str, artifact: str) -> Document:
    """CreateModelPackage: a version of a group that waits for its approval."""
    return {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": settings["image"], "ModelDataUrl": artifact}],
            "SupportedContentTypes": [IMAGES],
            "SupportedResponseMIMETypes": ["application/json"],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        },
    }


def processing_job(settings: Document, name: str) -> Document:
    """CreateProcessingJob: counts the files of the folder incoming (count_files.py)."""
    below = f"s3://{settings['bucket']}/{settings['prefix']}"
    source = {
        "S3Uri": f"{below}/data/incoming/",
        "LocalPath": PROCESSING_INPUT,
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    target = {"S3Uri": f"{below}/counted", "LocalPath": PROCESSING_OUTPUT, "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": name,
        "ProcessingInputs": [{"InputName": "images", "S3Input": source}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "count", "S3Output": target}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "AppSpecification": {
            "ImageUri": settings["counting_image"],
            "ContainerArguments": [PROCESSING_INPUT, PROCESSING_OUTPUT],
        },
        "RoleArn": settings["role"],
    }


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
