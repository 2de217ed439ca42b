"""Checks that changes of configuration are saved before they are answered, and that objects and invocations do not
wait.
"""

from pathlib import Path

import pytest

from local_aws.ministack.message_journal import MessageJournal
from local_aws.ministack.modules import app, persistence
from local_aws.ministack.saving import Saving, saved_before_the_answer


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


@pytest.mark.parametrize("is_full", [True, False])
def test_a_state_that_could_not_be_saved_is_saved_later(
    is_full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MiniStack only logs that the disk is full."""

    def save_state(name: str, _: object) -> None:
        if not is_full:
            (tmp_path / f"{name}.json").write_text("{}")

    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(persistence, "save_state", save_state)
    monkeypatch.setattr(app, "_build_persistence_save_dict", lambda: {"iam": dict})
    saving = Saving(None, journal=MessageJournal(tmp_path / "messages"))  # type: ignore[arg-type]

    saving._save("iam")

    assert saving._is_changed == is_full
