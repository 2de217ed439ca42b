"""Refuses training jobs that the built-in image classification algorithm refuses before it trains, with its messages.

On AWS the algorithm refuses them after the instance has started, and the job is Failed; it is the same here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.training.channels import input_mode, is_sharded

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document


# No GPU is needed here; but a request that is accepted here must be accepted by AWS.
GPU_FAMILIES = ("p2", "p3", "p3dn", "g4dn", "g5")
IMAGE_TYPES = ("application/x-image", "image/jpeg", "image/png")
RECORD_TYPE = "application/x-recordio"
LIST_CHANNELS = ("train_lst", "validation_lst")
SPLITS = ("train", "validation")
KNOWN_CHANNELS = (*SPLITS, *LIST_CHANNELS, "model")
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"  # SageMaker adds it to the training jobs of a tuning job
REQUIRED_HYPERPARAMETERS = ("num_classes", "num_training_samples")
# fmt: off
KNOWN_HYPERPARAMETERS = frozenset((
    "num_classes", "num_training_samples", "mini_batch_size", "epochs", "learning_rate", "image_shape", "resize",
    "num_layers", "use_pretrained_model", "optimizer", "momentum", "weight_decay", "beta_1", "beta_2", "eps",
    "gamma", "lr_scheduler_factor", "lr_scheduler_step", "augmentation_type", "multi_label", "use_weighted_loss",
    "top_k", "early_stopping", "early_stopping_min_epochs", "early_stopping_patience", "early_stopping_tolerance",
    "checkpoint_frequency", "precision_dtype", "kv_store",
))
# fmt: on
# They match the algorithm's log lines; AWS does not publish its own expressions.
METRIC_DEFINITIONS: list[Document] = [
    {"Name": f"{split.lower()}:accuracy", "Regex": rf"Epoch\[\d+\] {split}-accuracy=([-+0-9.eE]+|nan)"}
    for split in ("Train", "Validation")
]


def check_metric_definitions(definitions: list[Document] | None) -> None:
    """Refuse metric definitions in the request, which AWS accepts for the user's own images only.

    Raises:
        ServiceError: there are some.

    """
    if definitions:
        raise validation_error(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions."
        )


def refusal(job: Document) -> str | None:
    """Return why the algorithm refuses this job, or None; the program itself checks the values of hyperparameters."""
    return _instance_refusal(job) or _hyperparameter_refusal(job) or _channel_refusal(job) or _mode_refusal(job)


def _instance_refusal(job: Document) -> str | None:
    instance_type = job["ResourceConfig"]["InstanceType"]
    if instance_type.split(".")[1] in GPU_FAMILIES:
        return None
    return (
        f"ClientError: Instance type {instance_type} is not supported by algorithm image-classification; "
        "only GPU instances are supported."
    )


def _hyperparameter_refusal(job: Document) -> str | None:
    given = job.get("HyperParameters", {})
    for name in REQUIRED_HYPERPARAMETERS:
        if name not in given:
            return _invalid(f"'{name}' is a required property")
    known = KNOWN_HYPERPARAMETERS | {OBJECTIVE_HYPERPARAMETER}
    unknown = ", ".join(f"'{name}'" for name in given if name not in known)
    if unknown:
        verb = "was" if unknown.count("'") == 2 else "were"
        return _invalid(f"Additional properties are not allowed ({unknown} {verb} unexpected)")
    return None


def _channel_refusal(job: Document) -> str | None:
    channels = {channel["ChannelName"]: channel.get("ContentType", "") for channel in job.get("InputDataConfig", [])}
    for name in channels:
        if name not in KNOWN_CHANNELS:
            return f"ClientError: Unknown channel '{name}'. Channels are: {', '.join(KNOWN_CHANNELS)}."
    for name in SPLITS:
        if name not in channels:
            return f"ClientError: Missing channel '{name}'. The channels train and validation are required."
        if _media_type(channels[name]) not in (*IMAGE_TYPES, RECORD_TYPE):
            return _wrong_type(name, channels[name], expected=f"application/x-image or {RECORD_TYPE}")
    # RecordIO and pipes have the labels with the images; image files need the .lst channels.
    modes = {channel["ChannelName"]: input_mode(channel, job=job) for channel in job["InputDataConfig"]}
    has_labels = _media_type(channels["train"]) == RECORD_TYPE or modes["train"] == "Pipe"
    return None if has_labels else _list_refusal(channels)


def _mode_refusal(job: Document) -> str | None:
    """Return why the input mode is refused: every host gets whole channels, and a pipe carries records only."""
    for channel in job.get("InputDataConfig", []):
        name, mode = channel["ChannelName"], input_mode(channel, job=job)
        expected = "File or Pipe" if name in SPLITS else "File"
        if mode not in expected.split(" or "):
            return f"ClientError: TrainingInputMode '{mode}' of channel '{name}' is not supported; expected {expected}."
        if is_sharded(channel):
            return (
                f"ClientError: S3DataDistributionType 'ShardedByS3Key' of channel '{name}' is not supported; "
                "expected FullyReplicated."
            )
        is_record = channel.get("RecordWrapperType") == "RecordIO" or _media_type(channel["ContentType"]) == RECORD_TYPE
        if mode == "Pipe" and not is_record:
            return (
                f"ClientError: Content type '{channel['ContentType']}' of channel '{name}' is not supported in Pipe "
                f"mode; expected {RECORD_TYPE}, or an augmented manifest with RecordWrapperType RecordIO."
            )
    return None


def _list_refusal(channels: dict[str, str]) -> str | None:
    for name in LIST_CHANNELS:
        if name not in channels:
            return f"ClientError: Missing channel '{name}'. Images need the channels train_lst and validation_lst."
        if _media_type(channels[name]) not in IMAGE_TYPES:
            return _wrong_type(name, channels[name], expected="application/x-image")
    return None


def _wrong_type(channel: str, found: str, *, expected: str) -> str:
    return f"ClientError: Content type '{found}' of channel '{channel}' is not supported; expected {expected}."


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip()


def _invalid(problem: str) -> str:
    return f"ClientError: Invalid hyperparameters: {problem} (caused by ValidationError)"
