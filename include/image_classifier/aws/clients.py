"""Groups the boto3 clients that read and change a classifier's resources."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Clients:
    """One boto3 client per service that holds resources of a classifier."""

    sagemaker: "SageMakerClient"
    functions: "LambdaClient"
    logs: "CloudWatchLogsClient"
    s3: "S3Client"
    sqs: "SQSClient"
