"""Checks that a simulation answers as the enforcement does: with the request's context, paths and boundaries."""

import json
import re

import pytest

from local_aws.clients import ACCOUNT
from local_aws.ministack import policy_simulation
from local_aws.ministack.modules import iam, responses

USER, ROLE = f"arn:aws:iam::{ACCOUNT}:user/deployer", f"arn:aws:iam::{ACCOUNT}:role/team/airflow"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
PASSED_TO = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
PASS = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": PASSED_TO}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(autouse=True)
def principals(monkeypatch):
    """A user with a boundary, and a role with a path, both with the same policy."""
    stores = {
        name: responses.AccountScopedDict() for name in ("_users", "_roles", "_policies", "_user_inline_policies")
    }
    policy = document(PASS, READ)
    stores["_users"]._data = {(ACCOUNT, "deployer"): {"Arn": USER, "PermissionsBoundary": BOUNDARY}}
    stores["_user_inline_policies"]._data = {(ACCOUNT, "deployer"): {"own": policy}}
    stores["_roles"]._data = {(ACCOUNT, "airflow"): {"Arn": ROLE, "InlinePolicies": {"own": policy}}}
    versions = {"v1": {"Document": document({**PASS, "Condition": {}})}}
    stores["_policies"]._data = {(ACCOUNT, BOUNDARY): {"DefaultVersionId": "v1", "Versions": versions}}
    for name, store in stores.items():
        monkeypatch.setattr(iam, name, store)


def simulated(arn, *actions, resources=(), service=""):
    """The decisions, in order."""
    context = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues.member.1": service,
        "ContextKeyType": "string",
    }
    request = {
        "PolicySourceArn": [arn],
        **{f"ActionNames.member.{number}": [action] for number, action in enumerate(actions, 1)},
        **{f"ResourceArns.member.{number}": [one] for number, one in enumerate(resources, 1)},
        **({f"ContextEntries.member.1.{key}": [value] for key, value in context.items()} if service else {}),
    }
    status, _, body = policy_simulation.simulate(request)
    return status, re.findall("<EvalDecision>(.*?)<", body.decode())


@pytest.mark.parametrize("arn", [USER, ROLE])
@pytest.mark.parametrize(
    ("service", "decision"),
    [("sagemaker.amazonaws.com", "allowed"), ("ec2.amazonaws.com", "implicitDeny"), ("", "implicitDeny")],
)
def test_a_condition_is_checked_with_the_given_context(arn, service, decision):
    assert simulated(arn, "iam:PassRole", service=service) == (200, [decision])


def test_a_permissions_boundary_denies_what_it_does_not_name():
    resources = ["arn:aws:s3:::b/x", "arn:aws:s3:::c/x"]

    assert simulated(ROLE, "s3:GetObject", resources=resources) == (200, ["allowed", "implicitDeny"])
    assert simulated(USER, "s3:GetObject", resources=resources) == (200, ["implicitDeny", "implicitDeny"])


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:role/airflow", f"{USER}s", f"arn:aws:iam::{ACCOUNT}:group/g"])
def test_a_principal_that_does_not_exist_is_refused(arn):
    assert simulated(arn, "s3:GetObject") == (404, [])
