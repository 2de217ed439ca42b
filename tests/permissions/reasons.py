"""Lists why the template allows actions that no run against the local AWS needs."""

from tests.permissions.policies import Statement

_SAGEMAKER = "SageMaker makes this call as the role (AWS's page on execution roles); the local AWS does not"
_LAMBDA = "Lambda makes this call as the role (AWS's page on execution roles); the local AWS does not"
_OF_POLICIES = {
    "SagemakerVpcPolicy": "A classifier file with `vpc_config` needs it; the local AWS has no VPC",
    "KmsPolicy": "A bucket with a KMS key needs it; the local AWS has no KMS",
    "AirflowKmsPolicy": "A bucket with a KMS key needs it; the local AWS has no KMS",
}
OF_ACTIONS = {
    ("SagemakerRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("SagemakerRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("HostingRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("HostingRole", "s3:ListBucket"): _SAGEMAKER,
    ("HostingRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("HostingRole", "cloudwatch:DescribeAlarms"): "SageMaker reads the alarms of `rollout.alarms` during an update",
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
    ("FunctionRole", "s3:ListBucket"): "Without it, S3 answers 403 instead of 404 for an absent key",
    ("PreparationRole", "s3:ListBucketMultipartUploads"): _SAGEMAKER,
    ("PreparationRole", "s3:AbortMultipartUpload"): _SAGEMAKER,
    ("PreparationRole", "s3:GetObjectVersion"): "The job reads corrected uploads; the recorded job has none",
    ("Airflow", "s3:GetObjectVersion"): "Prepare reads corrected uploads; the recorded runs have none",
    ("Airflow", "cloudwatch:DescribeAlarms"): "UpdateEndpoint with `rollout.alarms` needs it on AWS",
    ("Airflow", "lambda:ListTags"): "Without it, GetFunction returns no tags",
    ("Airflow", "lambda:TagResource"): "CreateFunction with tags needs it on AWS, as does a change of the tags",
    (
        "Airflow",
        "lambda:UpdateFunctionCode",
    ): "A change of the function's code needs it; the recorded runs deploy one release",
    ("Airflow", "logs:TagResource"): "CreateLogGroup with tags needs it on AWS",
    (
        "Airflow",
        "pricing:GetProducts",
    ): "Plan and report read prices; the local Price List answers without asking IAM",
    ("Airflow", "sqs:TagQueue"): "CreateQueue with tags needs it on AWS",
}


def reason(statement: Statement, action: str) -> str:
    """The reason, in words.

    Raises:
        KeyError: nobody wrote one down; record a call that needs the action, or take it out of the template.

    """
    of_policy = _OF_POLICIES.get(statement.policy)
    return of_policy or OF_ACTIONS[statement.principal, action]
