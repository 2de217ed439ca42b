"""Refuses requests about objects that S3 refuses and MiniStack accepts: their limits, and conditions of a copy."""

import base64
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NotRequired, TypedDict
from xml.etree.ElementTree import Element, ParseError

from local_aws.ministack.modules import Answer, s3

MOST_KEYS = 1000  # of one page, and of one DeleteObjects request
MIN_PART_BYTES = 5 * 1024 * 1024  # of each part but the last
MOST_METADATA_BYTES = 2048
_CONTENT_HASH = "x-amz-content-sha256"
_HASH = re.compile(r"[0-9a-f]{64}")
_METADATA = "x-amz-meta-"
_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"
_NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"
_TOO_SMALL = "Your proposed upload is smaller than the minimum allowed size"
_ORDER = "The list of parts was not in ascending order. The parts list must be specified in order by part number."

Headers = Mapping[str, str]
Query = Mapping[str, list[str] | str]


class Part(TypedDict):
    """A part that was uploaded."""

    size: int


class Upload(TypedDict):
    """A multipart upload in progress; its parts by number."""

    parts: NotRequired[dict[int, Part]]


def request(original: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    """Wrap the dispatch of every request to S3."""

    def checked(method: str, bucket: str, key: str, headers: Headers, body: bytes, query: Query) -> Answer | None:
        refused = None
        if bucket in s3._buckets:
            if method == "GET" and not key:
                refused, query = _continuation_refusal(query), _with_page_limit(query)
            elif method == "PUT" and key:
                refused = _write_refusal(bucket, key, headers) or _content_refusal(headers, body)
            elif method == "POST":
                refused = _post_refusal(key, headers, body=body, query=query)
        return refused or original(method, bucket, key, headers, body, query)

    return checked


def _with_page_limit(query: Query) -> Query:
    """Return the query of a list; S3 returns at most 1,000 entries, whatever a request asks for."""
    asked = {name: s3._qp(query, name) for name in ("max-keys", "max-uploads") if name in query}
    return {**query, **{name: [str(MOST_KEYS)] for name, text in asked.items() if _number(text) > MOST_KEYS}}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _continuation_refusal(query: Query) -> Answer | None:
    token = s3._qp(query, "continuation-token")
    try:
        base64.b64decode(token, validate=True).decode()
    except ValueError:
        return _error("InvalidArgument", "The continuation token provided is incorrect")
    return None


def _write_refusal(bucket: str, key: str, headers: Headers) -> Answer | None:
    refused = _condition_refusal(headers) or _metadata_refusal(headers)
    if refused or "x-amz-copy-source" not in headers:
        return refused
    existing = s3._buckets[bucket]["objects"].get(key)
    found: Answer | None = s3._check_put_preconditions(headers, existing)  # of a copy; MiniStack checks other writes
    return found


def _content_refusal(headers: Headers, body: bytes) -> Answer | None:
    """Return the refusal of another body than was signed; other values of the header than a hash have no body's."""
    signed = headers.get(_CONTENT_HASH, "")
    if not _HASH.fullmatch(signed) or hashlib.sha256(body).hexdigest() == signed:
        return None
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return _error("XAmzContentSHA256Mismatch", message)


def _condition_refusal(headers: Headers) -> Answer | None:
    condition = headers.get("if-none-match", "*").strip()
    return None if condition == "*" else _error("NotImplemented", _NOT_IMPLEMENTED, status=501)


def _metadata_refusal(headers: Headers) -> Answer | None:
    given = {name.lower().removeprefix(_METADATA): value for name, value in headers.items() if _is_metadata(name)}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size <= MOST_METADATA_BYTES:
        return None
    extra = {"Size": str(size), "MaxSizeAllowed": str(MOST_METADATA_BYTES)}
    return _error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", extra=extra)


def _is_metadata(name: str) -> bool:
    return name.lower().startswith(_METADATA)


def _post_refusal(key: str, headers: Headers, *, body: bytes, query: Query) -> Answer | None:
    if not key:
        is_too_many = "delete" in query and not 1 <= len(_named(body, "Object")) <= MOST_KEYS
        return _error("MalformedXML", _MALFORMED) if is_too_many else None
    if "uploads" in query:
        return _metadata_refusal(headers)
    upload: Upload | None = s3._multipart_uploads.get(s3._qp(query, "uploadId"))  # None if it is already completed
    if "uploadId" not in query or upload is None:
        return None
    return _condition_refusal(headers) or _parts_refusal(_part_numbers(body), upload.get("parts", {}))


def _parts_refusal(numbers: list[int], parts: Mapping[int, Part]) -> Answer | None:
    if not numbers:
        return _error("MalformedXML", _MALFORMED)
    if any(after <= before for before, after in itertools.pairwise(numbers)):
        return _error("InvalidPartOrder", _ORDER)
    if any(number in parts and parts[number]["size"] < MIN_PART_BYTES for number in numbers[:-1]):
        return _error("EntityTooSmall", _TOO_SMALL)
    return None


def _part_numbers(body: bytes) -> list[int]:
    numbers = (child.text for part in _named(body, "Part") for child in part if _name(child) == "PartNumber")
    return [_number(text or "") for text in numbers]


def _named(body: bytes, name: str) -> list[Element]:
    try:
        document: Iterable[Element] = s3.fromstring(body)
    except (ParseError, ValueError):
        return []
    return [child for child in document if _name(child) == name]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _error(code: str, message: str, *, status: int = 400, extra: Mapping[str, str] | None = None) -> Answer:
    answer: Answer = s3._error(code, message, status, extra=extra)
    return answer
