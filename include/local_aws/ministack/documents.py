"""Defines the types of the records that MiniStack keeps and of the requests that it parses, as far as they are used.

MiniStack has no type hints of its own. A type here has the members that this folder reads or writes; a record has more.
"""

from typing import NotRequired, TypedDict


class Variables(TypedDict):
    """The environment of a function."""

    Variables: NotRequired[dict[str, str] | None]


class EphemeralStorage(TypedDict):
    """The temporary folder of a function; `Size` is in MB."""

    Size: NotRequired[int]


class DeadLetterConfig(TypedDict):
    """The queue or topic for events that a function could not handle."""

    TargetArn: NotRequired[str]


class LoggingConfig(TypedDict):
    """Where a function's log goes."""

    LogGroup: NotRequired[str]


class FunctionConfig(TypedDict):
    """The configuration of one version of a function, as GetFunctionConfiguration returns it."""

    FunctionName: str
    FunctionArn: str
    Version: str
    Handler: str
    Runtime: str
    Role: str
    CodeSha256: str
    Timeout: int  # seconds
    MemorySize: int  # MB
    Environment: NotRequired[Variables]
    EphemeralStorage: NotRequired[EphemeralStorage | None]
    LoggingConfig: NotRequired[LoggingConfig]
    DeadLetterConfig: NotRequired[DeadLetterConfig]


class FunctionRecord(TypedDict):
    """One version of a function: its configuration and its zip."""

    config: FunctionConfig
    code_zip: bytes | None


class FunctionError(TypedDict):
    """The error that a function's caller gets as the answer."""

    errorType: str
    errorMessage: str
    stackTrace: NotRequired[list[str]]
    requestId: NotRequired[str]


class Request(TypedDict):
    """What the process of a function is asked: an event; `deadline_s` is in seconds since 1970."""

    event: object
    request_id: str
    arn: str
    deadline_s: float


class Reply(TypedDict):
    """What the process of a function answers: the result as JSON, or the error."""

    result: NotRequired[str]
    error: NotRequired[FunctionError | None]
    peak_memory_bytes: NotRequired[int]


class Result(TypedDict, total=False):
    """The result of an invocation; `body` is the answer, a JSON value, or the error."""

    body: object
    log: str
    log_source: str  # the log stream of the process
    error: bool
    function_error: str
    throttle: bool


class Destination(TypedDict):
    """The ARN to which the record of an asynchronous invocation is sent."""

    Destination: NotRequired[str]


class DestinationConfig(TypedDict):
    """The destinations of a function's records, by the end of the invocation."""

    OnSuccess: NotRequired[Destination]
    OnFailure: NotRequired[Destination]


class EventInvokeConfig(TypedDict):
    """How asynchronous invocations of a function are repeated, and where their records go."""

    MaximumEventAgeInSeconds: NotRequired[int]
    MaximumRetryAttempts: NotRequired[int]
    DestinationConfig: NotRequired[DestinationConfig]


class Dimension(TypedDict):
    """One dimension of a metric."""

    Name: str
    Value: str


class MetricPoint(TypedDict):
    """Data of a metric at a time in seconds since 1970: a value, or a statistic set."""

    Timestamp: float
    Unit: str
    Value: float
    Count: NotRequired[float]
    _stat: NotRequired[dict[str, float]]


class Alarm(TypedDict):
    """A CloudWatch alarm on one metric, as DescribeAlarms returns it; `Period` is in seconds."""

    AlarmName: str
    Namespace: str
    MetricName: str
    Dimensions: NotRequired[list[Dimension]]
    Statistic: NotRequired[str | None]
    ExtendedStatistic: NotRequired[str | None]
    Period: int
    EvaluationPeriods: int
    DatapointsToAlarm: NotRequired[int | None]
    Threshold: float
    ComparisonOperator: str
    TreatMissingData: NotRequired[str | None]
    StateValue: str
    StateReason: str
    StateUpdatedTimestamp: int


class Message(TypedDict):
    """A message of an SQS queue; times are seconds since 1970."""

    id: str
    receipt_handle: str
    sent_at: float
    visible_at: float


class Queue(TypedDict):
    """An SQS queue; the values of its attributes are texts, as GetQueueAttributes returns them."""

    name: str
    attributes: dict[str, str]
    messages: list[Message]


class Filter(TypedDict):
    """A filter of an event source mapping; its pattern is a JSON text."""

    Pattern: NotRequired[str | None]


class FilterCriteria(TypedDict):
    """The filters of an event source mapping, of which one must match."""

    Filters: NotRequired[list[Filter] | None]


class MappingRequest(TypedDict, total=False):
    """The request that creates or changes an event source mapping."""

    EventSourceArn: str
    FunctionName: str
    BatchSize: int
    MaximumBatchingWindowInSeconds: int
    FunctionResponseTypes: list[str]
    FilterCriteria: FilterCriteria | None


class EventSourceMapping(MappingRequest):
    """An event source mapping."""

    UUID: str
    FunctionArn: str
    Enabled: bool
    LastProcessingResult: NotRequired[str]


class QueueRecord(TypedDict):
    """A message in the event of a function."""

    messageId: str


class QueueEvent(TypedDict):
    """The event with which a function gets a batch of messages."""

    Records: list[QueueRecord]


class Code(TypedDict, total=False):
    """Where the code of a function is: in a bucket, or in the request, as Base64."""

    S3Bucket: str
    S3Key: str
    S3ObjectVersion: str
    ZipFile: str


class FunctionRequest(Code, total=False):
    """The request that creates a function, or changes its code or its configuration."""

    Runtime: str
    Architectures: list[str]
    Code: Code
    Layers: list[str]
    Role: str
    Environment: Variables | None
    EphemeralStorage: EphemeralStorage | None
    MemorySize: int
    Timeout: int
    DeadLetterConfig: DeadLetterConfig | None


class Bucket(TypedDict):
    """The bucket of an event."""

    name: str


class Object(TypedDict):
    """The object of an event; its key is URL-encoded."""

    key: str


class Uploaded(TypedDict):
    """The bucket and the object of an event."""

    bucket: Bucket
    object: Object


class S3Record(TypedDict):
    """One created object."""

    eventName: str
    s3: Uploaded


class S3Event(TypedDict):
    """S3's event about created objects."""

    Records: list[S3Record]


class Condition(TypedDict, total=False):
    """The conditions of a statement in the policy of a function."""

    ArnLike: dict[str, str]
    StringEquals: dict[str, str]


class Statement(TypedDict):
    """A statement in the policy of a function."""

    Resource: str
    Principal: str | dict[str, str]
    Action: str
    Condition: NotRequired[Condition]


class PolicyDocument(TypedDict):
    """A policy; a single statement may stand without a list."""

    Statement: NotRequired[list[dict[str, object]] | dict[str, object]]


class Role(TypedDict):
    """An IAM role; its trust policy is a JSON text or a document."""

    Arn: str
    AssumeRolePolicyDocument: NotRequired[str | PolicyDocument | None]
