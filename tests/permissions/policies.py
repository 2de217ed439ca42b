"""Reads the template's policies, and asks MiniStack's evaluator of IAM policies what they allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ministack.core import iam_evaluator

TEMPLATE = Path(__file__).parents[2] / "include" / "infrastructure" / "template.yaml"
ACCOUNT, REGION, BUCKET = "111122223333", "us-east-1", "the-bucket"
IAM_PREFIX = f"arn:aws:iam::{ACCOUNT}"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
ARNS = {
    "Bucket": f"arn:aws:s3:::{BUCKET}",
    "FailureQueue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:image-classifier-FailureQueue",
    **{
        role: f"{IAM_PREFIX}:role/{role}"
        for role in ("SagemakerRole", "HostingRole", "PreparationRole", "FunctionRole")
    },
}
ATTACHED = {"AirflowPolicy": "Airflow", "AirflowKmsPolicy": "Airflow", "ApiServerPolicy": "ApiServer"}


@dataclass(frozen=True)
class Statement:
    """One Allow statement: whose it is, the policy's logical id, its Sid, and the statement with resolved ARNs."""

    principal: str  # SagemakerRole, HostingRole, PreparationRole, FunctionRole, Airflow or ApiServer
    policy: str
    sid: str
    document: Mapping[str, Any]

    @property
    def actions(self) -> list[str]:
        action = self.document["Action"]
        return action if isinstance(action, list) else [action]


def statements() -> list[Statement]:
    """Every Allow statement of the template's identity policies, once for each principal that has it."""
    resources = yaml.load(TEMPLATE.read_text(), Loader=_Loader)["Resources"]
    return [
        Statement(principal, name, document["Sid"], document)
        for name, resource in resources.items()
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for principal in _principals(name, resource["Properties"])
        for document in _resolved(resource["Properties"]["PolicyDocument"]["Statement"])
        if document["Effect"] == "Allow"
    ]


def allows(among: list[Statement], call: Mapping[str, Any]) -> bool:
    """Return whether the call's principal may make it with these statements alone."""
    documents = [item.document for item in among if item.principal == call["principal"]]
    policy = iam_evaluator.parse_policy_document({"Version": "2012-10-17", "Statement": documents})
    context = iam_evaluator.EvalContext(
        principal_arn=f"{IAM_PREFIX}:role/{call['principal']}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=call["action"],
        resource_arn=call["resource"],
        region=REGION,
        secure_transport=True,
        service_context={key.lower(): value for key, value in call["context"].items()},  # its keys are lower case
    )
    return bool(iam_evaluator.evaluate(context, [policy]).decision == "Allow")


def _principals(name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    yield from (role["Ref"] for role in properties.get("Roles", []))
    if name in ATTACHED:
        yield ATTACHED[name]


class _Loader(yaml.SafeLoader):
    pass


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


def _resolved(value: Any) -> Any:
    """The value with its references replaced; the key's ARN is of no account."""
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"GetAtt"}:
        return ARNS[value["GetAtt"].removesuffix(".Arn")]
    if set(value) == {"Ref"}:
        return PSEUDO.get(value["Ref"], value["Ref"])
    if set(value) == {"Sub"}:
        text = value["Sub"]
        names = {**PSEUDO, **{f"{name}.Arn": arn for name, arn in ARNS.items()}}
        for name, replacement in names.items():
            text = text.replace("${" + name + "}", replacement)
        return text
    return {key: _resolved(item) for key, item in value.items()}
