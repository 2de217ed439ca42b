"""Finds the differences between a resource as AWS describes it and the request that creates it."""

from collections.abc import Mapping
from typing import Any


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
