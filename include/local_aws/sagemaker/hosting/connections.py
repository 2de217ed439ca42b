"""Kept HTTP connections from the event loop to the serving processes.

A general HTTP client costs more of an invocation than all the rest together. This one also knows what such a client
does not tell: whether a request without an answer went out on a kept connection, which the other side may have closed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import h11

_READ_BYTES = 64 * 1024
_BROKEN = (OSError, EOFError, h11.ProtocolError)


class NobodyListensError(Exception):
    """The process is not there; nothing was sent."""


class NoAnswerError(Exception):
    """The process ended, or spoke something else than HTTP, before its answer was complete."""


@dataclass(frozen=True)
class Answer:
    """What the process answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body for people."""
        return self.body.decode(errors="replace")


class Connections:
    """Connections that wait for their next request, by port of this machine."""

    def __init__(self) -> None:
        """No connection yet."""
        self._idle: dict[int, list[_Connection]] = {}

    async def post(self, port: int, *, path: str, headers: dict[str, str], body: bytes, timeout_s: float) -> Answer:
        """Send one request and wait for its answer.

        Raises:
            NobodyListensError: there is no process at `port`.
            NoAnswerError: the answer did not come.
            TimeoutError: it did not come in `timeout_s`.

        """
        async with asyncio.timeout(timeout_s):
            kept = self._take(port)
            if kept is not None:
                try:
                    return await self._exchange(kept, port, path, headers, body)
                except NoAnswerError:
                    if kept.heard:
                        raise  # else it was closed while the request was on its way: nobody has worked on it
            return await self._exchange(await self._open(port), port, path, headers, body)

    def close(self) -> None:
        """Close every connection."""
        for connection in (item for kept in self._idle.values() for item in kept):
            connection.close()
        self._idle.clear()

    async def _exchange(
        self, connection: _Connection, port: int, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        try:
            answer = await connection.exchange(path, headers, body)
        except _BROKEN as error:
            connection.close()
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        except BaseException:
            connection.close()
            raise
        if connection.reusable():
            self._idle.setdefault(port, []).append(connection)
        else:
            connection.close()
        return answer

    def _take(self, port: int) -> _Connection | None:
        kept = self._idle.get(port, [])
        while kept:
            connection = kept.pop()
            if not connection.ended:
                return connection
            connection.close()
        return None

    async def _open(self, port: int) -> _Connection:
        self._sweep()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise NobodyListensError(str(error)) from error
        return _Connection(reader, writer)

    def _sweep(self) -> None:
        """Forget the connections to processes that are gone; a process that is started again has another port."""
        for port, kept in list(self._idle.items()):
            for connection in kept:
                if connection.ended:
                    connection.close()
            self._idle[port] = [connection for connection in kept if not connection.ended]
            if not self._idle[port]:
                del self._idle[port]


class _Connection:
    """One connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self.heard = False

    @property
    def ended(self) -> bool:
        """Whether the other side closed it."""
        return self._reader.at_eof() or self._writer.is_closing()

    def reusable(self) -> bool:
        """Whether both sides are ready for the next request; makes it ready."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def close(self) -> None:
        self._writer.close()

    async def exchange(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.heard = False
        own = {"host": "127.0.0.1", "content-length": str(len(body))}
        request = h11.Request(method="POST", target=path, headers=list((headers | own).items()))
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()
        return await self._answer()

    async def _answer(self) -> Answer:
        response: h11.Response | None = None
        parts: list[bytes] = []
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(_READ_BYTES)
                self.heard = self.heard or bool(data)
                self._http.receive_data(data)
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and response is not None:
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
                return Answer(response.status_code, headers, b"".join(parts))
            elif not isinstance(event, h11.InformationalResponse):
                raise EOFError("the connection was closed before the answer was complete")
