"""Checks when an account is ready, and the summary of the findings."""

import pytest
from botocore.exceptions import ClientError

from image_classifier.plan.preflight_checks.finding import Finding, as_report, is_ready, refusal

OK, UNCHECKED = Finding("bucket", "ok", "there"), Finding("quotas of lambda", "not checked", "no answer")
MISSING = Finding("identity", "missing", "nobody", "aws configure\naws sts get-caller-identity")


@pytest.mark.parametrize(("findings", "ready"), [([OK], True), ([OK, UNCHECKED], True), ([OK, MISSING], False)])
def test_an_account_is_ready_if_nothing_is_missing(findings, ready):
    assert is_ready(findings) is ready


def test_the_report_has_every_command_and_counts_its_lines():
    lines = as_report([OK, MISSING, MISSING, UNCHECKED]).splitlines()

    assert [line.split()[-1] for line in lines if "aws sts" in line] == ["get-caller-identity"] * 2
    assert lines[-1] == "2 missing: identity (2 times). 1 not checked: quotas of lambda."
    assert as_report([OK]).endswith("\nNothing is missing.")


def test_names_with_commas_are_told_apart_in_the_last_sentence():
    findings = [Finding("may s3:GetObject, s3:PutObject", "missing", "no"), MISSING]

    assert as_report(findings).endswith("\n2 missing: may s3:GetObject, s3:PutObject; identity.")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("U may not G on R because no identity-based policy allows the G action. A hint.", "U may not G on R"),
        ("U may not G on R with an explicit deny in a policy", "U may not G on R with an explicit deny in a policy"),
    ],
)
def test_a_refusal_is_told_without_what_every_line_would_repeat(message, told):
    assert refusal(ClientError({"Error": {"Message": message}}, "GetRole")) == told
