"""Secrets that are sent as they are: API keys, passwords, UsernameTokens; and their rotation while calls run."""

from __future__ import annotations

import asyncio
import base64
import json
import logging

import pytest

from consumers.connectors.http import UsernameToken
from consumers.errors import Failed


def ok(request):
    return 200, {"ok": True}


@pytest.mark.parametrize(
    ("block", "header", "sent"),
    [
        ({"header": "X-Api-Key"}, "x-api-key", "hunter2"),
        ({"header": "Authorization", "prefix": "Bearer"}, "authorization", "Bearer hunter2"),
    ],
)
async def test_an_api_key_in_a_header(world, call, wire, client, block, header, sent):
    world.variables["K"] = "hunter2"
    async with wire(ok) as system:
        async with client(system.url, world.credentials({"type": "api_key", "key": "env:K"} | block)) as rest:
            await rest.request("GET", "/vendors", call=call)
    assert system.requests[0].headers[header] == sent


async def test_an_api_key_in_the_query_is_in_no_log(world, call, wire, client, caplog):
    world.variables["K"] = "hunter2 & more"
    async with wire(ok) as system:
        credentials = world.credentials({"type": "api_key", "key": "env:K", "query": "api_key"})
        with caplog.at_level(logging.DEBUG):
            async with client(system.url, credentials) as rest:
                await rest.request("GET", "/vendors", call=call, params={"tax_id": "1"})
    assert system.requests[0].query == {"tax_id": "1", "api_key": "hunter2 & more"}
    assert "tax_id=1" in caplog.text
    assert "hunter2" not in caplog.text


async def test_user_and_password_of_one_document_rotate_together(world, call, wire, client):
    """As AWS rotates alternating users: both change, and both pairs are good for a while."""
    pairs = [json.dumps({"user": f"saga{n}", "password": f"hunter{n}"}) for n in (1, 2)]
    world.variables["DB"] = pairs[0]
    block = {"type": "basic", "username": "env:DB#user", "password": "env:DB#password@previous"}
    takes = "saga1:hunter1"

    def answer(request):
        sent = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert sent in {"saga1:hunter1", "saga2:hunter2"}  # never a mixture
        return (200, {"ok": True}) if sent == takes else (401, {})

    async with wire(answer) as system, client(system.url, world.credentials(block)) as rest:

        async def some():
            await asyncio.gather(*(rest.request("POST", "/vendors", call=call, json={}) for _ in range(16)))
            world.clock.now += 10

        await some()
        world.variables |= {"DB": pairs[1], "DB_PREVIOUS": pairs[0]}
        world.clock.now += 301
        await some()  # the store is ahead of the system
        before = len(system.requests)
        await some()
        assert len(system.requests) == before + 16  # it is known by now which one is taken
        takes = "saga2:hunter2"
        await some()
        await some()


async def test_a_key_that_the_system_has_before_our_lease_ends(world, call, wire, client):
    world.variables["K"] = "old"
    takes = "old"

    def answer(request):
        return (200, {"ok": True}) if request.headers["x-key"] == takes else (401, {})

    async with wire(answer) as system:
        async with client(
            system.url, world.credentials({"type": "api_key", "key": "env:K", "header": "X-Key"})
        ) as rest:
            await rest.request("GET", "/vendors", call=call)
            world.variables["K"] = takes = "new"
            world.clock.now += 60
            await asyncio.gather(*(rest.request("POST", "/vendors", call=call, json={}) for _ in range(64)))
            assert len(system.requests) <= 1 + 128
            takes = "neither"
            with pytest.raises(Failed, match="UNAUTHENTICATED"):
                await rest.request("GET", "/vendors", call=call)


async def test_a_username_token_is_the_protocols_to_write(world):
    world.variables["P"] = "hunter2"
    block = {"type": "ws_security", "username": "saga", "password": "env:P", "password_type": "digest"}
    proof = await world.credentials(block).proof()
    assert proof.username_token == UsernameToken("saga", "hunter2", digest=True)
    assert "hunter2" not in repr(proof) + repr(proof.username_token)


@pytest.mark.parametrize("value", ["hunter2\nx: y", "hunter2\r", "hünter2"])
async def test_a_secret_that_no_header_can_carry(world, call, wire, client, value):
    world.variables["K"] = value
    async with wire(ok) as system:
        credentials = world.credentials({"type": "api_key", "key": "env:K", "header": "X-Key"})
        async with client(system.url, credentials) as rest:
            with pytest.raises(Failed, match="BAD_SECRET") as failed:
                await rest.request("GET", "/vendors", call=call)
    assert "nter2" not in repr(failed.value)
    assert system.requests == []
