"""What no well-behaved server answers, to every protocol: a write is Unknown and sent once, a read Failed."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.connectors.graphql import GraphQLClient
from consumers.connectors.guard import Guard
from consumers.connectors.http import HttpClient
from consumers.connectors.odata import ODataClient
from consumers.connectors.soap import SoapClient
from consumers.errors import Failed, Unknown
from consumers.system import Call

WSDL = Path(__file__).with_name("servers") / "soap/v11.wsdl"
FIELDS = {"taxId": "D", "name": "A"}
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BOMB = gzip.compress(b"{" + b" " * 50_000_000 + b"}")
BAD = {
    "gzip bomb": OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB,
    "10 GB, declared": OK + b"content-length: 10737418240\r\n\r\n--endless--" + b"x" * 65536,
    "without end": OK + b"connection: close\r\n\r\n--endless--" + b" " * 65536,
    "html": OK.replace(b"application/json", b"text/html") + b"content-length: 20\r\n\r\n<html><p>down</html>",
    "invalid utf-8": OK + b'content-length: 9\r\n\r\n{"a":"\xff"}',
    "empty": OK + b"content-length: 0\r\n\r\n",
    "cut": OK + b'content-length: 100\r\n\r\n{"data',
    "garbage": b"\x00\x01\x02\r\n\r\n",
    "nothing": b"",
    "another host": b"HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    "entities": OK.replace(b"application/json", b"text/xml")
    + b"content-length: 60\r\n\r\n<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxxxxxxxxxxx'>]><a>&x;</a>  ",
}

Ask = Callable[[Any, Call], Awaitable[Any]]
PROTOCOLS: dict[str, tuple[Callable[..., Any], Ask, Ask]] = {
    "graphql": (
        GraphQLClient,
        lambda client, call: client.request("mutation { a }", call=call),
        lambda client, call: client.request("{ a }", call=call),
    ),
    "odata v4": (
        ODataClient,
        lambda client, call: client.create("Vendors", FIELDS, call=call),
        lambda client, call: client.read("Vendors", 1, call=call),
    ),
    "odata v2": (
        lambda http, guard: ODataClient(http, guard, version="v2"),
        lambda client, call: client.update("Vendors", 1, FIELDS, call=call),
        lambda client, call: client.read("Vendors", 1, call=call),
    ),
    "odata v4 batch": (
        ODataClient,
        lambda client, call: client.batch([{"method": "POST", "entity_set": "A", "fields": {}}], call=call),
        lambda client, call: client.read("Vendors", 1, call=call),
    ),
    "odata v2 batch": (
        lambda http, guard: ODataClient(http, guard, version="v2"),
        lambda client, call: client.batch([{"method": "POST", "entity_set": "A", "fields": {}}], call=call),
        lambda client, call: client.read("Vendors", 1, call=call),
    ),
    "soap": (
        lambda http, guard: SoapClient(http, guard, wsdl=WSDL),
        lambda client, call: client.request("CreateVendor", FIELDS, call=call),
        lambda client, call: client.request("FindVendor", {"taxId": "D"}, call=call, reads=True),
    ),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_write_is_unknown_and_a_read_failed(
    protocol: str, bad: str, wire: Any, http: Callable[..., HttpClient], guard: Guard, call: Call
) -> None:
    make, write, read = PROTOCOLS[protocol]
    wire.say("*", BAD[bad])
    async with make(http(wire.url), guard) as client:
        with pytest.raises(Unknown) as unknown:
            await write(client, call)
        with pytest.raises(Failed) as failed:
            await read(client, call)
    assert len(wire.requests) == 2
    assert {unknown.value.code, failed.value.code} <= {"BAD_RESPONSE", "CONNECTION_LOST", "HTTP_307"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_silence_is_unknown(
    protocol: str, wire: Any, http: Callable[..., HttpClient], guard: Guard, call: Call
) -> None:
    make, write, _ = PROTOCOLS[protocol]
    wire.say("*", b"HTTP/1.1 200 OK\r\n--endless--")  # the head never ends, and no byte comes any more
    async with make(http(wire.url, read=0.05), guard) as client:
        with pytest.raises(Unknown):
            await write(client, call)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_where_nobody_listens_nothing_was_sent(
    protocol: str, http: Callable[..., HttpClient], guard: Guard, call: Call
) -> None:
    make, write, _ = PROTOCOLS[protocol]
    async with make(http("http://127.0.0.1:1"), guard) as client:
        with pytest.raises(Failed, match="CANNOT_CONNECT"):
            await write(client, call)


async def test_a_token_that_is_refused_again_and_again_is_no_loop(
    wire: Any, answer: Callable[..., bytes], http: Callable[..., HttpClient], guard: Guard, call: Call
) -> None:
    wire.say("/", answer(200, b"{}", x_csrf_token="T"))
    wire.say("/Vendors", answer(403, x_csrf_token="Required"))
    async with ODataClient(http(wire.url), guard, csrf=True) as odata:
        with pytest.raises(Failed, match="CSRF_REFUSED"):
            await odata.create("Vendors", FIELDS, call=call)
    assert (len(wire.asked("/")), len(wire.asked("/Vendors"))) == (2, 2)


@pytest.mark.parametrize("status", [200, 302, 404, 500])
async def test_without_a_token_nothing_is_sent(
    status: int, wire: Any, answer: Callable[..., bytes], http: Callable[..., HttpClient], guard: Guard, call: Call
) -> None:
    wire.say("*", answer(status, b"<html>"))
    async with ODataClient(http(wire.url), guard, csrf=True) as odata:
        with pytest.raises(Failed, match="CSRF_FETCH"):
            await odata.create("Vendors", FIELDS, call=call)
    assert wire.asked("/Vendors") == []
