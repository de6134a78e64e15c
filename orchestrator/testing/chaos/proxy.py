"""A TCP proxy in front of PostgreSQL that cuts connections around a COMMIT and makes answers late.

It reads just enough of the protocol's frontend half to see a COMMIT: after the start-up packets, which have no type,
each message is one byte of type and four of length (PostgreSQL 18, "Frontend/Backend Protocol", 54.2 and 54.7).
"""

from __future__ import annotations

import asyncio
import random
import struct
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import TracebackType
from typing import Self

__all__ = ["Cut", "Proxy"]

_SSL_REQUEST, _GSS_REQUEST, _CANCEL = 80877103, 80877104, 80877102
_CONNECT_SECONDS = 5.0
_START_SECONDS = 10.0
# A COMMIT is short; of what is longer nothing needs to be kept.
_LONGEST = 64


class Cut(StrEnum):
    """How a connection is cut.

    withheld: COMMIT goes to the server, its answer comes back as far as here, and then the connection ends.
    at_once: COMMIT goes to the server, and both connections end without waiting.
    lost: COMMIT does not reach the server.
    """

    WITHHELD = "withheld"
    AT_ONCE = "at-once"
    LOST = "lost"


class Proxy:
    """Listens on `port` of 127.0.0.1 in a thread of its own, and forwards to `upstream`. A context manager.

    `cut` is asked at each COMMIT, None for none; `delay` gives the seconds that an answer waits, 0 for none. Both may
    be set at any time, and are called in the proxy's thread.
    """

    def __init__(self, port: int, upstream: int) -> None:
        self.port = port
        self.upstream = upstream
        self.cut: Callable[[], Cut | None] = lambda: None
        self.delay: Callable[[], float] = lambda: 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._clients)

    def cut_some(self, chance: random.Random, share: float, struck: Callable[[Cut], None]) -> None:
        """From now on, cut at that share of all COMMITs, in every way in turn; `struck` is told."""
        ways = list(Cut)

        def cut() -> Cut | None:
            if chance.random() >= share:
                return None
            way = ways[0]
            ways.append(ways.pop(0))
            struck(way)
            return way

        self.cut = cut

    def calm(self) -> None:
        """Cut and delay nothing any more."""
        self.cut, self.delay = lambda: None, lambda: 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Client(self), "127.0.0.1", self.port)

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for client in list(self._clients):
            client.end()
        await asyncio.sleep(0)  # for the transports to close


class _Client(asyncio.Protocol):
    """The worker's end. What it sends goes on frame by frame only as far as a COMMIT needs it."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._frames = _Frames()
        self._server = _Server(self, proxy)
        self._early = b""
        self._connecting: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.withholding = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._proxy._clients.add(self)  # noqa: SLF001 - one piece with it
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.create_connection(lambda: self._server, "127.0.0.1", self._proxy.upstream)
        except (OSError, TimeoutError):
            self.end()
            return
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        server = self._server.transport
        if server is None:
            self._early += data
            return
        for end in self._frames.commits(data):
            way = self._proxy.cut()
            if way is None:
                continue
            if way is not Cut.LOST:
                server.write(data[:end])
            if way is Cut.WITHHELD:
                self.withholding = True
            else:
                # What was written is sent before the end of the connection is: `close`, not `abort`.
                self.end()
            return
        server.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._proxy._clients.discard(self)  # noqa: SLF001
        self.end()

    def end(self) -> None:
        """End both connections."""
        if self.transport is not None:
            self.transport.abort()
        if self._server.transport is not None:
            self._server.transport.close()

    def pause_writing(self) -> None:
        """The server sends faster than the worker takes, which may be frozen."""
        if self._server.transport is not None:
            self._server.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._server.transport is not None:
            self._server.transport.resume_reading()


class _Server(asyncio.Protocol):
    """The server's end."""

    def __init__(self, client: _Client, proxy: Proxy) -> None:
        self._client = client
        self._proxy = proxy
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        assert self._client.transport is not None
        if self._client.withholding:
            self._client.end()
            return
        seconds = self._proxy.delay()
        if not seconds:
            self._client.transport.write(data)
            return
        self.transport.pause_reading()  # so that what comes after waits, too
        asyncio.get_running_loop().call_later(seconds, self._late, data)

    def _late(self, data: bytes) -> None:
        assert self.transport is not None
        assert self._client.transport is not None
        self._client.transport.write(data)
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._client.end()


class _Frames:
    """Finds the COMMITs in what a client sends, however it is cut into pieces."""

    def __init__(self) -> None:
        self._started = False
        self._buffer = b""
        self._skip = 0

    def commits(self, data: bytes) -> Iterator[int]:
        """Where in `data` each COMMIT ends. To be exhausted, unless the connection ends there."""
        at = 0
        while at < len(data):
            if self._skip:
                skipped = min(self._skip, len(data) - at)
                self._skip -= skipped
                at += skipped
                continue
            at, whole = self._gather(data, at)
            if whole is not None and whole:
                yield at

    def _gather(self, data: bytes, at: int) -> tuple[int, bool | None]:
        """Take bytes until the frame is whole or known not to matter; whether it was a COMMIT, None if it goes on."""
        head = 5 if self._started else 8
        if (missing := head - len(self._buffer)) > 0:
            self._buffer += data[at : at + missing]
            at = min(len(data), at + missing)
            if len(self._buffer) < head:
                return at, None
        size = self._size()
        if size > _LONGEST or not self._started:
            self._start()
            self._skip = size - len(self._buffer)
            self._buffer = b""
            return at, None
        missing = size - len(self._buffer)
        self._buffer += data[at : at + missing]
        at = min(len(data), at + missing)
        if len(self._buffer) < size:
            return at, None
        frame, self._buffer = self._buffer, b""
        return at, _is_commit(frame)

    def _size(self) -> int:
        """Of the whole frame, in bytes."""
        if self._started:
            return 1 + int(struct.unpack("!I", self._buffer[1:5])[0])
        return int(struct.unpack("!I", self._buffer[:4])[0])

    def _start(self) -> None:
        if not self._started:
            code = int(struct.unpack("!I", self._buffer[4:8])[0])
            # Those ask for something before the start; what follows is still without a type.
            self._started = code not in (_SSL_REQUEST, _GSS_REQUEST, _CANCEL)


def _is_commit(frame: bytes) -> bool:
    """Whether a whole frame is a simple query COMMIT, or a Parse of it."""
    text = frame[5:]
    if frame[:1] == b"P":
        text = text.partition(b"\x00")[2]
    elif frame[:1] != b"Q":
        return False
    return text.partition(b"\x00")[0].strip().rstrip(b";").upper() == b"COMMIT"
