"""What a fault plan may hold: each fault with its fields, checked before any of them acts.

The plan is a JSON list; an entry names its ``fault``, and whom it meets (`where`) how often (`times`).
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
    """The fault plan cannot be used; the message names every entry that is wrong, and how."""


def _known(operation: str) -> str:
    if not operation_exists(operation):
        raise ValueError(f"SageMaker has no operation {operation!r}")
    return operation


JobOperation = Literal["CreateTrainingJob", "CreateTransformJob", "CreateProcessingJob"]
Operation = Annotated[str, AfterValidator(_known)]


class Fault(BaseModel):
    """One entry. `where` holds dotted fields of the request and the values they must have.

    `times` None means without an end. `percent` is the share of the matching requests that the fault acts on; which of
    them, decides a random sequence that starts from `seed`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    where: dict[str, JsonValue] = Field(default_factory=dict)
    times: PositiveInt | None = 1
    percent: Annotated[float, Field(gt=0, le=100)] | None = None
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _percent_has_no_end(cls, entry: Any) -> Any:
        """A share of the requests is a share of all of them, unless the entry says how often."""
        if isinstance(entry, dict) and entry.get("percent") is not None and "times" not in entry:
            return {**entry, "times": None}
        return entry

    def meets(self, request: Mapping[str, Any]) -> bool:
        """Whether the request has every value of `where`; a ``*`` in a text stands for any characters."""
        return all(_is(wanted, found=_field(request, path)) for path, wanted in self.where.items())


class Error(Fault):
    """A SageMaker operation is refused, and nothing is done."""

    fault: Literal["error"]
    operation: Operation
    code: ErrorCode
    message: str | None = None


class LateAnswer(Fault):
    """A SageMaker operation is done at once; its answer comes late."""

    fault: Literal["late_answer"]
    operation: Operation
    seconds: NonNegativeFloat


class Quota(Fault):
    """An account-level service limit. It is in force as long as it stands in the plan."""

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
    """AWS has no machine for a job: it ends as Failed before it began."""

    fault: Literal["capacity"]


class NoSpotCapacity(Fault):
    """AWS has no spot machine for a managed spot training job: it waits in Starting as long as it may."""

    fault: Literal["no_spot_capacity"]


class InterruptSpot(Fault):
    """A managed spot training job loses its machine, waits, and goes on with another."""

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
    """A job fails while its program runs, with the given FailureReason."""

    fault: Literal["job_fails"]
    reason: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    after_s: NonNegativeFloat = 0.0


class SlowDownload(JobFault):
    """A job downloads its input so much longer; a training job is in Downloading then."""

    fault: Literal["slow_download"]
    seconds: NonNegativeFloat


class RecordFails(Fault):
    """A record of a transform job: the model is not asked, and its answer is this HTTP status."""

    fault: Literal["record_fails"]
    status: Annotated[int, Field(ge=400, le=599)]


class FailedUpdate(Fault):
    """The new fleet of UpdateEndpoint never answers /ping: SageMaker gives up `after_s` later, and rolls back."""

    fault: Literal["failed_update"]
    after_s: NonNegativeFloat = 1.0


class FailedCreate(Fault):
    """The fleet of CreateEndpoint never answers /ping: the endpoint is Failed `after_s` later."""

    fault: Literal["failed_create"]
    after_s: NonNegativeFloat = 1.0


class SlowEndpoint(Fault):
    """The fleet of CreateEndpoint or UpdateEndpoint takes so much longer to come up."""

    fault: Literal["slow_endpoint"]
    seconds: NonNegativeFloat


class Invoke(Fault):
    """InvokeEndpoint is refused: by the model (424), for too many requests (429), or by SageMaker (500, 503)."""

    fault: Literal["invoke"]
    status: Literal[424, 429, 500, 503]


class S3Event(Fault):
    """An event that S3 sends to a function is lost, comes twice, after the one that follows it, or late."""

    fault: Literal["s3_event"]
    do: Literal["lose", "repeat", "reorder", "delay"]
    seconds: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _has_seconds_where_they_mean_something(self) -> S3Event:
        if (self.do in ("delay", "reorder")) != (self.seconds is not None):
            raise ValueError("delay and reorder need seconds; lose and repeat have none")
        return self


class RoleNotReady(Fault):
    """A role cannot be assumed yet, until so many seconds after the first refusal of that role."""

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
    """The entries of a plan. An empty text is a plan without faults: somebody is about to write one.

    Raises:
        FaultPlanError: it is no JSON, or an entry is not what a fault may be.

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


def _field(request: Mapping[str, Any], path: str) -> Any:
    found: Any = request
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _is(wanted: JsonValue, *, found: Any) -> bool:
    if found is None:  # what a request leaves out is off
        return not wanted
    if isinstance(wanted, str) and isinstance(found, str):
        return fnmatchcase(found, wanted.replace("[", "[[]").replace("?", "[?]"))
    return bool(wanted == found)
