"""Checks the caller's identity, the trust policies of the roles, and the caller's permissions for a run.

IAM's simulator evaluates the caller's own policies with the given context; it ignores session policies, and covers
policies of the organization only in part
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html).
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import sentence
from image_classifier.aws.names import PREFIX
from image_classifier.aws.settings import Settings
from image_classifier.plan.preflight_checks.finding import DEPLOY, STACK, Finding

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

SAGEMAKER, LAMBDA = "sagemaker.amazonaws.com", "lambda.amazonaws.com"
# The actions that a run needs before or when it starts to cost, by the resource in the simulation.
CALLS = {
    "arn:{partition}:sagemaker:{region}:{account}:training-job/{prefix}x": ("sagemaker:CreateTrainingJob",),
    "arn:{partition}:sagemaker:{region}:{account}:model/{prefix}x": ("sagemaker:CreateModel",),
    "arn:{partition}:sagemaker:{region}:{account}:transform-job/{prefix}x": ("sagemaker:CreateTransformJob",),
    "arn:{partition}:sagemaker:{region}:{account}:endpoint/{prefix}x": ("sagemaker:CreateEndpoint",),
    "arn:{partition}:lambda:{region}:{account}:function:{prefix}x": ("lambda:CreateFunction", "lambda:GetFunction"),
    "arn:{partition}:s3:::{bucket}": ("s3:ListBucket", "s3:PutBucketNotification"),
    "arn:{partition}:s3:::{bucket}/x": ("s3:GetObject", "s3:PutObject"),
}


@dataclass(frozen=True)
class Caller:
    """The caller: its ARN as STS gives it, and the ARN of the role or user whose policies apply."""

    arn: str
    account: str
    policy_source_arn: str
    region: str

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]

    @property
    def is_root(self) -> bool:
        """Return whether the caller is the account's root user: it has all permissions, and IAM cannot simulate it."""
        return self.arn.endswith(":root")


def find_caller(sts: Any, iam: "IAMClient") -> Caller:
    """Return the caller; for the session of an assumed role the policies are those of the role.

    Raises:
        ClientError: STS refuses the credentials.

    """
    answer = sts.get_caller_identity()
    arn = answer["Arn"]
    return Caller(arn, answer["Account"], _policy_source(arn, iam), sts.meta.region_name)


def check_identity(caller: Caller, *, settings: Settings) -> Finding:
    """Check that the credentials belong to the account in the settings."""
    expected = settings.function_role_arn.split(":")[4]
    found = f"{caller.arn} in region {caller.region}"
    if caller.account == expected:
        return Finding("identity", "ok", found)
    return Finding(
        "identity",
        "missing",
        f"{found}; IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN is of account {expected}",
        f"aws sts get-caller-identity --profile <a profile of account {expected}>",
    )


def check_trust(iam: "IAMClient", *, settings: Settings) -> Iterator[Finding]:
    """Check that SageMaker may assume the roles of jobs and models, and Lambda the functions' role."""
    for arn, service in _roles(settings):
        yield _trust(iam, arn=arn, service=service)


def check_permissions(iam: "IAMClient", *, caller: Caller, settings: Settings) -> Iterator[Finding]:
    """Check, by simulation, that the caller may pass each role and make the calls of a run."""
    if caller.is_root:
        yield Finding("permissions", "not checked", "the caller is the account's root, which IAM does not simulate")
        return
    for arn, service in _roles(settings):
        context = [{"ContextKeyName": "iam:PassedToService", "ContextKeyValues": [service], "ContextKeyType": "string"}]
        yield _simulated(iam, caller, actions=("iam:PassRole",), resource=arn, context=context)
    for pattern, actions in CALLS.items():
        resource = pattern.format(
            partition=caller.partition,
            region=caller.region,
            account=caller.account,
            prefix=PREFIX,
            bucket=settings.bucket,
        )
        yield _simulated(iam, caller, actions=actions, resource=resource, context=[])


def _roles(settings: Settings) -> list[tuple[str, str]]:
    """Return (role ARN, service that assumes it) for each role that a run passes."""
    of_sagemaker = dict.fromkeys((settings.sagemaker_role_arn, settings.model_role_arn, settings.preparation_role_arn))
    return [*((arn, SAGEMAKER) for arn in of_sagemaker if arn), (settings.function_role_arn, LAMBDA)]


def _policy_source(arn: str, iam: "IAMClient") -> str:
    """Return the ARN of an assumed role's session; STS leaves out the role's path, so IAM is asked for it."""
    parts = arn.split(":", 5)
    if not parts[5].startswith("assumed-role/"):
        return arn
    role = parts[5].split("/")[1]
    try:
        return iam.get_role(RoleName=role)["Role"]["Arn"]
    except ClientError:
        return f"arn:{parts[1]}:iam::{parts[4]}:role/{role}"


def _trust(iam: "IAMClient", *, arn: str, service: str) -> Finding:
    check, role = f"trust of {service.partition('.')[0]}", arn.rpartition("/")[2]
    try:
        document: Any = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return Finding(check, "missing", f"role {role} does not exist", DEPLOY)
        return Finding(check, "not checked", f"role {role} cannot be read: {sentence(error)}")
    if any(_trusts(statement, service) for statement in document["Statement"]):
        return Finding(check, "ok", f"{service} may assume {role}")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    wanted = json.dumps({**document, "Statement": [*document["Statement"], trust]})
    command = f"aws iam update-assume-role-policy --role-name {role} --policy-document {shlex.quote(wanted)}"
    return Finding(check, "missing", f"{service} may not assume {role}", command)


def _trusts(statement: Mapping[str, Any], service: str) -> bool:
    services, actions = statement.get("Principal", {}), statement.get("Action", ())
    named = services.get("Service", ()) if isinstance(services, Mapping) else ()
    return statement["Effect"] == "Allow" and service in _list(named) and "sts:AssumeRole" in _list(actions)


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _simulated(
    iam: "IAMClient", caller: Caller, *, actions: tuple[str, ...], resource: str, context: list[Any]
) -> Finding:
    check = f"may {', '.join(actions)}"
    try:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=caller.policy_source_arn,
            ActionNames=list(actions),
            ResourceArns=[resource],
            ContextEntries=context,
        )
    except ClientError as error:
        return Finding(check, "not checked", f"the simulation is refused: {sentence(error)}")
    refused = [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    if not refused:
        return Finding(check, "ok", f"on {resource}")
    found = f"{caller.policy_source_arn} may not {', '.join(refused)} on {resource}"
    return Finding(check, "missing", found, _attach(caller))


def _attach(caller: Caller) -> str:
    """Return the command that attaches the stack's policy for Airflow to the caller."""
    kind, _, name = caller.policy_source_arn.split(":", 5)[5].rpartition("/")
    is_user = kind.startswith("user")
    query = "Stacks[0].Outputs[?OutputKey=='AirflowPolicyArn'].OutputValue"
    policy = f'"$(aws cloudformation describe-stacks --stack-name {STACK} --query "{query}" --output text)"'
    action, option = ("attach-user-policy", "--user-name") if is_user else ("attach-role-policy", "--role-name")
    return f"aws iam {action} {option} {name} --policy-arn {policy}"
