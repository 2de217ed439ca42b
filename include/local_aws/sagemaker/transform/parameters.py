"""Chooses the parameters of a transform job: the request's, else the model's, else the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.sagemaker.transform.requests import DEFAULT_PAYLOAD_MB

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document

STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}
DEFAULT_TIMEOUT_S = 600
DEFAULT_RETRIES = 3


@dataclass(frozen=True)
class Parameters:
    """The parameters that a model returns at ``/execution-parameters``, under the same names."""

    max_concurrent: int = 1
    max_payload_mb: int = DEFAULT_PAYLOAD_MB
    strategy: str = "MULTI_RECORD"


def resolved(job: Document, told: Document) -> Parameters:
    """Return the parameters of a job; `told` is the answer of its model, empty if it has no such page."""
    concurrent = job.get("MaxConcurrentTransforms") or told.get("MaxConcurrentTransforms") or 1
    payload_mb = ({"MaxPayloadInMB": DEFAULT_PAYLOAD_MB} | told | job)["MaxPayloadInMB"]
    strategy = STRATEGIES.get(job.get("BatchStrategy", "")) or told.get("BatchStrategy", "MULTI_RECORD")
    return Parameters(int(concurrent), int(payload_mb), str(strategy))


def environment(job: Document) -> dict[str, str]:
    """Return the environment variables that tell a container that it serves a transform job."""
    asked = resolved(job, {})
    return {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(asked.max_concurrent),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(asked.max_payload_mb),
        "SAGEMAKER_BATCH_STRATEGY": asked.strategy,
    }
