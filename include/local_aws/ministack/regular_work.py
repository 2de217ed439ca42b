"""Does once a minute what AWS does by itself: records queues, evaluates alarms, and removes what is no longer kept."""

import logging
import threading
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

INTERVAL_S = 60  # as SQS records its metrics


def work_regularly(work: Sequence[Callable[[], object]], *, stopped: threading.Event, interval_s: float) -> None:
    """Start the thread that does each work, the first time after an interval; it ends when `stopped` is set."""

    def repeat() -> None:
        while not stopped.wait(interval_s):
            for task in work:
                _do(task)

    threading.Thread(target=repeat, name="regular-work", daemon=True).start()


def _do(task: Callable[[], object]) -> None:
    try:
        task()
    except Exception as error:  # noqa: BLE001  whatever it is, the others are done, and this one again
        log.error("%s failed: %r", task, error)
