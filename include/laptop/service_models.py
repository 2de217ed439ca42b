"""Writes the service models that the function's clients read, from those of the installed botocore.

`make service-models` runs it: the models follow the release of botocore that requirements.txt pins.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from image_classifier.connect.function_package import LAMBDA_FOLDER, PACKAGE

SERVICE_MODELS = LAMBDA_FOLDER / PACKAGE / "service_models"
# botocore itself calls HeadBucket to find a bucket's region.
OPERATIONS = {"s3": ["GetObject", "HeadBucket", "PutObject"], "sagemaker-runtime": ["InvokeEndpoint"]}
# The members of the answers that the function reads. For each answer botocore looks for every member of its shape, and
# that of GetObject has 46.
ANSWERS: dict[str, frozenset[str]] = {
    "GetObjectOutput": frozenset({"Body", "ETag"}),
    "InvokeEndpointOutput": frozenset({"Body", "InvokedProductionVariant"}),
    "PutObjectOutput": frozenset(),
}
WHOLE = ("partitions", "_retry", "sdk-default-configuration")  # files that botocore reads for every client
Document = dict[str, Any]


def service_models(loader: Loader) -> dict[str, Document]:
    """Return the models by their path below a data folder of botocore, without ``.json``."""
    models = {name: loader.load_data(name) for name in WHOLE}
    prefixes = set()
    for service, operations in OPERATIONS.items():
        model = loader.load_service_model(service, "service-2")
        version = model["metadata"]["apiVersion"]
        prefixes.add(model["metadata"]["endpointPrefix"])
        models[f"{service}/{version}/service-2"] = _with_operations(model, operations)
        models[f"{service}/{version}/endpoint-rule-set-1"] = loader.load_service_model(service, "endpoint-rule-set-1")
    models["endpoints"] = _with_services(loader.load_data("endpoints"), prefixes)
    return models


def write_service_models(models: Mapping[str, Document], folder: Path) -> None:
    """Write each model as a file; a file that is not among them is not removed."""
    for name, model in models.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(model, separators=(",", ":")) + "\n")


def _with_operations(model: Document, names: list[str]) -> Document:
    """Return a service's model with these operations, and the shapes that they lead to, without documentation."""
    operations = {name: model["operations"][name] for name in names}
    shapes: Document = {}
    waiting = list(_shape_names(operations))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _as_read(name, model["shapes"][name])
            waiting += _shape_names(shapes[name])
    undocumented = {"operations": _undocumented(operations), "shapes": _undocumented(dict(sorted(shapes.items())))}
    return {**model, **undocumented}


def _as_read(name: str, shape: Document) -> Document:
    """Return a shape of an answer with the members that the function reads; any other shape as it is."""
    if name not in ANSWERS:
        return shape
    return {**shape, "members": {key: member for key, member in shape["members"].items() if key in ANSWERS[name]}}


def _with_services(endpoints: Document, prefixes: set[str]) -> Document:
    """Return the endpoints of these services alone, in all partitions."""
    partitions = [
        {**partition, "services": {name: found for name, found in partition["services"].items() if name in prefixes}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _shape_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for part in value.values():
            yield from _shape_names(part)
    elif isinstance(value, list):
        for part in value:
            yield from _shape_names(part)


def _undocumented(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _undocumented(part) for name, part in value.items() if not _is_documentation(name, part)}
    return [_undocumented(part) for part in value] if isinstance(value, list) else value


def _is_documentation(name: str, part: Any) -> bool:
    return name in ("documentation", "documentationUrl") and isinstance(part, str)


if __name__ == "__main__":
    write_service_models(service_models(Loader()), SERVICE_MODELS)
