"""Reads a CloudFormation template and works out its values, to know what a stack should look like."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its hints are a package of their own

_NO_VALUE = object()


def load(path: Path) -> dict[str, Any]:
    """The template with the short forms (``!Ref``) written out (``{"Ref": ...}``)."""
    # A subclass of SafeLoader, with the tags of CloudFormation and nothing else.
    template: dict[str, Any] = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506
    return template


@dataclass(frozen=True)
class Values:
    """What a deployed template's references stand for."""

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    physical_ids: Mapping[str, str]
    arns: Mapping[str, str]
    pseudo_parameters: Mapping[str, str]

    def properties(self, logical_id: str) -> Any:
        """The resource's properties with every reference replaced."""
        return self._resolve(self.template["Resources"][logical_id].get("Properties", {}))

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            intrinsic = getattr(self, "_" + name.removeprefix("Fn::").lower(), None)
            if intrinsic and (name == "Ref" or name.startswith("Fn::")):
                return intrinsic(argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        default = self.template["Parameters"].get(name, {}).get("Default")
        known = {**self.physical_ids, **self.pseudo_parameters, **self.parameters}
        return known.get(name, default)

    def _getatt(self, argument: str | list[str]) -> str:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        if attribute != "Arn":
            raise ValueError(f"{logical_id}.{attribute}: only Arn is known; teach local_aws/template.py")
        return self.arns[logical_id]

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda match: self._substitute(match.group(1)), text)

    def _substitute(self, name: str) -> str:
        return self._getatt(name) if name.endswith(".Arn") else str(self._ref(name))

    def _if(self, argument: list[Any]) -> Any:
        condition, when_true, when_false = argument
        return self._resolve(when_true if self.holds(condition) else when_false)

    def _equals(self, argument: list[Any]) -> bool:
        first, second = map(self._resolve, argument)
        return str(first) == str(second)

    def _not(self, argument: list[Any]) -> bool:
        return not self._resolve(argument[0])

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        return bool(self._resolve(self.template["Conditions"][condition]))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # see the import
    pass


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise ValueError(f"!{suffix}: a value of another kind than YAML knows")


_Loader.add_multi_constructor("!", _intrinsic)
