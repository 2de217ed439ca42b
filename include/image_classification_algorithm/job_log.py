"""Formats log lines as the built-in algorithm's container does; metric definitions and our own parser read them."""

import logging
import time

log = logging.getLogger("image_classification_algorithm")


class _Printed(logging.Handler):
    """Writes to whatever standard output is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), flush=True)


def configure() -> None:
    """Print `[06/17/2021 23:33:59 INFO 139686210139968] message` to standard output, at once and in UTC."""
    handler = _Printed()
    formatter = logging.Formatter("[%(asctime)s %(levelname)s %(thread)d] %(message)s", datefmt="%m/%d/%Y %H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
