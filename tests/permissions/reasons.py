"""Why the template allows actions that no run against the local AWS needs."""

from tests.permissions.policies import Statement

_SAGEMAKER = "SageMaker's own call as this role, as AWS documents it for execution roles; the local AWS makes none"
_LAMBDA = "Lambda's own call as this role, as AWS documents it for execution roles; the local AWS makes none"
_OF_POLICIES = {
    "SagemakerVpcPolicy": "for classifier files with `vpc_config`; the local AWS has no VPC",
    "KmsPolicy": "for a bucket with a KMS key; the local AWS keeps no keys",
    "AirflowKmsPolicy": "for a bucket with a KMS key; the local AWS keeps no keys",
}
_OF_ACTIONS = {
    ("SagemakerRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("SagemakerRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("HostingRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("HostingRole", "s3:ListBucket"): _SAGEMAKER,
    ("HostingRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("HostingRole", "cloudwatch:DescribeAlarms"): "for `rollout.alarms`: SageMaker watches them during an update",
    **{
        (role, action): _SAGEMAKER
        for role in ("SagemakerRole", "HostingRole")
        for action in (
            "logs:DescribeLogStreams",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        )
    },
    ("FunctionRole", "logs:CreateLogGroup"): _LAMBDA,
    ("FunctionRole", "logs:CreateLogStream"): _LAMBDA,
    ("FunctionRole", "logs:PutLogEvents"): _LAMBDA,
}


NOT_NEEDED = "no recorded run needed it"


def reason(statement: Statement, action: str) -> str:
    """The reason, in words; NOT_NEEDED where nobody has written one down."""
    of_policy = _OF_POLICIES.get(statement.policy)
    return of_policy or _OF_ACTIONS.get((statement.principal, action), NOT_NEEDED)
