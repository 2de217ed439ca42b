"""Creates log groups with a retention: a group that AWS creates keeps its logs, and their cost, forever."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

log = logging.getLogger(__name__)

RETENTION_DAYS = 30


def ensure_log_group(logs: "CloudWatchLogsClient", name: str, *, tags: Mapping[str, str]) -> bool:
    """Create the log group, and set its retention unless it has one; return whether anything changed.

    A retention that somebody else set is kept.
    """
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    found = next((group for page in pages for group in page["logGroups"] if group["logGroupName"] == name), None)
    if found is not None and "retentionInDays" in found:
        return False
    if found is None:
        _create(logs, name, tags=tags)
    logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)
    log.info("Log group %s keeps its logs for %d days", name, RETENTION_DAYS)
    return True


def _create(logs: "CloudWatchLogsClient", name: str, *, tags: Mapping[str, str]) -> None:
    try:
        logs.create_log_group(logGroupName=name, tags=dict(tags))
    except ClientError as error:
        if code_of(error) != "ResourceAlreadyExistsException":  # AWS or another run created it in the meantime
            raise
