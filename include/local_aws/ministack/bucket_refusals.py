"""Refuses keys and notifications that S3 refuses and MiniStack accepts."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict
from xml.etree.ElementTree import Element, ParseError

import botocore.session

from local_aws.ministack.documents import Statement
from local_aws.ministack.modules import Answer, lambda_svc, responses, s3

_MAX_KEY_BYTES = 1024
_EVENTS = frozenset(botocore.session.get_session().get_service_model("s3").shape_for("Event").enum)
_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


class NotificationRule(TypedDict):
    """One entry of a notification configuration, as MiniStack parses it."""

    type: str
    arn: str
    events: list[str]
    filter_prefix: str | None
    filter_suffix: str | None


def object_request(original: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    """Wrap the dispatch of every request to S3."""

    def checked(method: str, bucket: str, key: str, *rest: object) -> Answer | None:
        size = len(key.encode())
        if size > _MAX_KEY_BYTES:
            extra = {"Size": str(size), "MaxSizeAllowed": str(_MAX_KEY_BYTES)}
            return _error("KeyTooLongError", "Your key is too long", extra=extra)
        return original(method, bucket, key, *rest)

    return checked


def notification_request(original: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    """Check the body of PutBucketNotificationConfiguration as it was sent, because MiniStack drops unknown elements."""

    def checked(name: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer | None:
        refused = _notification_refusal(body) if name in s3._buckets else None
        return refused or original(name, body, headers)

    return checked


def _notification_refusal(body: bytes) -> Answer | None:
    try:
        document = s3.fromstring(body)
    except (ParseError, ValueError):
        return _error("MalformedXML", _MALFORMED)
    configurations = [item for item in document if _name(item).endswith("Configuration") and len(item)]
    identifiers = [text for item in configurations if (text := _text(item, "Id"))]
    if len(identifiers) != len(set(identifiers)):
        return _invalid("Same ID used for multiple configurations. IDs must be unique.")
    for configuration in configurations:
        for event in _all(configuration, "Event"):
            if (event.text or "").strip() not in _EVENTS:
                return _invalid("The event is not supported for notifications", name="Event", value=event.text)
        refused = _filter_refusal([rule for rule in configuration.iter() if _name(rule) == "FilterRule"])
        if refused:
            return refused
    return None


def _filter_refusal(rules: list[Element]) -> Answer | None:
    seen = set()
    for rule in rules:
        name, value = _text(rule, "Name"), _text(rule, "Value")
        kind = name.lower()
        if kind not in ("prefix", "suffix"):
            message = "filter rule name must be either prefix or suffix"
            return _invalid(message, name="FilterRule.Name", value=name)
        if kind in seen:
            return _invalid(f"Cannot specify more than one {kind} rule in a filter.")
        if len(value.encode()) > _MAX_KEY_BYTES:
            return _invalid(f"Size of filter rule value cannot exceed {_MAX_KEY_BYTES} bytes in UTF-8 representation")
        seen.add(kind)
    return None


def _invalid(message: str, *, name: str = "", value: str | None = "") -> Answer:
    extra = {"ArgumentName": name, "ArgumentValue": value or ""} if name else None
    return _error("InvalidArgument", message, extra=extra)


def _error(code: str, message: str, *, extra: Mapping[str, str] | None = None) -> Answer:
    answer: Answer = s3._error(code, message, 400, extra=extra)
    return answer


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, name: str) -> list[Element]:
    return [child for child in element if _name(child) == name]


def _text(element: Element, name: str) -> str:
    return next((child.text or "" for child in _all(element, name)), "")


def notification_configuration(original: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    """Check a parsed notification configuration."""

    def checked(
        configurations: list[NotificationRule], region: str, bucket: str = "", skip_destination_validation: bool = False
    ) -> Answer | None:
        if any(_overlap(first, second) for first, second in _pairs(configurations)):
            return _invalid(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type."
            )
        if any(item["type"] == "sqs" and item["arn"].endswith(".fifo") for item in configurations):
            return _invalid(
                "Unable to validate the following destination configurations: FIFO queues are not supported"
            )
        refused = original(configurations, region, bucket, skip_destination_validation)
        if refused or skip_destination_validation:
            return refused
        functions = [item["arn"] for item in configurations if item["type"] == "lambda"]
        if all(_may_invoke(arn, bucket=bucket) for arn in functions):
            return None
        return _invalid("Unable to validate the following destination configurations")

    return checked


def _pairs(items: list[NotificationRule]) -> Iterable[tuple[NotificationRule, NotificationRule]]:
    return ((first, second) for number, first in enumerate(items) for second in items[number + 1 :])


def _overlap(first: NotificationRule, second: NotificationRule) -> bool:
    return (
        any(_same_event(one, other) for one in first["events"] for other in second["events"])
        and _one_starts_the_other(first["filter_prefix"] or "", second["filter_prefix"] or "")
        and _one_starts_the_other((first["filter_suffix"] or "")[::-1], (second["filter_suffix"] or "")[::-1])
    )


def _same_event(one: str, other: str) -> bool:
    return _one_starts_the_other(one.removesuffix("*"), other.removesuffix("*")) if "*" in one + other else one == other


def _one_starts_the_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _may_invoke(arn: str, *, bucket: str) -> bool:
    """Return whether the function exists and its policy lets S3 invoke exactly this ARN for this bucket."""
    record, _, _ = lambda_svc._get_func_record_for_ref(arn)
    base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
    if not record or not base:
        return False
    return any(_allows(statement, arn=arn, bucket=bucket) for statement in base["policy"]["Statement"])


def _allows(statement: Statement, *, arn: str, bucket: str) -> bool:
    condition = statement.get("Condition", {})
    source_arn = condition.get("ArnLike", {}).get("AWS:SourceArn", "*")
    source_account = condition.get("StringEquals", {}).get("AWS:SourceAccount", responses.get_account_id())
    return (
        statement["Resource"] == arn
        and statement["Principal"] in ({"Service": "s3.amazonaws.com"}, "*")
        and statement["Action"] in ("lambda:InvokeFunction", "lambda:*")
        and re.fullmatch(re.escape(source_arn).replace(r"\*", ".*"), f"arn:aws:s3:::{bucket}") is not None
        and source_account == responses.get_account_id()
    )
