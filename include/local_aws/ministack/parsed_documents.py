"""Keeps the parsed form of policies and bucket configurations, which MiniStack parses again for each request."""

import functools
from collections.abc import Callable, Iterable, Mapping

from local_aws.ministack.modules import s3

_MOST = 1024  # documents of each kind
Parser = Callable[[object], Iterable[object]]


def policy(original: Parser) -> Parser:
    """Wrap the parser of a policy document, a JSON text or a dict; its statements are not changed by anyone."""
    parsed = functools.lru_cache(_MOST)(original)

    def parse(document: object) -> list[object]:
        return list(parsed(document)) if isinstance(document, str) else list(original(document))

    return parse


def notification_configuration(
    original: Callable[[str | None], Iterable[Mapping[str, object]]],
) -> Callable[[str | None], list[dict[str, object]]]:
    """Wrap the parser of a bucket's notification configuration, an XML text or None."""
    parsed = functools.lru_cache(_MOST)(original)
    return lambda document: [dict(entry) for entry in parsed(document)]


def default_encryption(original: Callable[[str], Mapping[str, str]]) -> Callable[[str], dict[str, str]]:
    """Wrap the reader of a bucket's default encryption; the XML text is part of the key of what is kept."""
    parsed = functools.lru_cache(_MOST)(lambda bucket, _document: original(bucket))
    return lambda bucket: dict(parsed(bucket, s3._bucket_encryption.get(bucket)))
