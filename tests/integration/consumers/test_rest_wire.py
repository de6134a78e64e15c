"""Our REST client on the wire: what it sends, and what it makes of bytes that no well-behaved server would answer."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from consumers.connectors.breaker import Breaker, BreakerPolicy
from consumers.connectors.guard import InPlace
from consumers.connectors.rest import RestClient, Timeouts
from consumers.errors import Failed, Unknown
from consumers.limit import Advice
from consumers.system import Call

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def answer(body: bytes, head: bytes = OK, length: int | None = None) -> bytes:
    return head + b"content-length: %d\r\n\r\n" % (len(body) if length is None else length) + body


@dataclass
class Server:
    """Answers every request with the same bytes and hangs up; silent where there are none."""

    bytes_: bytes = answer(b'{"a": 1}')
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next((int(v) for n, _, v in _headers(head) if n == "content-length"), 0)
            self.requests.append(head + await reader.readexactly(size))
            self.asked.set()
            if self.bytes_ == b"wait":
                await self.let_go.wait()
                writer.write(answer(b"{}"))
            writer.write(self.bytes_)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def sent(self, index: int = 0) -> dict[str, str]:
        return {name: value for name, _, value in _headers(self.requests[index])}


def _headers(head: bytes) -> list[tuple[str, str, str]]:
    lines = head.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return [(name.lower(), sep, value.strip()) for name, sep, value in (line.partition(":") for line in lines)]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/api"
    yield made
    made.let_go.set()
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def rest(server: Server) -> AsyncIterator[RestClient]:
    async with client(server.url) as made:
        yield made


def client(url: str, **options: Any) -> RestClient:
    timeouts = options.pop("timeouts", Timeouts(connect=5, read=5, write=5, pool=5))
    breaker = Breaker(BreakerPolicy(minimum=1000))
    return RestClient(url, timeouts=timeouts, retries=InPlace(attempts=1), breaker=breaker, **options)


@pytest.fixture
def call() -> Call:
    async def renew() -> None:
        """The claim is ours."""

    return Call(UUID(int=1), "erp-vendor", "do", 3, "key-1", renew)


async def test_a_write_carries_its_key_and_its_attempt(rest: RestClient, server: Server, call: Call) -> None:
    assert await rest.request("POST", "/vendors", call=call, json={"n": "ü"}) == {"a": 1}
    assert server.requests[0].startswith(b"POST /api/vendors HTTP/1.1\r\n")
    sent = server.sent()
    assert (sent["idempotency-key"], sent["saga-attempt"]) == ("key-1", "3")
    assert (sent["accept"], sent["accept-encoding"]) == ("application/json", "identity")
    assert server.requests[0].endswith('{"n":"ü"}'.encode())


async def test_a_read_carries_no_key_and_leaves_out_what_is_none(rest: RestClient, server: Server, call: Call) -> None:
    await rest.request("GET", "/vendors", call=call, params={"tax_id": "D&1", "vendor_id": None})
    assert server.requests[0].startswith(b"GET /api/vendors?tax_id=D%261 HTTP/1.1\r\n")
    assert "idempotency-key" not in server.sent()


async def test_a_form_is_sent_as_one_and_the_key_where_the_system_wants_it(server: Server, call: Call) -> None:
    async with client(server.url, key_header="X-Request-Id") as rest:
        await rest.request(
            "POST", "/refunds", call=call, form={"metadata": {"saga": "ä&1"}}, headers={"stripe-version": "1"}
        )
    sent = server.sent()
    assert sent["content-type"] == "application/x-www-form-urlencoded"
    assert server.requests[0].endswith(b"\r\n\r\nmetadata%5Bsaga%5D=%C3%A4%261")
    assert (sent["x-request-id"], sent["stripe-version"]) == ("key-1", "1")
    assert "idempotency-key" not in sent
    async with client(server.url, key_header=None) as rest:
        await rest.request("POST", "/refunds", call=call, form={})
    assert "key-1" not in server.requests[1].decode()


async def test_a_search_by_post_is_a_read(server: Server, call: Call) -> None:
    async with client(server.url) as rest:
        assert await rest.look_up("/search", call=call, method="POST", json={"q": 1}) == {"a": 1}
        server.bytes_ = answer(b"<html>")
        with pytest.raises(Failed, match="BAD_RESPONSE"):
            await rest.request("POST", "/search", call=call, json={"q": 1}, reads=True)
    assert server.requests[0].startswith(b"POST /api/search")
    assert "idempotency-key" not in server.sent()


async def test_headers_are_asked_before_each_send(server: Server, call: Call) -> None:
    tokens = iter(["one", "two"])
    async with client(server.url, headers=lambda: {"authorization": f"Bearer {next(tokens)}"}) as rest:
        for _ in range(2):
            await rest.request("GET", "/", call=call)
    assert [server.sent(n)["authorization"] for n in range(2)] == ["Bearer one", "Bearer two"]


async def test_proxies_of_the_machine_are_not_used(server: Server, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with client(server.url) as rest:
        assert await rest.request("GET", "/", call=call) == {"a": 1}


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        (b"", "CONNECTION_LOST"),
        (b"\x00\x01garbage\r\n\r\n", "CONNECTION_LOST"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "CONNECTION_LOST"),
        (answer(b'{"a"', length=100), "CONNECTION_LOST"),
        (OK + b"transfer-encoding: chunked\r\n\r\n5\r\n{}", "CONNECTION_LOST"),
        (answer(b"x" * 2000), "BAD_RESPONSE"),
        (answer(b"<html>"), "BAD_RESPONSE"),
        (answer(gzip.compress(b"{}"), OK + b"content-encoding: gzip\r\n"), "BAD_RESPONSE"),
        (answer(b"", b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\n"), "HTTP_302"),
    ],
)
async def test_a_broken_answer_to_a_write_is_unknown_and_to_a_read_failed(
    bytes_: bytes, code: str, server: Server, call: Call
) -> None:
    server.bytes_ = bytes_
    async with client(server.url, largest_answer=1000) as rest:
        with pytest.raises(Unknown) as unknown:
            await rest.request("POST", "/", call=call, json={})
        with pytest.raises(Failed) as failed:
            await rest.request("GET", "/", call=call)
    assert (unknown.value.code, failed.value.code) == (code, code)
    assert len(server.requests) == 2


async def test_a_body_that_comes_in_pieces_is_read_whole(rest: RestClient, server: Server, call: Call) -> None:
    server.bytes_ = OK + b'transfer-encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'
    assert await rest.request("POST", "/", call=call, json={}) == {"a": 1}


async def test_silence_is_unknown(server: Server, call: Call) -> None:
    server.bytes_ = b"wait"
    async with client(server.url, timeouts=Timeouts(connect=5, read=0.05, write=5, pool=5)) as rest:
        with pytest.raises(Unknown, match="NO_ANSWER"):
            await rest.request("POST", "/", call=call, json={})


async def test_without_a_free_connection_nothing_was_sent_and_the_system_is_not_blamed(
    server: Server, call: Call
) -> None:
    server.bytes_ = b"wait"
    async with client(server.url, connections=1, timeouts=Timeouts(connect=5, read=30, write=5, pool=0.05)) as rest:
        first = asyncio.create_task(rest.request("POST", "/", call=call, json={}))
        await server.asked.wait()
        with pytest.raises(Failed, match="NO_CONNECTION_FREE"):
            await rest.request("POST", "/", call=call, json={})
        server.let_go.set()
        assert await first == {}
    assert len(server.requests) == 1


async def test_a_call_whose_time_is_up_leaves_the_client_usable(rest: RestClient, server: Server, call: Call) -> None:
    server.bytes_ = b"wait"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await rest.request("POST", "/", call=call, json={})
    server.bytes_ = answer(b'{"a": 1}')
    assert await rest.request("POST", "/", call=call, json={}) == {"a": 1}


async def test_a_client_that_is_not_open_says_so(call: Call) -> None:
    with pytest.raises(RuntimeError, match="lifespan"):
        await client("http://127.0.0.1:1").request("GET", "/", call=call)


async def test_a_name_that_does_not_resolve_was_not_called(call: Call) -> None:
    async with client("http://nowhere.invalid") as rest:
        with pytest.raises(Failed, match="CANNOT_CONNECT"):
            await rest.request("POST", "/", call=call, json={})


async def test_what_an_answer_says_of_limits_reaches_the_worker(server: Server, call: Call) -> None:
    said: list[Advice] = []
    heard = replace(call, limited=said.append)
    async with client(server.url) as rest:
        server.bytes_ = answer(
            b'{"a": 1}', OK + b"X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9\r\n"
        )
        assert await rest.request("GET", "/vendors", call=heard) == {"a": 1}
        server.bytes_ = answer(b"slow down", b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\n")
        with pytest.raises(Failed) as raised:
            await rest.request("GET", "/vendors", call=heard)
    assert said == [Advice(0, 9), Advice(0, 7)]
    assert raised.value.retry_after == 7
