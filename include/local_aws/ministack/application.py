"""Assembles the ASGI application: MiniStack with the patches applied, and the pages and services added to it."""

import functools
import gc
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from local_aws.clients import client
from local_aws.faults.counting import Faults
from local_aws.keys import KEYS_FILE
from local_aws.ministack import (
    iam_enforcement,
    lifecycle,
    log_storage,
    metrics,
    patching,
    queue_lock,
    stack_operations,
    state_files,
)
from local_aws.ministack.administration import without_administration
from local_aws.ministack.authorization import with_authorization
from local_aws.ministack.function_runner import FunctionRunner, Limits
from local_aws.ministack.iam_enforcement import Enforcement
from local_aws.ministack.message_journal import MessageJournal
from local_aws.ministack.modules import app as ministack_app
from local_aws.ministack.modules import cloudwatch, sqs
from local_aws.ministack.one_address import OneAddress
from local_aws.ministack.patches import iam_patches, patches
from local_aws.ministack.price_list import with_price_list
from local_aws.ministack.regular_work import INTERVAL_S, work_regularly
from local_aws.ministack.saving import SAVED_BEFORE_THE_ANSWER, Saving
from local_aws.ministack.service_quotas import with_service_quotas
from local_aws.pages import pages, with_pages

log = logging.getLogger(__name__)

_MOST_PROCESSES = 4  # each is a Python with boto3 and Pillow
_PROCESSES_PER_CORE = 2  # a function waits for half of its time for S3 or an endpoint


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    state: Path
    port: int
    sagemaker_endpoint_url: str
    faults: Path | None
    enforce_iam: bool
    calls: Path | None  # where allowed calls are recorded


def application(options: Options) -> ASGIApp:
    """Return the ASGI application.

    Raises:
        MinistackChangedError: MiniStack is not the version the patches were written for.
        DamagedStateError: a part of the saved state cannot be read.

    """
    endpoint_url = f"http://127.0.0.1:{options.port}"
    state_files.check(SAVED_BEFORE_THE_ANSWER)
    journal = MessageJournal(options.state / "messages.sqlite3")
    saving = Saving(ministack_app.app, journal=journal)
    runner = FunctionRunner(
        options.state,
        limits=limits(),
        extra_environment={
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_ENDPOINT_URL_SAGEMAKER": options.sagemaker_endpoint_url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": options.sagemaker_endpoint_url,
        },
        on_change=saving.note_change,
    )
    queue_lock.use_one_lock()
    applied = patches(runner, journal=journal, faults=Faults(options.faults))
    if options.enforce_iam:
        iam_enforcement.take_every_request_for_secure()
        applied += iam_patches(Enforcement(options.calls), keys=options.state.parent / KEYS_FILE)
    patching.apply(applied)
    stopped = threading.Event()

    def start() -> None:
        gc.collect()
        gc.freeze()  # MiniStack's modules live as long as the process; each full collection would visit them
        stack_operations.end_interrupted()
        with sqs._queues_lock:
            journal.restore(sqs._queue_by_arn)
        runner.start()
        _work_regularly(stopped, endpoint_url=endpoint_url)

    def stop() -> None:
        stopped.set()
        runner.stop()

    saving.on_started, saving.on_stopping = start, stop
    shown = pages(endpoint_url=endpoint_url, sagemaker_endpoint_url=options.sagemaker_endpoint_url)
    quotas = with_service_quotas(with_pages(saving, shown), values=options.state / "quotas.json")
    everything = without_administration(with_authorization(with_price_list(quotas)))
    return OneAddress(everything, sagemaker_endpoint_url=options.sagemaker_endpoint_url)


def _work_regularly(stopped: threading.Event, *, endpoint_url: str) -> None:
    """Do what AWS does by itself, until `stopped` is set."""
    every_minute = (
        metrics.record_queue_depths,
        metrics.merge_old_points,
        cloudwatch._evaluate_all_alarms,
        log_storage.expire,
    )
    expiration = functools.partial(lifecycle.expire_objects, client("s3", endpoint_url=endpoint_url))
    work_regularly(every_minute, stopped=stopped, interval_s=INTERVAL_S)
    work_regularly([expiration], stopped=stopped, interval_s=lifecycle.INTERVAL_S)


def limits() -> Limits:
    """Read the limits from LOCAL_AWS_FUNCTION_PROCESSES (a number) and LOCAL_AWS_RETRY_WAIT_S (seconds)."""
    cores = os.cpu_count() or 1
    processes = int(os.environ.get("LOCAL_AWS_FUNCTION_PROCESSES", min(_PROCESSES_PER_CORE * cores, _MOST_PROCESSES)))
    return Limits(processes=processes, retry_wait_s=float(os.environ.get("LOCAL_AWS_RETRY_WAIT_S", "2")))
