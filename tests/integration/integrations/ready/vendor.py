"""What the tests of ready files share: a vendor's sandbox on a socket, and one action done, asked for and undone."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

import pytest

from consumers.connectors.http import Proof
from consumers.errors import Unknown
from consumers.system import Call, System
from schemas.models import Record


@dataclass(frozen=True)
class Asked:
    """One request: the path and each part of the query decoded, names of headers in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def parts(self) -> list[str]:
        """Of the path, each decoded."""
        return [unquote(part) for part in self.path.strip("/").split("/")]


@dataclass(frozen=True)
class Reply:
    """`body` None is an answer without any."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Vendor:
    """A sandbox written from a vendor's documentation.

    `lost`: so many answers from now on never come: the work is done, and a 500 says nothing of it. `instead` is given
    once before any work.
    """

    lost: int = 0
    instead: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            reply = self.instead.pop(0) if self.instead else self.answer(asked)
            if self.lost and asked.method not in ("GET", "HEAD"):
                self.lost -= 1
                reply = Reply(500, "lost")
            writer.write(_written(reply))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, target, _ = first.split(" ")
    where = urlsplit(target)
    return Asked(method, where.path, dict(parse_qsl(where.query)), headers, json.loads(body) if body else None)


def _written(reply: Reply) -> bytes:
    body = b"" if reply.body is None else json.dumps(reply.body).encode()
    headers = {**reply.headers, "connection": "close"}
    if reply.status != 204:
        headers |= {"content-length": str(len(body))} | ({"content-type": "application/json"} if body else {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} x\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True)
class Bearer:
    """Who we are, where a file asks a token server of the vendor for it; that is tried in tests/integration/auth."""

    reference: str = "test"
    verify: bool = True

    async def proof(self) -> Proof:
        return Proof("1", {"authorization": "Bearer token-1"})

    async def refused(self, sent: Proof) -> bool:
        return False


@dataclass
class Tried:
    """A system of a ready file, called for one step of one saga."""

    system: System
    vendor: Vendor
    call: Call

    @classmethod
    def of(cls, system: System, vendor: Vendor, step: str = "onboard") -> Tried:
        async def renew() -> None:
            """The claim is ours."""

        saga = uuid4()
        return cls(system, vendor, Call(saga, step, "do", 1, f"{saga}/{step}/do/1", renew))

    def called(self, command: Record) -> Call:
        return replace(self.call, keyed=command.contract.effect == "idempotent")

    async def do(self, command: Record) -> Any:
        return await self.system.actions[command.contract.name].handler(command, self.called(command))

    async def ask(self, command: Record) -> Any:
        probe = self.system.actions[command.contract.name].probe
        assert probe is not None, f"{command.contract.name} has no probe"
        return await probe(command, self.called(command))

    async def round_trip(self, do: Record, undo: Record) -> Any:
        """Done, found by our reference, undone, and nothing left to undo; what the do came to."""
        assert await self.ask(do) is None
        done = await self.do(do)
        assert await self.ask(do) == done
        assert (await self.do(undo)).found is True
        assert (await self.do(undo)).found is False
        assert await self.ask(do) is None
        return done

    async def lost(self, do: Record, undo: Record) -> Any:
        """Done without an answer: it is not sent again, the probe tells what came of it, and the undo finds it."""
        self.vendor.lost = 1
        before = len(self.vendor.asked)
        with pytest.raises(Unknown):
            await self.do(do)
        assert len([asked for asked in self.vendor.asked[before:] if asked.method != "GET"]) == 1
        found = await self.ask(do)
        assert found is not None
        assert (await self.do(undo)).found is True
        return found
