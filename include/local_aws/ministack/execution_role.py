"""Says what the execution role of a function allows."""

from local_aws.ministack.modules import iam_evaluator, responses


def allows(role_arn: str, action: str, *, resource: str) -> bool:
    """Return whether the policies of the role allow an action, for example ``sqs:SendMessage``, on an ARN."""
    account = responses.get_account_id()
    policies = iam_evaluator._gather_role_policies(role_arn.rsplit("/", 1)[-1], account)
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        secure_transport=True,
    )
    decision: str = iam_evaluator.evaluate(context, policies).decision
    return decision == "Allow"
