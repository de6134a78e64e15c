"""The consumer's loop over ports in memory: nothing that a handler does ends it, and nothing is passed unanswered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from msgspec.structs import replace as changed
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call, System
from orchestrator.core.effects import RowStatus
from orchestrator.core.sample import sample
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.event import Event, read_event
from orchestrator.messaging.message import Outgoing
from orchestrator.messaging.reader import GROUP_HEADER
from schemas.errors import RegistryUnavailable
from schemas.models import CreateVendor, ErpPaymentTerms, ErpVendorType, FailureOutcome, StepFailed, VendorCreated


@pytest.fixture
def vendor() -> CreateVendor:
    return CreateVendor(
        vendor_name="Müller",
        vendor_type=ErpVendorType.SUPPLIER,
        tax_id="DE123456789",
        payment_terms=ErpPaymentTerms.NET_30,
        primary_contact_email="ada@example.com",
    )


class Erp:
    """A system whose one handler does what it is told, call by call; the last plan holds for good.

    An event is waited for within the call.
    """

    def __init__(self, *plans: Any) -> None:
        self.calls: list[int] = []
        self.plans = list(plans)
        self.system = System("erp")
        self.system.action(CreateVendor, timeout=5.0)(self._handle)

    async def _handle(self, command: CreateVendor, call: Call) -> VendorCreated:
        self.calls.append(call.attempt)
        plan = self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]
        if isinstance(plan, Exception):
            raise plan
        if isinstance(plan, asyncio.Event):
            await plan.wait()
            return CREATED  # type: ignore[return-value]
        return plan  # type: ignore[no-any-return]


CREATED = sample(VendorCreated, full=True)


async def test_a_command_is_done_once_and_answered(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(CREATED)
    worker = make_worker(erp.system)
    worker.command(vendor)
    await worker.work()
    worker.command(vendor)
    await worker.work()
    assert erp.calls == [1]
    assert [type(record) for record, _ in worker.answers] == [VendorCreated, VendorCreated]
    assert worker.inbox.committed == {("erp.commands", 0): 2}


async def test_an_output_that_breaks_its_contract_is_unknown_and_ends_nothing(
    make_worker: Any, vendor: CreateVendor
) -> None:
    erp = Erp(VendorCreated.model_construct(vendor_id=17, created_at="yesterday"))
    worker = make_worker(erp.system)
    worker.command(vendor)
    await worker.work()
    ((answer, attempt),) = worker.answers
    assert isinstance(answer, StepFailed)
    assert (answer.outcome, answer.code, attempt) == (FailureOutcome.unknown, "CONTRACT_VIOLATION", 1)
    assert worker.inbox.committed == {("erp.commands", 0): 1}


async def test_an_answer_too_large_for_kafka_is_unknown_and_ends_nothing(
    make_worker: Any, vendor: CreateVendor
) -> None:
    erp = Erp(CREATED.model_copy(update={"vendor_id": "x" * 5000}))
    worker = make_worker(erp.system, max_bytes=4000)
    worker.outbox.largest = 4000
    worker.command(vendor)
    await worker.work()
    ((answer, _),) = worker.answers
    assert isinstance(answer, StepFailed)
    assert answer.outcome is FailureOutcome.unknown


async def test_a_message_of_the_system_that_is_no_unicode_ends_nothing(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(Rejected("BAD", "half a pair: \ud800"))
    worker = make_worker(erp.system)
    worker.command(vendor)
    await worker.work()
    ((answer, _),) = worker.answers
    assert isinstance(answer, StepFailed)
    assert answer.message == "half a pair: ?"


async def test_a_registry_that_is_away_after_the_call_is_waited_for(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(CREATED)
    worker = make_worker(erp.system)
    encode, failures = worker.codec.encode, [3]

    def away(record: Any) -> bytes:
        if isinstance(record, VendorCreated) and failures[0]:
            failures[0] -= 1
            raise RegistryUnavailable("away")
        return encode(record)

    worker.command(vendor)
    worker.codec.encode = away
    await worker.work()
    assert erp.calls == [1]
    assert [record for record, _ in worker.answers] == [CREATED]


async def test_a_system_that_cannot_be_asked_is_not_called_again_after_an_unknown(
    make_worker: Any, vendor: CreateVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The contract says `queryable`, and nobody wrote the probe.
    monkeypatch.setattr(CreateVendor, "contract", replace(CreateVendor.contract, effect="queryable"))
    erp = Erp(Unknown("CUT"))
    worker = make_worker(erp.system)
    worker.command(vendor, attempt=1)
    worker.command(vendor, attempt=2)
    await worker.work()
    assert erp.calls == [1]
    assert [record.outcome.value for record, _ in worker.answers] == ["unknown", "unknown"]


async def test_a_database_that_is_away_before_the_call_leaves_no_doubt(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(CREATED)
    worker = make_worker(erp.system)
    claim = worker.runtime._claim

    async def slow(asked: Any) -> Any:
        await worker.clock.sleep(5)  # so long that the claim is not fresh any more
        return await claim(asked)

    worker.runtime._claim = slow
    worker.effects.away = {"renew"}
    worker.command(vendor)
    await worker.work()
    assert erp.calls == []
    ((answer, _),) = worker.answers
    assert isinstance(answer, StepFailed)
    assert (answer.outcome.value, answer.code) == ("failed", "EFFECTS_UNAVAILABLE")


async def test_a_consumer_stops_although_its_database_is_away(make_worker: Any, vendor: CreateVendor) -> None:
    worker = make_worker(Erp(CREATED).system, commit=0.0)
    worker.command(vendor)
    stopping = [False]

    async def run() -> None:
        await worker.runtime.run(lambda: stopping[0])

    task = asyncio.create_task(run())
    for _ in range(200):
        await asyncio.sleep(0)
    assert worker.inbox.committed == {("erp.commands", 0): 1}
    worker.effects.away = {"mark"}
    worker.command(vendor)
    for _ in range(200):
        await asyncio.sleep(0)
    stopping[0] = True
    async with asyncio.timeout(5):
        await task
    assert worker.inbox.committed == {("erp.commands", 0): 1}


async def test_offsets_that_could_not_be_marked_are_committed_later(make_worker: Any, vendor: CreateVendor) -> None:
    worker = make_worker(Erp(CREATED).system, commit=0.0)
    worker.effects.away = {"mark"}
    worker.command(vendor)
    await worker.work()
    assert worker.inbox.committed == {}
    worker.effects.away = set()
    await worker.work()
    assert worker.inbox.committed == {("erp.commands", 0): 1}


async def test_a_consumer_stops_although_the_broker_does_not_tell_its_offsets(make_worker: Any) -> None:
    worker = make_worker(Erp(CREATED).system)
    turns = [0]

    async def poll(most: int, timeout: float) -> Any:
        await asyncio.sleep(0)
        raise BrokerUnavailable("_TIMED_OUT")

    async def idle(seconds: float) -> None:
        turns[0] += 1  # the group is served meanwhile: a rebalance may take the partition away
        await asyncio.sleep(0)

    worker.inbox.poll, worker.inbox.idle = poll, idle
    async with asyncio.timeout(5):
        await worker.runtime.run(lambda: turns[0] > 3)


async def test_a_command_that_waits_for_its_turn_is_not_claimed(make_worker: Any, vendor: CreateVendor) -> None:
    # What a worker had claimed when it died counts as perhaps called, and a blind action then waits for a person.
    erp = Erp(asyncio.Event(), CREATED)
    erp.system.concurrency = 1
    worker = make_worker(erp.system)
    for step in ("s", "t", "u"):
        worker.command(vendor, step=step)
    await worker.runtime.step()
    for _ in range(50):
        await asyncio.sleep(0)
    assert erp.calls == [1]
    assert [identity.step for identity in worker.effects.rows] == ["s"]
    for task in worker.runtime._tasks:
        task.cancel()


async def test_a_stop_finishes_what_was_called_and_starts_nothing_more(make_worker: Any, vendor: CreateVendor) -> None:
    called = asyncio.Event()
    erp = Erp(called, CREATED)
    erp.system.concurrency = 1
    worker = make_worker(erp.system)
    for step in ("s", "t", "u"):
        worker.command(vendor, step=step)
    stopping = [False]
    task = asyncio.create_task(worker.runtime.run(lambda: stopping[0]))
    for _ in range(50):
        await asyncio.sleep(0)
    stopping[0] = True
    for _ in range(50):
        await asyncio.sleep(0)
    called.set()
    async with asyncio.timeout(5):
        await task
    assert erp.calls == [1]
    assert len(worker.answers) == 1
    assert [identity.step for identity in worker.effects.rows] == ["s"]
    assert worker.inbox.committed == {("erp.commands", 0): 1}


async def test_a_stop_does_not_wait_for_a_breaker(make_worker: Any, vendor: CreateVendor) -> None:
    # The claim of a call that is not made would count as a call perhaps made, and a blind action wait for a person.
    erp = Erp(*[Failed("CIRCUIT_OPEN", retry_after=1.0)] * 1000)
    worker = make_worker(erp.system, drain=0.5)
    worker.command(vendor, deadline=worker.clock.now() + timedelta(days=10_000))
    stopping = [False]
    task = asyncio.create_task(worker.runtime.run(lambda: stopping[0]))
    for _ in range(50):
        await asyncio.sleep(0)
    assert worker.answers == []
    stopping[0] = True
    async with asyncio.timeout(5):
        await task
    (row,) = worker.effects.rows.values()
    assert row.status is RowStatus.FAILED
    assert len(worker.answers) == 1


class Gate:
    """A breaker by hand: None closed, else the seconds until a try."""

    def __init__(self) -> None:
        self.wait: float | None = None

    def __call__(self) -> float | None:
        return self.wait


async def spin(turns: int = 60) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_commands_for_a_system_that_is_away_wait_unclaimed_and_one_tries_it(
    make_worker: Any, vendor: CreateVendor
) -> None:
    back = asyncio.Event()
    erp, gate = Erp(back, CREATED), Gate()
    erp.system.gate = gate
    worker = make_worker(erp.system, tell=0.0)
    gate.wait = 3600.0
    for step in ("s", "t", "u"):
        worker.command(vendor, step=step)
    await worker.runtime.step()
    await spin()
    assert erp.calls == []
    assert worker.effects.rows == {}
    gate.wait = 0.0  # one may find out
    await spin()
    assert erp.calls == [1]
    assert [identity.step for identity in worker.effects.rows] == ["s"]
    gate.wait = None
    back.set()
    await worker.work()
    assert erp.calls == [1, 1, 1]
    assert len(worker.answers) == 3


async def test_a_worker_says_that_its_system_is_away_and_that_it_is_back(
    make_worker: Any, vendor: CreateVendor
) -> None:
    erp, gate = Erp(CREATED), Gate()
    erp.system.gate = gate
    worker = make_worker(erp.system, tell=10.0)

    def said() -> list[str]:
        found = [worker.codec.decode(m.value) for m in worker.outbox.sent if m.topic == "saga.systems"]
        return [record.state.value for record in found]

    await worker.runtime.step()
    assert said() == []
    gate.wait = 5.0
    await worker.runtime.step()
    await worker.runtime.step()
    assert said() == ["open"]
    worker.clock.seconds += 11  # said again, so that nobody takes silence for health
    await worker.runtime.step()
    assert said() == ["open", "open"]
    gate.wait = None
    await worker.runtime.step()
    await worker.runtime.step()
    assert said() == ["open", "open", "closed"]


async def test_a_stop_does_not_wait_for_a_system_that_is_away(make_worker: Any, vendor: CreateVendor) -> None:
    erp, gate = Erp(CREATED), Gate()
    erp.system.gate = gate
    gate.wait = 3600.0
    worker = make_worker(erp.system)
    worker.command(vendor)
    stopping = [False]
    task = asyncio.create_task(worker.runtime.run(lambda: stopping[0]))
    await spin()
    stopping[0] = True
    async with asyncio.timeout(5):
        await task
    assert worker.effects.rows == {}
    assert worker.inbox.committed == {}


async def test_a_command_for_another_group_is_passed_and_its_offset_with_it(
    make_worker: Any, vendor: CreateVendor
) -> None:
    erp = Erp(CREATED)
    worker = make_worker(erp.system)
    event = Event("e", "s", "t", worker.clock.now(), worker.saga_id, "s", "do", 1, 1, idempotency_key="k")
    for group in (b"audit", b"g"):
        headers = (*event.headers(), (GROUP_HEADER, group))
        worker.inbox.put_again(Outgoing("erp.commands", b"k", worker.codec.encode(vendor), headers))
        await worker.work()
        assert len(worker.answers) == (group == b"g")
    assert erp.calls == [1]
    assert worker.inbox.committed == {("erp.commands", 0): 2}


@pytest.mark.parametrize(("outcome", "told"), [("done", True), ("unknown", True), ("rejected", False)])
async def test_what_came_of_a_call_whose_claim_was_lost_meanwhile_is_told_apart(
    make_worker: Any, vendor: CreateVendor, outcome: str, *, told: bool
) -> None:
    system = System("erp")
    worker = make_worker(system)

    async def handle(_: CreateVendor, call: Call) -> VendorCreated:
        lose_claims(worker)
        if outcome == "unknown":
            raise Unknown("TIMEOUT")
        if outcome == "rejected":
            raise Rejected("NO")
        return CREATED  # type: ignore[return-value]

    system.action(CreateVendor, timeout=5.0)(handle)
    worker.command(vendor)
    await worker.work()
    events = [read_event(m.headers) for m in worker.outbox.sent if m.topic.endswith(".completions")]
    assert [event.unclaimed for event in events] == ([True] if told else [])
    assert worker.inbox.committed == {("erp.commands", 0): 1}


@pytest.mark.parametrize("calls", [0, 1])
async def test_a_claim_that_is_lost_between_two_calls_is_told_once_something_was_called(
    make_worker: Any, vendor: CreateVendor, calls: int
) -> None:
    system = System("erp")
    worker = make_worker(system)

    async def handle(_: CreateVendor, call: Call) -> VendorCreated:
        for number in range(2):
            if number == calls:
                lose_claims(worker)
                worker.clock.seconds += 4.0  # so long that the claim is written again
            await call.renew()
        return CREATED  # type: ignore[return-value]

    system.action(CreateVendor, timeout=5.0)(handle)
    worker.command(vendor)
    await worker.work()
    events = [read_event(m.headers) for m in worker.outbox.sent if m.topic.endswith(".completions")]
    assert [event.unclaimed for event in events] == [True] * calls
    assert [type(record) for record, _ in worker.answers] == [StepFailed] * calls


async def test_a_call_that_did_nothing_is_not_told_although_an_earlier_one_is_in_doubt(
    make_worker: Any, vendor: CreateVendor
) -> None:
    system = System("erp")
    worker = make_worker(system)

    async def handle(_: CreateVendor, call: Call) -> VendorCreated:
        if call.attempt == 1:
            raise Unknown("TIMEOUT")
        lose_claims(worker)
        raise Failed("LOCKED")

    system.action(CreateVendor, timeout=5.0)(handle)
    for attempt in (1, 2):
        worker.command(vendor, attempt=attempt)
        await worker.work()
    events = [read_event(m.headers) for m in worker.outbox.sent if m.topic.endswith(".completions")]
    assert [(event.attempt, event.unclaimed) for event in events] == [(1, False)]


def lose_claims(worker: Any) -> None:
    """Another worker takes them over, after this one's lease."""
    for identity, row in worker.effects.rows.items():
        worker.effects.rows[identity] = changed(row, owner=uuid4())
