"""Checks that changes of configuration are saved before they are answered, and that objects and invocations do not
wait.
"""

import pytest

from local_aws.ministack.saving import saved_before_the_answer


def scope(service: str, path: str, query: str = "") -> dict[str, object]:
    credential = f"AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", credential.encode())],
    }


@pytest.mark.parametrize(
    ("service", "path", "query", "saved"),
    [
        ("s3", "/bucket", "notification", "s3"),
        ("s3", "/bucket/", "", "s3"),
        ("s3", "/bucket/key", "", None),
        ("s3", "/bucket", "delete", None),
        ("lambda", "/2015-03-31/functions", "", "lambda"),
        ("lambda", "/2015-03-31/functions/f/aliases", "", "lambda"),
        ("lambda", "/2015-03-31/functions/f/invocations", "", None),
        ("sqs", "/", "", "sqs"),
        ("iam", "/", "", "iam"),
        ("cloudformation", "/", "", "cloudformation"),
        ("logs", "/", "", None),
    ],
)
def test_what_is_saved_before_the_answer(service: str, path: str, query: str, saved: str | None) -> None:
    assert saved_before_the_answer(scope(service, path, query)) == saved
