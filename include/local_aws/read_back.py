"""Reads every property of the stack back and applies what MiniStack accepted but dropped."""

import functools
import logging
from typing import Any

from local_aws.clients import ClientError, client
from local_aws.stack_properties import PROPERTIES, Property
from local_aws.template import Values

log = logging.getLogger(__name__)


def apply_what_is_missing(values: Values, *, endpoint_url: str) -> list[str]:
    """Compare every property of every resource with the template and write those that differ; returns their names."""
    applied = []
    service_client = functools.cache(functools.partial(client, endpoint_url=endpoint_url))  # a client takes 50 ms
    for logical_id, resource in values.template["Resources"].items():
        if "Condition" in resource and not values.holds(resource["Condition"]):
            continue
        properties = values.properties(logical_id)
        for item in PROPERTIES:
            if item.resource_type == resource["Type"] and item.name in properties:
                name = item.identify(values.physical_ids[logical_id], properties)
                wanted = item.wanted(properties[item.name])
                if _write_if_different(service_client(item.service), item, name=name, wanted=wanted):
                    applied.append(f"{logical_id}.{item.name}")
    return applied


def _write_if_different(service: Any, item: Property, *, name: Any, wanted: Any) -> bool:
    found = _read(service, item, name=name)
    if covers(found, wanted):
        return False
    log.info("%s %s: MiniStack kept %s of %s; applied", item.resource_type, name, found, item.name)
    item.write(service, name, wanted)
    return True


def _read(service: Any, item: Property, *, name: Any) -> Any:
    try:
        return item.read(service, name)
    except ClientError as error:
        log.debug("%s %s: no %s (%s)", item.resource_type, name, item.name, error)
        return None


def covers(found: Any, wanted: Any) -> bool:
    """Whether everything in `wanted` is in `found`; AWS adds defaults of its own."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(covers(found.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(any(covers(candidate, item) for candidate in found) for item in wanted)
        )
    return str(found).lower() == str(wanted).lower()
