"""Every property of the stack's resources: how it is read, how it is written, and the API's words for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Property:
    """One property of a kind of resource: what the template asks for, how it is read and how it is written.

    `identify` makes the arguments that name the resource from its physical id and its properties. `wanted` turns the
    template's words into the API's; `read` returns the API's words.
    """

    resource_type: str
    name: str
    service: str
    wanted: Callable[[Any], Any]
    read: Callable[[Any, Any], Any]
    write: Callable[[Any, Any, Any], Any]
    identify: Callable[[str, Mapping[str, Any]], Any] = lambda physical_id, _properties: physical_id


def _encryption(wanted: Any) -> Any:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule["BucketKeyEnabled"],
        }
        for rule in wanted["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _lifecycle(wanted: Any) -> Any:
    return {"Rules": [_lifecycle_rule(rule) for rule in wanted["Rules"]]}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule["Prefix"]}}
    if "NoncurrentVersionExpiration" in rule:
        days = int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        api["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "ExpiredObjectDeleteMarker" in rule:
        api["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "AbortIncompleteMultipartUpload" in rule:
        api["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return api


def _attribute(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tag_map(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _same(wanted: Any) -> Any:
    return wanted


def _queue_attribute(name: str) -> Property:
    return Property(
        "AWS::SQS::Queue",
        name,
        "sqs",
        _attribute,
        lambda sqs, url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"].get(name),
        lambda sqs, url, wanted: sqs.set_queue_attributes(QueueUrl=url, Attributes={name: wanted}),
    )


def _put_managed_policy(iam: Any, arn: str, wanted: Any) -> None:
    old = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(wanted), SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId=old)


def _get_managed_policy(iam: Any, arn: str) -> Any:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


_BUCKET = "AWS::S3::Bucket"
_QUEUE = "AWS::SQS::Queue"
_ROLE = "AWS::IAM::Role"
PROPERTIES = (
    Property(
        _BUCKET,
        "BucketEncryption",
        "s3",
        _encryption,
        lambda s3, bucket: s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
        lambda s3, bucket, wanted: s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=wanted),
    ),
    Property(
        _BUCKET,
        "OwnershipControls",
        "s3",
        _same,
        lambda s3, bucket: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
        lambda s3, bucket, wanted: s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=wanted),
    ),
    Property(
        _BUCKET,
        "PublicAccessBlockConfiguration",
        "s3",
        _same,
        lambda s3, bucket: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        lambda s3, bucket, wanted: s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted),
    ),
    Property(
        _BUCKET,
        "VersioningConfiguration",
        "s3",
        _same,
        lambda s3, bucket: {"Status": s3.get_bucket_versioning(Bucket=bucket).get("Status")},
        lambda s3, bucket, wanted: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted),
    ),
    Property(
        _BUCKET,
        "LifecycleConfiguration",
        "s3",
        _lifecycle,
        lambda s3, bucket: {"Rules": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]},
        lambda s3, bucket, wanted: s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=wanted),
    ),
    Property(
        _BUCKET,
        "Tags",
        "s3",
        _tag_map,
        lambda s3, bucket: _tag_map(s3.get_bucket_tagging(Bucket=bucket)["TagSet"]),
        lambda s3, bucket, wanted: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": _tag_list(wanted)}),
    ),
    Property(
        "AWS::S3::BucketPolicy",
        "PolicyDocument",
        "s3",
        _same,
        lambda s3, bucket: json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
        lambda s3, bucket, wanted: s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(wanted)),
        lambda _physical_id, properties: properties["Bucket"],
    ),
    _queue_attribute("MessageRetentionPeriod"),
    _queue_attribute("VisibilityTimeout"),
    _queue_attribute("SqsManagedSseEnabled"),
    Property(
        _QUEUE,
        "Tags",
        "sqs",
        _tag_map,
        lambda sqs, url: sqs.list_queue_tags(QueueUrl=url).get("Tags", {}),
        lambda sqs, url, wanted: sqs.tag_queue(QueueUrl=url, Tags=wanted),
    ),
    Property(
        "AWS::SQS::QueuePolicy",
        "PolicyDocument",
        "sqs",
        _same,
        lambda sqs, url: json.loads(
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        ),
        lambda sqs, url, wanted: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(wanted)}),
        lambda _physical_id, properties: properties["Queues"][0],
    ),
    Property(
        _ROLE,
        "AssumeRolePolicyDocument",
        "iam",
        _same,
        lambda iam, role: iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"],
        lambda iam, role, wanted: iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(wanted)),
    ),
    Property(
        _ROLE,
        "Description",
        "iam",
        _same,
        lambda iam, role: iam.get_role(RoleName=role)["Role"].get("Description"),
        lambda iam, role, wanted: iam.update_role(RoleName=role, Description=wanted),
    ),
    Property(
        _ROLE,
        "Tags",
        "iam",
        _tag_map,
        lambda iam, role: _tag_map(iam.list_role_tags(RoleName=role)["Tags"]),
        lambda iam, role, wanted: iam.tag_role(RoleName=role, Tags=_tag_list(wanted)),
    ),
    Property(
        "AWS::IAM::Policy",
        "PolicyDocument",
        "iam",
        _same,
        lambda iam, name: iam.get_role_policy(**name)["PolicyDocument"],
        lambda iam, name, wanted: iam.put_role_policy(**name, PolicyDocument=json.dumps(wanted)),
        lambda _physical_id, properties: {"RoleName": properties["Roles"][0], "PolicyName": properties["PolicyName"]},
    ),
    Property("AWS::IAM::ManagedPolicy", "PolicyDocument", "iam", _same, _get_managed_policy, _put_managed_policy),
)
