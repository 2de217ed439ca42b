"""Checks when an account is ready, and the summary of the findings."""

import pytest

from image_classifier.plan.preflight_checks.finding import Finding, as_report, is_ready

OK, UNCHECKED = Finding("bucket", "ok", "there"), Finding("quotas of lambda", "not checked", "no answer")
MISSING = Finding("identity", "missing", "nobody", "aws configure\naws sts get-caller-identity")


@pytest.mark.parametrize(("findings", "ready"), [([OK], True), ([OK, UNCHECKED], True), ([OK, MISSING], False)])
def test_an_account_is_ready_if_nothing_is_missing(findings, ready):
    assert is_ready(findings) is ready


def test_the_report_has_every_command_and_names_each_check_once():
    lines = as_report([OK, MISSING, MISSING, UNCHECKED]).splitlines()

    assert [line.split()[-1] for line in lines if "aws sts" in line] == ["get-caller-identity"] * 2
    assert lines[-1] == "1 missing: identity. 1 not checked: quotas of lambda."
    assert as_report([OK]).endswith("\nNothing is missing.")
