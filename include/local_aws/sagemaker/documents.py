"""Defines the types of the JSON objects that the server stores and passes between its modules.

A `Document` is an object of SageMaker's API: a request, an answer or a part of one. Its members have no types here:
`protocol.validation` checks each request against botocore's model of the API before an operation gets it, and a stored
document has the members of its Describe answer. The types below have members that the server itself reads and writes.
Members that begin with ``_``, and those in lower case, are the server's own; no answer has them.
"""

from typing import Any, NotRequired, TypedDict

Document = dict[str, Any]


class Container(TypedDict):
    """A container definition of a model, with the image and artifact of its model package."""

    Image: str
    ModelDataUrl: NotRequired[str]
    Environment: NotRequired[dict[str, str]]
    ModelPackageName: NotRequired[str]


class Model(TypedDict):
    """A stored model."""

    ModelName: str
    ModelArn: str
    ExecutionRoleArn: NotRequired[str]
    PrimaryContainer: Container
    CreationTime: float
    _ServedContainer: NotRequired[Container]  # of a model package: its container when the model was created


class ProductionVariant(TypedDict):
    """A variant of a stored endpoint config."""

    VariantName: str
    ModelName: str
    InstanceType: str
    InitialInstanceCount: int
    InitialVariantWeight: float
    ContainerStartupHealthCheckTimeoutInSeconds: NotRequired[int]


class EndpointConfig(TypedDict):
    """A stored endpoint config."""

    EndpointConfigName: str
    EndpointConfigArn: str
    ProductionVariants: list[ProductionVariant]
    CreationTime: float


class Plan(TypedDict):
    """Everything that a deployment needs, copied so that it survives the deletion of config and models."""

    config: EndpointConfig
    models: dict[str, Model]  # by ModelName


class Revision(TypedDict):
    """One deployment of an endpoint, numbered from 1."""

    revision: int
    plan: Plan
    deployment_config: NotRequired[Document | None]  # the DeploymentConfig of UpdateEndpoint


class VariantSummary(TypedDict):
    """A variant in the answer of DescribeEndpoint."""

    VariantName: str
    DeployedImages: list[Document]
    CurrentWeight: float
    DesiredWeight: float
    CurrentInstanceCount: int
    DesiredInstanceCount: int
    VariantStatus: NotRequired[list[Document]]


class PendingDeployment(TypedDict):
    """The change of an endpoint that is in progress."""

    EndpointConfigName: str
    StartTime: float
    ProductionVariants: list[VariantSummary]


class Endpoint(TypedDict):
    """A stored endpoint; times are seconds since 1970."""

    EndpointName: str
    EndpointArn: str
    EndpointConfigName: str
    EndpointStatus: str
    CreationTime: float
    LastModifiedTime: float
    ProductionVariants: NotRequired[list[VariantSummary]]
    PendingDeploymentSummary: NotRequired[PendingDeployment]
    LastDeploymentConfig: NotRequired[Document]
    FailureReason: NotRequired[str]
    _Active: NotRequired[Revision]  # the deployment that serves
    _Pending: NotRequired[Revision]  # the deployment that is being started
    _Revisions: NotRequired[int]  # how many there have been


class ModelPackageGroup(TypedDict):
    """A stored model package group."""

    ModelPackageGroupName: str
    ModelPackageGroupArn: str
    ModelPackageGroupDescription: NotRequired[str]
    ModelPackageGroupStatus: str
    CreationTime: float
    CreatedBy: Document
    _LastVersion: NotRequired[int]  # the number of the last version, also if that was deleted


class InferenceSpecification(TypedDict):
    """The part of a model package that a model is made from."""

    Containers: list[Container]


class ModelPackage(TypedDict):
    """A stored version of a group; what only describes it is in its other members."""

    ModelPackageGroupName: str
    ModelPackageVersion: NotRequired[int]  # set, with the ARN, when the version is numbered
    ModelPackageArn: NotRequired[str]
    ModelPackageStatus: str
    ModelApprovalStatus: str
    InferenceSpecification: InferenceSpecification
    CustomerMetadataProperties: NotRequired[dict[str, str]]
    ModelCard: NotRequired[Document]
    CreationTime: float
    LastModifiedTime: NotRequired[float]
    LastModifiedBy: NotRequired[Document]
    _ClientToken: str | None
    _RequestDigest: str


class Transition(TypedDict):
    """One of a training job's SecondaryStatusTransitions."""

    Status: str
    StartTime: float
    EndTime: NotRequired[float]
    StatusMessage: str


class StoppingCondition(TypedDict):
    """The time limits of a training job."""

    MaxRuntimeInSeconds: int
    MaxWaitTimeInSeconds: NotRequired[int]


class MetricValue(TypedDict):
    """An item of a training job's FinalMetricDataList."""

    MetricName: str
    Value: float
    Timestamp: float


class MetricDatum(MetricValue):
    """An item of a PutMetricData request."""

    Dimensions: list[dict[str, str]]


class TrainingJob(TypedDict):
    """The members of a stored training job that its states change; the others are the request's."""

    TrainingJobName: str
    TrainingJobArn: str
    TrainingJobStatus: str
    SecondaryStatus: str
    SecondaryStatusTransitions: list[Transition]
    StoppingCondition: StoppingCondition
    CreationTime: float
    LastModifiedTime: float
    TrainingStartTime: NotRequired[float]
    TrainingEndTime: NotRequired[float]
    TrainingTimeInSeconds: NotRequired[int]
    BillableTimeInSeconds: NotRequired[int]
    FailureReason: NotRequired[str]
    FinalMetricDataList: NotRequired[list[MetricValue]]
