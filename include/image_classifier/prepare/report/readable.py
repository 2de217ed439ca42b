"""Makes texts that JSON and HTML can hold: a file name that is not Unicode has surrogates in Python."""

from typing import Any


def readable(text: str) -> str:
    """Return a text that UTF-8 can express: a byte E9 of a name that is not Unicode becomes a backslash and udce9."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def all_readable(value: Any) -> Any:
    """Return a value of JSON with readable texts; its keys are not changed."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, list):
        return [all_readable(one) for one in value]
    if isinstance(value, dict):
        return {name: all_readable(one) for name, one in value.items()}
    return value
