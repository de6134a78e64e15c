"""Our REST client against every fault of the sandbox: each comes out as design §6 says, and the ledger agrees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from consumers.connectors.breaker import Breaker, BreakerPolicy
from consumers.connectors.guard import CIRCUIT_OPEN, InPlace
from consumers.connectors.rest import RestClient, Timeouts
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call
from schemas.models import CreateVendor

ONCE = InPlace(attempts=1)
ERRORS = CreateVendor.contract.errors


@pytest.fixture
async def once(sandbox: Any) -> AsyncIterator[RestClient]:
    """A client that sends once."""
    async with client(sandbox.urls["erp"], ONCE) as made:
        yield made


@pytest.fixture
async def thrice(sandbox: Any) -> AsyncIterator[RestClient]:
    """A client that sends again in place."""
    async with client(sandbox.urls["erp"], InPlace(attempts=3, patience=5)) as made:
        yield made


def client(url: str, retries: InPlace, read: float = 30) -> RestClient:
    breaker = Breaker(BreakerPolicy(minimum=1000))
    return RestClient(url, timeouts=Timeouts(connect=5, read=read, write=5, pool=5), retries=retries, breaker=breaker)


async def create(rest: RestClient, call: Call, vendor: dict[str, Any], **options: Any) -> Any:
    return await rest.request("POST", "/vendors", call=call, json=vendor, errors=ERRORS, **options)


async def test_a_call_is_done_once_and_told(once: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]) -> None:
    answer = await create(once, call, {**vendor, "reference": str(call.saga_id)})
    assert answer["vendor_id"].startswith("V-")
    assert sandbox.lines(call.idempotency_key) == ["call", "applied"]
    (applied,) = sandbox.ledger().applied(call.idempotency_key)
    assert (applied.name, applied.ref, applied.reference) == ("erp.create_vendor", vendor["tax_id"], str(call.saga_id))
    (raw,) = sandbox.ledger().calls(call.idempotency_key)
    assert raw.data["attempt"] == "1"


# -- each fault ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "rule", "error", "code", "applied"),
    [
        ("error", {}, Unknown, "HTTP_500", 0),
        ("error", {"status": 502}, Unknown, "HTTP_502", 0),
        ("error", {"status": 400}, Rejected, "HTTP_400", 0),
        ("error", {"status": 401}, Failed, "UNAUTHENTICATED", 0),
        ("error", {"code": "TRANSIENT_ERROR"}, Failed, "TRANSIENT_ERROR", 0),
        ("error", {"code": "DUPLICATE_TAX_ID", "status": 409}, Rejected, "DUPLICATE_TAX_ID", 0),
        ("error", {"code": "MAINTENANCE", "status": 503, "retry_after": 9}, Failed, "MAINTENANCE", 0),
        ("hang", {}, Unknown, "NO_ANSWER", 0),
        ("hang", {"seconds": 0}, Unknown, "CONNECTION_LOST", 0),
        ("rate_limit", {"retry_after": 7}, Failed, "RATE_LIMITED", 0),
        ("drop_answer", {}, Unknown, "CONNECTION_LOST", 1),
        ("down", {}, Unknown, "CONNECTION_LOST", 0),
        ("down", {"action": "create_vendor"}, Unknown, "CONNECTION_LOST", 0),
    ],
)
async def test_a_fault_comes_out_as_what_it_means(
    fault: str,
    rule: dict[str, Any],
    error: type[Exception],
    code: str,
    applied: int,
    sandbox: Any,
    call: Call,
    vendor: dict[str, Any],
) -> None:
    sandbox.fault("erp", fault, **rule)
    async with client(sandbox.urls["erp"], ONCE, read=0.5 if code == "NO_ANSWER" else 30) as once:
        with pytest.raises(error) as raised:
            await create(once, call, vendor)
    assert type(raised.value) is error
    assert getattr(raised.value, "code") == code  # noqa: B009
    # Cut at accept, the request was never read, and there is nothing to write down.
    calls = 0 if (fault, rule) == ("down", {}) else 1
    assert sandbox.lines(call.idempotency_key) == ["call"] * calls + ["applied"] * applied


async def test_slow_is_done(thrice: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]) -> None:
    sandbox.fault("erp", "slow", seconds=0.05, match={"tax_id": vendor["tax_id"]})
    assert (await create(thrice, call, vendor))["vendor_id"]
    assert sandbox.lines(call.idempotency_key) == ["call", "applied"]


async def test_too_slow_is_unknown_and_asking_again_under_the_key_finds_it_done(
    sandbox: Any, call: Call, vendor: dict[str, Any]
) -> None:
    sandbox.fault("erp", "slow", seconds=0.5, match={"tax_id": vendor["tax_id"]}, times=1)
    async with client(sandbox.urls["erp"], ONCE, read=0.05) as hasty:
        with pytest.raises(Unknown, match="NO_ANSWER"):
            await create(hasty, call, vendor)
    async with client(sandbox.urls["erp"], InPlace(attempts=100, patience=30)) as patient:
        assert (await create(patient, call, vendor))["vendor_id"]
    assert sandbox.ledger().applied(call.idempotency_key, system="erp")
    assert sandbox.ledger().doubled() == {}


async def test_retry_after_is_passed_on_as_seconds_or_date(
    once: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]
) -> None:
    sandbox.fault("erp", "rate_limit", retry_after=7, times=1)
    date = format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True)
    sandbox.fault("erp", "rate_limit", retry_after=date, times=1)
    waits = []
    for _ in range(2):
        with pytest.raises(Failed) as raised:
            await create(once, call, vendor)
        waits.append(raised.value.retry_after)
    assert waits == [7, 86_400]


async def test_a_system_that_is_gone_was_not_called(
    start_sandbox: Callable[..., Any], call: Call, vendor: dict[str, Any]
) -> None:
    own = start_sandbox("--systems", "erp")
    own.child.kill()
    async with client(own.urls["erp"], ONCE) as rest:
        with pytest.raises(Failed, match="CANNOT_CONNECT"):
            await create(rest, call, vendor)


# -- in place --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "rule", "lines"),
    [
        ("error", {}, ["call", "call", "applied"]),
        ("error", {"code": "TRANSIENT_ERROR"}, ["call", "call", "applied"]),
        ("rate_limit", {"retry_after": 0}, ["call", "call", "applied"]),
        ("hang", {"seconds": 0}, ["call", "call", "applied"]),
        ("drop_answer", {}, ["call", "applied", "call"]),
        ("late_answer", {"seconds": 0.05}, ["call", "applied"]),
        ("down", {}, ["call", "applied"]),
    ],
)
async def test_a_fault_that_passes_is_survived_in_place_and_done_once(
    fault: str,
    rule: dict[str, Any],
    lines: list[str],
    thrice: RestClient,
    sandbox: Any,
    call: Call,
    vendor: dict[str, Any],
) -> None:
    sandbox.fault("erp", fault, times=1, **rule)
    assert (await create(thrice, call, vendor))["vendor_id"]
    assert sandbox.lines(call.idempotency_key) == lines


async def test_without_a_key_an_unknown_is_not_sent_again(
    thrice: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]
) -> None:
    sandbox.fault("erp", "drop_answer", times=1)
    with pytest.raises(Unknown, match="CONNECTION_LOST"):
        await create(thrice, call, vendor, keyed=False)
    assert sandbox.lines(call.idempotency_key) == ["call", "applied"]


async def test_a_read_that_is_lost_is_sent_again_and_then_failed(
    thrice: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]
) -> None:
    await create(thrice, call, vendor)
    query = {"tax_id": vendor["tax_id"]}
    sandbox.fault("erp", "drop_answer", action="find_vendor", times=1)
    found = await thrice.request("GET", "/vendors", call=call, params=query)
    assert [item["tax_id"] for item in found["items"]] == [vendor["tax_id"]]
    sandbox.fault("erp", "drop_answer", action="find_vendor")
    with pytest.raises(Failed):
        await thrice.request("GET", "/vendors", call=call, params=query)
    # A probe that could not be asked must not read as "not done".
    with pytest.raises(Unknown):
        await thrice.look_up("/vendors", call=call, params=query)


async def test_a_breaker_spares_a_system_that_is_down(sandbox: Any, call: Call, vendor: dict[str, Any]) -> None:
    sandbox.fault("erp", "error")
    timeouts = Timeouts(connect=5, read=5, write=5, pool=5)
    breaker = Breaker(BreakerPolicy(minimum=3, open_seconds=600))
    async with RestClient(sandbox.urls["erp"], timeouts=timeouts, retries=ONCE, breaker=breaker) as rest:
        for _ in range(3):
            with pytest.raises(Unknown):
                await create(rest, call, vendor)
        with pytest.raises(Failed, match=CIRCUIT_OPEN):
            await create(rest, call, vendor)
    assert sandbox.lines(call.idempotency_key) == ["call"] * 3


# -- keys ------------------------------------------------------------------------------------------------------------


async def test_a_key_replays_its_answer(once: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]) -> None:
    first = await create(once, call, vendor)
    assert await create(once, call, vendor) == first
    assert sandbox.lines(call.idempotency_key) == ["call", "applied", "call"]


async def test_calls_at_once_under_one_key_are_done_once(
    once: RestClient, sandbox: Any, call: Call, vendor: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(create(once, call, vendor) for _ in range(8)))
    assert answers == [answers[0]] * 8
    assert sorted(sandbox.lines(call.idempotency_key)) == ["applied"] + ["call"] * 8


async def test_a_key_of_another_request_is_in_doubt_and_never_a_rejection(
    once: RestClient, call: Call, vendor: dict[str, Any]
) -> None:
    await create(once, call, vendor)
    with pytest.raises(Unknown, match="IDEMPOTENCY_KEY_REUSED"):
        await create(once, call, {**vendor, "vendor_name": "Other"})


async def test_a_refusal_is_not_kept_under_the_key(
    once: RestClient, call: Call, make_call: Callable[..., Call], vendor: dict[str, Any]
) -> None:
    other = make_call()
    await create(once, other, vendor)
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await create(once, call, vendor)
    await once.request("DELETE", "/vendors", call=make_call(), params={"tax_id": vendor["tax_id"]})
    assert (await create(once, call, vendor))["vendor_id"]
