"""Checks that findings about identity, trust and permissions name what is missing and the command that adds it."""

import boto3
import pytest
from botocore.stub import ANY, Stubber

from image_classifier.aws.settings import Settings
from image_classifier.plan.preflight_checks.finding import DEPLOY
from image_classifier.plan.preflight_checks.identity import (
    CALLS,
    Caller,
    check_identity,
    check_permissions,
    check_trust,
    find_caller,
)

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/airflow"
SETTINGS = Settings(
    bucket="a-bucket",
    sagemaker_role_arn=f"arn:aws:iam::{ACCOUNT}:role/sagemaker",
    function_role_arn=f"arn:aws:iam::{ACCOUNT}:role/function",
    failure_queue_arn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:failures",
)
CALLER = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/airflow/worker", ACCOUNT, ROLE, "us-east-1")
ROLE_FIELDS = {"Path": "/team/", "RoleName": "airflow", "RoleId": "AROAAAAAAAAAAAAAAAAAA", "CreateDate": "2026-01-01"}


def stubbed(service):
    client = boto3.Session("testing", "testing", region_name="us-east-1").client(service)
    client.stubber = Stubber(client)
    client.stubber.activate()
    return client


@pytest.fixture
def iam():
    return stubbed("iam")


SIMULATIONS = len(CALLS) + 2  # and passing each role


def role():
    return {"Role": {**ROLE_FIELDS, "Arn": ROLE}}


@pytest.fixture
def trusting(iam, monkeypatch):
    """Answers get_role with a parsed document, as botocore does for real responses."""
    documents = {}

    def get_role(**request):
        return {"Role": {"AssumeRolePolicyDocument": documents[request["RoleName"]]}}

    monkeypatch.setattr(iam, "get_role", get_role)
    return iam, documents


def statement(service):
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}


def test_the_session_of_a_role_is_traced_to_the_role_with_its_path(iam):
    sts = stubbed("sts")
    sts.stubber.add_response("get_caller_identity", {"Account": ACCOUNT, "Arn": CALLER.arn, "UserId": "x"}, {})
    iam.stubber.add_response("get_role", role(), {"RoleName": "airflow"})

    assert find_caller(sts, iam) == CALLER


def test_credentials_of_another_account_are_named(iam):
    finding = check_identity(
        Caller("arn:aws:iam::999999999999:user/a", "999999999999", "x", "us-east-1"), settings=SETTINGS
    )

    assert finding.status == "missing"
    assert ACCOUNT in finding.found
    assert ACCOUNT in finding.command


def test_the_right_account_is_well(iam):
    assert check_identity(CALLER, settings=SETTINGS).status == "ok"


def test_both_roles_trust_their_services(trusting):
    iam, documents = trusting
    documents["sagemaker"] = {"Statement": [statement("sagemaker.amazonaws.com")]}
    documents["function"] = {"Statement": [statement(["lambda.amazonaws.com", "edgelambda.amazonaws.com"])]}

    assert [finding.status for finding in check_trust(iam, settings=SETTINGS)] == ["ok", "ok"]


def test_a_role_of_its_own_for_models_is_checked_as_well(trusting):
    iam, documents = trusting
    documents["sagemaker"] = documents["hosting"] = {"Statement": [statement("sagemaker.amazonaws.com")]}
    documents["function"] = {"Statement": [statement("lambda.amazonaws.com")]}
    settings = SETTINGS.model_copy(update={"hosting_role_arn": f"arn:aws:iam::{ACCOUNT}:role/hosting"})
    asked = answers(iam)

    assert [finding.status for finding in check_trust(iam, settings=settings)] == ["ok", "ok", "ok"]
    list(check_permissions(iam, caller=CALLER, settings=settings))
    assert [settings.hosting_role_arn] in [one["ResourceArns"] for one in asked]


def test_a_role_that_trusts_another_service_gets_a_command_that_adds_ours(trusting):
    iam, documents = trusting
    documents["sagemaker"] = {"Version": "2012-10-17", "Statement": [statement("ec2.amazonaws.com")]}
    documents["function"] = {"Statement": [statement("lambda.amazonaws.com")]}

    first, second = check_trust(iam, settings=SETTINGS)

    assert (first.status, second.status) == ("missing", "ok")
    assert first.command.startswith("aws iam update-assume-role-policy --role-name sagemaker --policy-document '{")
    assert "ec2.amazonaws.com" in first.command
    assert "sagemaker.amazonaws.com" in first.command


@pytest.mark.parametrize("change", [{"Effect": "Deny"}, {"Action": "sts:TagSession"}, {"Principal": "*"}])
def test_a_statement_that_allows_something_else_is_no_trust(trusting, change):
    iam, documents = trusting
    documents["sagemaker"] = {"Statement": [{**statement("sagemaker.amazonaws.com"), **change}]}
    documents["function"] = {"Statement": [statement("lambda.amazonaws.com")]}

    assert [finding.status for finding in check_trust(iam, settings=SETTINGS)] == ["missing", "ok"]


def test_a_role_that_does_not_exist_is_deployed_with_the_stack(iam):
    iam.stubber.add_client_error("get_role", "NoSuchEntity")
    iam.stubber.add_client_error("get_role", "AccessDenied", "not you")

    first, second = check_trust(iam, settings=SETTINGS)

    assert (first.status, first.command) == ("missing", DEPLOY)
    assert (second.status, "not you" in second.found) == ("not checked", True)


def answers(iam, refused=()):
    """Answers every simulation; an action in `refused` is denied."""
    asked = []

    def simulate(**request):
        asked.append(request)
        decisions = {action: "implicitDeny" if action in refused else "allowed" for action in request["ActionNames"]}
        return {"EvaluationResults": [{"EvalActionName": a, "EvalDecision": d} for a, d in decisions.items()]}

    iam.simulate_principal_policy = simulate
    return asked


def test_passing_a_role_is_simulated_with_the_service_it_is_passed_to(iam):
    asked = answers(iam)

    findings = list(check_permissions(iam, caller=CALLER, settings=SETTINGS))

    assert {finding.status for finding in findings} == {"ok"}
    assert [
        (one["ResourceArns"], one["ContextEntries"][0]["ContextKeyValues"])
        for one in asked
        if one["ActionNames"] == ["iam:PassRole"]
    ] == [
        ([SETTINGS.sagemaker_role_arn], ["sagemaker.amazonaws.com"]),
        ([SETTINGS.function_role_arn], ["lambda.amazonaws.com"]),
    ]
    assert {one["PolicySourceArn"] for one in asked} == {ROLE}


@pytest.mark.parametrize("action", ["iam:PassRole", "sagemaker:CreateTrainingJob", "s3:PutBucketNotification"])
def test_a_right_that_is_missing_gets_the_command_that_attaches_the_policy(iam, action):
    answers(iam, refused={action})

    missing = [one for one in check_permissions(iam, caller=CALLER, settings=SETTINGS) if one.status == "missing"]

    assert missing
    assert all(action in one.found for one in missing)
    assert all("aws iam attach-role-policy --role-name airflow --policy-arn" in one.command for one in missing)


def test_every_simulation_is_a_request_that_iam_takes(iam):
    empty = {"EvaluationResults": []}
    for _ in range(SIMULATIONS):
        iam.stubber.add_response(
            "simulate_principal_policy",
            empty,
            {**dict.fromkeys(("PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries"), ANY)},
        )

    assert len(list(check_permissions(iam, caller=CALLER, settings=SETTINGS))) == SIMULATIONS
    iam.stubber.assert_no_pending_responses()


def test_a_simulation_that_is_refused_is_said_to_be_unchecked(iam):
    for _ in range(SIMULATIONS):
        iam.stubber.add_client_error("simulate_principal_policy", "AccessDenied")

    findings = list(check_permissions(iam, caller=CALLER, settings=SETTINGS))

    assert {finding.status for finding in findings} == {"not checked"}


def test_the_account_s_root_is_not_simulated(iam):
    root = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "us-east-1")

    (finding,) = check_permissions(iam, caller=root, settings=SETTINGS)

    assert finding.status == "not checked"
