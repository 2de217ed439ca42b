"""Evaluates the policy of an SQS queue when an AWS service delivers to it, whether or not IAM is enforced."""

from local_aws.ministack.modules import iam_evaluator, responses, sqs


def allows(queue_arn: str, service: str, source_arn: str, source_account: str) -> bool:
    """Return whether the queue's policy lets this service (``s3.amazonaws.com``) send a message for this source.

    Arguments are positional because this replaces MiniStack's function, which returns True unless IAM is enforced, and
    takes every delivery for plain HTTP.
    """
    queue = sqs._queue_by_arn(queue_arn)
    policy = queue["attributes"].get("Policy") if queue else None
    if not policy:
        return False
    source = {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": source_account,
        "aws:sourceowner": source_account,
        "aws:viaawsservice": "true",
    }
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sqs:SendMessage",
        resource_arn=queue_arn,
        region=responses.get_region(),
        service_context=source,
        secure_transport=True,
    )
    decision: str = iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision
    return decision == "Allow"
