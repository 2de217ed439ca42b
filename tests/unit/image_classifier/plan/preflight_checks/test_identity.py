"""Checks that findings about identity, trust and permissions name what is missing and the command that adds it."""

from dataclasses import replace

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


def test_the_role_that_is_named_is_the_one_whose_permissions_are_checked(iam):
    sts = stubbed("sts")
    arn = f"arn:aws:iam::{ACCOUNT}:user/deployer"
    sts.stubber.add_response("get_caller_identity", {"Account": ACCOUNT, "Arn": arn, "UserId": "x"}, {})
    asked = answers(iam)

    caller = find_caller(sts, iam, principal=ROLE)
    findings = list(check_permissions(iam, caller=caller, settings=SETTINGS))

    assert caller == Caller(arn, ACCOUNT, ROLE, "us-east-1", is_named=True)
    assert {one["PolicySourceArn"] for one in asked} == {ROLE}
    assert (findings[0].check, findings[0].found) == ("permissions", f"these are the permissions of {ROLE}")


def test_without_a_name_the_report_says_that_the_caller_s_were_checked(iam):
    answers(iam)

    first, *_ = check_permissions(iam, caller=CALLER, settings=SETTINGS)

    assert first.found.startswith(f"these are the permissions of {ROLE}, the caller; those of Airflow's role are ")
    assert "PRINCIPAL=" in first.found


@pytest.mark.parametrize("code", ["NoSuchEntity", "InvalidInput"])
def test_a_role_that_iam_does_not_know_is_missing_once(iam, code):
    iam.stubber.add_client_error("simulate_principal_policy", code, "not found")

    (finding,) = check_permissions(iam, caller=replace(CALLER, is_named=True), settings=SETTINGS)

    assert (finding.status, finding.command) == ("missing", "aws iam list-roles --query 'Roles[].Arn'")


def test_no_two_lines_of_trust_or_permissions_have_one_name(trusting):
    iam, documents = trusting
    roles = {f"{kind}_role_arn": f"arn:aws:iam::{ACCOUNT}:role/{kind}" for kind in ("hosting", "preparation")}
    documents.update({name: {"Statement": []} for name in ("sagemaker", "hosting", "preparation", "function")})
    settings, _ = SETTINGS.model_copy(update=roles), answers(iam)

    findings = [*check_trust(iam, settings=settings), *check_permissions(iam, caller=CALLER, settings=settings)]

    names = [finding.check for finding in findings]
    assert len(set(names)) == len(names)


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

    assert len(list(check_permissions(iam, caller=CALLER, settings=SETTINGS))) == 1 + SIMULATIONS
    iam.stubber.assert_no_pending_responses()


def test_simulations_that_are_refused_are_said_to_be_unchecked_once(iam):
    iam.stubber.add_client_error("simulate_principal_policy", "AccessDenied")

    (finding,) = check_permissions(iam, caller=CALLER, settings=SETTINGS)

    assert (finding.check, finding.status) == ("permissions", "not checked")


def test_a_simulation_that_fails_is_said_to_be_unchecked(iam):
    for _ in range(SIMULATIONS):
        iam.stubber.add_client_error("simulate_principal_policy", "ServiceFailure")

    _, *findings = check_permissions(iam, caller=CALLER, settings=SETTINGS)

    assert [finding.status for finding in findings] == ["not checked"] * SIMULATIONS


def test_the_account_s_root_is_not_simulated(iam):
    root = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "us-east-1")

    (finding,) = check_permissions(iam, caller=root, settings=SETTINGS)

    assert finding.status == "not checked"
