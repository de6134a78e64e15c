"""The cache of tokens: one flight, refreshed before the end, one refresh for any number of refusals. No server."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from consumers.connectors.auth.tokens import Grant, Key, Tokens
from consumers.errors import Failed

KEY = Key("erp", "https://login.example.com/token", ("saga", ()), "1")


class Server:
    """Gives numbered tokens; counts, and can be slow or out of order."""

    def __init__(self, lifetime: float = 3600.0) -> None:
        self.lifetime = lifetime
        self.asked = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self) -> Grant:
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Grant(f"token-{number}", self.lifetime)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(clock=clock, uniform=lambda low, high: high)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_any_number_of_callers_need_one_request(tokens):
    server = Server()
    found = await asyncio.gather(*(tokens.get(KEY, server.fetch) for _ in range(1000)))
    assert {token.reveal() for token in found} == {"token-1"}
    assert server.asked == 1


async def test_another_purpose_secret_or_system_is_another_token(tokens):
    server = Server()
    others = [
        KEY,
        Key("portal", KEY.token_url, KEY.purpose, "1"),
        Key("erp", KEY.token_url, ("saga", ("admin",)), "1"),
        Key("erp", KEY.token_url, KEY.purpose, "2"),
    ]
    assert len({(await tokens.get(key, server.fetch)).reveal() for key in others}) == 4


async def test_the_first_waiter_may_be_cancelled_without_harm_to_the_others(tokens):
    server = Server()
    server.gate.clear()
    waiters = [asyncio.create_task(tokens.get(KEY, server.fetch)) for _ in range(10)]
    await settled()
    waiters[0].cancel()
    await settled()
    server.gate.set()
    assert {token.reveal() for token in await asyncio.gather(*waiters[1:])} == {"token-1"}
    assert server.asked == 1


@pytest.mark.parametrize(("lifetime", "early"), [(3600.0, 432.0), (100.0, 36.0), (20.0, 10.0), (1.0, 0.5)])
async def test_a_token_is_refreshed_beside_the_calls_before_its_end(tokens, clock, lifetime, early):
    server = Server(lifetime)
    await tokens.get(KEY, server.fetch)
    clock.now += lifetime - early - 0.01
    await tokens.get(KEY, server.fetch)
    await settled()
    assert server.asked == 1
    clock.now += 0.02
    server.gate.clear()
    found = await asyncio.gather(*(tokens.get(KEY, server.fetch) for _ in range(64)))  # nobody waits
    assert {token.reveal() for token in found} == {"token-1"}
    server.gate.set()
    await settled()
    assert (await tokens.get(KEY, server.fetch)).reveal() == "token-2"
    assert server.asked == 2


async def test_an_old_token_serves_to_its_end_while_there_is_no_new_one(tokens, clock):
    server = Server(100.0)
    await tokens.get(KEY, server.fetch)
    server.error = Failed("TOKEN_UNAVAILABLE", "away")
    clock.now += 70
    with capture_logs() as logs:
        assert (await tokens.get(KEY, server.fetch)).reveal() == "token-1"
        await settled()
    assert [(e["event"], e["old_token_serves"]) for e in logs] == [("token.unavailable", True)]
    await tokens.get(KEY, server.fetch)
    assert server.asked == 2  # not asked again at once
    clock.now += 31
    for _ in range(10):
        with pytest.raises(Failed, match="away") as failed:
            await tokens.get(KEY, server.fetch)
        assert failed.value.code == "TOKEN_UNAVAILABLE"
    assert server.asked == 3  # nor by each call of a burst
    server.error = None
    clock.now += 2
    assert (await tokens.get(KEY, server.fetch)).reveal() == "token-4"


async def test_any_number_of_refusals_force_one_refresh(tokens, clock):
    server = Server()
    old = await tokens.get(KEY, server.fetch)
    clock.now += 60
    assert all(await asyncio.gather(*(tokens.refused(KEY, old.version, server.fetch) for _ in range(64))))
    assert await tokens.refused(KEY, old.version, server.fetch)  # one that came late
    assert (await tokens.get(KEY, server.fetch)).reveal() == "token-2"
    assert server.asked == 2


async def test_a_new_token_that_is_refused_too_is_not_replaced(tokens, clock):
    server = Server()
    old = await tokens.get(KEY, server.fetch)
    clock.now += 60
    await tokens.refused(KEY, old.version, server.fetch)
    new = await tokens.get(KEY, server.fetch)
    assert not any(await asyncio.gather(*(tokens.refused(KEY, new.version, server.fetch) for _ in range(64))))
    assert server.asked == 2


async def test_any_other_error_is_a_failure_too_and_shows_only_its_kind(tokens):
    server = Server()
    server.error = RuntimeError("secret hunter2")
    with pytest.raises(Failed) as failed:
        await tokens.get(KEY, server.fetch)
    assert (failed.value.code, failed.value.message) == ("TOKEN_UNAVAILABLE", "RuntimeError")


async def test_ended_tokens_are_forgotten(tokens, clock):
    server = Server()
    for version in range(50):
        await tokens.get(Key("erp", KEY.token_url, KEY.purpose, str(version)), server.fetch)
        clock.now += 4000
    assert len(tokens._held) == 1
