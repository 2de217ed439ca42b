"""Validates a request against botocore's model of the SageMaker API, with AWS's messages."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local_aws.sagemaker.protocol.errors import ServiceError, validation_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sized

    from botocore.model import ServiceModel

    from local_aws.sagemaker.documents import Document

# Classes of Java's regular expressions that Python's re lacks, as exact as the values of this API need them.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r" ",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{M}": "\u0300-\u036f",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u2027\u2030-\u205e",
    r"\p{S}": r"$+<->^`|~\u00a2-\u00a9\u00ac\u00ae-\u00b1\u00b4\u00b8\u00d7\u00f7\u20a0-\u20bf\u2190-\u22ff",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",  # characters beyond 16 bits, as Java writes them
}
_REPEATED_END = re.compile(r"\$\{\d+,\d+\}$")  # of CustomerMetadataKey: Java takes an end of line that repeats
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}


@functools.cache
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker."""
    return botocore.session.get_session().get_service_model("sagemaker")


def operation_exists(operation: str) -> bool:
    """Return whether AWS has an operation of this name."""
    return operation in service_model().operation_names


def known_members(operation: str, answer: Document) -> Document:
    """Return the members of `answer` that AWS's answer has, without the server's own members of a stored document."""
    shape = service_model().operation_model(operation).output_shape
    return {name: value for name, value in answer.items() if shape is not None and name in shape.members}


def validate(operation: str, request: object) -> Document:
    """Return `request`, without members that are null, if AWS would accept its form: AWS takes null for absent.

    Raises:
        ServiceError: ``SerializationException`` for a wrong type, ``ValidationException`` naming every constraint.

    """
    shape = service_model().operation_model(operation).input_shape
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "Start of structure or map found where not expected.")
    try:
        found = list(problems(request, shape, path="")) if shape is not None else []
    except RecursionError as error:  # only SearchExpression is recursive
        raise ServiceError("SerializationException", "The request is nested too deep.") from error
    if found:
        noun = "validation error" if len(found) == 1 else "validation errors"
        raise validation_error(f"{len(found)} {noun} detected: {'; '.join(found)}")
    return request if shape is None else _structure_without_nulls(request, shape)


def _structure_without_nulls(value: Document, shape: StructureShape) -> Document:
    known = shape.members
    given = ((name, item) for name, item in value.items() if item is not None)
    return {name: _without_nulls(item, known[name]) if name in known else item for name, item in given}


def _without_nulls(value: object, shape: Shape) -> object:
    """Return a value that has the shape's type, without the null members of the structures in it."""
    if isinstance(value, dict) and shape.type_name == "structure":
        return _structure_without_nulls(value, shape)
    if isinstance(value, list):
        return [_without_nulls(item, shape.member) for item in value]
    return value


def problems(value: object, shape: Shape, *, path: str) -> Iterator[str]:
    """Yield AWS's sentence for each constraint of the shape that the value at `path` does not satisfy.

    Raises:
        ServiceError: ``SerializationException`` for a wrong type.

    """
    _check_type(value, shape, path=path)
    check: Callable[..., Iterator[str]] = _CHECKS.get(shape.type_name, _number_problems)
    yield from check(value, shape, path=path)


def _check_type(value: object, shape: Shape, *, path: str) -> None:
    expected = _PYTHON_TYPES.get(shape.type_name)
    if expected is None:
        return
    wrong_boolean = isinstance(value, bool) and shape.type_name != "boolean"
    if wrong_boolean or not isinstance(value, expected):
        found = type(value).__name__
        raise ServiceError(
            "SerializationException", f"{found} found at '{path}' where a {shape.type_name} is expected."
        )


def _structure_problems(value: Document, shape: StructureShape, *, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:  # AWS ignores unknown members, and takes null for absent
            yield from problems(value[name], member, path=_join(path, name))


def _list_problems(value: list[object], shape: ListShape, *, path: str) -> Iterator[str]:
    yield from _length_problems(value, shape, path=path)
    for number, item in enumerate(value, start=1):
        yield from problems(item, shape.member, path=f"{path}.{number}.member")


def _map_problems(value: Document, shape: MapShape, *, path: str) -> Iterator[str]:
    yield from _length_problems(value, shape, path=path)
    for part, items, member in (("keys", value.keys(), shape.key), ("value", value.values(), shape.value)):
        constraints = [
            problem.partition("constraint: ")[2] for item in items for problem in problems(item, member, path=path)
        ]
        if constraints:
            yield f"{_at(value, path)}: Map {part} must satisfy constraint: [{', '.join(dict.fromkeys(constraints))}]"


def _string_problems(value: str, shape: StringShape, *, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{_at(value, path)}: Member must satisfy enum value set: [{', '.join(sorted(shape.enum))}]"
    yield from _length_problems(value, shape, path=path)
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        yield f"{_at(value, path)}: Member must satisfy regular expression pattern: {pattern}"


def _length_problems(value: Sized, shape: Shape, *, path: str) -> Iterator[str]:
    if len(value) < shape.metadata.get("min", 0):
        yield f"{_at(value, path)}: Member must have length greater than or equal to {shape.metadata['min']}"
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{_at(value, path)}: Member must have length less than or equal to {shape.metadata['max']}"


def _number_problems(value: float, shape: Shape, *, path: str) -> Iterator[str]:
    if value < shape.metadata.get("min", value):
        yield f"{_at(value, path)}: Member must have value greater than or equal to {shape.metadata['min']}"
    if value > shape.metadata.get("max", value):
        yield f"{_at(value, path)}: Member must have value less than or equal to {shape.metadata['max']}"


_CHECKS: dict[str, Callable[..., Iterator[str]]] = {
    "structure": _structure_problems,
    "list": _list_problems,
    "map": _map_problems,
    "string": _string_problems,
}


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of botocore's model, which is written for Java, as a pattern of Python."""
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(_REPEATED_END.sub("", pattern))


def _at(value: object, path: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint"


def _join(path: str, name: str) -> str:
    # AWS writes members in lower camel case: trainingJobName, but VPCConfig stays vPCConfig.
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered
