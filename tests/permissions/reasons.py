"""Lists why the template allows actions that no run against the local AWS needs."""

from tests.permissions.policies import Statement

_SAGEMAKER = "SageMaker's own call as this role, as AWS documents it for execution roles; the local AWS makes none"
_LAMBDA = "Lambda's own call as this role, as AWS documents it for execution roles; the local AWS makes none"
_OF_POLICIES = {
    "SagemakerVpcPolicy": "for classifier files with `vpc_config`; the local AWS has no VPC",
    "KmsPolicy": "for a bucket with a KMS key; the local AWS keeps no keys",
    "AirflowKmsPolicy": "for a bucket with a KMS key; the local AWS keeps no keys",
}
OF_ACTIONS = {
    ("SagemakerRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("SagemakerRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("HostingRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("HostingRole", "s3:ListBucket"): _SAGEMAKER,
    ("HostingRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("HostingRole", "cloudwatch:DescribeAlarms"): "for `rollout.alarms`: SageMaker watches them during an update",
    **{
        (role, action): _SAGEMAKER
        for role in ("SagemakerRole", "HostingRole", "PreparationRole")
        for action in (
            "logs:DescribeLogStreams",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        )
    },
    **{
        ("FunctionRole", action): _LAMBDA
        for action in (
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        )
    },
    ("FunctionRole", "s3:ListBucket"): "no call of its own: without it S3 answers 403 for a key that is absent",
    ("PreparationRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("PreparationRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("PreparationRole", "s3:GetObjectVersion"): "for uploads that a person corrected; the recorded job reads none",
    ("Airflow", "s3:GetObjectVersion"): "prepare, of uploads that a person corrected; the recorded runs have none",
    ("Airflow", "cloudwatch:DescribeAlarms"): "for `rollout.alarms`: AWS asks it of who calls UpdateEndpoint",
    ("Airflow", "lambda:ListTags"): "no call of its own: GetFunction returns tags only with it",
    ("Airflow", "lambda:TagResource"): "AWS asks it of who creates a function with tags; also called when tags change",
    ("Airflow", "lambda:UpdateFunctionCode"): "for a function whose code changed; the recorded runs deploy one release",
    ("Airflow", "logs:TagResource"): "AWS asks it of who creates a log group with tags",
    (
        "Airflow",
        "pricing:GetProducts",
    ): "plan and report, for prices; the local Price List answers before IAM is asked",
    ("Airflow", "sqs:TagQueue"): "AWS asks it of who creates a queue with tags",
}


def reason(statement: Statement, action: str) -> str:
    """The reason, in words.

    Raises:
        KeyError: nobody wrote one down; record a call that needs the action, or take it out of the template.

    """
    of_policy = _OF_POLICIES.get(statement.policy)
    return of_policy or OF_ACTIONS[statement.principal, action]
