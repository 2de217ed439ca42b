"""Saves MiniStack's state continuously; MiniStack alone saves it only when it is stopped with SIGTERM."""

import asyncio
import contextlib
import logging
import re
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_aws.ministack import stack_operations, state_files
from local_aws.ministack.message_journal import MessageJournal
from local_aws.ministack.modules import app as ministack_app
from local_aws.ministack.modules import s3
from local_aws.ministack.one_address import error_of_protocol, no_body

log = logging.getLogger(__name__)

_INTERVAL_S = 1.0
_PAUSE_PER_SAVE = 40  # a save of 0.5 s is followed by 20 s without one
_TRIES = 5
_MOST_HELD_S = 60
_READS = re.compile("Get|List|Describe")
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_CREDENTIAL_SERVICE = re.compile(rb"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request")
_STACKS = "cloudformation"
SAVED_BEFORE_THE_ANSWER = {"s3": "s3", "lambda": "lambda", "sqs": "sqs", "iam": "iam", _STACKS: _STACKS}


class Saving:
    """An ASGI application that saves after each change of configuration, before the request is answered.

    MiniStack writes objects itself, and `message_journal` S3's messages to queues. Everything else (mainly log events)
    is saved about every second, less often when there is much of it.

    What CloudFormation makes is saved together with its stack when the operation has ended: after a kill in the middle
    of it, the stack and the services are as they were before.
    """

    def __init__(self, app: ASGIApp, *, journal: MessageJournal) -> None:
        self._app = app
        self._journal = journal
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._is_changed = False
        self._is_operation_saved = True
        self._held_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.on_started: Callable[[], None] = lambda: None
        self.on_stopping: Callable[[], None] = lambda: None

    def note_change(self) -> None:
        """Record a change that was not made by a request."""
        self._is_changed = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, self._ending(receive), self._starting(send))
        elif scope["type"] == "http" and scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
            actions: list[str] = []
            await self._app(scope, _noting_action(scope, receive, actions), self._saving(scope, send, actions))
        else:
            await self._app(scope, receive, send)

    def _starting(self, send: Send) -> Send:
        async def start(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._task = asyncio.create_task(self._save_from_time_to_time())
                self.on_started()
            await send(message)

        return start

    def _ending(self, receive: Receive) -> Receive:
        async def end() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self._task:
                await asyncio.to_thread(self.on_stopping)
                self._task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._task
            return message

        return end

    def _saving(self, scope: Scope, send: Send, actions: list[str]) -> Send:
        """Return a `send` that saves before the answer, unless the request is one of the reading `actions`."""
        state_key = saved_before_the_answer(scope)

        is_refused = False

        async def save_first(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                self._is_changed = True
                is_change = message["status"] < 400 and not any(map(_READS.match, actions))
                if state_key == _STACKS:
                    self._save_ended_operation(is_new=is_change)
                if state_key and is_change and (error := self._failure(state_key)):
                    is_refused = True
                    await _refusal(state_key, error, headers=dict(scope["headers"]))(scope, no_body, send)
            if not is_refused:
                await send(message)

        return save_first

    def _failure(self, state_key: str) -> Exception | None:
        """Save a state; return the error if it cannot be saved, which is tried again later."""
        try:
            self._save(state_key)
        except (OSError, sqlite3.Error) as error:
            log.error("The state of %s cannot be saved: %s", state_key, error)
            self._is_changed = True
            return error
        return None

    def _save_ended_operation(self, *, is_new: bool) -> None:
        """Save what an operation on a stack has made, once it has ended; `is_new`: this request begins one."""
        if is_new:
            self._is_operation_saved = False
        elif not self._is_operation_saved and not stack_operations.are_in_progress():
            self._is_operation_saved = not any(map(self._failure, _state_keys()))

    def _waits_for_a_stack(self) -> bool:
        """Return whether saving waits for the end of an operation on a stack, which it does for a minute at most."""
        if not stack_operations.are_in_progress():
            self._held_since = None
            return False
        self._held_since = self._held_since or time.monotonic()
        return time.monotonic() - self._held_since < _MOST_HELD_S

    async def _save_from_time_to_time(self) -> None:
        pause_s = _INTERVAL_S
        while True:
            await asyncio.sleep(pause_s)
            if self._is_changed and not self._waits_for_a_stack():
                self._is_changed = False
                started = time.monotonic()
                for state_key in _state_keys():
                    # In a thread: there may be many log events, and no request waits for them.
                    await asyncio.to_thread(self._failure, state_key)
                pause_s = max(_INTERVAL_S, _PAUSE_PER_SAVE * (time.monotonic() - started))

    def _save(self, state_key: str) -> None:
        """Save a state.

        Raises:
            OSError, sqlite3.Error: it cannot be saved, as on a full disk.

        """
        get_state = ministack_app._build_persistence_save_dict().get(state_key)
        if get_state is None:
            return
        with self._locks[state_key]:  # a state that was read earlier must not be written later
            messages = self._journal.last()
            try:
                state = _consistent(get_state)
            except RuntimeError:
                log.info("The state of %s changes continuously; it is saved when it stops changing", state_key)
                self._is_changed = True
                return
            if state is not None:  # None if a service of MiniStack failed to load
                state_files.save(state_key, state)
                if state_key == "sqs":
                    self._journal.forget(messages)


def _state_keys() -> list[str]:
    """Return the names of all states, the stacks' last: a stack that is saved has its resources."""
    return sorted(ministack_app._build_persistence_save_dict(), key=_STACKS.__eq__)


def _refusal(state_key: str, error: Exception, *, headers: Mapping[bytes, bytes]) -> Response:
    """Return AWS's error of a change that cannot be stored; it is in memory, and saved once there is space."""
    message = f"The local AWS cannot store it ({error}). Free some space."
    if state_key == "s3":
        status, s3_headers, body = s3._error("InternalError", message, 500)
        return Response(body, status, s3_headers)
    return error_of_protocol("InternalFailure", message, status=500, headers=headers)


def _noting_action(scope: Scope, receive: Receive, actions: list[str]) -> Receive:
    """Return a `receive` that adds the action of a request of the JSON or query protocol to `actions`."""
    target = dict(scope["headers"]).get(b"x-amz-target", b"")
    if target:
        actions.append(target.decode("latin-1").rpartition(".")[2])

    async def note() -> Message:
        message = await receive()
        if not target and (found := _ACTION.search(message.get("body", b""))):
            actions.append(found[1].decode())
        return message

    return note


def _consistent(get_state: Callable[[], object]) -> object:
    for _ in range(_TRIES - 1):
        with contextlib.suppress(RuntimeError):  # a thread of MiniStack changed it in the meantime
            return get_state()
    return get_state()


def saved_before_the_answer(scope: Scope) -> str | None:
    """Return the part of the state to save before this request is answered, or None for objects and invocations."""
    authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    match = _CREDENTIAL_SERVICE.search(authorization)
    service = match.group(1).decode() if match else ""
    if service == "s3":
        _, _, key = scope["path"].strip("/").partition("/")
        return None if key or "delete" in _query(scope) else "s3"
    if service == "lambda" and scope["path"].endswith(("/invocations", "/invoke-async")):
        return None
    return SAVED_BEFORE_THE_ANSWER.get(service)


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
