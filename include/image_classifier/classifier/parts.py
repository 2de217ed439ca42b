"""Defines the nested parts of a classifier's file: pixels, instances, network, KMS keys, notifications."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from image_classifier.contracts.training.sentences import pattern

ONE_DAY_S = 86_400
LONGEST_JOB_S = 28 * ONE_DAY_S  # SageMaker's own limit

# No pattern has \d, \w, \s or a large count, such as {1,2048}: pydantic needs a millisecond to compile one.
_KEY = pattern(r"^[a-zA-Z0-9:/_-]+$", "Give a KMS key's id, its ARN, or alias/<name>")
KmsKey = Annotated[str, Field(max_length=2048, pattern=_KEY)]
InstanceType = Annotated[
    str, Field(pattern=pattern(r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", "Give a SageMaker instance type, such as ml.m5.large"))
]
Alarm = Annotated[
    str, Field(min_length=1, max_length=255, pattern=pattern(r"[^\x00-\x20]", "Give a CloudWatch alarm's name"))
]
LEAST_STEP_PERCENT = {"canary": 1, "linear": 10, "rolling": 5}
InstanceCount = Annotated[int, Field(ge=1, le=100)]
# A FIFO topic requires a message group, and delivers to queues only.
_TOPIC = pattern(
    r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$",
    "Give the ARN of a standard SNS topic, not a FIFO one",
)
TopicArn = Annotated[str, Field(max_length=320, pattern=_TOPIC)]  # the topic's name has at most 256 characters
_ADDRESS = pattern(r"^[^@\x00-\x20<>,]+@[^@\x00-\x20<>,]+$", "Give an e-mail address alone, such as a@example.com")
Address = Annotated[str, Field(pattern=_ADDRESS, max_length=320)]
_CONNECTION = pattern(r"^[A-Za-z0-9_.-]+$", "Give the id of an Airflow connection")
ConnectionId = Annotated[str, Field(max_length=250, pattern=_CONNECTION)]
# The default of a part: the validator of the whole file builds it. A validator of its own would take milliseconds.
ALL_DEFAULTS: Any = Field(default={}, validate_default=True)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Pixels(Part):
    """How an image is converted to the network's square, in training and at the endpoint."""

    fit: Literal["pad", "crop"] = "pad"
    jpeg_quality: Annotated[int, Field(ge=50, le=100)] = 90
    unmodified: bool = False  # without conversion, training and endpoint see different pixels

    @model_validator(mode="before")
    @classmethod
    def _accept_as_is(cls, values: Any) -> Any:
        """Accept ``as_is``, the name of ``unmodified`` in release 0.1."""
        if not isinstance(values, Mapping) or "as_is" not in values:
            return values
        if "unmodified" in values:
            raise ValueError("pixels sets unmodified and its former name as_is; leave as_is out.")
        return {"unmodified" if name == "as_is" else name: value for name, value in values.items()}


class Training(Part):
    """The instances of a training job, and how long it may run."""

    instance_type: InstanceType = "ml.g4dn.xlarge"
    instance_count: InstanceCount = 1
    volume_size_gb: Annotated[int, Field(ge=10, le=16_384)] = 50
    time_limit_s: Annotated[int, Field(ge=60, le=LONGEST_JOB_S)] = 7200
    spot: bool = False
    max_wait_s: Annotated[int, Field(ge=60, le=LONGEST_JOB_S)] | None = (
        None  # only with spot: the time for waiting and training
    )
    instance_type_fallbacks: Annotated[tuple[InstanceType, ...], Field(max_length=10)] = ()
    on_demand_fallback: bool = False  # only with spot: the last alternative
    accept_time_limit: bool = False
    start_from: Literal["nothing", "champion"] = "nothing"  # champion: the live model, if it fits

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Return the preferred instance type and its alternatives, in this order."""
        return (self.instance_type, *self.instance_type_fallbacks)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[str]:
        if self.max_wait_s is not None and not self.spot:
            yield "training.max_wait_s works only with spot; set training.spot, or leave it out."
        if self.spot and self.max_wait_s is None:
            yield "training.spot needs training.max_wait_s: the seconds to wait for a machine and to train, together."
        if self.on_demand_fallback and not self.spot:
            yield "training.on_demand_fallback works only with spot; set training.spot, or leave it out."
        if len(set(self.instance_types)) < len(self.instance_types):
            again = f"training.instance_type_fallbacks names a type twice, or {self.instance_type} again"
            yield f"{again}: leave it out."
        if self.max_wait_s is not None and self.max_wait_s < self.time_limit_s:
            limit = f"at least time_limit_s, {self.time_limit_s}"
            yield f"training.max_wait_s is {self.max_wait_s}; it must be {limit}."


class Rollout(Part):
    """How an update shifts traffic to the new model, and which alarms roll it back.

    Limits: the SageMaker API reference (BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy).
    """

    strategy: Literal["all_at_once", "canary", "linear", "rolling"] = "all_at_once"
    step_percent: Annotated[int, Field(ge=1, le=50)] | None = (
        None  # share of the instances in the canary, or in each step
    )
    wait_s: Annotated[int, Field(ge=0, le=3600)] = 0  # pause after each step, during which AWS checks the alarms
    keep_old_s: Annotated[int, Field(ge=0, le=3600)] = 0  # how long the old instances stay once all traffic has moved
    alarms: Annotated[tuple[Alarm, ...], Field(max_length=10)] = ()
    time_limit_s: Annotated[int, Field(ge=600, le=28_800)] = 3600  # then AWS rolls the update back

    @property
    def waiting_s(self) -> int:
        """Return the sum of the update's pauses, in seconds."""
        steps = {"all_at_once": 1, "canary": 2}.get(self.strategy) or math.ceil(100 / (self.step_percent or 100))
        return steps * self.wait_s + self.keep_old_s

    @model_validator(mode="after")
    def _agree(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[str]:
        percent, least = self.step_percent, LEAST_STEP_PERCENT.get(self.strategy)
        if least is None and percent is not None:
            yield "endpoint.rollout.step_percent works only with canary, linear and rolling; leave it out."
        if least is not None and percent is None:
            yield f"endpoint.rollout.strategy is {self.strategy}, which needs step_percent, {least} to 50."
        if least is not None and percent is not None and percent < least:
            yield f"endpoint.rollout.step_percent is {percent}; {self.strategy} takes {least} to 50."
        if self.strategy == "rolling" and self.keep_old_s > 0:
            yield (
                "endpoint.rollout.keep_old_s does not work with rolling, which ends old instances step by step; leave "
                "it out."
            )
        if self.waiting_s >= self.time_limit_s:
            yield (
                f"endpoint.rollout waits {self.waiting_s} s in all, and time_limit_s is {self.time_limit_s}: raise it, "
                "or wait less."
            )


class Endpoint(Part):
    """The endpoint's instances, the rollout of a new model, and the number of models to keep for a rollback."""

    instance_type: InstanceType = "ml.m5.large"
    instance_count: InstanceCount = 1
    rollout: Rollout = ALL_DEFAULTS
    keep_models: Annotated[int, Field(ge=1, le=100)] = 3

    @model_validator(mode="after")
    def _agree(self) -> Self:
        percent = self.rollout.step_percent
        if self.instance_count * (percent or 100) < 100:
            message = (
                f"endpoint.rollout.step_percent is {percent}; of {self.instance_count} instance(s) that is less than "
                "one: take more instances or larger steps, or all_at_once, where the old model serves until the new "
                "one answers as well."
            )
            raise ValueError(message)
        return self


class VpcConfig(Part):
    """The private network that training jobs and the model run in."""

    security_group_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=5)]
    subnets: Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]


class KmsKeys(Part):
    """Customer managed KMS keys for what AWS stores; unset uses the bucket's and the service's default encryption."""

    model_artifact: KmsKey | None = None
    training_volume: KmsKey | None = None
    endpoint_volume: KmsKey | None = None


class Email(Part):
    """An e-mail that Amazon SES sends."""

    sender: Address  # a verified identity of the account
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)]


class Notify(Part):
    """Who gets a message when a run fails or takes too long; secrets are in Airflow's connections."""

    sns_topic_arn: TopicArn | None = None
    ses: Email | None = None
    slack_conn_id: ConnectionId | None = None
    webhook_conn_id: ConnectionId | None = None
    deadline_s: Annotated[int, Field(ge=60)] | None = None  # from the time when the run is queued

    @property
    def channels(self) -> dict[str, Any]:
        """Return the settings of each channel, by its field's name, as JSON values: Airflow's database stores them."""
        return self.model_dump(mode="json", exclude={"deadline_s"}, exclude_none=True)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.channels:
            message = (
                "notify names nobody; set sns_topic_arn, ses, slack_conn_id or webhook_conn_id, or leave notify out."
            )
            raise ValueError(message)
        return self


def refuse(problems: Iterable[str]) -> None:
    """Raise one ValueError with all problems, which pydantic collects, if there are any."""
    if message := " ".join(problems):
        raise ValueError(message)
