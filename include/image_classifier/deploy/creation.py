"""Creates resources that cannot be changed and whose names are computed from their content."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import described, exists_already
from image_classifier.contracts.errors import ResourceClashError

log = logging.getLogger(__name__)

Outcome = Literal["created", "unchanged"]


def ensure_unchangeable(
    what: str, request: Mapping[str, Any], *, describe: Callable[[], Any], create: Callable[[], object]
) -> Outcome:
    """Create the resource unless it exists with the content of `request`; `what` names it in messages.

    Raises:
        ResourceClashError: a resource with other content has the name.

    """
    found = described(describe)
    if found is None and was_created(create):
        log.info("%s created", what)
        return "created"
    unlike = differences(describe() if found is None else found, without(request, "Tags"))
    if unlike:
        message = (
            f"{what} exists with other content: {'; '.join(unlike)}. Its name is computed from its content, so "
            "somebody else made it: delete it, then run this task again."
        )
        raise ResourceClashError(message)
    return "unchanged"


def was_created(create: Callable[[], object]) -> bool:
    """Return whether `create` created the resource; False if an earlier try of the task did, as names are computed."""
    try:
        create()
    except ClientError as error:
        if exists_already(error):
            return False
        raise
    return True


def without(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the request without one of its fields."""
    return {field: value for field, value in request.items() if field != name}


def differences(found: Any, wanted: Any, *, where: str = "") -> list[str]:
    """Return one sentence per field of `wanted` whose value differs in `found`; other fields of `found` are ignored.

    Args:
        found: the value in AWS's answer.
        wanted: the value in the request.
        where: path of the field, for the sentences.

    """
    if isinstance(wanted, Mapping):
        held = found if isinstance(found, Mapping) else {}
        prefix = f"{where}." if where else ""
        return [
            one for name, value in wanted.items() for one in differences(held.get(name), value, where=prefix + name)
        ]
    if _is_table(wanted) and isinstance(found, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        return [one for number, (a, b) in pairs for one in differences(a, b, where=f"{where}[{number}]")]
    return [] if _same(found, wanted) else [f"{where} is {found!r}, wanted {wanted!r}"]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):  # a list of names, such as subnets, whose order has no meaning
        return isinstance(found, list) and sorted(map(str, found)) == sorted(map(str, wanted))
    return bool(found == wanted) or (wanted is False and found is None)
