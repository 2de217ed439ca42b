"""Checks the IAM action of requests to Lambda, and the answers to refused requests."""

import json

import pytest

from local_aws.ministack import iam_enforcement
from local_aws.ministack.modules import iam, iam_evaluator, responses, sts

HINT = "The keys are in keys.json."


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("POST", "/2015-03-31/functions", "CreateFunction"),
        ("GET", "/2015-03-31/functions/", "ListFunctions"),
        ("POST", "/2015-03-31/functions/f/invocations", "InvokeFunction"),
        ("GET", "/2015-03-31/functions/f/aliases/live", "GetAlias"),
        ("PUT", "/2015-03-31/functions/f/aliases/live", "UpdateAlias"),
        ("GET", "/2019-09-25/functions/f/event-invoke-config", "GetFunctionEventInvokeConfig"),
        ("PUT", "/2019-09-25/functions/f/event-invoke-config", "PutFunctionEventInvokeConfig"),
        ("PUT", "/2017-10-31/functions/f/concurrency", "PutFunctionConcurrency"),
        ("DELETE", "/2017-10-31/functions/f/concurrency", "DeleteFunctionConcurrency"),
        ("POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping"),
        ("DELETE", "/2015-03-31/event-source-mappings/u", "DeleteEventSourceMapping"),
        ("GET", "/2016-08-19/account-settings", "GetAccountSettings"),
        ("GET", "/nothing", None),
    ],
)
def test_a_request_is_the_operation_of_lambdas_model(method: str, path: str, action: str | None) -> None:
    assert iam_enforcement.lambda_action(method, path) == action


@pytest.mark.parametrize(
    ("pattern", "ignore_case", "value", "is_matched"),
    [
        ("bucket/*", False, "bucket/two\nlines.png", True),
        ("bucket/?", False, "bucket/\n", True),
        ("bucket/a", False, "bucket/a\n", False),
        ("bucket/a.b", False, "bucket/a+b", False),
        ("bucket/A*", False, "bucket/a", False),
        ("s3:get*", True, "s3:GetObject", True),
    ],
)
def test_wildcards_match_every_character(pattern: str, ignore_case: bool, value: str, is_matched: bool) -> None:
    assert bool(iam_enforcement.wildcards(pattern, ignore_case).match(value)) is is_matched


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"<Error><Message>No.</Message></Error>", b"<Error><Message>No. The keys are in keys.json.</Message></Error>"),
        (b'{"message": "No"}', b'{"message": "No. The keys are in keys.json."}'),
        (b"", b""),
    ],
)
def test_a_refusal_says_where_the_keys_are(body: bytes, answer: bytes) -> None:
    respond = iam_enforcement.denial(lambda *_, **__: (403, {}, body), where_keys_are=HINT)

    assert respond("s3", "s3:GetObject", "arn", "id") == (403, {}, answer)


@pytest.mark.parametrize(
    ("action", "found", "document", "resource"),
    [
        ("lambda:CreateFunction", "*", {"FunctionName": "f"}, "lambda:us-east-1:000000000000:function:f"),
        ("logs:DescribeLogGroups", "*", {}, "logs:us-east-1:000000000000:log-group::*"),
        ("logs:DescribeLogGroups", "*", {"logGroupNamePrefix": "/a"}, "logs:us-east-1:000000000000:log-group:/a:*"),
        ("logs:DeleteLogStream", "arn:aws:logs:g", {"logStreamName": "s"}, "logs:g:log-stream:s"),
        ("logs:DeleteLogGroup", "arn:aws:logs:g", {"logStreamName": "s"}, "logs:g"),
        ("cloudwatch:DescribeAlarms", "*", {}, "cloudwatch:us-east-1:000000000000:alarm:*"),
    ],
)
def test_an_action_is_checked_on_the_resource_that_aws_documents(
    action: str, found: str, document: dict[str, str], resource: str
) -> None:
    checked = iam_enforcement.resource_of(action, found, document=document, region="us-east-1")

    assert checked == f"arn:aws:{resource}"


def test_a_refused_role_is_named() -> None:
    iam_enforcement.denied_role.set(("iam:PassRole", "arn:role"))
    respond = iam_enforcement.denial(
        lambda *_, message="", **__: (403, {}, json.dumps({"message": message}).encode()), where_keys_are=HINT
    )

    _, _, body = respond("lambda", "lambda:CreateFunction", "arn:user", "id")

    iam_enforcement.denied_role.set(None)
    assert json.loads(body)["message"] == (
        "User: arn:user is not authorized to perform: iam:PassRole on resource: arn:role because no identity-based "
        f"policy allows the iam:PassRole action. {HINT}"
    )


ACCOUNT_ID = "000000000000"
ROLE_SESSION = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/FunctionRole/f"


@pytest.fixture
def callers(monkeypatch):
    """An active and an inactive key of a user, a session of a role, and sessions that expired or are of nobody."""
    key = {"Status": "Active", "SecretAccessKey": "secret", "UserName": "airflow"}
    keys, users = responses.AccountScopedDict(), responses.AccountScopedDict()
    keys._data = {(ACCOUNT_ID, "AKIAUSER"): key, (ACCOUNT_ID, "AKIAOLD"): {**key, "Status": "Inactive"}}
    users._data = {(ACCOUNT_ID, "airflow"): {"Arn": f"arn:aws:iam::{ACCOUNT_ID}:user/airflow", "UserId": "u"}}
    session = {"Arn": ROLE_SESSION, "SecretAccessKey": "secret", "SessionToken": "token"}
    sessions = {"ASIAROLE": session, "ASIAOLD": {**session, "Expiration": 1.0}, "ASIANOBODY": {**session, "Arn": "a"}}
    monkeypatch.setattr(iam, "_access_keys", keys)
    monkeypatch.setattr(iam, "_users", users)
    monkeypatch.setattr(sts, "_sessions", sessions)


@pytest.mark.parametrize(
    ("access_key", "arn"),
    [
        ("AKIAUSER", f"arn:aws:iam::{ACCOUNT_ID}:user/airflow"),
        ("ASIAROLE", ROLE_SESSION),
        *((key, f"arn:aws:iam::{ACCOUNT_ID}:root") for key in ("", "test", "AKIAOLD", "ASIAOLD", "ASIANOBODY", "AKIA")),
    ],
)
def test_a_caller_has_the_arn_that_ministack_finds(access_key, arn, callers):
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-east-1/s3/aws4_request"}
    found = iam_enforcement.request_caller_arn(iam_evaluator.request_caller_arn)(headers, {})

    assert found == arn == iam_evaluator.request_caller_arn(headers, {})


def test_the_policies_of_a_caller_are_not_collected_for_its_arn(callers):
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=ASIAROLE/20260101/us-east-1/s3/aws4_request"}

    assert iam_enforcement.request_caller_arn(lambda *_: "collected")(headers) == ROLE_SESSION


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "actions"),
    [
        ("PUT", "/b/k", [], {}, []),
        ("PUT", "/b/k/l", [], {"if-match": '"e"'}, ["s3:GetObject"]),
        ("POST", "/b/k/l", ["uploadId"], {"if-match": '"e"'}, ["s3:GetObject"]),
        ("PUT", "/b/k/l", [], {"x-amz-tagging": "a=b"}, ["s3:PutObjectTagging"]),
        ("POST", "/b/k/l", ["uploads"], {"x-amz-tagging": "a=b"}, ["s3:PutObjectTagging"]),
        ("PUT", "/b/k/l", [], {"x-amz-acl": "private"}, ["s3:PutObjectAcl"]),
        ("PUT", "/b/k/l", [], {"x-amz-grant-read": "id=1"}, ["s3:PutObjectAcl"]),
        ("PUT", "/b", [], {"x-amz-acl": "private"}, []),
        ("GET", "/b/k/l", [], {"if-match": '"e"'}, []),
        ("POST", "/b", ["delete"], {"if-match": '"e"'}, []),
    ],
)
def test_headers_of_a_write_need_rights_of_their_own(method, path, query, headers, actions):
    checks = iam_enforcement.s3_additional_checks(lambda *_: [])

    found = checks(method, path, headers, b"", {name: [""] for name in query})

    assert found == [(action, f"arn:aws:s3:::{path[1:]}") for action in actions]
