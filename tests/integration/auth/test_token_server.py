"""Tokens from mock-oauth2-server, in all the ways that a client can prove itself; and ten thousand calls with them."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumers.connectors.http import Proof
from consumers.errors import Failed


def claims(proof: Proof) -> dict[str, Any]:
    scheme, token = proof.headers["authorization"].split(" ")
    assert scheme == "Bearer"
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_with_a_secret(token_server, world, method):
    world.variables["S"] = "hunter2 with: odd+characters%"
    credentials = world.credentials(
        {
            "type": "oauth2_client_credentials",
            "token_url": f"{token_server}/erp/token",
            "client_id": "saga",
            "secret": "env:S",
            "auth_method": method,
            "scopes": ["vendors.write"],
        }
    )
    found = claims(await credentials.proof())
    assert (found["iss"], found["aud"], found["sub"]) == (f"{token_server}/erp", "vendors.write", "saga")


async def test_a_client_with_a_key(token_server, world, private_key):
    world.variables["K"] = private_key[0]
    credentials = world.credentials(
        {
            "type": "oauth2_client_credentials",
            "token_url": f"{token_server}/erp/token",
            "client_id": "saga",
            "auth_method": "private_key_jwt",
            "private_key": {"key": "env:K", "kid": "k1"},
            "scopes": "a b",
        }
    )
    assert claims(await credentials.proof())["sub"] == "saga"


async def test_a_service_account(token_server, world, private_key):
    world.variables["ACCOUNT"] = json.dumps({"client_email": "saga@example.com", "private_key": private_key[0]})
    credentials = world.credentials(
        {
            "type": "jwt_bearer",
            "token_url": f"{token_server}/google/token",
            "issuer": "env:ACCOUNT#client_email",
            "subject": "person@example.com",
            "audience": "https://oauth2.googleapis.com/token",
            "private_key": {"key": "env:ACCOUNT#private_key"},
            "scopes": "https://www.googleapis.com/auth/drive",
        }
    )
    assert claims(await credentials.proof())["sub"] == "person@example.com"


async def test_a_request_that_the_server_does_not_take(token_server, world, private_key):
    world.variables["K"] = private_key[0]
    credentials = world.credentials(
        {
            "type": "jwt_bearer",
            "token_url": f"{token_server}/google/authorize/token/none",
            "issuer": "x",
            "private_key": {"key": "env:K"},
        }
    )
    with pytest.raises(Failed) as failed:
        await credentials.proof()
    assert failed.value.code == "TOKEN_UNAVAILABLE"


CALLS = 10_000
BLOCK = {"type": "oauth2_client_credentials", "client_id": "saga", "secret": "env:S", "scopes": "a"}


async def test_ten_thousand_calls_ask_for_no_more_tokens_than_their_refreshes(token_server, world, call, wire, client):
    """A call is a second of the tokens' clock. The server's tokens live 3600 s and are renewed after 3168 at the latest."""
    world.variables["S"] = "hunter2"
    credentials = world.credentials(BLOCK | {"token_url": f"{token_server}/erp/token"})
    seen = set()

    def answer(request):
        world.clock.now += 1
        seen.add(request.headers["authorization"])
        return 200, {"ok": True}

    async with wire(answer) as system, client(system.url, credentials) as rest:

        async def some(count):
            for _ in range(count):
                await rest.request("GET", "/vendors", call=call)

        with capture_logs() as logs:
            await asyncio.gather(*(some(CALLS // 50) for _ in range(50)))
    expected = CALLS // 3168
    requested = sum(e["event"] in {"token.got", "token.unavailable"} for e in logs)
    assert len(system.requests) == CALLS
    assert expected <= len(seen) <= requested <= expected + 1


async def test_64_calls_that_are_refused_at_once_get_one_new_token_and_all_succeed(
    token_server, world, call, wire, client
):
    world.variables["S"] = "hunter2"
    credentials = world.credentials(BLOCK | {"token_url": f"{token_server}/erp/token"})
    revoked, together = set(), asyncio.Barrier(64)

    async def answer(request):
        if request.headers["authorization"] in revoked:
            await together.wait()
            return 401, {"code": "TOKEN_REVOKED"}
        return 200, {"ok": True}

    async with wire(answer) as system, client(system.url, credentials) as rest:
        await rest.request("GET", "/vendors", call=call)
        revoked.add(system.requests[0].headers["authorization"])
        world.clock.now += 60
        with capture_logs() as logs:
            await asyncio.gather(*(rest.request("POST", "/vendors", call=call, json={}) for _ in range(64)))
    assert [e["event"] for e in logs] == ["token.got"]
    assert len(system.requests) == 1 + 64 + 64


async def test_a_system_that_refuses_every_token_is_sent_each_call_twice_at_most(
    token_server, world, call, wire, client
):
    world.variables["S"] = "hunter2"
    credentials = world.credentials(BLOCK | {"token_url": f"{token_server}/erp/token"})
    async with wire(lambda _: (401, {})) as system, client(system.url, credentials) as rest:
        with capture_logs() as logs:
            for _ in range(20):
                with pytest.raises(Failed, match="UNAUTHENTICATED"):
                    await rest.request("GET", "/vendors", call=call)
                world.clock.now += 1
    assert len(system.requests) <= 40
    assert sum(e["event"] == "token.got" for e in logs) <= 5


async def test_a_rotation_of_the_clients_secret_in_mid_run_loses_no_call(world, call, wire, client):
    """The token server has the new secret before our store has it; then it takes no old one any more."""
    world.variables["S"] = "old"
    takes, given = {"old"}, []

    def token(request):
        if request.form["client_secret"] not in takes:
            return 401, {"error": "invalid_client"}
        given.append(request.form["client_secret"])
        return 200, {"access_token": f"token-{len(given)}", "token_type": "Bearer", "expires_in": 60}

    async with (
        wire(token) as server,
        wire(lambda _: (200, {"ok": True})) as system,
        client(
            system.url,
            world.credentials(BLOCK | {"auth_method": "client_secret_post", "token_url": server.url + "/token"}),
        ) as rest,
    ):
        for second in range(400):
            if second == 100:
                takes.add("new")
            if second == 120:
                world.variables["S"] = "new"
                takes.remove("old")
            await asyncio.gather(*(rest.request("GET", "/vendors", call=call) for _ in range(5)))
            world.clock.now += 1
    assert len(system.requests) == 2000
    assert set(given) == {"old", "new"}
    # One try with the old secret was refused; the store was asked at once, not at the end of its lease.
    assert sum(request.form["client_secret"] == "old" for request in server.requests) == given.count("old") + 1


async def test_the_old_secret_is_tried_where_the_token_server_does_not_know_the_new_one_yet(world, wire):
    world.variables |= {"S": "new", "S_PREVIOUS": "old"}
    takes = {"old"}

    def token(request):
        if request.form["client_secret"] not in takes:
            return 400, {"error": "invalid_client"}
        return 200, {"access_token": "t", "expires_in": 60}

    block = BLOCK | {"auth_method": "client_secret_post", "secret": "env:S@previous"}
    async with wire(token) as server:
        credentials = world.credentials(block | {"token_url": server.url + "/token"})
        for _ in range(200):
            await credentials.proof()
            world.clock.now += 1
        tried = [request.form["client_secret"] for request in server.requests]
        assert tried.count("new") <= 2
        takes.clear()
        takes.add("new")
        world.clock.now += 60
        await credentials.proof()
    assert server.requests[-1].form["client_secret"] == "new"
