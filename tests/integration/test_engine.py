"""The engine on a real broker and a real database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call, System, SystemConfig
from orchestrator import Agent
from orchestrator.core.sample import sample
from orchestrator.core.state import Status
from orchestrator.messaging.event import Event
from orchestrator.messaging.writer import Context, Writer
from orchestrator.bootstrap import make_codec
from datetime import UTC, datetime, timedelta
from schemas.models import (
    ApproveSupplier,
    ClosePortalAccount,
    ControlCommand,
    CreatePortalAccount,
    CreateVendor,
    DeactivateVendor,
    Record,
    RevokeSupplier,
    SagaControl,
    SendApologyEmail,
    SendWelcomeEmail,
    VendorOnboardingRequested,
)

Make = Callable[[int], VendorOnboardingRequested]


class Systems:
    """Handlers that record every call, and do what a test says."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self.plans: dict[type[Record], list[Any]] = {}

    def factory(self, name: str, *commands: type[Record]) -> Callable[[SystemConfig], System]:
        def build(config: SystemConfig) -> System:
            del config
            system = System(name)
            for command in commands:
                system.action(command, timeout=1.0)(self._handler(command))
            if CreateVendor in commands:
                system.probe(CreateVendor)(self._find_vendor)
            return system

        return build

    async def _find_vendor(self, command: CreateVendor, call: Call) -> None:
        """It is asked after it was undone, and it is gone."""

    def _handler(self, record: type[Record]) -> Callable[[Record, Call], Any]:
        async def handle(command: Record, call: Call) -> Record:
            await call.renew()
            self.calls.append((record.__name__, call.idempotency_key, call.attempt))
            plan = self.plans.get(record, [])
            if plan:
                step = plan.pop(0)
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, (int, float)):
                    await asyncio.sleep(step)
            completion = record.contract.completion
            assert completion is not None
            return sample(completion, full=True)

        return handle

    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]


@pytest.fixture
def systems(engine: Any) -> Systems:
    made = Systems()
    engine.factories = {
        "erp": made.factory("erp", CreateVendor, DeactivateVendor),
        "portal": made.factory("portal", CreatePortalAccount, ClosePortalAccount),
        "mail": made.factory("mail", SendWelcomeEmail, SendApologyEmail),
        "suppliers": made.factory("suppliers", ApproveSupplier, RevokeSupplier),
    }
    return made


async def test_one_request_is_one_saga_however_often_it_is_published(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make
) -> None:
    engine.start()
    vendor = make_vendor(1)
    for _ in range(5):
        await agent.publish(vendor)
    outcome = await agent.outcome(vendor.saga_id, 30)
    assert outcome.status.value == "completed"
    assert set(outcome.outputs) == {"erp-vendor", "portal-account", "welcome-email", "approved-supplier"}
    await agent.publish(vendor)
    other = make_vendor(2)
    await agent.publish(other)
    await agent.outcome(other.saga_id, 30)
    assert len(engine.sagas()) == 2
    assert sorted(systems.names()) == sorted(
        ["CreateVendor", "CreatePortalAccount", "SendWelcomeEmail", "ApproveSupplier"] * 2
    )
    assert len({key for _, key, _ in systems.calls}) == 8


async def test_a_rejection_late_in_the_saga_undoes_everything_in_order(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    systems.plans[ApproveSupplier] = [Rejected("SANCTIONED", "no way")]
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    outcome = await agent.outcome(vendor.saga_id, 30)
    assert (outcome.status.value, outcome.step, outcome.code) == ("compensated", "approved-supplier", "SANCTIONED")
    assert systems.names()[4:] == ["SendApologyEmail", "ClosePortalAccount", "DeactivateVendor"]
    (letter,) = wire.read("vendor-onboarding.requests.dlq")
    (request,) = wire.read("vendor-onboarding.requests")
    headers = dict(letter.headers())
    assert letter.value() == request.value()
    assert letter.key() == request.key()
    assert letter.headers()[: len(request.headers())] == request.headers()
    assert headers["saga-dlq-reason"] == b"SANCTIONED"
    assert headers["saga-dlq-step"] == b"approved-supplier"


async def test_transient_failures_are_retried_and_an_unknown_is_resolved_by_key(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make
) -> None:
    systems.plans[CreateVendor] = [Failed("TRANSIENT_ERROR"), Unknown("CUT")]
    systems.plans[CreatePortalAccount] = [5.0]  # longer than its time-out
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 30)).status.value == "completed"
    created = [(key, attempt) for name, key, attempt in systems.calls if name == "CreateVendor"]
    assert [attempt for _, attempt in created] == [1, 2, 3]
    assert len({key for key, _ in created}) == 1


async def test_a_blind_unknown_waits_for_a_person_who_resolves_it(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    systems.plans[SendWelcomeEmail] = [Unknown("CUT")]
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 30)).status.value == "review"
    (letter,) = wire.read("mail.commands.dlq")
    (command,) = wire.read("mail.commands")
    assert letter.value() == command.value()
    assert dict(letter.headers())["saga-dlq-reason"] == b"OUTCOME_UNKNOWN"
    _control(engine, wire, vendor.saga_id, SagaControl(command=ControlCommand.retry, resolved="not-done", actor="ops"))
    assert (await agent.outcome(vendor.saga_id, 30, final=True)).status.value == "completed"
    assert [attempt for name, _, attempt in systems.calls if name == "SendWelcomeEmail"] == [1, 2]


def _control(engine: Any, wire: Any, saga_id: UUID, record: SagaControl) -> None:
    codec = make_codec(engine.settings)
    event = Event(str(uuid4()), "operator/ops", record.contract.type, datetime.now(UTC), saga_id=saga_id)
    headers = [(name, value or b"") for name, value in event.headers()]
    wire.send("saga.control", codec.encode(record), headers, key=str(saga_id).encode())


async def test_a_cancel_that_overtakes_its_request_is_kept(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    systems.plans[CreateVendor] = [0.9] * 3
    engine.start()
    vendor = make_vendor(1)
    _control(engine, wire, vendor.saga_id, SagaControl(command=ControlCommand.cancel, actor="ops", reason="mistake"))
    await engine.until(lambda: bool(engine.sql("SELECT 1 FROM held_message")))
    # Its saga is born; the held decision comes again after five seconds and is applied or refused, not lost.
    await agent.publish(vendor)
    await engine.until(lambda: bool(engine.sql("SELECT 1 FROM journal WHERE entry->>'kind' = 'control'")))
    assert engine.sql("SELECT 1 FROM held_message") == []


async def test_a_control_message_for_no_saga_is_dead_lettered_after_its_time(
    engine: Any, systems: Systems, wire: Any
) -> None:
    engine.settings.control_hold_seconds = 1.0
    engine.start(consumers=False)
    _control(engine, wire, uuid7(), SagaControl(command=ControlCommand.pause, actor="ops"))
    await engine.until(lambda: bool(wire.read("saga.control.dlq")))
    (letter,) = wire.read("saga.control.dlq")
    assert dict(letter.headers())["saga-dlq-reason"] == b"unknown-saga"
    assert engine.sql("SELECT 1 FROM held_message") == []


async def test_a_missing_completion_is_asked_for_again_by_the_timer(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make
) -> None:
    engine.start(consumers=False)
    vendor = make_vendor(1)
    await agent.publish(vendor)
    await engine.until(lambda: len(engine.sagas()) == 1)
    # Time is shifted, not slept: PostgreSQL's is the only clock.
    engine.sql(
        "CREATE OR REPLACE FUNCTION saga_now() RETURNS timestamptz LANGUAGE sql STABLE AS "
        "$$ SELECT clock_timestamp() + interval '10 minutes' $$"
    )
    await engine.until(lambda: engine.sagas()[0].state.steps["erp-vendor"].do.attempt >= 2)
    engine.start(coordinators=0)
    assert (await agent.outcome(vendor.saga_id, 30)).status.value == "completed"
    assert systems.names().count("CreateVendor") == 1


BAD = [
    ("undecodable", b"not avro at all", None),
    ("undecodable", b"", None),
    ("unknown-schema", b"\x00\x7f\xff\xff\xff\x00", None),
    ("missing-header", b"\x00\x00\x00\x00\x01", {"ce_id": None}),
    ("bad-header", b"\x00\x00\x00\x00\x01", {"ce_sagaid": b"nonsense"}),
    ("bad-header", b"\x00\x00\x00\x00\x01", {"ce_source": b"\xff\xfe"}),
]


async def test_bad_requests_are_dead_lettered_with_their_reason_and_the_rest_goes_on(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    engine.start()
    codec = make_codec(engine.settings)
    sent: list[tuple[str, bytes | None]] = []

    def send(reason: str, value: bytes | None, changes: dict[str, bytes | None] | None = None) -> None:
        saga_id = uuid7()
        event = Event(str(saga_id), "agent/bad", "bad", datetime.now(UTC), saga_id=saga_id)
        headers = {**dict(event.headers()), **(changes or {})}
        wire.send("vendor-onboarding.requests", value, [(n, v) for n, v in headers.items() if v is not None])
        sent.append((reason, value))

    for reason, value, changes in BAD:
        send(reason, value, changes)
    send("undecodable", None)
    vendor = make_vendor(1)
    send("undecodable", codec.encode(vendor) + b"left over")
    send("invalid", codec.encode(vendor.model_copy(update={"tax_id": "no such id"})))
    send("unexpected-record", codec.encode(SagaControl(command=ControlCommand.wake)))
    send("bad-saga-id", codec.encode(vendor), {"ce_sagaid": str(uuid4()).encode()})
    future = UUID(int=(int((datetime.now(UTC) + timedelta(days=9)).timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))
    send("saga-id-out-of-range", codec.encode(vendor), {"ce_sagaid": str(future).encode()})
    past = UUID(int=(1_000_000_000_000 << 80) | (7 << 76) | (2 << 62))
    send("saga-id-out-of-range", codec.encode(vendor), {"ce_sagaid": str(past).encode()})
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 30)).status.value == "completed"
    await engine.until(lambda: len(wire.read("vendor-onboarding.requests.dlq")) >= len(sent))
    letters = wire.read("vendor-onboarding.requests.dlq")
    found = [(dict(letter.headers())["saga-dlq-reason"].decode(), letter.value()) for letter in letters]
    # A record without a value comes back from the client as None or as nothing.
    assert sorted((r, v or b"") for r, v in found) == sorted((r, v or b"") for r, v in sent)
    assert len(engine.sagas()) == 1


async def test_other_content_under_a_known_id_is_dead_lettered(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    await agent.outcome(vendor.saga_id, 30)
    await agent.publish(vendor.model_copy(update={"vendor_name": "Somebody else"}))
    await engine.until(lambda: bool(wire.read("vendor-onboarding.requests.dlq")))
    (letter,) = wire.read("vendor-onboarding.requests.dlq")
    assert dict(letter.headers())["saga-dlq-reason"] == b"id-reused"
    assert len(engine.sagas()) == 1


async def test_a_value_that_the_database_refuses_is_found_by_bisection(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    vendors = [make_vendor(n) for n in range(20)]
    nul = make_vendor(99).model_copy(update={"tax_id": "DE99999999"})
    codec = make_codec(engine.settings)
    event = Event("x", "agent/nul", "t", datetime.now(UTC), saga_id=nul.saga_id, agent="tester")
    await agent.publish_all(vendors[:10])
    # The key of this one holds what the text columns refuse.
    headers = [(n, v or b"") for n, v in event.headers()]
    wire.send("vendor-onboarding.requests", codec.encode(nul.model_copy(update={"vendor_name": "a\x00b"})), headers)
    await agent.publish_all(vendors[10:])
    engine.start()
    for vendor in vendors:
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "completed"


@pytest.mark.parametrize(("kind", "reason"), [("unreadable", "undecodable"), ("unwritable", "refused-by-database")])
async def test_one_poison_in_a_batch_of_500_takes_nothing_with_it(
    kind: str, reason: str, engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    # All are there before the coordinator is, so that it reads them in batches as large as it takes.
    engine.settings.batch_size = 500
    vendors = [make_vendor(number) for number in range(499)]
    poison = make_vendor(77_777)
    engine.sql(f"ALTER TABLE saga ADD CHECK (business_key <> '{poison.tax_id}')")
    await agent.publish_all(vendors[:250])
    if kind == "unwritable":
        await agent.publish(poison)
    else:
        headers = [(n, v or b"") for n, v in Event("p", "s", "t", datetime.now(UTC), poison.saga_id).headers()]
        wire.send("vendor-onboarding.requests", b"no avro", headers, key=str(poison.saga_id).encode())
    await agent.publish_all(vendors[250:])
    engine.start()
    await engine.until(lambda: [s.state.status for s in engine.sagas()] == [Status.COMPLETED] * 499)
    await engine.until(lambda: bool(wire.read("vendor-onboarding.requests.dlq")))
    (letter,) = wire.read("vendor-onboarding.requests.dlq")
    assert dict(letter.headers())["saga-dlq-reason"] == reason.encode()
    assert letter.key() == str(poison.saga_id).encode()
    assert {saga.id for saga in engine.sagas()} == {vendor.saga_id for vendor in vendors}
    assert len(systems.calls) == len(set(systems.calls)) == 499 * 4
    assert engine.sql("SELECT count(*) FROM journal") == [(499 * 5,)]
    (read,) = engine.sql("SELECT sum(next_offset) FROM input_offset WHERE topic = 'vendor-onboarding.requests'")
    assert read[0] == 500


async def test_a_completion_for_no_saga_is_dead_lettered(engine: Any, systems: Systems, wire: Any) -> None:
    engine.start(consumers=False)
    codec = make_codec(engine.settings)
    saga_id = uuid7()
    event = Event("c", "x", "t", datetime.now(UTC), saga_id, "erp-vendor", "do", 1, 1)
    value = codec.encode(sample(CreateVendor.contract.completion, full=True))  # type: ignore[arg-type]
    wire.send("erp.completions", value, [(n, v or b"") for n, v in event.headers()])
    await engine.until(lambda: bool(wire.read("erp.completions.dlq")))
    (letter,) = wire.read("erp.completions.dlq")
    assert dict(letter.headers())["saga-dlq-reason"] == b"unknown-saga"
    assert letter.value() == value


async def test_a_foreign_producers_request_gets_one_id(
    engine: Any, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    engine.start()
    codec = make_codec(engine.settings)
    vendor = make_vendor(1)
    event = Event("order-7", "https://elsewhere.example", vendor.contract.type, datetime.now(UTC))
    for _ in range(3):
        wire.send("vendor-onboarding.requests", codec.encode(vendor), [(n, v or b"") for n, v in event.headers()])
    await engine.until(lambda: [s.state.status for s in engine.sagas()] == [Status.COMPLETED])
    assert systems.names().count("CreateVendor") == 1


async def test_bad_commands_are_dead_lettered_by_the_consumer(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    engine.start()
    wire.send("erp.commands", b"garbage", [])
    codec = make_codec(engine.settings)
    event = Event("c", "x", "t", datetime.now(UTC), uuid7(), "s", "do", 1, 1, idempotency_key="k")
    mail = sample(SendWelcomeEmail, full=True).model_copy(update={"recipient": "a@example.com"})
    wire.send("erp.commands", codec.encode(mail), [(n, v or b"") for n, v in event.headers()])
    vendor = make_vendor(1)
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 30)).status.value == "completed"
    reasons = sorted(dict(m.headers())["saga-dlq-reason"].decode() for m in wire.read("erp.commands.dlq"))
    assert reasons == ["missing-header", "unknown-action"]


async def test_an_output_that_is_too_large_parks_its_saga(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make
) -> None:
    engine.settings.max_message_bytes = 600  # the command has about 700, the outcome 500
    engine.start()
    long = make_vendor(1).model_copy(update={"primary_contact_name": "x" * 190, "vendor_name": "y" * 200})
    await agent.publish(long)
    assert (await agent.outcome(long.saga_id, 30)).status.value == "review"
    (saga,) = engine.sagas()
    assert saga.state.status is Status.REVIEW
    assert "over the limit" in saga.state.parks[0].message


async def test_two_coordinators_share_the_work(engine: Any, agent: Agent, systems: Systems, make_vendor: Make) -> None:
    engine.start(coordinators=2)
    vendors = [make_vendor(n) for n in range(100)]
    await agent.publish_all(vendors)
    for vendor in vendors:
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "completed"
    assert len(systems.calls) == 400
    assert len({key for _, key, _ in systems.calls}) == 400


def test_the_writer_keeps_ids_for_the_same_cause(settings: Any) -> None:
    writer = Writer(make_codec(settings), 10_000)
    context = Context(uuid7(), uuid4(), datetime.now(UTC))
    first, again = (writer.park(context, "x", None, None) for _ in range(2))
    assert dict(first.headers)["ce_id"] == dict(again.headers)["ce_id"]
    assert (first.topic, first.key, first.value) == (again.topic, again.key, again.value)


async def test_a_bad_message_as_large_as_kafka_takes_is_dead_lettered_with_its_reason(
    engine: Any, agent: Agent, systems: Systems, make_vendor: Make, wire: Any
) -> None:
    # Kafka's limit is 1,048,588 bytes a batch, and the client's own by default less; the letter has a kilobyte more.
    value = os.urandom(1_046_000)
    wire.send("vendor-onboarding.requests", value, [])
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 30)).status.value == "completed"
    await engine.until(lambda: bool(wire.read("vendor-onboarding.requests.dlq")))
    (letter,) = wire.read("vendor-onboarding.requests.dlq")
    assert letter.value() == value
