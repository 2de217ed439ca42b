"""Checks that a parsed document is kept as long as its text is the same, and no longer."""

import pytest

from local_aws.ministack import parsed_documents
from local_aws.ministack.modules import s3


class Parser:
    """Counts its calls; its answer names the document."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def __call__(self, document: object) -> list[dict[str, object]]:
        self.calls.append(document)
        return [{"document": document}]


@pytest.mark.parametrize("wrap", [parsed_documents.policy, parsed_documents.notification_configuration])
def test_a_text_is_parsed_once_and_another_text_anew(wrap):
    parser = Parser()
    parse = wrap(parser)

    answers = [parse("one"), parse("one"), parse("two")]

    assert answers == [[{"document": "one"}], [{"document": "one"}], [{"document": "two"}]]
    assert parser.calls == ["one", "two"]


def test_what_a_caller_changes_is_not_kept():
    parse = parsed_documents.notification_configuration(Parser())
    parse("one")[0]["document"] = "changed"

    assert parse("one") == [{"document": "one"}]


def test_a_policy_that_is_a_dict_is_parsed():
    assert parsed_documents.policy(Parser())({"Statement": []}) == [{"document": {"Statement": []}}]


def test_a_buckets_new_encryption_is_read(monkeypatch):
    encryption = {"bucket": "old"}
    monkeypatch.setattr(s3, "_bucket_encryption", encryption)
    read = parsed_documents.default_encryption(lambda bucket: {"algorithm": encryption[bucket]})
    before = read("bucket")
    encryption["bucket"] = "new"

    assert (before, read("bucket")) == ({"algorithm": "old"}, {"algorithm": "new"})
