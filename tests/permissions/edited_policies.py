"""Takes a statement out of a policy that is deployed to the local AWS, to show what is denied without it."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

POLICY_DOCUMENT = "PolicyDocument"
INLINE = {  # the role, and the policy's name in it
    "TrainingPolicy": ("SagemakerRole", "training"),
    "HostingPolicy": ("HostingRole", "hosting"),
    "PreparationPolicy": ("PreparationRole", "preparation"),
    "FunctionPolicy": ("FunctionRole", "inference"),
}


@contextlib.contextmanager
def without(iam: Any, policy: str, sid: str) -> Iterator[None]:
    """A policy of the stack, by its logical id, without one of its statements; `iam` is a client of the root's."""
    deployed = _Inline(iam, *_role(iam, policy)) if policy in INLINE else _Managed(iam, _arn(iam, policy))
    document = deployed.document()
    kept = [item for item in document["Statement"] if item["Sid"] != sid]
    assert len(kept) < len(document["Statement"])
    deployed.put({**document, "Statement": kept})
    try:
        yield
    finally:
        deployed.put(document)


@dataclass(frozen=True)
class _Inline:
    iam: Any
    role: str
    name: str

    def document(self) -> dict[str, Any]:
        return dict(self.iam.get_role_policy(RoleName=self.role, PolicyName=self.name)[POLICY_DOCUMENT])

    def put(self, document: Mapping[str, Any]) -> None:
        self.iam.put_role_policy(RoleName=self.role, PolicyName=self.name, PolicyDocument=json.dumps(document))


@dataclass(frozen=True)
class _Managed:
    iam: Any
    arn: str

    def document(self) -> dict[str, Any]:
        version = self.iam.get_policy_version(PolicyArn=self.arn, VersionId=self._version())
        return dict(version["PolicyVersion"]["Document"])

    def put(self, document: Mapping[str, Any]) -> None:
        old = self._version()
        self.iam.create_policy_version(PolicyArn=self.arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
        self.iam.delete_policy_version(PolicyArn=self.arn, VersionId=old)

    def _version(self) -> str:
        return str(self.iam.get_policy(PolicyArn=self.arn)["Policy"]["DefaultVersionId"])


def _role(iam: Any, policy: str) -> tuple[str, str]:
    role, name = INLINE[policy]
    found = (one["RoleName"] for one in iam.list_roles()["Roles"])
    return next(each for each in found if f"-{role}-" in each), name


def _arn(iam: Any, policy: str) -> str:
    found = iam.list_policies(Scope="Local")["Policies"]
    return next(str(one["Arn"]) for one in found if f"-{policy}-" in one["PolicyName"])
