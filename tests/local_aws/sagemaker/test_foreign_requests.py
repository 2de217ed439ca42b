"""Checks with raw sockets that the SageMaker server refuses what a web page could send."""

import pytest

LIST = ["X-Amz-Target: SageMaker.ListTrainingJobs", "Content-Type: application/x-amz-json-1.1"]


@pytest.mark.parametrize("path", ["/", "/endpoints/e/invocations", "/health"])
def test_a_foreign_request_is_refused(server, raw_answer, foreign_headers, path):
    status, _, content = raw_answer(server.port, f"POST {path} HTTP/1.1", [*foreign_headers, *LIST], body=b"{}")

    assert status == 403
    assert b"TrainingJobSummaries" not in content


def test_the_same_request_of_a_program_is_answered(server, raw_answer):
    status, headers, content = raw_answer(server.port, "POST / HTTP/1.1", ["Host: {own}", *LIST], body=b"{}")

    assert status == 200
    assert b"TrainingJobSummaries" in content
    assert not [name for name in headers if name.startswith("access-control-")]


def test_two_hosts_are_refused(server, raw_answer):
    assert raw_answer(server.port, "GET /health HTTP/1.1", ["Host: {own}", "Host: evil.example"])[0] in {400, 403}


def test_a_whole_url_of_another_host_is_refused(server, raw_answer):
    assert raw_answer(server.port, "GET http://evil.example/health HTTP/1.1", ["Host: evil.example"])[0] == 403


def test_what_it_keeps_belongs_to_its_owner_alone(server):
    kept = [server.state / "sagemaker.sqlite", server.state / "sagemaker.lock"]

    assert [path for path in kept if path.stat().st_mode & 0o077] == []
