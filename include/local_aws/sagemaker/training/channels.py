"""Reads the input channels of a training job's request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document


def input_mode(channel: Document, *, job: Document) -> str:
    """Return File, Pipe or FastFile: the channel's own mode, or else the job's."""
    return str(channel.get("InputMode") or job["AlgorithmSpecification"]["TrainingInputMode"])


def is_sharded(channel: Document) -> bool:
    """Return whether each host gets only a part of the channel."""
    return bool(channel["DataSource"]["S3DataSource"].get("S3DataDistributionType") == "ShardedByS3Key")


def input_data_config(job: Document) -> dict[str, dict[str, str]]:
    """Return the content of input/config/inputdataconfig.json."""
    return {
        channel["ChannelName"]: {
            "ContentType": channel.get("ContentType", ""),
            "TrainingInputMode": input_mode(channel, job=job),
            "S3DistributionType": "ShardedByS3Key" if is_sharded(channel) else "FullyReplicated",
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        for channel in job.get("InputDataConfig", [])
    }
