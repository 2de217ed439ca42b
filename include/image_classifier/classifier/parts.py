"""The parts of a classifier's file that are tables of their own: pixels, machines, network, keys."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ONE_DAY_S = 86_400
LONGEST_JOB_S = 28 * ONE_DAY_S  # SageMaker's own limit

KmsKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9:/_-]{1,2048}$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")]
InstanceCount = Annotated[int, Field(ge=1, le=100)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pixels(Part):
    """How an image becomes the square the network sees, alike in training and at the endpoint."""

    fit: Literal["pad", "crop"] = "pad"
    jpeg_quality: Annotated[int, Field(ge=50, le=100)] = 90
    as_is: bool = False  # gives up that both sides see the same pixels


class Training(Part):
    """The machines of a training job, and how long it may cost money."""

    instance_type: InstanceType = "ml.g4dn.xlarge"
    instance_count: InstanceCount = 1
    volume_size_gb: Annotated[int, Field(ge=10, le=16_384)] = 50
    time_limit_s: Annotated[int, Field(ge=60, le=LONGEST_JOB_S)] = 7200
    spot: bool = False
    max_wait_s: Annotated[int, Field(ge=60, le=LONGEST_JOB_S)] | None = None  # only with spot: waiting and training

    @model_validator(mode="after")
    def _agree(self) -> Self:
        checks = {
            "training.max_wait_s works only with spot; set training.spot, or leave it out.": (
                self.max_wait_s is not None and not self.spot
            ),
            "training.spot needs training.max_wait_s: the seconds to wait for a machine and to train, together.": (
                self.spot and self.max_wait_s is None
            ),
            f"training.max_wait_s is {self.max_wait_s}; it must be at least time_limit_s, {self.time_limit_s}.": (
                self.max_wait_s is not None and self.max_wait_s < self.time_limit_s
            ),
        }
        refuse_if(checks)
        return self


class Endpoint(Part):
    """The machines that answer."""

    instance_type: InstanceType = "ml.m5.large"
    instance_count: InstanceCount = 1


class VpcConfig(Part):
    """The private network that training jobs and the model run in."""

    security_group_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=5)]
    subnets: Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]


class KmsKeys(Part):
    """Keys of one's own for what AWS stores; unset uses the bucket's and the service's default encryption."""

    model_artifact: KmsKey | None = None
    training_volume: KmsKey | None = None
    endpoint_volume: KmsKey | None = None


def refuse_if(checks: Mapping[str, bool]) -> None:
    """Raise ValueError, which pydantic collects, with every sentence whose check is true."""
    if problems := [sentence for sentence, wrong in checks.items() if wrong]:
        raise ValueError(" ".join(problems))
