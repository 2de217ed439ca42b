"""Checks the caller's identity, the roles' trust policies, and the permissions of the caller or of another principal.

IAM's simulator evaluates the principal's own policies with the given context; it ignores session policies, and covers
policies of the organization only in part
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html).
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of, is_access_denied, sentence
from image_classifier.aws.names import PREFIX
from image_classifier.aws.settings import Settings
from image_classifier.plan.preflight_checks.finding import DEPLOY, STACK, Finding, refusal

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

_OTHERS = "those of Airflow's role are checked with PRINCIPAL=<its ARN> (command line: --principal)"
SAGEMAKER, LAMBDA = "sagemaker.amazonaws.com", "lambda.amazonaws.com"
UNKNOWN_PRINCIPAL = {"NoSuchEntity", "InvalidInput", "ValidationError"}
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
    """The caller, and the role or user whose permissions are checked: the caller's own, or a principal that was named.

    Attributes:
        arn: the caller's ARN, as STS gives it.
        account: the account of the caller.
        policy_source_arn: the ARN of the role or user whose policies are simulated.
        region: the region of the calls.
        is_named: whether that role or user was named, and is not the caller's.

    """

    arn: str
    account: str
    policy_source_arn: str
    region: str
    is_named: bool = False

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]

    @property
    def is_root(self) -> bool:
        """Return whether it is the account's root user, which has all permissions, and which IAM cannot simulate."""
        return self.policy_source_arn.endswith(":root")

    @property
    def role_or_user(self) -> tuple[Literal["role", "user"], str]:
        """Return the kind and the name, without its path, of what has the permissions."""
        kind, _, name = self.policy_source_arn.split(":", 5)[-1].rpartition("/")
        return ("user" if kind.startswith("user") else "role"), name


def find_caller(sts: Any, iam: "IAMClient", *, principal: str = "") -> Caller:
    """Return the caller; for the session of an assumed role the policies are those of the role.

    Args:
        sts: a client of the region in which the calls are made.
        iam: a client.
        principal: the ARN of a role or user, such as Airflow's, whose permissions are checked instead of the caller's.

    Raises:
        ClientError: STS refuses the credentials.

    """
    answer = sts.get_caller_identity()
    arn = answer["Arn"]
    source = _policy_source(principal or arn, iam)
    return Caller(arn, answer["Account"], source, sts.meta.region_name, is_named=bool(principal))


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
    """Check, by simulation, that each role may be passed and the calls of a run be made, and say by whom.

    If IAM does not simulate the first action, it simulates none, and this is said once.
    """
    if caller.is_root:
        found = "the caller is the account's root, which IAM does not simulate"
        yield Finding("permissions", "not checked", found if caller.is_named else f"{found}; {_OTHERS}")
        return
    findings = _simulations(iam, caller=caller, settings=settings)
    first = next(findings)
    if first.check == "permissions":
        yield first
        return
    whose = f"these are the permissions of {caller.policy_source_arn}"
    yield Finding("permissions", "ok", whose if caller.is_named else f"{whose}, the caller; {_OTHERS}")
    yield from (first, *findings)


def _simulations(iam: "IAMClient", *, caller: Caller, settings: Settings) -> Iterator[Finding]:
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
    role = arn.rpartition("/")[2]
    check = f"trust of {role}"
    try:
        document: Any = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return Finding(check, "missing", f"role {role} does not exist", DEPLOY)
        return Finding(check, "not checked", f"role {role} cannot be read: {refusal(error)}")
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
    passed = f" {resource.rpartition('/')[2]}" if actions == ("iam:PassRole",) else ""
    check = f"may {', '.join(actions)}{passed}"
    try:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=caller.policy_source_arn,
            ActionNames=list(actions),
            ResourceArns=[resource],
            ContextEntries=context,
        )
    except ClientError as error:
        return _unsimulated(error, caller=caller, check=check)
    refused = [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    if not refused:
        return Finding(check, "ok", f"on {resource}")
    found = f"{caller.policy_source_arn} may not {', '.join(refused)} on {resource}"
    return Finding(check, "missing", found, _attach(caller))


def _unsimulated(error: ClientError, *, caller: Caller, check: str) -> Finding:
    if is_access_denied(error):
        return Finding("permissions", "not checked", f"the simulation is refused: {refusal(error)}")
    if code_of(error) in UNKNOWN_PRINCIPAL:
        kind, _ = caller.role_or_user
        found = f"IAM finds no permissions of {caller.policy_source_arn}: {sentence(error)}"
        return Finding("permissions", "missing", found, f"aws iam list-{kind}s --query '{kind.title()}s[].Arn'")
    return Finding(check, "not checked", f"the simulation is refused: {sentence(error)}")


def _attach(caller: Caller) -> str:
    """Return the command that attaches the stack's policy for Airflow to the role or user."""
    kind, name = caller.role_or_user
    query = "Stacks[0].Outputs[?OutputKey=='AirflowPolicyArn'].OutputValue"
    policy = f'"$(aws cloudformation describe-stacks --stack-name {STACK} --query "{query}" --output text)"'
    return f"aws iam attach-{kind}-policy --{kind}-name {name} --policy-arn {policy}"
