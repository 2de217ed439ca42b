"""Applies the properties of a bucket that MiniStack's CloudFormation accepts and drops."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import botocore.session
from botocore.serialize import create_serializer

from local_aws.errors import StackError
from local_aws.ministack.modules import Answer, s3

_MODEL = botocore.session.get_session().get_service_model("s3")
_SERIALIZER = create_serializer("rest-xml", include_validation=False)


class _Property(NamedTuple):
    """A property of AWS::S3::Bucket: the S3 operation that sets it, and MiniStack's code of that operation."""

    operation: str
    parameters: Callable[[Any], dict[str, object]]  # the property's value in the template: the operation's parameters
    put: Callable[[str, bytes], Answer]
    delete: Callable[[str], object]


def _lifecycle(value: Mapping[str, Iterable[Mapping[str, object]]]) -> dict[str, object]:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(dict(rule)) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: dict[str, object]) -> dict[str, object]:
    """Return the rule with the API's names for the id, the prefix and the expiration."""
    api = {"ID": rule.pop("Id"), "Filter": {"Prefix": rule.pop("Prefix", "")}}
    expiration = {"ExpirationInDays": "Days", "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}
    if found := {expiration[name]: rule.pop(name) for name in set(rule) & set(expiration)}:
        api["Expiration"] = found
    return api | rule


def _encryption(value: Mapping[str, Iterable[Mapping[str, object]]]) -> dict[str, object]:
    renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    rules = [
        {renamed.get(name, name): setting for name, setting in rule.items()}
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


_PROPERTIES = {
    "LifecycleConfiguration": _Property(
        "PutBucketLifecycleConfiguration", _lifecycle, s3._put_bucket_lifecycle, s3._delete_bucket_lifecycle
    ),
    "BucketEncryption": _Property(
        "PutBucketEncryption", _encryption, s3._put_bucket_encryption, s3._delete_bucket_encryption
    ),
    "OwnershipControls": _Property(
        "PutBucketOwnershipControls",
        lambda value: {"OwnershipControls": value},
        s3._put_bucket_ownership_controls,
        s3._delete_bucket_ownership_controls,
    ),
    "Tags": _Property(
        "PutBucketTagging",
        lambda value: {"Tagging": {"TagSet": value}},
        s3._put_bucket_tagging,
        s3._delete_bucket_tagging,
    ),
}


def apply_configurations(original: Callable[..., None]) -> Callable[..., None]:
    """Return MiniStack's function with the properties above added."""

    def apply(name: str, props: Mapping[str, object], old_props: Mapping[str, object] | None = None) -> None:
        original(name, props, old_props)
        for property_name, item in _PROPERTIES.items():
            if property_name in props:
                request = {"Bucket": name, **item.parameters(props[property_name])}
                body = _SERIALIZER.serialize_to_request(request, _MODEL.operation_model(item.operation))["body"]
                status, _, answer = item.put(name, body)
                if status >= 400:
                    raise StackError(f"{property_name} of the bucket {name} was refused: {answer!r}")
            elif property_name in (old_props or {}):
                item.delete(name)

    return apply
