"""Runs one process of a function, which corresponds to an execution environment of Lambda."""

import json
import os
import re
import secrets
import select
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws.ministack import function_folders, function_payloads
from local_aws.ministack.documents import FunctionError, Reply, Request
from local_aws.processes.child import Child, start_child

_BOOTSTRAP = Path(__file__).parent / "function_bootstrap.py"
_INIT_LIMIT_S = 30  # AWS: 10 s, then once more within the function's timeout; a laptop under load is slower
_STOP_GRACE_S = 0
_POLL_S = 0.2
_MEMORY_POLL_S = 0.05
_MIB = 1024 * 1024
_MOST_LOG_BYTES = _MIB  # emptying the file after each invocation would take longer than reading it


@dataclass(frozen=True)
class Function:
    """One version of a function, with everything that its process depends on."""

    name: str
    version: str
    handler: str
    timeout_s: int
    memory_mb: int
    temporary_mb: int
    environment: Mapping[str, str]
    code: bytes = field(repr=False)
    key: str

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("a function needs a key that changes with its code and its configuration")


@dataclass(frozen=True)
class Outcome:
    """The result of one invocation."""

    result: str | None
    error: FunctionError | None
    log: str


class FunctionProcess:
    """A process with the handler imported. It handles one event at a time; use it from one thread at a time."""

    def __init__(self, function: Function, *, folder: Path, packages: Path) -> None:
        """Unpack the code below `folder` and start the process, which imports the handler."""
        self.function = function
        self.is_usable = True
        self._folder = Path(tempfile.mkdtemp(dir=folder, prefix=f"{function.name}-"))
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        self._log_file = self._folder / "log"
        self._temporary = self._folder / "tmp"
        self._connection: socket.socket | None = None
        self._stream: Any = None  # the connection as a BufferedRWPair, once there is one
        self._token = secrets.token_hex(16)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._child = self._start(packages)
        self._log = self._log_file.open("rb", buffering=0)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def invoke(self, event: object, *, request_id: str, arn: str) -> Outcome:
        """Let the function handle one event. Afterwards ``is_usable`` says whether the process can handle another."""
        error = self._connect()
        if error is None and self._temporary_bytes() > self.function.temporary_mb * _MIB:
            error = self._temporary_error(request_id)
        if error is None:
            deadline_s = time.time() + self.function.timeout_s
            request = Request(event=event, request_id=request_id, arn=arn, deadline_s=deadline_s)
            answer = self._exchange(request, request_id=request_id)
        else:
            answer = Reply(error=error)
        if self._child.returncode is not None or not self._child.running:
            self.is_usable = False
        return Outcome(answer.get("result"), answer.get("error"), self._take_log())

    def stop(self) -> None:
        """End the process and remove its folders."""
        self.is_usable = False
        self._child.stop(_STOP_GRACE_S)
        if self._stream:
            self._stream.close()
        self._listener.close()
        self._log.close()
        function_folders.remove(self._folder)

    def _start(self, packages: Path) -> Child:
        task_root = self._folder / "task"
        function_folders.unpack(self.function.code, task_root)
        self._temporary.mkdir()
        port = str(self._listener.getsockname()[1])
        arguments = [port, self._token, str(task_root), str(packages), self.function.handler]
        arguments.append(str(self.function.temporary_mb * _MIB))
        return start_child(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_BOOTSTRAP), *arguments],
            env=self._environment(task_root, packages=packages),
            log_file=self._log_file,
            cwd=task_root,
        )

    def _environment(self, task_root: Path, *, packages: Path) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(self._temporary),
            "LAMBDA_TASK_ROOT": str(task_root),
            "LAMBDA_RUNTIME_DIR": str(packages),
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            **self.function.environment,
        }

    def _connect(self) -> FunctionError | None:
        """Wait until the handler is imported; return the error of the import, or None."""
        if self._stream is not None:
            return None
        connection = self._accept()
        if connection is None:
            self.is_usable = False
            return {
                "errorType": "Runtime.ExitError",
                "errorMessage": "Error: Runtime exited without providing a reason",
            }
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_INIT_LIMIT_S)
        self._connection = connection
        self._stream = connection.makefile("rwb")
        try:
            token, line = self._stream.readline(), self._stream.readline()
        except TimeoutError:
            self.is_usable = False
            message = f"Error: the handler was not imported within {_INIT_LIMIT_S} s"
            return {"errorType": "Sandbox.Timedout", "errorMessage": message}
        if token.strip().decode() != self._token or not line:
            self.is_usable = False
            return self._exit_error("")
        answer: Reply = json.loads(line)
        self.is_usable = "error" not in answer
        return answer.get("error")

    def _accept(self) -> socket.socket | None:
        deadline = time.monotonic() + _INIT_LIMIT_S
        self._listener.settimeout(_POLL_S)
        while self._child.running and time.monotonic() < deadline:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            return connection
        return None

    def _exchange(self, request: Request, *, request_id: str) -> Reply:
        deadline = time.monotonic() + self.function.timeout_s
        try:
            self._stream.write(json.dumps(request).encode() + b"\n")
            self._stream.flush()
            if self._connection and not self._wait_for_answer(self._connection, deadline=deadline):
                return self._out_of_memory(request_id)
            line = self._stream.readline()
        except TimeoutError:
            self.is_usable = False
            return {"error": self._timeout_error(request_id)}
        except OSError:
            line = b""
        if not line:
            self.is_usable = False
            return {"error": self._exit_error(request_id)}
        answer: Reply = json.loads(line)
        if answer.get("peak_memory_bytes", 0) > self.function.memory_mb * _MIB:
            return self._out_of_memory(request_id)
        error = function_payloads.too_large(answer["result"]) if "result" in answer else None
        return {"error": error} if error else answer

    def _wait_for_answer(self, connection: socket.socket, *, deadline: float) -> bool:
        """Wait until the answer begins; return False if the process used more memory than the function has.

        Raises:
            TimeoutError: there was no answer in time.

        """
        while not select.select([connection], [], [], _MEMORY_POLL_S)[0]:
            if time.monotonic() > deadline:
                raise TimeoutError
            if _resident_bytes(self._child.pid) > self.function.memory_mb * _MIB:
                return False
        connection.settimeout(max(_MEMORY_POLL_S, deadline - time.monotonic()))
        return True

    def _out_of_memory(self, request_id: str) -> Reply:
        self.is_usable = False
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        return {"error": {"errorType": "Runtime.OutOfMemory", "errorMessage": message}}

    def _temporary_bytes(self) -> int:
        return function_folders.size_bytes(self._temporary)

    def _temporary_error(self, request_id: str) -> FunctionError:
        self.is_usable = False
        message = (
            f"RequestId: {request_id} Error: the function left more than its {self.function.temporary_mb} MB in its "
            "temporary folder"
        )
        return {"errorType": "Runtime.ExitError", "errorMessage": message}

    def _timeout_error(self, request_id: str) -> FunctionError:
        message = f"RequestId: {request_id} Error: Task timed out after {self.function.timeout_s:.2f} seconds"
        return {"errorType": "Sandbox.Timedout", "errorMessage": message}

    def _exit_error(self, request_id: str) -> FunctionError:
        status = self._child.wait(timeout_s=1)
        how = f"signal: {-status}" if status is not None and status < 0 else f"exit status {status}"
        return {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: {how}",
        }

    def _take_log(self) -> str:
        """Return what was written since the last invocation."""
        text = self._log.read()
        if self._log.tell() > _MOST_LOG_BYTES:
            os.truncate(self._log_file, 0)  # the process appends, so the file starts again
            self._log.seek(0)
        return text.decode(errors="replace")


def _resident_bytes(pid: int) -> int:
    """Return the memory that a process uses now; 0 on macOS, which shows only the peak, with the answer."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def safe_name(text: str) -> str:
    """Return `text` as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)
