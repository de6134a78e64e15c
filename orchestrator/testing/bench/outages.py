"""What `saga bench` measures, each on a stack of its own: a drain at a limit, and a message that cannot be read.

Counts are judged, times are only told: how fast a machine is, is nobody's fault.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any
from uuid import UUID

from orchestrator import bootstrap
from orchestrator.agent import Agent
from orchestrator.core.state import TERMINAL, Status
from orchestrator.database import connect
from orchestrator.dev.errors import NotReady
from orchestrator.dev.stack import Stack
from orchestrator.messaging import topics
from orchestrator.messaging.backlog import backlog_of
from orchestrator.messaging.kafka import in_thread, producer_config
from orchestrator.messaging.kafka_outbox import KafkaOutbox
from orchestrator.messaging.message import Outgoing
from orchestrator.settings import load_attribute
from orchestrator.store.queries import Queries, SagaRow
from orchestrator.testing.audit import audit
from schemas.models import PaymentTerms, VendorOnboardingRequested, VendorType

__all__ = ["DrainRun", "Latencies", "PoisonRun", "Say", "drain", "poison", "vendors"]

Say = Callable[[str], None]

_LOOK_SECONDS = 0.2
_PREPARE_SECONDS = 180.0
_MOST_OF_A_LIMIT = 1.02
# What a limit lets through at once after a pause.
_BURST_SECONDS = 0.1
# The wire format's first byte, a schema id that nobody has, and no record.
_UNREADABLE = b"\x00\x7f\xff\xff\xff no record"


def vendors(count: int) -> list[VendorOnboardingRequested]:
    """So many that nothing is wrong with, unlike any before."""
    series = os.urandom(3).hex().upper()
    return [
        VendorOnboardingRequested(
            vendor_name=f"Vendor {series} {number}",
            vendor_type=VendorType.SUPPLIER,
            tax_id=f"DE{series}{number:06d}",
            payment_terms=PaymentTerms.NET_30,
            primary_contact_name=f"Ada {number}",
            primary_contact_email=f"ada{number}@{series.lower()}.example",
            category="bearings",
        )
        for number in range(count)
    ]


# -- drain ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DrainRun:
    """How a backlog drained. Rates are calls a second; `wrong` is what does not add up, in words."""

    sagas: int
    workers: int
    limit: float
    calls: int
    seconds: float
    highest_attempt: int
    wrong: Sequence[str]

    @property
    def rate(self) -> float:
        """Between the first call and the last."""
        return (self.calls - 1) / self.seconds if self.seconds > 0 else 0.0

    @property
    def ratio(self) -> float:
        """What was reached of the limit."""
        return self.rate / self.limit

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        names = ("sagas", "workers", "limit", "calls", "seconds", "rate", "ratio", "highest_attempt", "wrong")
        return {name: getattr(self, name) for name in names}


def drain(stack: Stack, system: str, sagas: int, limit: float, workers: int, say: Say) -> DrainRun:
    """Take a system away, let so many sagas wait for it, bring it back, and count its calls.

    The stack runs with that limit set, and with one worker of the system; the others are started here.

    Raises:
        NotReady: they did not come to wait, or to rest.
        ChildFailed: a part of the stack ended.

    """
    settings = stack.settings()
    group_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:consumer_group")
    kafka, group = settings.kafka_settings(), group_of(settings, system)
    for child in [stack.start_consumer(system) for _ in range(workers - 1)]:
        stack.wait_ready(child)
    _order(stack, {"system": system, "fault": "down"})
    requests = vendors(sagas)
    say(f"{sagas} sagas, while {system} is away")
    asyncio.run(_publish(stack, requests))
    _until(stack, lambda: backlog_of(kafka, group, topics.commands(system)).messages >= sagas, _PREPARE_SECONDS)
    ledger: Any = load_attribute("SAGA_SANDBOX", f"{settings.sandbox}.ledger:Ledger")
    before = len(ledger.read(stack.ledger).calls(system=system))
    say(f"all of them wait; {system} is back, at {limit:g} calls a second")
    _order(stack)
    rows = _rest(stack, [request.saga_id for request in requests], sagas / limit + _PREPARE_SECONDS)
    written = ledger.read(stack.ledger)
    times = [datetime.fromisoformat(line.at) for line in written.calls(system=system)[before:]]
    attempts = [step.do.attempt for row in rows for step in row.state.steps.values() if step.do is not None]
    took = (times[-1] - times[0]).total_seconds() if times else 0.0
    wrong = [*_ends(rows, sagas), *_disagreements(stack, rows, written)]
    found = DrainRun(sagas, workers, limit, len(times), took, max(attempts, default=0), wrong)
    if found.ratio > _MOST_OF_A_LIMIT and found.calls - 1 > limit * took + limit * _BURST_SECONDS:
        wrong.append(f"{found.calls} calls in {took:.2f} s are more than the limit allows")
    return found


# -- poison --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Latencies:
    """From the publishing of a request to the end of its saga, in milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latencies:
        """Of at least two sagas."""
        cuts = quantiles(seconds, n=100)
        return cls(cuts[49] * 1000, cuts[98] * 1000)


@dataclass(frozen=True, slots=True)
class PoisonRun:
    """How sagas fared in rounds with an unreadable message among them, and in rounds without."""

    topic: str
    messages: int
    rounds: int
    clean: Latencies
    poisoned: Latencies
    wrong: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        return {
            "topic": self.topic,
            "messages": self.messages,
            "rounds": self.rounds,
            "clean": {"p50": self.clean.p50, "p99": self.clean.p99},
            "poisoned": {"p50": self.poisoned.p50, "p99": self.poisoned.p99},
            "ratio": {"p50": self.poisoned.p50 / self.clean.p50, "p99": self.poisoned.p99 / self.clean.p99},
            "wrong": list(self.wrong),
        }


def poison(stack: Stack, topic: str, messages: int, rounds: int, rate: float, say: Say) -> PoisonRun:
    """Send so many messages a round, `rate` a second; in every second round the middle one cannot be read.

    A round with it and one without follow each other, in changing order, so that what changes meanwhile on the machine
    is in both. A first round warms up and is not counted.

    Raises:
        NotReady, ChildFailed: as `drain`.

    """
    settings = stack.settings()
    kafka, letters = settings.kafka_settings(), topics.dead_letters(topic)
    wrong: list[str] = []
    found: dict[bool, list[float]] = {False: [], True: []}
    order = [bad for number in range(rounds) for bad in ((False, True) if number % 2 == 0 else (True, False))]
    for number, bad in enumerate([False, *order]):
        buried = backlog_of(kafka, "saga-bench", letters).messages
        requests = vendors(messages - bad)
        sent = asyncio.run(_publish_at(stack, requests, rate, topic if bad else None))
        rows = _rest(stack, list(sent), _PREPARE_SECONDS)
        buried = backlog_of(kafka, "saga-bench", letters).messages - buried
        wrong += _ends(rows, len(requests))
        if buried != bad:
            wrong.append(f"round {number}: {buried} dead letters in {letters}, not {int(bad)}")
        took = [(row.ended_at - sent[row.id]).total_seconds() for row in rows if row.ended_at is not None]
        if number:
            found[bad] += took
        name = "warm-up" if number == 0 else "with it" if bad else "without"
        say(f"{name}: {len(took)} sagas, p50 {Latencies.of(took).p50:.1f} ms, p99 {Latencies.of(took).p99:.1f} ms")
    clean, poisoned = Latencies.of(found[False]), Latencies.of(found[True])
    return PoisonRun(topic, messages, rounds, clean, poisoned, wrong)


async def _publish_at(
    stack: Stack, requests: Sequence[VendorOnboardingRequested], rate: float, poisoned: str | None
) -> Mapping[UUID, datetime]:
    """When each was sent. The unreadable message takes the place of one in the middle."""
    settings = stack.settings()
    outbox = KafkaOutbox(producer_config(settings.kafka_settings()), run=in_thread())
    sent: dict[UUID, datetime] = {}
    began, place = time.monotonic(), 0

    async def turn() -> None:
        nonlocal place
        await asyncio.sleep(max(0.0, began + place / rate - time.monotonic()))
        place += 1

    async with Agent("saga-bench", settings) as agent:
        for number, request in enumerate(requests):
            if poisoned is not None and number == len(requests) // 2:
                await turn()
                await outbox.send([Outgoing(poisoned, str(request.saga_id).encode(), _UNREADABLE)])
            await turn()
            sent[request.saga_id] = datetime.now(UTC)
            await agent.publish(request)
    await outbox.close()
    return sent


# -- both ----------------------------------------------------------------------------------------------------------


def _order(stack: Stack, *rules: Mapping[str, Any]) -> None:
    """Replace the sandbox's faults."""
    url = f"{stack.urls['control']}/_sandbox/faults"
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()  # noqa: S310 - our own child
    if rules:
        body = json.dumps(rules).encode()
        urllib.request.urlopen(urllib.request.Request(url, body, method="POST")).close()  # noqa: S310 - our own child


async def _publish(stack: Stack, requests: Sequence[VendorOnboardingRequested]) -> None:
    async with Agent("saga-bench", stack.settings()) as agent:
        await agent.publish_all(requests)


def _rest(stack: Stack, ids: Sequence[UUID], seconds: float) -> Sequence[SagaRow]:
    """The sagas, when each has ended or waits for a person."""
    engine = connect(stack.settings().database_url)
    queries, rows = Queries(engine), list[SagaRow]()

    def resting() -> bool:
        rows[:] = queries.some(ids)
        rest = TERMINAL | {Status.REVIEW}
        return len(rows) == len(ids) and all(row.state.status in rest for row in rows)

    try:
        _until(stack, resting, seconds)
    finally:
        engine.dispose()
    return rows


def _until(stack: Stack, done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        stack.check()
        if time.monotonic() > end:
            msg = f"not there after {seconds:.0f} s"
            raise NotReady(msg)
        time.sleep(_LOOK_SECONDS)


def _ends(rows: Sequence[SagaRow], expected: int) -> list[str]:
    counts = Counter(row.state.status.value for row in rows)
    return [] if counts == {"completed": expected} else [f"{expected} sagas ended as {dict(counts)}"]


def _disagreements(stack: Stack, rows: Sequence[SagaRow], ledger: Any) -> list[str]:
    catalogue = bootstrap.load_catalogue(stack.settings())
    known: dict[UUID, Any] = {
        row.id: (catalogue.get(row.state.definition, row.state.version), row.state) for row in rows
    }
    return [
        *audit(known, ledger.applied()),
        *(f"{key} was done {times} times" for key, times in ledger.doubled().items()),
    ]
