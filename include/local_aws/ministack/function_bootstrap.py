"""Runs inside a function's process in place of AWS's runtime: imports the handler, then handles one event at a time.

It is started with ``python -I -S`` and uses the standard library alone: a function can import nothing of MiniStack's
environment. What it prints goes to the function's log.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import logging
import os
import resource
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local_aws.ministack.documents import FunctionError, Reply, Request

_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"


class Context:
    """The context object of Lambda's handlers."""

    def __init__(self, *, request_id: str, arn: str, deadline_s: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_s = deadline_s

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the process is killed."""
        return max(0, int((self._deadline_s - time.time()) * 1000))


class _RequestId(logging.Filter):
    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


def main() -> None:
    """Handle events until MiniStack closes the connection."""
    _, port, token, task_root, packages, handler_name, temporary_bytes = sys.argv
    sys.argv = [""]
    _limit_rights(int(temporary_bytes))
    sys.path[:0] = [task_root, packages]
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = connection.makefile("rwb")
    stream.write(token.encode() + b"\n")
    request_id = _set_up_logging()
    try:
        handler = _import_handler(handler_name)
    except BaseException as error:  # noqa: BLE001  every error of the import is answered
        _answer(stream, {"error": _init_error(error, handler_name)})
        return
    _answer(stream, {"ready": True})
    for line in stream:
        request = json.loads(line)
        request_id.current = request["request_id"]
        answer = _invoke(handler, request)
        _answer(stream, {**answer, "peak_memory_bytes": _peak_memory_bytes()})


def _limit_rights(temporary_bytes: int) -> None:
    """Limit the size of a file to that of the temporary folder; let root, too, write no read-only file."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = temporary_bytes if hard == resource.RLIM_INFINITY else min(temporary_bytes, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if sys.platform == "linux" and os.geteuid() == 0:
        # Without capabilities, root needs the permissions of files. The header: version 3, this process.
        header, no_capabilities = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        ctypes.CDLL(None, use_errno=True).capset(header, no_capabilities)


def _peak_memory_bytes() -> int:
    """Return the peak memory of this process.

    Linux's ru_maxrss is never less. It includes the memory of the program before exec, so the exact number is read if
    the function may have used too much.
    """
    most_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if most_bytes <= int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) * 1024 * 1024:
        return most_bytes
    try:
        with Path("/proc/self/status").open(encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return most_bytes


def _set_up_logging() -> _RequestId:
    # As in AWS's runtime: a handler on the root logger, whose level stays WARNING until the function sets it.
    request_id = _RequestId()
    formatter = logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    handler.addFilter(request_id)
    logging.getLogger().addHandler(handler)
    return request_id


def _import_handler(name: str) -> Callable[[object, object], object]:
    module_name, _, function_name = name.rpartition(".")
    module = importlib.import_module(module_name.replace("/", "."))
    handler: Callable[[object, object], object] = getattr(module, function_name)
    return handler


def _init_error(error: BaseException, handler_name: str) -> FunctionError:
    module_name, _, function_name = handler_name.rpartition(".")
    described = _described(error)
    if isinstance(error, ImportError):
        described["errorType"] = "Runtime.ImportModuleError"
        described["errorMessage"] = f"Unable to import module '{module_name}': {error}"
    elif isinstance(error, SyntaxError):
        described["errorType"] = "Runtime.UserCodeSyntaxError"
        described["errorMessage"] = f"Syntax error in module '{module_name}': {error}"
    elif isinstance(error, AttributeError) and f"attribute '{function_name}'" in str(error):
        described["errorType"] = "Runtime.HandlerNotFound"
        described["errorMessage"] = f"Handler '{function_name}' missing on module '{module_name}'"
    _log_error(described)
    return described


def _invoke(handler: Callable[[object, object], object], request: Request) -> Reply:
    context = Context(request_id=request["request_id"], arn=request["arn"], deadline_s=request["deadline_s"])
    try:
        result = handler(request["event"], context)
    except Exception as error:  # noqa: BLE001  a function's errors are answers
        described = _described(error)
        _log_error(described)
        return {"error": {**described, "requestId": request["request_id"]}}
    try:
        return {"result": json.dumps(result, ensure_ascii=False)}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        described = {"errorType": "Runtime.MarshalError", "errorMessage": message, "stackTrace": []}
        _log_error(described)
        return {"error": {**described, "requestId": request["request_id"]}}


def _described(error: BaseException) -> FunctionError:
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": frames}


def _log_error(described: FunctionError) -> None:
    print(f"[ERROR] {described['errorType']}: {described['errorMessage']}")
    if described["stackTrace"]:
        print("Traceback (most recent call last):")
        print("".join(described["stackTrace"]), end="")


def _answer(stream: Any, answer: Mapping[str, object]) -> None:
    with contextlib.suppress(ValueError, OSError):  # a function may have closed its own output
        sys.stdout.flush()
        sys.stderr.flush()
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


if __name__ == "__main__":
    main()
