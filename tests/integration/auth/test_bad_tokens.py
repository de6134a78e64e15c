"""What a token server can answer wrongly: each is a clear, retryable failure, and the system is not called."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from structlog.testing import capture_logs

from consumers.connectors.auth import exchange
from consumers.errors import Failed

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BLOCK = {
    "type": "oauth2_client_credentials",
    "client_id": "saga",
    "secret": "env:S",
    "auth_method": "client_secret_post",
}
GOOD = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}


def raw(body: bytes, head: bytes = OK) -> bytes:
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def token(**fields) -> bytes:
    return raw(json.dumps({name: value for name, value in (GOOD | fields).items() if value is not ...}).encode())


BAD = {
    "html": (raw(b"<html>hunter2</html>"), "no JSON object"),
    "list": (raw(b"[1]"), "no JSON object"),
    "deep": (raw(b"[" * 60_000), "no JSON object"),
    "empty": (raw(b""), "no JSON object"),
    "no utf-8": (raw(b'{"access_token": "\xff"}'), "no JSON object"),
    "large": (OK + b"content-length: 10737418240\r\n\r\n" + b"x" * 200_000, "larger than 64 KiB"),
    "gzip": (raw(gzip.compress(b"{}"), OK + b"content-encoding: gzip\r\n"), "compressed"),
    "redirect": (
        raw(b"", b"HTTP/1.1 302 X\r\nlocation: https://evil.example.com/token?secret=hunter2\r\n"),
        "a redirect to evil.example.com",
    ),
    "redirect to nowhere": (raw(b"", b"HTTP/1.1 307 X\r\nlocation: http://[hunter2\r\n"), "a redirect to somewhere"),
    "error": (raw(b'{"error": "server_error", "error_description": "hunter2"}', b"HTTP/1.1 500 X\r\n"), "server_error"),
    "error html": (raw(b"hunter2", b"HTTP/1.1 503 X\r\nretry-after: 7\r\n"), "HTTP 503"),
    "error in 200": (raw(b'{"error": "invalid_client"}'), "no usable token"),
    "error text": (raw(b'{"error": "hunter2 is wrong"}', b"HTTP/1.1 400 X\r\n"), "HTTP 400"),
    "cut": (OK + b"content-length: 100\r\n\r\n{", "RemoteProtocolError"),
    "silent": (b"", "RemoteProtocolError"),
    "garbage": (b"\x00\x01hunter2\r\n\r\n", "RemoteProtocolError"),
    "no token": (token(access_token=...), "no usable token"),
    "token of another type": (token(access_token=["t"]), "no usable token"),
    "token with a line break": (token(access_token="t\r\nx: y"), "no usable token"),
    "token of another kind": (token(token_type="mac"), "no bearer token"),
    "ended": (token(expires_in=0), "had ended"),
    "ended long ago": (token(expires_in=-3600), "had ended"),
    "ended, as text": (token(expires_in="0"), "had ended"),
    "end is text": (token(expires_in="soon"), "no number"),
    "end is a list": (token(expires_in=[1]), "no number"),
    "end is true": (token(expires_in=True), "no number"),
    "end is no number": (raw(b'{"access_token": "t", "expires_in": NaN}'), "no number"),
}


@pytest.mark.parametrize(("answer", "said"), BAD.values(), ids=BAD)
async def test_a_bad_answer(world, call, wire, client, answer, said):
    world.variables["S"] = "hunter2"
    async with wire(lambda _: answer) as server, wire(lambda _: (200, {})) as system:
        credentials = world.credentials(BLOCK | {"token_url": server.url + "/token"})
        async with client(system.url, credentials) as rest:
            with capture_logs() as logs, pytest.raises(Failed) as failed:
                await rest.request("POST", "/vendors", call=call, json={})
    assert failed.value.code == "TOKEN_UNAVAILABLE"
    assert said in failed.value.message
    assert "127.0.0.1" in failed.value.message
    assert "hunter2" not in repr(failed.value) + str(logs)
    assert system.requests == []


async def test_the_wait_that_a_token_server_asks_for_is_told(world, wire):
    world.variables["S"] = "hunter2"
    async with wire(lambda _: BAD["error html"][0]) as server:
        with pytest.raises(Failed) as failed:
            await world.credentials(BLOCK | {"token_url": server.url + "/token"}).proof()
    assert failed.value.retry_after == 7


async def test_a_refused_client_is_told_apart_and_tried_once(world, wire):
    world.variables["S"] = "hunter2"
    async with wire(lambda _: (401, {"error": "invalid_client"})) as server:
        with pytest.raises(Failed) as failed:
            await world.credentials(BLOCK | {"token_url": server.url + "/token"}).proof()
    assert failed.value.code == "TOKEN_REFUSED"
    assert len(server.requests) == 1


async def test_a_slow_drip_and_a_server_that_is_away(world, wire, monkeypatch):
    monkeypatch.setattr(exchange, "_SECONDS", 0.5)
    world.variables["S"] = "hunter2"
    let_go = asyncio.Event()

    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"content-length: 1000\r\n\r\n")
        while not let_go.is_set():
            writer.write(b" ")
            await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
    with pytest.raises(Failed, match="no whole answer"):
        await world.credentials(BLOCK | {"token_url": url}).proof()
    let_go.set()
    server.close()
    with pytest.raises(Failed, match="TOKEN_UNAVAILABLE: 127.0.0.1: ConnectError"):
        await world.credentials(BLOCK | {"token_url": url, "scopes": "other"}).proof()


@pytest.mark.parametrize(
    ("said", "lives"), [("3600", 3600), (3600.5, 3600), (10**30, 86_400), (..., 300), (1e400, 86_400)]
)
async def test_ends_that_are_odd_but_usable(world, wire, said, lives):
    world.variables["S"] = "hunter2"
    async with wire(lambda _: token(expires_in=said)) as server:
        credentials = world.credentials(BLOCK | {"token_url": server.url + "/token"})
        await credentials.proof()
        world.clock.now += lives * 0.8
        await credentials.proof()
        assert len(server.requests) == 1
        world.clock.now += lives * 0.21
        await credentials.proof()
    assert len(server.requests) == 2


async def test_a_secret_or_key_that_is_not_to_be_had(world, wire):
    async with wire(lambda _: (200, GOOD)) as server:
        url = server.url + "/token"
        with pytest.raises(Failed, match="SECRET_UNAVAILABLE: env:S: the variable S is not set"):
            await world.credentials(BLOCK | {"token_url": url}).proof()
        world.variables["S"] = "hunter2, and no key"
        jwt = {"type": "jwt_bearer", "token_url": url, "issuer": "saga", "private_key": {"key": "env:S"}}
        with pytest.raises(Failed, match="BAD_KEY: env:S: cannot sign RS256") as failed:
            await world.credentials(jwt).proof()
    assert "hunter2" not in repr(failed.value)
    assert server.requests == []


@pytest.mark.parametrize("scopes_in", ["request", "assertion"])
async def test_assertions_are_what_the_rfc_asks_for(world, wire, private_key, scopes_in):
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    world.variables |= {"K": private_key[0], "KID": "k1"}
    kid = "k1" if scopes_in == "request" else "env:KID"
    async with wire(lambda _: (200, GOOD | {"expires_in": 1})) as server:
        url = server.url + "/token"
        account = {"type": "jwt_bearer", "issuer": "saga", "scopes": "a b", "scopes_in": scopes_in}
        credentials = world.credentials(account | {"token_url": url, "private_key": {"key": "env:K", "kid": kid}})
        for _ in range(2):
            await credentials.proof()
            world.clock.now += 2
        made = [jwt.decode(r.form["assertion"], RSAKey.import_key(private_key[1])) for r in server.requests]
    assert [token.header for token in made] == [{"alg": "RS256", "typ": "JWT", "kid": "k1"}] * 2
    first, second = (token.claims for token in made)
    assert (first["iss"], first["aud"], first["exp"] - first["iat"]) == ("saga", url, 180)
    assert first["jti"] != second["jti"]
    where = first if scopes_in == "assertion" else server.requests[0].form
    assert where["scope"] == "a b"


async def test_scopes_of_a_client_stand_where_its_server_reads_them(world, wire, private_key):
    world.variables["K"] = private_key[0]
    client = {"type": "oauth2_client_credentials", "client_id": "saga", "auth_method": "private_key_jwt"}
    client |= {"private_key": {"key": "env:K"}, "scopes": "rest_webservices"}
    async with wire(lambda _: (200, GOOD)) as server:
        for place in ("request", "assertion"):
            url = f"{server.url}/{place}"
            await world.credentials(client | {"token_url": url, "scopes_in": place}).proof()
        request, assertion = server.requests
    assert (request.form["scope"], "scope" in request.assertion) == ("rest_webservices", False)
    assert ("scope" in assertion.form, assertion.assertion["scope"]) == (False, "rest_webservices")
