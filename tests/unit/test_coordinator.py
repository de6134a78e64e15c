"""The coordinator's loop over ports in memory."""

from __future__ import annotations

from dataclasses import replace
from msgspec.structs import replace as changed
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from orchestrator.coordinator import Stopped
from orchestrator.core.payload import Payload
from orchestrator.database import StoreUnavailable
from sagas.vendor_onboarding import vendor_onboarding
from orchestrator.core.sample import sample
from orchestrator.core.definition import Parallel, Saga, Step
from orchestrator.core.state import Status
from orchestrator.messaging.event import Event
from orchestrator.messaging.reader import GROUP_HEADER
from schemas.errors import UnknownSchemaId
from schemas.models import (
    CreateVendor,
    PortalAccountCreated,
    SupplierApproved,
    VendorCreated,
    WelcomeEmailSent,
    ControlCommand,
    SagaControl,
    PaymentTerms,
    VendorOnboardingRequested,
    VendorType,
)


@pytest.fixture
def replica(make_replica: Any) -> Any:
    return make_replica(vendor_onboarding)


@pytest.fixture
def forked() -> Saga:
    """first → (left | right)."""
    first, left, _, right = vendor_onboarding.steps
    assert isinstance(first, Step)
    assert isinstance(left, Step)
    assert isinstance(right, Step)
    both = Parallel(replace(left, name="left"), replace(right, name="right"))
    return Saga("forked", 1, VendorOnboardingRequested, [first, both])


def make_vendor(name: str = "Müller") -> VendorOnboardingRequested:
    return VendorOnboardingRequested(
        vendor_name=name,
        vendor_type=VendorType.SUPPLIER,
        tax_id="DE123456789",
        payment_terms=PaymentTerms.NET_30,
        primary_contact_name="Ada",
        primary_contact_email="ada@example.com",
        category="bearings",
    )


async def test_a_request_begins_one_saga_and_sends_one_command(replica: Any) -> None:
    vendor = make_vendor()
    for _ in range(3):
        replica.request(vendor)
    await replica.coordinator.step()
    assert len(replica.store.sagas) == 1
    assert len(replica.sent("erp.commands")) == 1
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 3}


async def test_outputs_of_a_half_that_was_committed_go_out_although_the_other_half_failed(replica: Any) -> None:
    vendors = [make_vendor(str(n)) for n in range(4)]
    for vendor in vendors:
        replica.request(vendor)
    bad = vendors[3].saga_id
    replica.store.refuses = lambda change: any(saga_id == bad for saga_id, _, _ in change.sagas)
    fine = replica.store.begin
    begun = [0]

    def begin() -> Any:
        begun[0] += 1
        if begun[0] == 3:  # the first half is committed, the second one meets a database that has gone
            raise StoreUnavailable("gone")
        return fine()

    replica.store.begin = begin
    await replica.coordinator.step()
    assert replica.sent("erp.commands") == []
    assert replica.inbox.committed == {}
    await replica.coordinator.step()
    assert len({message.headers for message in replica.sent("erp.commands")}) == 3
    (letter,) = replica.sent("vendor-onboarding.requests.dlq")
    assert dict(letter.headers)["saga-dlq-reason"] == b"refused-by-database"
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 4}


async def test_a_request_redelivered_after_its_schema_grew_is_a_duplicate(replica: Any) -> None:
    # Stored by a process whose model did not have the optional fields yet, and killed before its offsets moved.
    vendor = make_vendor()
    replica.request(vendor)
    await replica.coordinator.step()
    state = replica.store.sagas[vendor.saga_id]
    older = {name: value for name, value in state.request.json.items() if name != "country"}
    replica.store.plant(vendor.saga_id, changed(state, request=Payload(state.request.name, value=older)))
    replica.outbox.sent.clear()
    replica.request(vendor)
    await replica.coordinator.step()
    assert [message.topic for message in replica.outbox.sent] == ["erp.commands"]
    replica.request(vendor.model_copy(update={"vendor_name": "Somebody else"}))
    await replica.coordinator.step()
    (letter,) = replica.sent("vendor-onboarding.requests.dlq")
    assert dict(letter.headers)["saga-dlq-reason"] == b"id-reused"


async def test_a_wake_for_a_version_that_nobody_knows_is_dropped(replica: Any) -> None:
    vendor = make_vendor()
    replica.request(vendor)
    await replica.coordinator.step()
    state = replica.store.sagas[vendor.saga_id]
    replica.store.plant(vendor.saga_id, changed(state, version=7))
    replica.control(vendor.saga_id, SagaControl(command=ControlCommand.wake), "w")
    replica.control(vendor.saga_id, SagaControl(command=ControlCommand.pause), "p")
    await replica.coordinator.step()
    # The decision waits for a replica that has the version. The timer fires again by itself.
    assert [held.message.topic for held in replica.store.held] == ["saga.control"]


async def run_to_the_end(replica: Any, vendor: VendorOnboardingRequested, spoil: Any = None) -> None:
    replica.request(vendor)
    await replica.coordinator.step()
    for topic, answer in (
        ("erp.commands", sample(VendorCreated, full=True)),
        ("portal.commands", sample(PortalAccountCreated, full=True)),
        ("mail.commands", sample(WelcomeEmailSent, full=True)),
        ("suppliers.commands", sample(SupplierApproved, full=True)),
    ):
        if topic == "suppliers.commands" and spoil is not None:
            spoil()
        replica.answer(replica.sent(topic)[-1], answer)
        await replica.coordinator.step()


async def test_an_old_output_that_fits_its_model_no_more_does_not_keep_a_saga_from_its_end(replica: Any) -> None:
    vendor = make_vendor()

    def spoil() -> None:
        state = replica.store.sagas[vendor.saga_id]
        step = changed(state.steps["erp-vendor"], output=Payload("saga.erp.VendorCreated", value={"vendor_id": 7}))
        replica.store.plant(vendor.saga_id, changed(state, steps={**state.steps, "erp-vendor": step}))

    await run_to_the_end(replica, vendor, spoil)
    (outcome,) = replica.sent("saga.outcomes")
    ended = replica.codec.decode(outcome.value)
    assert (ended.status.value, ended.outputs["erp-vendor"]) == ("completed", '{"vendor_id":7}')


async def test_outcomes_carry_the_outputs_as_json(replica: Any) -> None:
    await run_to_the_end(replica, make_vendor())
    ended = replica.codec.decode(replica.sent("saga.outcomes")[0].value)
    created = VendorCreated.model_validate_json(ended.outputs["erp-vendor"])
    assert created == sample(VendorCreated, full=True)


async def test_a_command_that_the_registry_does_not_know_parks_its_saga_only(replica: Any) -> None:
    encode = replica.codec.encode

    def unregistered(record: Any) -> bytes:
        if isinstance(record, CreateVendor):
            raise UnknownSchemaId("saga.erp.CreateVendor is not registered as it is here")
        return encode(record)

    vendor = make_vendor()
    replica.request(vendor)
    replica.codec.encode = unregistered
    await replica.coordinator.step()
    state = replica.store.sagas[vendor.saga_id]
    assert state.status is Status.REVIEW
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 1}
    # The letter names the revision that the saga is left with, or no replay of it would ever fit.
    (letter,) = [m for m in replica.outbox.sent if m.topic.endswith(".dlq")]
    assert dict(letter.headers)["saga-dlq-version"] == str(state.revision).encode()


async def test_two_commands_that_kafka_refuses_park_both_of_their_effects(make_replica: Any, forked: Saga) -> None:
    replica = make_replica(forked)
    vendor = make_vendor()
    replica.request(vendor, definition="forked")
    await replica.coordinator.step()
    replica.outbox.refuses = {"portal.commands", "suppliers.commands"}
    replica.answer(replica.sent("erp.commands")[0], sample(VendorCreated, full=True))
    await replica.coordinator.step()
    assert len(replica.sent("saga.control")) == 2
    await replica.coordinator.step()
    assert {park.step for park in replica.store.sagas[vendor.saga_id].parks} == {"left", "right"}


async def test_a_duplicate_whose_saga_is_not_in_sight_yet_is_sent_again_whole(replica: Any) -> None:
    # Another replica inserted the saga and its journal between our lock, which found no row, and our second look.
    vendor = make_vendor()
    replica.request(vendor)
    await replica.coordinator.step()
    replica.store.hidden = {vendor.saga_id}
    replica.outbox.sent.clear()
    replica.request(vendor)
    await replica.coordinator.step()
    assert len(replica.sent("erp.commands")) == 1


async def test_a_held_message_that_can_be_read_no_more_is_dead_lettered_once(replica: Any) -> None:
    vendor = make_vendor()
    replica.control(vendor.saga_id, SagaControl(command=ControlCommand.cancel, actor="ops"))
    await replica.coordinator.step()
    (held,) = replica.store.held
    again = held.message
    replica.inbox.put_again(changed(again, value=b"\x00\x7f\xff\xff\xff"))  # its schema was taken out of the registry
    await replica.coordinator.step()
    assert len(replica.sent("saga.control.dlq")) == 1
    assert not replica.store.held


async def test_the_dead_letter_of_a_held_message_has_the_headers_it_was_sent_with(make_replica: Any) -> None:
    replica = make_replica(vendor_onboarding, control_hold=1.0)
    sent = replica.control(make_vendor().saga_id, SagaControl(command=ControlCommand.cancel, actor="ops"))
    await replica.coordinator.step()
    (held,) = replica.store.held
    replica.clock.seconds += 5
    replica.inbox.put_again(held.message)
    await replica.coordinator.step()
    (letter,) = replica.sent("saga.control.dlq")
    assert (letter.key, letter.value) == (sent.key, sent.value)
    added = {name for name, _ in letter.headers[len(sent.headers) :]}
    assert letter.headers[: len(sent.headers)] == sent.headers
    assert all(name.startswith(("__dlq.", "saga-dlq-")) for name in added)


async def stray_answer(replica: Any, saga_id: Any) -> None:
    event = Event(str(saga_id), "x", "t", replica.clock.now(), saga_id, "erp-vendor", "do", 1, 1)
    replica.inbox.put("erp.completions", replica.codec.encode(sample(VendorCreated, full=True)), event)
    await replica.coordinator.step()


async def test_answers_to_sagas_that_nobody_knows_stop_it_before_they_drain_the_topic(make_replica: Any) -> None:
    # As where it was pointed to an empty database.
    replica = make_replica(vendor_onboarding, poison=3)
    for _ in range(3):
        await stray_answer(replica, uuid7())
    replica.request(make_vendor())
    await replica.coordinator.step()
    for _ in range(3):
        await stray_answer(replica, uuid7())
    with pytest.raises(Stopped, match="4 messages in a row could not be dealt with"):
        await stray_answer(replica, uuid7())
    assert len(replica.sent("erp.completions.dlq")) == 6
    assert replica.inbox.committed["erp.completions", 0] == 6, "the last comes again"


async def test_one_good_message_among_bad_ones_ends_the_row(make_replica: Any) -> None:
    replica = make_replica(vendor_onboarding, poison=3)
    for number in range(6):
        replica.inbox.put("vendor-onboarding.requests", b"garbage", None)
        replica.request(make_vendor(str(number)))
        await replica.coordinator.step()
    assert len(replica.sent("vendor-onboarding.requests.dlq")) == 6
    for _ in range(2):
        replica.inbox.put("vendor-onboarding.requests", b"garbage", None)
        await replica.coordinator.step()
    replica.inbox.put("vendor-onboarding.requests", b"garbage", None)
    with pytest.raises(Stopped):
        await replica.coordinator.step()


async def test_a_message_for_another_group_is_dealt_with_by_passing_it(replica: Any) -> None:
    vendor = make_vendor()
    sent = replica.request(vendor)
    ours, theirs = (changed(sent.again(), headers=(*sent.headers, (GROUP_HEADER, name))) for name in (b"g", b"audit"))
    await replica.coordinator.step()
    replica.outbox.sent.clear()
    replica.inbox.put_again(theirs)
    await replica.coordinator.step()
    assert replica.outbox.sent == []
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 2}
    replica.inbox.put_again(ours)
    await replica.coordinator.step()
    assert len(replica.sent("erp.commands")) == 1, "a duplicate, and so its command is sent again"


async def test_what_could_not_be_sent_goes_out_before_anything_else_is_read(replica: Any) -> None:
    first, second = make_vendor(), make_vendor("Schmidt")
    replica.request(first)
    replica.outbox.away = True
    await replica.coordinator.step()
    assert replica.inbox.committed == {}
    replica.request(second)
    replica.outbox.away = False
    fine = replica.store.begin

    def gone() -> Any:
        raise StoreUnavailable("gone")

    # It is in the journal already: the database is not needed for it, and nothing new is read without one.
    replica.store.begin = gone
    await replica.coordinator.step()
    (command,) = replica.sent("erp.commands")
    assert dict(command.headers)["ce_sagaid"] == str(first.saga_id).encode()
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 1}
    replica.store.begin = fine
    await replica.coordinator.step()
    assert len(replica.sent("erp.commands")) == 2
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 2}


async def test_what_could_not_be_sent_is_left_to_whoever_has_the_partitions_now(replica: Any) -> None:
    vendor = make_vendor()
    replica.request(vendor)
    replica.outbox.away = True
    await replica.coordinator.step()
    replica.rival()
    await replica.inbox.idle(0.1)
    assert replica.inbox.assigned() == frozenset()
    replica.outbox.away = False
    # The group gives this one the same partition again, from its committed offset on: sent once, from the journal.
    await replica.coordinator.step()
    assert len(replica.sent("erp.commands")) == 1
    assert replica.inbox.committed == {("vendor-onboarding.requests", 0): 1}


def wake_after_the_time_out(replica: Any, vendor: VendorOnboardingRequested, number: int = 0) -> None:
    replica.clock.seconds += 40.0  # a step has 30
    replica.control(vendor.saga_id, SagaControl(command=ControlCommand.wake), f"w{number}")


def timed_out(replica: Any) -> bool:
    return any("no completion within" in row.entry_text for row in replica.store.tables.journal.values())


async def test_a_completion_behind_a_wake_in_one_batch_comes_first(replica: Any) -> None:
    vendor = make_vendor()
    replica.request(vendor)
    await replica.coordinator.step()
    wake_after_the_time_out(replica, vendor)
    replica.answer(replica.sent("erp.commands")[-1], sample(VendorCreated, full=True))
    assert await replica.coordinator.step() == 2
    assert not timed_out(replica)
    assert [message.topic for message in replica.outbox.sent] == ["erp.commands", "portal.commands"]


async def test_no_step_times_out_while_completions_lie_unread(make_replica: Any) -> None:
    replica = make_replica(vendor_onboarding, batch=1)
    # The inbox takes its partitions in turn: now the wake is read first, now the completion.
    for number in range(9):
        vendor = make_vendor(str(number))
        replica.request(vendor)
        while vendor.saga_id not in replica.store.sagas:
            await replica.coordinator.step()
        replica.answer(replica.sent("erp.commands")[-1], sample(VendorCreated, full=True))
        wake_after_the_time_out(replica, vendor, number)
        for _ in range(number % 3 + 2):
            await replica.coordinator.step()
        while await replica.coordinator.step():
            pass
        assert not timed_out(replica)
    assert len(replica.sent("portal.commands")) == 9


async def test_after_a_failure_less_is_read_at_once_so_that_a_batch_that_takes_too_long_passes(replica: Any) -> None:
    for number in range(10):
        replica.request(make_vendor(str(number)))
    replica.coordinator._limits = replace(replica.coordinator._limits, batch=8)
    fine = replica.store.begin
    tried: list[int] = []
    poll = replica.inbox.poll

    async def counted(most: int, timeout: float) -> Any:
        tried.append(most)
        return await poll(most, timeout)

    def begin() -> Any:
        if tried[-1] > 2:
            raise StoreUnavailable("it took too long")
        return fine()

    replica.inbox.poll, replica.store.begin = counted, begin
    while len(replica.store.sagas) < 10:
        await replica.coordinator.step()
    assert tried[:4] == [8, 4, 2, 8]
    assert len({dict(m.headers)["ce_sagaid"] for m in replica.sent("erp.commands")}) == 10


async def test_a_header_that_is_read_and_has_no_value_is_refused(replica: Any) -> None:
    sent = replica.request(make_vendor())
    headers = tuple((name, None if name == "ce_sagaid" else value) for name, value in sent.headers)
    replica.inbox.put_again(changed(sent.again(), headers=headers))
    await replica.coordinator.step()
    (letter,) = replica.sent("vendor-onboarding.requests.dlq")
    assert dict(letter.headers)["saga-dlq-reason"] == b"bad-header"
    assert len(replica.store.sagas) == 1
