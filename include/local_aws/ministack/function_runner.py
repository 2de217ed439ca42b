"""Runs functions in isolated processes of limited number, and asynchronous invocations from a queue on disk."""

import hashlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from local_aws.ministack.destinations import Destinations
from local_aws.ministack.documents import EventInvokeConfig, FunctionConfig, FunctionError, FunctionRecord, Result
from local_aws.ministack.function_process import Function, safe_name
from local_aws.ministack.function_processes import FunctionProcesses, NoProcessFreeError
from local_aws.ministack.invocation_queue import Invocation, InvocationQueue
from local_aws.ministack.metrics import invoke_measured, record_delivery_failure
from local_aws.ministack.modules import lambda_runtime, lambda_svc

log = logging.getLogger(__name__)

_SYNCHRONOUS_WAIT_S = 60  # then the caller is throttled; a function that calls itself would wait for ever
_THROTTLE_WAIT_S = 1  # doubled with every throttle
_MOST_THROTTLE_WAITS = 5  # times the first retry's wait; AWS: 60 s and 5 minutes
_DEFAULT_RETRIES = 2
_DEFAULT_MAX_AGE_S = 21600
_DEAD_LETTER_ERROR_BYTES = 1024
_ASYNCHRONOUS = "asynchronous-invocation"  # names the threads that take events from the queue

_event_request_id: ContextVar[str | None] = ContextVar("event_request_id", default=None)


def keep_request_id(original: Callable[..., Result]) -> Callable[..., Result]:
    """Wrap one execution: every attempt at an event has the request id with which the event was accepted."""

    def dispatch(
        record: FunctionRecord, config: FunctionConfig, event: object, request_id: str, started: float
    ) -> Result:
        return original(record, config, event, _event_request_id.get() or request_id, started)

    return dispatch


@dataclass(frozen=True)
class Limits:
    """The number of processes, and how long a failed event waits for its next attempt."""

    processes: int
    retry_wait_s: float  # AWS: 60 s before the first retry, 120 s before the second


class FunctionRunner:
    """Replaces MiniStack's own execution of functions."""

    def __init__(
        self, folder: Path, *, limits: Limits, extra_environment: Mapping[str, str], on_change: Callable[[], None]
    ) -> None:
        self.queue = InvocationQueue(folder / "invocations.sqlite3")
        self.processes = FunctionProcesses(folder / "functions", limit=limits.processes)
        self._destinations = Destinations(extra_environment["AWS_ENDPOINT_URL"], invoke=self.queue.put)
        self._limits = limits
        self._extra_environment = extra_environment
        self._on_change = on_change
        self._threads = [
            threading.Thread(target=self._work, name=f"{_ASYNCHRONOUS}-{number}", daemon=True)
            for number in range(limits.processes)
        ]
        self._throttles: dict[int, int] = {}
        self._is_stopping = False

    def start(self) -> None:
        """Start to work on the invocations that wait."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every process; events that are being handled stay in the queue."""
        self._is_stopping = True
        self.queue.close()
        self.processes.stop()
        for thread in self._threads:
            if thread.is_alive():  # it was started, and has not ended
                thread.join()

    def invoke_later(self, record: FunctionRecord, event: object) -> None:
        """Accept an asynchronous invocation, in place of MiniStack's thread per event."""
        self.queue.put(record["config"]["FunctionArn"], event)

    def execute(self, record: FunctionRecord, event: object, request_id: str) -> Result:
        """Run one invocation, in place of MiniStack's warm workers; return the answer in MiniStack's form."""
        config, code = record["config"], record.get("code_zip")
        if not code:
            return _failure({"errorType": "Runtime.NoCode", "errorMessage": "The function has no code"}, log_text="")
        is_asynchronous = threading.current_thread().name.startswith(_ASYNCHRONOUS)
        wait_s = None if is_asynchronous else _SYNCHRONOUS_WAIT_S
        try:
            with self.processes.lend(self._function(config, code), wait_s=wait_s) as process:
                outcome = process.invoke(event, request_id=request_id, arn=config["FunctionArn"])
        except NoProcessFreeError:
            throttled: Result = lambda_svc._throttle_response(
                reason_code="ConcurrentInvocationLimitExceeded", msg="Rate Exceeded."
            )
            return throttled
        self._on_change()
        if outcome.error:
            result = _failure(outcome.error, log_text=outcome.log)
        else:
            result = {"body": json.loads(outcome.result or "null"), "log": outcome.log}
        return {**result, "log_source": process.log_stream}

    def _function(self, config: FunctionConfig, code: bytes) -> Function:
        environment = self._environment(config)
        temporary_mb = (config.get("EphemeralStorage") or {}).get("Size", 512)
        parts = [config["CodeSha256"], config["Handler"], config["Timeout"], environment, temporary_mb]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return Function(
            name=safe_name(config["FunctionName"]),
            version=config["Version"],
            handler=config["Handler"],
            timeout_s=config["Timeout"],
            memory_mb=config["MemorySize"],
            temporary_mb=temporary_mb,
            environment=environment,
            code=code,
            key=f"{_unqualified(config['FunctionArn'])}:{config['Version']}:{digest}",
        )

    def _environment(self, config: FunctionConfig) -> dict[str, str]:
        """Return the variables that AWS sets, the function's own variables, and the addresses of this AWS."""
        _, _, _, region, *_ = config["FunctionArn"].split(":")
        credentials = lambda_runtime.execution_credentials(config)
        return {
            **self._extra_environment,
            **(config.get("Environment", {}).get("Variables") or {}),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_VERSION": config["Version"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config['FunctionName']}",
            "_HANDLER": config["Handler"],
            **{name: value for name, value in credentials.items() if value},
        }

    def _work(self) -> None:
        while (invocation := self.queue.take()) is not None:
            try:
                self._work_on(invocation)
            except Exception:  # noqa: BLE001  whatever the error is, the event is put back
                if not self._is_stopping:
                    self._retry_after_error(invocation)

    def _retry_after_error(self, invocation: Invocation) -> None:
        log.exception("Event %s of %s could not be worked on", invocation.request_id, invocation.function_arn)
        try:
            self.queue.put_back(invocation, after_s=self._limits.retry_wait_s, attempts=invocation.attempts + 1)
        except sqlite3.Error:  # such as a full disk, which must not end the thread
            log.exception("Event %s is handled again after the next start", invocation.request_id)

    def _work_on(self, invocation: Invocation) -> None:
        _event_request_id.set(invocation.request_id)
        scope = {"config": {"FunctionArn": invocation.function_arn}}
        lambda_svc._run_with_function_config_scope(scope, self._attempt, invocation)

    def _attempt(self, invocation: Invocation) -> None:
        record, config, _ = lambda_svc._get_func_record_for_ref(invocation.function_arn)
        if not record or not config:
            log.warning("Event %s is dropped: there is no function %s", invocation.request_id, invocation.function_arn)
            self.queue.remove(invocation)
            return
        base, _, _ = lambda_svc._get_base_func_record_for_ref(invocation.function_arn)
        rules: EventInvokeConfig = (
            lambda_svc._event_invoke_config(base, _qualifier(invocation.function_arn)) or EventInvokeConfig()
        )
        if time.time() - invocation.accepted_s > rules.get("MaximumEventAgeInSeconds", _DEFAULT_MAX_AGE_S):
            self._give_up(invocation, rules=rules, config=config, condition="EventAgeExceeded", result={})
            return
        called = cast("FunctionRecord", {**record, "config": {**config, "FunctionArn": invocation.function_arn}})
        result = invoke_measured(called, invocation.event)
        if not self._is_stopping:
            self._finish_or_retry(invocation, rules=rules, config=config, result=result)

    def _finish_or_retry(
        self,
        invocation: Invocation,
        *,
        rules: EventInvokeConfig,
        config: FunctionConfig,
        result: Result,
    ) -> None:
        attempts = invocation.attempts + 1
        retries = rules.get("MaximumRetryAttempts", _DEFAULT_RETRIES)
        if result.get("throttle"):  # AWS does not count these as attempts
            self.queue.put_back(invocation, after_s=self._throttle_wait_s(invocation), attempts=invocation.attempts)
            return
        self._throttles.pop(invocation.id, None)
        if not result.get("error"):
            self._succeed(invocation, rules=rules, config=config, result=result)
        elif attempts > retries:
            self._give_up(invocation, rules=rules, config=config, condition="RetriesExhausted", result=result)
        else:
            self.queue.put_back(invocation, after_s=self._limits.retry_wait_s * attempts, attempts=attempts)

    def _throttle_wait_s(self, invocation: Invocation) -> float:
        throttles = self._throttles.get(invocation.id, 0)
        self._throttles[invocation.id] = throttles + 1
        longest_s: float = _MOST_THROTTLE_WAITS * self._limits.retry_wait_s
        return min(_THROTTLE_WAIT_S * 2.0 ** min(throttles, 30), longest_s)

    def _succeed(
        self,
        invocation: Invocation,
        *,
        rules: EventInvokeConfig,
        config: FunctionConfig,
        result: Result,
    ) -> None:
        target = rules.get("DestinationConfig", {}).get("OnSuccess", {}).get("Destination")
        if target:
            record = _record(invocation, config=config, condition="Success", result=result)
            if not self._destinations.send(target, record, role_arn=config["Role"]):
                record_delivery_failure(config, metric="DestinationDeliveryFailures")
        self.queue.remove(invocation)

    def _give_up(
        self,
        invocation: Invocation,
        *,
        rules: EventInvokeConfig,
        config: FunctionConfig,
        condition: str,
        result: Result,
    ) -> None:
        log.warning("Event %s of %s failed: %s", invocation.request_id, invocation.function_arn, condition)
        target = rules.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        record = _record(invocation, config=config, condition=condition, result=result)
        if target and not self._destinations.send(target, record, role_arn=config["Role"]):
            record_delivery_failure(config, metric="DestinationDeliveryFailures")
        dead_letters = config.get("DeadLetterConfig", {}).get("TargetArn")
        attributes = _dead_letter_attributes(invocation, result=result)
        if dead_letters and not self._destinations.send(
            dead_letters, invocation.event, role_arn=config["Role"], attributes=attributes
        ):
            record_delivery_failure(config, metric="DeadLetterErrors")
        self.queue.remove(invocation)


def _failure(error: FunctionError, *, log_text: str) -> Result:
    text = log_text if "stackTrace" in error else f"{log_text}{error['errorMessage']}\n"
    return {"body": dict(error), "error": True, "function_error": "Unhandled", "log": text}


def _record(invocation: Invocation, *, config: FunctionConfig, condition: str, result: Result) -> dict[str, object]:
    """Return the record for a destination, as AWS writes it."""
    attempts = invocation.attempts + (1 if result else 0)
    record: dict[str, object] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": f"{_unqualified(invocation.function_arn)}:{config['Version']}",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": invocation.event,
    }
    if result:
        failure = {"functionError": result["function_error"]} if result.get("error") else {}
        record["responseContext"] = {"statusCode": 200, "executedVersion": config["Version"], **failure}
        record["responsePayload"] = result.get("body")
    return record


def _dead_letter_attributes(invocation: Invocation, *, result: Result) -> dict[str, dict[str, str]]:
    """Return the attributes of a message in a dead-letter queue, whose body is the event, as AWS sets them."""
    attributes = {"RequestID": {"DataType": "String", "StringValue": invocation.request_id}}
    if result:
        error = cast("FunctionError", result.get("body"))
        attributes["ErrorCode"] = {"DataType": "Number", "StringValue": "200"}
        message = error["errorMessage"].encode()[:_DEAD_LETTER_ERROR_BYTES].decode(errors="ignore")
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": message or " "}
    return attributes


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _qualifier(arn: str) -> str | None:
    parts = arn.split(":")
    return parts[7] if len(parts) > 7 else None
