"""Sets the event notification by which S3 invokes the function for every object created below incoming/.

A bucket has one notification configuration; a write replaces all of it, and S3 has no conditional write for it. So all
other entries are written back unchanged, and the configuration is read again: if our entry is missing, another writer
has overwritten it, and the change is repeated.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of, described
from image_classifier.aws.names import Keys, function_name, notification_id
from image_classifier.aws.retry import repeat_at_random_until
from image_classifier.connect.function_versions import ALIAS
from image_classifier.connect.permission import ensure_permission
from image_classifier.contracts.errors import (
    FunctionError,
    NotificationGoneError,
    NotificationOverlapError,
    ResourceBusyError,
)

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Outcome = Literal["created", "updated", "unchanged"]
Configuration = dict[str, Any]
Entry = Mapping[str, Any]

EVENTS = "s3:ObjectCreated:*"
FUNCTIONS, QUEUES = "LambdaFunctionConfigurations", "QueueConfigurations"
KINDS = ("TopicConfigurations", QUEUES, FUNCTIONS)
MOST_TRIES = 8
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0


@dataclass(frozen=True)
class UploadTrigger:
    """One notification: S3 invokes ``function_arn``, or sends a message to ``queue_arn``, for every object created.

    Attributes:
        id: names the notification among the bucket's, and the statement in the function's policy.
        prefix: prefix of the keys whose creation is reported.
        function_arn: the function, its alias or a version.
        queue_arn: the queue from which the function is invoked; None if S3 invokes it directly.

    """

    id: str
    prefix: str
    function_arn: str
    queue_arn: str | None = None

    @classmethod
    def of(cls, classifier: str, *, function_arn: str, queue_arn: str | None = None) -> "UploadTrigger":
        """Return the notification of a classifier's uploads."""
        return cls(notification_id(classifier), Keys(classifier).incoming, function_arn, queue_arn)

    @property
    def kind(self) -> str:
        """Return the key of the notification's list in the bucket's configuration."""
        return FUNCTIONS if self.queue_arn is None else QUEUES


def ensure_upload_trigger(
    lambda_client: "LambdaClient",
    s3: "S3Client",
    *,
    bucket: str,
    trigger: UploadTrigger,
) -> Outcome:
    """Let S3 invoke the function, then write the notification: S3 tests the permission when it is written.

    Raises:
        NotificationOverlapError: another notification of the bucket overlaps with ours.
        FunctionError: S3 refuses our notification.
        ResourceBusyError: other writers keep changing the bucket's notifications.

    """
    permitted = trigger.queue_arn is None and ensure_permission(
        lambda_client, bucket=bucket, statement_id=trigger.id, function_arn=trigger.function_arn
    )
    written = _rewrite(s3, bucket=bucket, entry_id=trigger.id, entry=_entry(trigger))
    if written == "unchanged" and permitted:
        return "updated"
    return written


def upload_trigger_change(s3: "S3Client", *, bucket: str, trigger: UploadTrigger) -> Outcome:
    """Return what `ensure_upload_trigger` would do with the bucket's notifications; nothing is changed.

    Raises:
        NotificationOverlapError: another notification of the bucket overlaps with ours.

    """
    found, entry = _read(s3, bucket=bucket), _entry(trigger)
    _check_no_overlap(found, entry_id=trigger.id, entry=entry, bucket=bucket)
    own = _own(found, trigger.id)
    if not own:
        return "created"
    return "unchanged" if [_meaning(item) for item in own] == [_meaning(entry)] else "updated"


def delete_upload_trigger(lambda_client: "LambdaClient", s3: "S3Client", *, bucket: str, classifier: str) -> bool:
    """Remove our notification and the permission; return whether either existed.

    S3 does not check the destinations of the others, one of which may be gone, perhaps with another classifier.

    Raises:
        ResourceBusyError: other writers keep changing the bucket's notifications.

    """
    name = function_name(classifier)
    written = _rewrite(s3, bucket=bucket, entry_id=notification_id(classifier), entry=None)
    request = {"FunctionName": name, "StatementId": notification_id(classifier), "Qualifier": ALIAS}
    revoked = described(lambda: lambda_client.remove_permission(**request))
    return written != "unchanged" or revoked is not None


def check_notification_exists(s3: "S3Client", *, bucket: str, notification_id: str) -> None:
    """Check that the bucket has this event notification.

    Raises:
        NotificationGoneError: somebody deleted it.

    """
    if not _own(_read(s3, bucket=bucket), notification_id):
        message = (
            f"Bucket {bucket} has no event notification {notification_id}, so uploads are not classified: somebody "
            "deleted it, perhaps with a teardown, or the classifier's trigger is paused. Start a new run to set it."
        )
        raise NotificationGoneError(message)


def other_notifications(s3: "S3Client", *, bucket: str, trigger_id: str) -> list[str]:
    """Return the bucket's other notifications, each as a text with its id and destination."""
    found = _read(s3, bucket=bucket)
    others = [f"{item.get('Id', 'without Id')} to {_destination(item)}" for _, item in _others(found, trigger_id)]
    return [*others, *(["all events to EventBridge"] if "EventBridgeConfiguration" in found else [])]


def _entry(trigger: UploadTrigger) -> Configuration:
    target = (
        {"LambdaFunctionArn": trigger.function_arn} if trigger.queue_arn is None else {"QueueArn": trigger.queue_arn}
    )
    return {
        "Id": trigger.id,
        **target,
        "Events": [EVENTS],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": trigger.prefix}]}},
    }


@dataclass
class _Change:
    """A change that replaces the entry with the id by ``entry``, or removes it if ``entry`` is None."""

    s3: "S3Client"
    bucket: str
    entry_id: str
    entry: Configuration | None
    outcome: Outcome | None = None
    refusal: ClientError | None = None

    def is_done(self) -> bool:
        """Return whether the notifications that are read back have the entry; they are written first if not."""
        self.found = _read(self.s3, bucket=self.bucket)
        own = _own(self.found, self.entry_id)
        if [_meaning(item) for item in own] == ([] if self.entry is None else [_meaning(self.entry)]):
            self.outcome = self.outcome or "unchanged"
            return True
        self.outcome = self.outcome or ("updated" if own else "created")
        _check_no_overlap(self.found, entry_id=self.entry_id, entry=self.entry, bucket=self.bucket)
        wanted = _replaced(self.found, entry_id=self.entry_id, entry=self.entry)
        unchecked = {"SkipDestinationValidation": True} if self.entry is None else {}
        self.refusal = _write(self.s3, wanted, bucket=self.bucket, **unchecked)
        return False


def _rewrite(s3: "S3Client", *, bucket: str, entry_id: str, entry: Configuration | None) -> Outcome:
    """Change the notifications; return what was done.

    Raises:
        FunctionError: S3 refuses our entry.
        ResourceBusyError: other writers keep changing the notifications.

    """
    change = _Change(s3, bucket, entry_id, entry)
    done = repeat_at_random_until(change.is_done, tries=MOST_TRIES, first_pause_s=FIRST_PAUSE_S, most_s=LONGEST_PAUSE_S)
    if done and change.outcome:
        return change.outcome
    if change.refusal is not None:
        raise _refused(change.refusal, change.found, entry_id=entry_id, bucket=bucket) from change.refusal
    message = f"Others changed the event notifications of bucket {bucket} {MOST_TRIES} times in a row; try again"
    raise ResourceBusyError(message)


def _read(s3: "S3Client", *, bucket: str) -> Configuration:
    try:
        found: Configuration = {**s3.get_bucket_notification_configuration(Bucket=bucket)}
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return {}
        raise
    found.pop("ResponseMetadata", None)
    return found


def _write(s3: "S3Client", configuration: Any, *, bucket: str, **options: bool) -> ClientError | None:
    """Replace the notifications; return an error that a retry may fix: a new permission takes effect after seconds."""
    try:
        request: dict[str, Any] = {"Bucket": bucket, "NotificationConfiguration": configuration, **options}
        s3.put_bucket_notification_configuration(**request)
    except ClientError as error:
        if "Unable to validate the following destination" in str(error):
            return error
        if code_of(error) == "OperationAborted":
            return None
        raise
    log.info("Event notifications of bucket %s were written", bucket)
    return None


def _replaced(found: Configuration, *, entry_id: str, entry: Configuration | None) -> Configuration:
    """Return the bucket's notifications with our entry replaced or removed, and all others unchanged.

    One request moves our entry between the function and the queue, so no upload between two requests is missed.
    """
    ours = {} if entry is None else {FUNCTIONS if "LambdaFunctionArn" in entry else QUEUES: [entry]}
    kinds = {
        kind: [*(item for item in found.get(kind, ()) if item.get("Id") != entry_id), *ours.get(kind, ())]
        for kind in (FUNCTIONS, QUEUES)
    }
    rest = {kind: value for kind, value in found.items() if kind not in kinds}
    return {**rest, **{kind: entries for kind, entries in kinds.items() if entries}}


def _own(found: Configuration, entry_id: str) -> list[Entry]:
    return [item for kind in KINDS for item in found.get(kind, ()) if item.get("Id") == entry_id]


def _meaning(entry: Entry) -> object:
    """Return an entry in a form that can be compared: S3 returns the rule name prefix as Prefix."""
    return entry["Id"], _destination(entry), sorted(entry["Events"]), sorted(_rules(entry).items())


def _rules(entry: Entry) -> dict[str, str]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    return {rule["Name"].lower(): rule["Value"] for rule in rules}


def _check_no_overlap(found: Configuration, *, entry_id: str, entry: Configuration | None, bucket: str) -> None:
    """Check that no other notification covers the same keys: S3 refuses that without naming the other one."""
    if entry is None:
        return
    ours = _rules(entry)["prefix"]
    for kind, other in _others(found, entry_id):
        theirs = _rules(other).get("prefix", "")
        on_creation = any(event.startswith("s3:ObjectCreated:") for event in other["Events"])
        if on_creation and (theirs.startswith(ours) or ours.startswith(theirs)):
            message = (
                f"Bucket {bucket} has another notification for objects created below {theirs or 'any prefix'}: "
                f"{other.get('Id', 'without Id')} of {kind}, to {_destination(other)}. S3 allows one for each key: "
                f"narrow its prefix so that it leaves {ours} alone, or give the classifiers a bucket of their own."
            )
            raise NotificationOverlapError(message)


def _others(found: Configuration, entry_id: str) -> Iterator[tuple[str, Entry]]:
    for kind in KINDS:
        yield from ((kind, item) for item in found.get(kind, ()) if item.get("Id") != entry_id)


def _destination(entry: Entry) -> str:
    return next((str(value) for name, value in entry.items() if name.endswith("Arn")), "an unknown destination")


def _refused(refusal: ClientError, found: Configuration, *, entry_id: str, bucket: str) -> FunctionError:
    others = [f"{item.get('Id', 'without Id')} to {_destination(item)}" for _, item in _others(found, entry_id)]
    advice = f"Is one of the others' destinations gone? {'; '.join(others)}. Repair or remove it." if others else ""
    return FunctionError(f"S3 does not take the event notifications of bucket {bucket}: {refusal} {advice}".strip())
