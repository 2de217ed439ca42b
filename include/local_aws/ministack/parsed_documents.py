"""Keeps the parsed form of policies and bucket configurations, which MiniStack parses again for each request."""

import functools
from collections.abc import Callable
from typing import Any

from local_aws.ministack.modules import s3

_MOST = 1024  # documents of each kind
Function = Callable[..., Any]


def policy(original: Function) -> Function:
    """Wrap the parser of a policy document, a JSON text or a dict; its statements are not changed by anyone."""
    parsed = functools.lru_cache(_MOST)(original)

    def parse(document: Any) -> list[Any]:
        return list(parsed(document)) if isinstance(document, str) else list(original(document))

    return parse


def notification_configuration(original: Function) -> Function:
    """Wrap the parser of a bucket's notification configuration, an XML text or None."""
    parsed = functools.lru_cache(_MOST)(original)
    return lambda document: [dict(entry) for entry in parsed(document)]


def default_encryption(original: Function) -> Function:
    """Wrap the reader of a bucket's default encryption; the XML text is part of the key of what is kept."""
    parsed = functools.lru_cache(_MOST)(lambda bucket, _document: original(bucket))
    return lambda bucket: dict(parsed(bucket, s3._bucket_encryption.get(bucket)))
