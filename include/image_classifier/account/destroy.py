"""Removes a whole deployment: every classifier, the stack, and the bucket with its objects unless it is kept."""

import logging
from typing import TYPE_CHECKING

from image_classifier.account.remains import Account, Attachment, Remains, object_versions
from image_classifier.account.stack import POLL_S, delete_stack
from image_classifier.aws.clients import Clients
from image_classifier.aws.versions import delete_versions
from image_classifier.teardown import delete as teardown
from image_classifier.teardown.inventory import Teardown

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

log = logging.getLogger(__name__)


def destroy(account: Account, remains: Remains, *, keep_data: bool, poll_s: float = POLL_S) -> None:
    """Delete what `remains` lists. `keep_data` keeps the bucket with images, models, predictions and corrections.

    It can be run again after a failure; what is deleted already is skipped.

    Raises:
        ResourceBusyError: a resource is being changed, or S3 did not delete some objects.
        StackError: CloudFormation cannot delete a resource of the stack.

    """
    for name in remains.classifiers:
        request = Teardown(name, remains.bucket, keep_images=keep_data, keep_predictions=keep_data)
        for step in teardown.STEPS:
            if not (keep_data and step is teardown.delete_objects):
                step(account.clients, request)
    for attachment in remains.attachments:
        _detach(account.iam, attachment)
    if remains.bucket and not keep_data:
        delete_bucket(account.clients, remains.bucket)
    if remains.stack:
        delete_stack(account.cloudformation, account.stack_name, poll_s=poll_s)
        log.info("Stack %s deleted", account.stack_name)
    if remains.queue_arn:
        _delete_queue(account.clients, remains.queue_arn)


def delete_bucket(clients: Clients, bucket: str) -> None:
    """Delete every version of every object, then the bucket, which the stack retains.

    Raises:
        ResourceBusyError: S3 did not delete some of the objects.

    """
    for page in clients.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            clients.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    found = ((version["Key"], version["VersionId"]) for version in object_versions(clients, bucket))
    deleted = delete_versions(clients.s3, found, bucket=bucket)
    clients.s3.delete_bucket(Bucket=bucket)
    log.info("Bucket %s deleted with %d object versions", bucket, deleted)


def _detach(iam: "IAMClient", attachment: Attachment) -> None:
    if attachment.kind == "role":
        iam.detach_role_policy(RoleName=attachment.name, PolicyArn=attachment.policy_arn)
    elif attachment.kind == "user":
        iam.detach_user_policy(UserName=attachment.name, PolicyArn=attachment.policy_arn)
    else:
        iam.detach_group_policy(GroupName=attachment.name, PolicyArn=attachment.policy_arn)
    log.info("Policy %s detached from %s %s", attachment.policy_arn, attachment.kind, attachment.name)


def _delete_queue(clients: Clients, arn: str) -> None:
    """Delete the failure queue, if the stack retained it with its messages."""
    try:
        url = clients.sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
    except clients.sqs.exceptions.QueueDoesNotExist:
        return
    clients.sqs.delete_queue(QueueUrl=url)
    log.info("Failure queue %s deleted", arn)
