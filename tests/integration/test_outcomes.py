"""How an agent hears of outcomes, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from orchestrator import Agent
from orchestrator.agent import _Outcomes
from orchestrator.bootstrap import make_codec
from orchestrator.messaging.event import Event
from schemas.models import EndStatus, SagaEnded, VendorOnboardingRequested

Make = Callable[[int], VendorOnboardingRequested]


class Slow:
    """The agent's client, between whose questions something happens."""

    def __init__(self, client: Any, meanwhile: Callable[[], None]) -> None:
        self._client = client
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def offsets_for_times(self, *arguments: Any, **options: Any) -> Any:
        found = self._client.offsets_for_times(*arguments, **options)
        self._meanwhile()
        return found


def _ended(
    settings: Any,
    wire: Any,
    vendor: VendorOnboardingRequested,
    status: EndStatus = EndStatus.completed,
    sequence: str | None = None,
) -> None:
    record = SagaEnded(definition="d", version=1, status=status, business_key="k", residue=[], outputs={})
    now = datetime.now(UTC)
    event = Event("e", "test", record.contract.type, now, saga_id=vendor.saga_id, sequence=sequence)
    headers = [(name, value or b"") for name, value in event.headers()]
    wire.send("saga.outcomes", make_codec(settings).encode(record), headers)


async def test_an_outcome_that_comes_while_its_place_is_looked_up_is_heard(
    settings: Any, agent: Agent, make_vendor: Make, wire: Any
) -> None:
    vendor = make_vendor(1)
    agent._outcomes = _Outcomes(settings, make_codec(settings))
    agent._outcomes._consumer = Slow(agent._outcomes._consumer, lambda: _ended(settings, wire, vendor))  # type: ignore[assignment]
    assert (await agent.outcome(vendor.saga_id, 20)).status is EndStatus.completed


async def test_what_is_no_outcome_is_passed_over_and_the_next_is_heard(
    settings: Any, agent: Agent, make_vendor: Make, wire: Any
) -> None:
    vendor = make_vendor(1)
    waiting = asyncio.create_task(agent.outcome(vendor.saga_id, 30))
    await asyncio.to_thread(wire.send, "saga.outcomes", b"garbage", [("x", b"y")])
    await asyncio.to_thread(_ended, settings, wire, vendor)
    assert (await waiting).status is EndStatus.completed
    # Asked again, and by somebody who begins to wait only now.
    assert (await agent.outcome(vendor.saga_id, 5)).status is EndStatus.completed
    async with Agent("late", settings) as late:
        assert (await late.outcome(vendor.saga_id, 20)).status is EndStatus.completed


async def test_an_outcome_that_is_sent_again_late_does_not_take_the_place_of_the_latest(
    settings: Any, agent: Agent, make_vendor: Make, wire: Any
) -> None:
    vendor, other = make_vendor(1), make_vendor(2)
    for status, sequence in ((EndStatus.compensated, "0000000006"), (EndStatus.review, "0000000005")):
        await asyncio.to_thread(_ended, settings, wire, vendor, status, sequence)
    await asyncio.to_thread(_ended, settings, wire, other)
    first = await agent.outcome(vendor.saga_id, 20)
    await agent.outcome(other.saga_id, 20)
    # By now both have been read, whichever partition holds the other's.
    assert first.status is (await agent.outcome(vendor.saga_id, 5)).status is EndStatus.compensated
