"""Defines the entries of a fault plan: each fault with its fields, validated before any fault acts.

The plan is a JSON list. An entry names its ``fault``, the requests it acts on (`where`) and how often it acts
(`times`).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from local_aws.errors import LocalAwsError
from local_aws.faults.error_codes import ErrorCode
from local_aws.sagemaker.protocol.validation import operation_exists

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CHARACTERS = 1024  # of a FailureReason


class FaultPlanError(LocalAwsError):
    """The fault plan is invalid; the message names every wrong entry and what is wrong with it."""


def _known(operation: str) -> str:
    if not operation_exists(operation):
        raise ValueError(f"SageMaker has no operation {operation!r}")
    return operation


JobOperation = Literal["CreateTrainingJob", "CreateTransformJob", "CreateProcessingJob"]
Operation = Annotated[str, AfterValidator(_known)]


class Fault(BaseModel):
    """One entry. `where` maps dotted fields of the request to the values they must have.

    `times` None means without limit. `percent` is the share of the matching requests that the fault acts on; a random
    sequence with the seed `seed` chooses them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    where: dict[str, JsonValue] = Field(default_factory=dict)
    times: PositiveInt | None = 1
    percent: Annotated[float, Field(gt=0, le=100)] | None = None
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _percent_has_no_end(cls, entry: object) -> object:
        """Let an entry with `percent` and without `times` act without limit."""
        if isinstance(entry, dict) and entry.get("percent") is not None and "times" not in entry:
            return {**entry, "times": None}
        return entry

    def meets(self, request: Mapping[str, object]) -> bool:
        """Return whether the request has every value of `where`; a ``*`` in a text stands for any characters."""
        return all(_is(wanted, found=_field(request, path)) for path, wanted in self.where.items())


class Error(Fault):
    """A SageMaker operation is refused and has no effect."""

    fault: Literal["error"]
    operation: Operation
    code: ErrorCode
    message: str | None = None


class LateAnswer(Fault):
    """A SageMaker operation is carried out at once, and its answer is delayed."""

    fault: Literal["late_answer"]
    operation: Operation
    seconds: NonNegativeFloat


class Quota(Fault):
    """An account-level service limit; it holds as long as the plan has it."""

    fault: Literal["quota"]
    times: None = None
    percent: None = None
    instance_type: str
    operation: Literal[JobOperation, "CreateHyperParameterTuningJob", "CreateEndpoint", "UpdateEndpoint"]
    limit: Annotated[int, Field(ge=0)]


class JobFault(Fault):
    """A fault of the jobs that one operation creates."""

    operation: JobOperation = "CreateTrainingJob"


class Capacity(JobFault):
    """AWS has no capacity for a job: the job fails before it starts."""

    fault: Literal["capacity"]


class NoSpotCapacity(Fault):
    """AWS has no spot capacity: a managed spot training job stays in Starting until MaxWaitTimeInSeconds."""

    fault: Literal["no_spot_capacity"]


class InterruptSpot(Fault):
    """A managed spot training job is interrupted, waits, and continues on another instance."""

    fault: Literal["interrupt_spot"]
    after_s: NonNegativeFloat | None = None
    after_epochs: PositiveInt | None = None
    wait_s: NonNegativeFloat = 1.0

    @model_validator(mode="after")
    def _has_one_moment(self) -> InterruptSpot:
        if (self.after_s is None) == (self.after_epochs is None):
            raise ValueError("give after_s or after_epochs, and not both")
        return self


class JobFails(JobFault):
    """A job fails while its program runs, with this FailureReason."""

    fault: Literal["job_fails"]
    reason: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    after_s: NonNegativeFloat = 0.0


class SlowDownload(JobFault):
    """The download of a job takes longer by this time, during which a training job is in Downloading."""

    fault: Literal["slow_download"]
    seconds: NonNegativeFloat


class RecordFails(Fault):
    """A record of a transform job gets this HTTP status instead of an answer of the model."""

    fault: Literal["record_fails"]
    status: Annotated[int, Field(ge=400, le=599)]


class FailedUpdate(Fault):
    """The new fleet of UpdateEndpoint never answers /ping; the update rolls back after `after_s` seconds."""

    fault: Literal["failed_update"]
    after_s: NonNegativeFloat = 1.0


class FailedCreate(Fault):
    """The fleet of CreateEndpoint never answers /ping; the endpoint is Failed after `after_s` seconds."""

    fault: Literal["failed_create"]
    after_s: NonNegativeFloat = 1.0


class SlowEndpoint(Fault):
    """The fleet of CreateEndpoint or UpdateEndpoint starts later by this time."""

    fault: Literal["slow_endpoint"]
    seconds: NonNegativeFloat


class Invoke(Fault):
    """InvokeEndpoint fails: in the model (424), by throttling (429), or in SageMaker (500, 503)."""

    fault: Literal["invoke"]
    status: Literal[424, 429, 500, 503]


class S3Event(Fault):
    """An event of S3 is lost, or is delivered twice, late, or after the event that follows it."""

    fault: Literal["s3_event"]
    do: Literal["lose", "repeat", "reorder", "delay"]
    seconds: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _has_seconds_where_they_mean_something(self) -> S3Event:
        if (self.do in ("delay", "reorder")) != (self.seconds is not None):
            raise ValueError("delay and reorder need seconds; lose and repeat have none")
        return self


class RoleNotReady(Fault):
    """A role cannot be assumed until some seconds after the first attempt."""

    fault: Literal["role_not_ready"]
    seconds: NonNegativeFloat


AnyFault = Annotated[
    Error
    | LateAnswer
    | Quota
    | Capacity
    | NoSpotCapacity
    | InterruptSpot
    | JobFails
    | SlowDownload
    | RecordFails
    | FailedUpdate
    | FailedCreate
    | SlowEndpoint
    | Invoke
    | S3Event
    | RoleNotReady,
    Field(discriminator="fault"),
]
_PLAN: TypeAdapter[list[AnyFault]] = TypeAdapter(list[AnyFault])


def parse(text: str) -> list[AnyFault]:
    """Return the entries of a plan; an empty text is a plan without faults, because an editor may be writing the file.

    Raises:
        FaultPlanError: the text is not JSON, or an entry is not a valid fault.

    """
    if not text.strip():
        return []
    try:
        return _PLAN.validate_json(text)
    except ValidationError as error:
        raise FaultPlanError("; ".join(_problem(detail) for detail in error.errors())) from error


def _problem(detail: Any) -> str:
    entry, *path = detail["loc"] or ("",)
    where = f"entry {entry + 1} " if isinstance(entry, int) else ""
    named = f"({', '.join(str(part) for part in path)}) " if path else ""
    return f"{where}{named}{detail['msg']}".strip()


def _field(request: Mapping[str, object], path: str) -> object:
    found: object = request
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _is(wanted: JsonValue, *, found: object) -> bool:
    if found is None:  # an absent member counts as off
        return not wanted
    if isinstance(wanted, str) and isinstance(found, str):
        return fnmatchcase(found, wanted.replace("[", "[[]").replace("?", "[?]"))
    return bool(wanted == found)
