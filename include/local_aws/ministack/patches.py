"""Lists the functions of MiniStack that are replaced, and why."""

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from local_aws.faults.counting import Faults
from local_aws.faults.roles import UnreadyRoles
from local_aws.keys import where_keys_are
from local_aws.ministack import (
    alarms,
    alias_refusals,
    bucket_properties,
    bucket_refusals,
    function_payloads,
    function_refusals,
    iam_enforcement,
    log_events,
    log_storage,
    mapping_refusals,
    message_requests,
    object_files,
    object_refusals,
    one_address,
    parsed_documents,
    policy_simulation,
    queue_batches,
    queue_lock,
    queue_policy,
    queue_refusals,
    record_filters,
    state_files,
    stored_objects,
    version_lists,
)
from local_aws.ministack.event_delivery import EventDelivery
from local_aws.ministack.function_runner import FunctionRunner, keep_request_id
from local_aws.ministack.iam_enforcement import Enforcement
from local_aws.ministack.invoke_config_refusals import put_event_invoke_config
from local_aws.ministack.message_journal import MessageJournal
from local_aws.ministack.modules import (
    Answer,
    app,
    cloudwatch,
    cloudwatch_logs,
    iam,
    iam_actions,
    iam_evaluator,
    lambda_svc,
    persistence,
    provisioners,
    router,
    s3,
    sqs,
)
from local_aws.ministack.patching import Patch

log = logging.getLogger(__name__)


def patches(runner: FunctionRunner, *, journal: MessageJournal, faults: Faults) -> list[Patch]:
    """Return every patch; a hash is that of the source that the patch was written for (MiniStack 1.5.33)."""
    events = EventDelivery(runner.queue, journal=journal, faults=faults)
    refusals = _refusals(UnreadyRoles(faults))
    return [*_running(runner, events=events), *_stack(), *_documents(), *_queues(events), *refusals]


def _running(runner: FunctionRunner, *, events: EventDelivery) -> list[Patch]:
    return [
        # A thread and a process per event: 200 uploads took 6 GB, and events were lost.
        Patch(lambda_svc, "invoke_async_with_retry", "289fe4d3cbd4089b", _replace(runner.invoke_later)),
        # Functions saw the packages and the environment of the user's shell, and outlived MiniStack.
        Patch(lambda_svc, "_execute_function_warm", "62b9218bef5b948a", _replace(runner.execute)),
        Patch(lambda_svc, "invalidate_worker", "1be5d7f769f5c608", _replace(_end_processes(runner))),
        # Each attempt at an event had a request id of its own.
        Patch(lambda_svc, "_execute_function_dispatch", "f62cd259213ecef7", keep_request_id),
        # A function whose state was saved during a change stayed Pending for ever.
        Patch(lambda_svc, "load_persisted_state", "140113ddcd3634e1", _finish_interrupted_changes),
        # An event was only in memory when the upload was answered, and the alias was lost.
        Patch(s3, "_fire_s3_event_async", "d42619f0eb8691d5", _deliver_before_the_answer),
        Patch(s3, "_deliver_event_to_lambda", "0bdd18b38925e4e3", _replace(events.deliver)),
        # Metrics in the embedded metric format were not recorded, and each invocation had a log stream.
        Patch(lambda_svc, "_emit_lambda_logs", "111efbf06968bb20", _replace(log_storage.emit_function_log)),
        # An alarm joined all dimensions of its metric and all its periods, and ignored TreatMissingData.
        Patch(cloudwatch, "_evaluate_alarm", "a0b0acd3d432b711", alarms.evaluate_alarm),
        # logStreamNamePrefix and JSON patterns were ignored, case too, and there was no next page.
        Patch(cloudwatch_logs, "_filter_log_events", "9b3d13c713b5d3cb", _replace(log_events.filter_log_events)),
        # Events of any time and in any order were taken, and kept in memory twice and for ever.
        Patch(cloudwatch_logs, "_put_log_events", "acd4fda33a3857d7", _replace(log_storage.put_log_events)),
        # A state that could not be written was only logged, and one that was cut off by a power cut was empty.
        Patch(persistence, "save_state", "58a9551109738f64", _replace(state_files.save_at_the_end)),
        # The first request for an absent service blocked all others for seconds, because it read every service model.
        Patch(router, "_is_aws_service_name", "12b437d0256187cf", _replace(one_address.is_aws_service)),
    ]


def _stack() -> list[Patch]:
    return [
        # The lifecycle, the tags, the bucket key and the object ownership of a bucket were dropped.
        Patch(provisioners, "_s3_apply_configurations", "9a299ad21255ed90", bucket_properties.apply_configurations),
    ]


def _documents() -> list[Patch]:
    return [
        # Policies were parsed for each request, notification and encryption for each upload: a tenth of the time.
        Patch(iam_evaluator, "parse_policy_document", "622a4f98a3ecd766", parsed_documents.policy),
        Patch(s3, "_parse_notification_config_raw", "682a6a4a60994297", parsed_documents.notification_configuration),
        Patch(s3, "_bucket_default_sse_headers", "e7f8158dbf300dc7", parsed_documents.default_encryption),
        # Symbolic links were searched for in each part of an object's path, three times for a write: a tenth of it.
        Patch(s3, "_key_disk_path", "93899514851552ad", _replace(object_files.path_of)),
        Patch(s3, "_other_key_disk_path", "99ecdb982d1e9189", _replace(object_files.other_path_of)),
        # A file object of Python took eight system calls for each of the two files of an object.
        Patch(s3, "_atomic_write", "24958052a85fea7c", _replace(object_files.write)),
        # Pages of versions repeated objects, skipped versions of a key of which some were deleted, and never ended.
        Patch(s3, "_list_object_versions", "2a656b63124adf1c", _replace(version_lists.list_object_versions)),
        # An object that could not be stored, as on a full disk, was accepted, and gone after a restart.
        Patch(s3, "_persist_object", "cb32b6ae8706bef8", _replace(stored_objects.persist_object)),
        Patch(s3, "_persist_delete_marker", "3181a2382f87d36c", _replace(stored_objects.persist_delete_marker)),
        Patch(s3, "_persist_displaced_version", "9637289a604c2b66", _replace(stored_objects.persist_displaced_version)),
        Patch(s3, "_record_delete_marker", "38fd10001d9b5f43", stored_objects.record_delete_marker),
    ]


def _queues(events: EventDelivery) -> list[Patch]:
    deleted = queue_refusals.DeletedNames()
    return [
        # A queue's policy was not evaluated, and its events had no faults.
        Patch(s3, "_deliver_event_to_sqs", "268b46f4a97c2dfd", events.to_queue),
        Patch(sqs, "queue_policy_allows", "5de01aa09a4ceb84", _replace(queue_policy.allows)),
        # Requests and the poller for event source mappings lost each other's messages; a name was free at once; a
        # deletion with a handle that is not the newest was refused.
        Patch(sqs, "_dispatch", "6a429fdb61ebdc5a", functools.partial(_requests_to_queues, deleted)),
        Patch(sqs, "_expire_retained", "c0da3361632bea27", queue_lock.step),
        Patch(sqs, "_dlq_sweep", "6a77691e16715a0d", queue_lock.step),
        Patch(sqs, "_collect_msgs", "308a6eb1b3d4c8ad", queue_lock.step),
        # There was no batching window and no batch over 10, and invalid answers of a function deleted every message.
        Patch(sqs, "_receive_messages_for_esm", "f230dbcd4974adcf", _replace(queue_batches.BatchingWindow().receive)),
        # Messages whose pattern has $or, or is about an array such as S3's Records, matched nothing and were deleted.
        Patch(lambda_svc, "_match_esm_filter", "355086b70ce2adbf", _replace(record_filters.matches)),
        Patch(lambda_svc, "_run_sqs_batch", "f9bf630aabf3d1b9", _replace(queue_batches.run_batch)),
    ]


def _requests_to_queues(
    deleted: queue_refusals.DeletedNames, original: Callable[..., Awaitable[Answer]]
) -> message_requests.Dispatch:
    locked = message_requests.deletions(queue_lock.request(original))
    return message_requests.limits(deleted.request(locked))


def _refusals(unready_roles: UnreadyRoles) -> list[Patch]:
    create_function = function_refusals.create_function(unready_roles)
    return [
        # Payloads of any size were accepted, and those that are no JSON as an empty event.
        Patch(lambda_svc, "handle_request", "f2255bfe6f90ab0a", function_payloads.lambda_request),
        Patch(lambda_svc, "_invoke", "ab193779e5c2ea94", function_payloads.invoke),
        # Requests that AWS refuses were accepted.
        Patch(lambda_svc, "_create_esm", "d351521bb6cdd30f", mapping_refusals.create_event_source_mapping),
        Patch(lambda_svc, "_update_esm", "1b7e0409cb6593c2", mapping_refusals.update_event_source_mapping),
        Patch(lambda_svc, "_create_alias", "2fca00d580eb5774", alias_refusals.create_alias),
        Patch(lambda_svc, "_update_alias", "0017f6b94b062e90", alias_refusals.update_alias),
        Patch(lambda_svc, "_put_event_invoke_config", "e53a9f8cbd9cf1c1", put_event_invoke_config),
        Patch(lambda_svc, "_put_function_concurrency", "172358f9cb8292ef", mapping_refusals.put_function_concurrency),
        Patch(lambda_svc, "_create_function", "e307eecdf0d8b51c", create_function),
        Patch(lambda_svc, "_update_code", "0998d118b422f475", function_refusals.update_function_code),
        Patch(lambda_svc, "_update_config", "6999cb0695dace00", function_refusals.update_function_configuration),
        Patch(s3, "_dispatch", "52562ee7c18bd9e7", _requests_to_s3),
        Patch(s3, "_put_bucket_notification", "2e475b5ea0c1a271", bucket_refusals.notification_request),
        Patch(s3, "_validate_notification_configs", "780d0ff4d6e72307", bucket_refusals.notification_configuration),
    ]


def _requests_to_s3(original: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    return bucket_refusals.object_request(object_refusals.request(stored_objects.request(original)))


def iam_patches(enforcement: Enforcement, *, keys: Path) -> list[Patch]:
    """Return the patches that complete MiniStack's enforcement of IAM; `keys` is the file of the keys."""
    hint = where_keys_are(keys)
    simulation = policy_simulation.simulate_principal_policy
    denial = functools.partial(iam_enforcement.denial, where_keys_are=hint)
    s3_error = functools.partial(iam_enforcement.s3_error, where_keys_are=hint)
    return [
        Patch(app, "pin_request_origin", "de819c1bd9ac2be4", iam_enforcement.pin_request_origin),
        # Any secret was accepted for the root user's key.
        Patch(iam_evaluator, "_is_root_key", "6d4c5eed6ad65f6a", _replace(iam_enforcement.has_unchecked_signature)),
        # No wildcard matched a key with a line end: not in what is allowed, and not in what is denied.
        Patch(iam_evaluator, "_fnmatch_compile", "c95d90f11ae7a023", _replace(iam_enforcement.wildcards)),
        # The caller's policies were collected twice for each request.
        Patch(iam_evaluator, "request_caller_arn", "12240eb881e7e316", iam_enforcement.request_caller_arn),
        Patch(iam_evaluator, "enforce", "cf64b1ee5b099c8f", enforcement.enforce),
        Patch(iam_actions, "_lambda_action", "19fa24ebca403b7a", _replace(iam_enforcement.lambda_action)),
        # The context of a simulation was ignored, so that nobody was allowed to pass a role.
        Patch(iam, "_simulate_principal_policy", "8dbfeffbf14502f4", simulation),
        # A write with If-Match needed no right to read.
        Patch(iam_actions, "s3_additional_checks", "26e5e5602d743140", iam_enforcement.s3_additional_checks),
        Patch(iam_actions, "access_denied_response", "3cc2e315f91f45da", denial),
        Patch(s3, "_enforce_post_policy_size", "cd0ef225367af10d", iam_enforcement.unsigned_form),
        Patch(s3, "_error", "7a708a97c4bd72fb", s3_error),
        Patch(s3, "_object_error", "c7b4bae8a231dba2", s3_error),
    ]


def _replace(replacement: Callable[..., object]) -> Callable[[Callable[..., object]], Callable[..., object]]:
    return lambda _original: replacement


def _end_processes(runner: FunctionRunner) -> Callable[..., None]:
    def end(name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None) -> None:  # noqa: ARG001
        runner.processes.end_processes_of(name)

    return end


def _finish_interrupted_changes(original: Callable[..., object]) -> Callable[..., object]:
    def load(data: object) -> None:
        original(data)
        for function in lambda_svc._functions._data.values():
            for record in (function, *function.get("versions", {}).values()):
                if record["config"].get("State") == "Pending":
                    record["config"].update(State="Active", StateReason="", StateReasonCode="")
                if record["config"].get("LastUpdateStatus") == "InProgress":
                    record["config"].update(LastUpdateStatus="Successful")

    return load


def _is_meant(configured: Mapping[str, object], *, key: str, event_name: str) -> bool:
    """Return whether an entry of a notification configuration is for this event; most writes are for none."""
    return bool(
        s3._event_matches(event_name, configured["events"])
        and s3._key_matches_filter(key, configured["filter_prefix"], configured["filter_suffix"])
    )


def _deliver_before_the_answer(original: Callable[..., object]) -> Callable[..., object]:
    def fire(bucket: str, key: str, event_name: str, size: int = 0, etag: str = "", **more: object) -> None:
        if bucket not in s3._bucket_notifications:
            return
        configured = s3._parse_notification_config(bucket)
        targets = {item["type"] for item in configured}
        if not targets <= {"lambda", "sqs"} or "EventBridge" in s3._bucket_notifications[bucket]:
            original(bucket, key, event_name, size, etag, **more)
        elif any(_is_meant(item, key=key, event_name=event_name) for item in configured):
            # The event is stored, in the queue of invocations or in the SQS queue, before the upload is answered.
            sequencer = s3._next_event_sequencer(event_name)
            with stored_objects.fail_if_undelivered():
                s3._fire_s3_event(bucket, key, event_name, size, etag, sequencer=sequencer, **more)

    return fire
