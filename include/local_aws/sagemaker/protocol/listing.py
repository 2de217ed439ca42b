"""Implements the List operations: filters, order and pages with NextToken."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from local_aws.sagemaker.documents import Document

DEFAULT_PAGE_ITEMS = 10
Position = list[Any]  # in a sorted list: the sort key, the document's value of it, and its id


def page(
    request: Document,
    documents: Iterable[Document],
    *,
    answer_key: str,
    summary: Sequence[str],
    name_key: str,
    status_key: str = "",
    id_key: str = "",
    sort_keys: Mapping[str, str] | None = None,
    default_sort: str = "CreationTime",
    default_order: str = "Descending",
) -> Document:
    """Return one page of `documents`, each reduced to the members in `summary`.

    `id_key` distinguishes documents of equal name; `sort_keys` are members to sort by besides name, time and status.
    AWS lists most resources newest first unless asked otherwise; `default_sort` and `default_order` are for the others.
    """
    members = {"Name": name_key, "CreationTime": "CreationTime", "Status": status_key, **(sort_keys or {})}
    sort_key = members[request.get("SortBy", default_sort)] or "CreationTime"
    wanted = [document for document in documents if _matches(request, document, name_key, status_key)]

    def position(document: Document) -> Position:
        return [sort_key, document[sort_key], document[id_key or name_key]]

    descending = request.get("SortOrder", default_order) == "Descending"
    wanted.sort(key=position, reverse=descending)
    after = _read_token(request.get("NextToken"), sort_key)
    if after is not None:
        wanted = [item for item in wanted if (position(item) < after if descending else position(item) > after)]
    size = request.get("MaxResults", DEFAULT_PAGE_ITEMS)
    answer: Document = {answer_key: [_cut(document, summary) for document in wanted[:size]]}
    if len(wanted) > size:
        answer["NextToken"] = _write_token(position(wanted[size - 1]))
    return answer


def _cut(document: Document, members: Sequence[str]) -> Document:
    return {member: document[member] for member in members if member in document}


def _matches(request: Document, document: Document, name_key: str, status_key: str) -> bool:
    modified = document.get("LastModifiedTime", document["CreationTime"])
    tests: dict[str, Callable[[Any], bool]] = {
        "NameContains": lambda part: part.lower() in document[name_key].lower(),
        "StatusEquals": lambda status: document.get(status_key) == status,
        "CreationTimeAfter": lambda time: document["CreationTime"] > time,
        "CreationTimeBefore": lambda time: document["CreationTime"] < time,
        "LastModifiedTimeAfter": lambda time: modified > time,
        "LastModifiedTimeBefore": lambda time: modified < time,
    }
    return all(test(request[name]) for name, test in tests.items() if request.get(name) is not None)


def _write_token(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_token(token: str | None, sort_key: str) -> Position | None:
    if token is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        position = None
    if not isinstance(position, list) or len(position) != 3 or position[0] != sort_key:
        raise validation_error("The NextToken is not one that this operation gave; list again without it.")
    return position
