"""Runs the batches of SQS event source mappings: the batching window, and the deletion of processed messages."""

import json
import logging
import time

from local_aws.ministack.documents import EventSourceMapping, FunctionRecord, Message, Queue, QueueEvent
from local_aws.ministack.metrics import invoke_measured
from local_aws.ministack.modules import lambda_svc, sqs

log = logging.getLogger(__name__)

_MOST_PER_RECEIVE = 10_000  # the largest BatchSize of a standard queue


class BatchingWindow:
    """Collects messages until a batch is full or MaximumBatchingWindowInSeconds is over."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def receive(self, queue_url: str, max_number: int) -> list[Message]:
        """Return the messages of the next batch; MiniStack returned at most 10 messages and had no window."""
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            if self._is_open(queue, batch_size=max_number):
                return []
            visibility_s = int(queue["attributes"].get("VisibilityTimeout", "30"))
            messages: list[Message] = sqs._collect_msgs(queue, min(max_number, _MOST_PER_RECEIVE), visibility_s)
            return messages

    def _is_open(self, queue: Queue, *, batch_size: int) -> bool:
        arn, now = queue["attributes"]["QueueArn"], time.time()
        window_s = _window_s(arn)
        waiting = sum(message["visible_at"] <= now for message in queue["messages"])
        if waiting and waiting < batch_size and now - self._since.setdefault(arn, now) < window_s:
            return True
        self._since.pop(arn, None)
        return False


def _window_s(queue_arn: str) -> float:
    mappings = [item for item in lambda_svc._esms.values() if item["EventSourceArn"] == queue_arn and item["Enabled"]]
    return min((float(item["MaximumBatchingWindowInSeconds"]) for item in mappings), default=0.0)


def run_batch(
    mapping: EventSourceMapping,
    function: FunctionRecord,
    event: QueueEvent,
    batch: list[Message],
    queue_url: str,
    queue_name: str,
) -> None:
    """Invoke the function with a batch and delete the messages that it processed; the others become visible again."""
    result = invoke_measured(function, event)
    reports_failures = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
    sent = [record["messageId"] for record in event["Records"]]
    failed = set(sent) if result.get("error") else failed_messages(result.get("body"), sent=sent)
    if not reports_failures and not result.get("error"):
        failed = set()
    handles = {message["receipt_handle"] for message in batch if message["id"] not in failed}
    sqs._delete_messages_for_esm(queue_url, handles)
    mapping["LastProcessingResult"] = "PROBLEM: Function call failed" if result.get("error") else "OK"
    if failed:
        log.info("Queue %s: %d of %d messages of a batch failed", queue_name, len(failed), len(batch))
        # MiniStack's poller skips the mapping until that time.
        lambda_svc._esm_backoff_until[mapping["UUID"]] = time.time() + lambda_svc._ESM_BACKOFF_SECONDS


def failed_messages(answer: object, *, sent: list[str]) -> set[str]:
    """Return the ids of the messages that failed, from the function's answer.

    As Lambda documents it, an answer that cannot be read, an empty or unknown ``itemIdentifier`` fail the whole batch;
    no answer and an empty list of ``batchItemFailures`` fail none.
    """
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            return set(sent)
    if answer is None or answer == {}:
        return set()
    failures = answer.get("batchItemFailures", []) if isinstance(answer, dict) else "unreadable"
    if failures is None:
        return set()
    if not isinstance(failures, list) or not all(isinstance(item, dict) for item in failures):
        return set(sent)
    named = {item.get("itemIdentifier") for item in failures}
    return named if named <= set(sent) else set(sent)
