"""Checks that the bucket is usable, that no notification overlaps with the trigger, and that the source exists."""

import json
import shlex
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of, is_access_denied, sentence
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect import notification
from image_classifier.contracts.errors import DatasetError, FunctionError, StorageError
from image_classifier.plan.preflight_checks.finding import DEPLOY, Finding, preflight_command, refusal
from image_classifier.plan.preflight_checks.identity import Caller
from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.sources.lists.listed import ListSource
from image_classifier.prepare.sources.opening import open_source

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHANGE_NOTIFICATIONS = """\
aws s3api get-bucket-notification-configuration --bucket {bucket} > notifications.json
# In notifications.json give that configuration a prefix that {prefix} does not start with, or remove it; then:
aws s3api put-bucket-notification-configuration --bucket {bucket} --notification-configuration file://notifications.json"""
HOW_MANY = 5  # number of objects to list, which shows that listing and reading work


def check_bucket(s3: "S3Client", *, settings: Settings) -> Finding:
    """Check that the bucket of all classifiers can be reached and is in the clients' region."""
    bucket, region = settings.bucket, s3.meta.region_name
    try:
        answer = s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        command = DEPLOY
        if is_access_denied(error):
            command = f"aws s3api get-bucket-policy --bucket {bucket} # and the caller's right s3:ListBucket"
        return Finding("bucket", "missing", f"{bucket} cannot be reached: {code_of(error)} {sentence(error)}", command)
    there = answer.get("BucketRegion", region)
    if there != region:
        found = f"{bucket} is in {there}, and the calls go to {region}; SageMaker reads buckets of its own region"
        return Finding("bucket", "missing", found, preflight_command(there))
    return Finding("bucket", "ok", f"{bucket} in {there}")


def check_notification(s3: "S3Client", *, classifier: Classifier, settings: Settings) -> Finding:
    """Check that no other event notification of the bucket overlaps with the classifier's uploads."""
    check, bucket = f"upload trigger of {classifier.name}", settings.bucket
    trigger = notification.UploadTrigger.of(classifier.name, function_arn="")  # only its prefix matters here
    try:
        notification.upload_trigger_change(s3, bucket=bucket, trigger=trigger)
    except FunctionError as error:
        return Finding(
            check,
            "missing",
            str(error),
            CHANGE_NOTIFICATIONS.format(bucket=bucket, prefix=trigger.prefix),
        )
    except ClientError as error:
        return Finding(check, "not checked", f"the notifications of {bucket} cannot be read: {refusal(error)}")
    return Finding(check, "ok", "no other notification has these keys")


def check_source(s3: "S3Client", *, classifier: Classifier, settings: Settings, caller: Caller) -> Finding:
    """Check that the labelled images can be listed and the first of them read."""
    check = f"source of {classifier.name}"
    try:
        source = open_source(classifier, s3=s3, data_folder=settings.data_folder)
        if isinstance(source, ListSource):
            return _list_source(check, source)
        if isinstance(source, BucketSource):
            return _bucket_source(check, source)
        return _folder_source(check, source)
    except ClientError as error:
        if is_access_denied(error):
            return _refused_source(check, classifier, caller=caller, operation=error.operation_name)
        return Finding(check, "missing", f"{classifier.source}: {sentence(error)}", f"aws s3 ls {classifier.source}")
    except (DatasetError, StorageError) as error:
        return Finding(check, "missing", str(error), _find_command(classifier.source))


def _refused_source(check: str, classifier: Classifier, *, caller: Caller, operation: str) -> Finding:
    """Return which right the caller lacks, and the command that gives it."""
    right, listed = (
        ("s3:ListBucket", "") if operation.startswith("List") else ("s3:GetObject", ", though it may list it")
    )
    found = f"{caller.arn} may not {right} in {classifier.source}{listed}"
    if caller.is_named:
        return Finding(check, "not checked", f"{found}; whether {caller.policy_source_arn} may, is not known")
    owner = "# The policy of a bucket in another account must allow this, too."
    pays = "" if classifier.requester_pays else " If its owner lets the requester pay: requester_pays: true."
    return Finding(check, "missing", found, f"{_grant(classifier, caller=caller)}\n{owner}{pays}")


def _grant(classifier: Classifier, *, caller: Caller) -> str:
    """Return the command that lets the caller read the source; the root user lacks it by the bucket's policy alone."""
    bucket, _, prefix = classifier.source.removeprefix("s3://").partition("/")
    if caller.is_root:
        return f"aws s3api get-bucket-policy --bucket {bucket}"
    of_bucket = f"arn:{caller.partition}:s3:::{bucket}"
    rights = {"s3:ListBucket": of_bucket, "s3:GetObject": f"{of_bucket}/{prefix}*"}
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in rights.items()]
    document = shlex.quote(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    kind, name = caller.role_or_user
    policy = f"--policy-name read-source-of-{classifier.name} --policy-document {document}"
    return f"aws iam put-{kind}-policy --{kind}-name {name} {policy}"


def _find_command(source: str) -> str:
    if source.startswith("s3://"):
        return f"aws s3 ls {source}"
    if source.startswith("/"):
        return f"ls -l {source}"
    return f"export IMAGE_CLASSIFIER_DATA_FOLDER=<the folder that contains {source}>"


def _bucket_source(check: str, source: BucketSource) -> Finding:
    place = f"s3://{source.bucket}/{source.prefix}"
    page = source.s3.list_objects_v2(Bucket=source.bucket, Prefix=source.prefix, MaxKeys=HOW_MANY, **source.extra)
    keys = [item["Key"] for item in page.get("Contents", []) if not item["Key"].endswith("/")]
    if not keys:
        return Finding(check, "missing", f"{place} holds no objects", f"aws s3 sync <a folder per class> {place}")
    source.s3.head_object(Bucket=source.bucket, Key=keys[0], **source.extra)
    return Finding(check, "ok", f"{place} is listed, and {keys[0]} can be read")


def _list_source(check: str, source: ListSource) -> Finding:
    first = source.rows[0].path
    source.read(first, limit_bytes=1)
    return Finding(check, "ok", f"{source.where} has {len(source.rows):,} rows, and {first} can be read")


def _folder_source(check: str, source: FolderSource) -> Finding:
    names = [name for name in source.files().names if not name.endswith("/")]
    if not names:
        return Finding(check, "missing", f"{source.where} holds no files", f"ls -l {source.folder}")
    source.read(names[0], limit_bytes=1)
    return Finding(check, "ok", f"{source.where} holds {len(names):,} files, and {names[0]} can be read")
