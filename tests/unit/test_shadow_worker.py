"""A consumer whose system is in shadow: what is recorded, what is answered, and that nothing is done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from consumers.errors import Failed, Rejected, Unknown
from consumers.shadow.placeholder import placeholder
from consumers.shadow.store import Found
from consumers.system import Call, System
from orchestrator.core.mode import LIVE, Mode
from orchestrator.database import StoreUnavailable
from orchestrator.messaging.event import read_event
from orchestrator.messaging.writer import effect_key
from schemas.models import CreateVendor, DeactivateVendor, FailureOutcome, Record, StepFailed, VendorCreated
from schemas.models import VendorDeactivated

SHADOW = Mode.of("shadow")
VENDOR = CreateVendor.model_validate(
    {
        "vendor_name": "Ada",
        "vendor_type": "SUPPLIER",
        "tax_id": "DE123456789",
        "payment_terms": "NET_30",
        "primary_contact_email": "ada@example.com",
    }
)
UNDO = DeactivateVendor(tax_id="DE123456789")
REAL = VendorCreated.model_validate({"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00+00:00"})


class Erp:
    """An ERP that counts what is asked of it. `there` is what its probe finds, or raises."""

    def __init__(self, mode: Mode = SHADOW, *, probe: bool = False, rate: float | None = None) -> None:
        self.calls: list[str] = []
        self.asked = 0
        self.raises: list[Exception] = []
        self.there: Any = None
        self.system = System("erp", rate=rate)
        self.system.action(CreateVendor)(self.create)
        self.system.action(DeactivateVendor)(self.deactivate)
        if probe:
            self.system.probe(CreateVendor)(self.find)
        self.mode = mode

    @property
    def mode(self) -> Mode:
        return self.system.mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        for action in self.system.actions.values():
            action.mode = mode

    async def create(self, command: CreateVendor, call: Call) -> VendorCreated:
        await call.renew()
        self.calls.append("create")
        if self.raises:
            raise self.raises.pop(0)
        return REAL

    async def deactivate(self, command: DeactivateVendor, call: Call) -> VendorDeactivated:
        await call.renew()
        self.calls.append("deactivate")
        return VendorDeactivated(found=True)

    async def find(self, command: CreateVendor, call: Call) -> VendorCreated | None:
        await call.renew()
        self.asked += 1
        if isinstance(self.there, Exception):
            raise self.there
        return self.there  # type: ignore[no-any-return]


def marks(worker: Any) -> list[bool]:
    """Whether each answer says that it is a shadow's."""
    sent = [m for m in worker.outbox.sent if m.topic.endswith(".completions")]
    return [read_event(message.headers).shadow for message in sent]


async def test_nothing_is_done_and_the_answer_says_so(make_worker: Any) -> None:
    erp = Erp()
    worker = make_worker(erp.system)
    worker.command(VENDOR, agent="ada")
    await worker.work()
    assert erp.calls == []
    key = effect_key(worker.saga_id, "s", "do", 1)
    assert worker.answers == [(placeholder(VendorCreated, key), 1)]
    assert marks(worker) == [True]
    (row,) = worker.shadows.rows.values()
    assert (row.system, row.action, row.agent, row.found) == ("erp", "create_vendor", "ada", Found.MADE_UP)
    assert row.command == VENDOR.model_dump(mode="json")
    assert [effect.shadow for effect in worker.effects.rows.values()] == [True]


@pytest.mark.parametrize("begun", [SHADOW, LIVE])
async def test_the_undo_goes_by_the_do_although_the_mode_has_been_switched(make_worker: Any, begun: Mode) -> None:
    erp = Erp(begun)
    worker = make_worker(erp.system)
    worker.command(VENDOR)
    await worker.work()
    erp.mode = LIVE if begun is SHADOW else SHADOW
    worker.command(UNDO, direction="undo")
    await worker.work()
    assert erp.calls == ([] if begun is SHADOW else ["create", "deactivate"])
    assert marks(worker) == [begun is SHADOW] * 2


@pytest.mark.parametrize("begun", [SHADOW, LIVE])
async def test_a_retry_keeps_the_mode_of_its_effect(make_worker: Any, begun: Mode) -> None:
    erp = Erp(begun)
    worker = make_worker(erp.system)
    erp.raises = [Failed("TRANSIENT_ERROR")]
    if begun is SHADOW:
        erp.system.prove = _failing()
    worker.command(VENDOR)
    await worker.work()
    assert isinstance(worker.answers[0][0], StepFailed)
    erp.mode = LIVE if begun is SHADOW else SHADOW
    worker.command(VENDOR, attempt=2)
    await worker.work()
    assert erp.calls == ([] if begun is SHADOW else ["create", "create"])
    assert marks(worker) == [begun is SHADOW] * 2
    worker.command(VENDOR, attempt=2)  # and so does what is only said again
    await worker.work()
    assert marks(worker) == [begun is SHADOW] * 3


def _failing() -> Any:
    """Credentials that are there at the second look."""
    looks = []

    async def prove() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise Failed("NO_CREDENTIAL")

    return prove


async def test_a_live_retry_in_a_system_that_is_in_shadow_by_now_takes_its_place_at_the_pace(make_worker: Any) -> None:
    erp = Erp(LIVE, rate=5)
    worker = make_worker(erp.system)
    erp.raises = [Failed("TRANSIENT_ERROR")]
    worker.command(VENDOR)
    await worker.work(60)
    erp.mode = SHADOW
    worker.command(VENDOR, attempt=2)
    await worker.work(60)
    assert erp.calls == ["create", "create"]
    assert worker.effects._paces["erp"].rate == 5


async def test_a_shadow_takes_no_place_at_the_systems_pace_and_waits_for_no_system_that_is_away(
    make_worker: Any,
) -> None:
    erp = Erp(rate=0.001)
    erp.system.gate = lambda: 100.0
    worker = make_worker(erp.system)
    for number in range(20):
        worker.command(VENDOR, step=f"s{number}")
    await worker.work()
    assert marks(worker) == [True] * 20
    assert worker.effects._paces == {}


async def test_what_cannot_be_recorded_is_not_answered_as_done(make_worker: Any) -> None:
    erp = Erp()
    worker = make_worker(erp.system)

    async def away(row: object) -> None:
        raise StoreUnavailable("away")

    worker.shadows.record = away
    worker.command(VENDOR)
    await worker.work()
    ((answer, _),) = worker.answers
    # Nothing was sent, so this is no doubt that a person would have to resolve.
    assert (answer.outcome, answer.code) == (FailureOutcome.failed, "EFFECTS_UNAVAILABLE")
    assert erp.calls == []


async def test_credentials_and_the_mapping_are_tried_as_ever(make_worker: Any) -> None:
    erp = Erp()

    def requests(command: Record, call: Call) -> list[Any]:
        raise Rejected("BAD_REQUEST_MAPPING", "tax_id: gives no text")

    erp.system.actions[CreateVendor.contract.name].requests = requests
    worker = make_worker(erp.system)
    worker.command(VENDOR)
    await worker.work()
    ((answer, _),) = worker.answers
    assert (answer.outcome, answer.code) == (FailureOutcome.rejected, "BAD_REQUEST_MAPPING")
    assert worker.shadows.rows == {}


async def test_what_would_be_sent_is_recorded_without_secrets(make_worker: Any) -> None:
    erp = Erp()
    sent = {"path": "/vendors", "json": {"api_key": "sk_live_12345678", "email": "ada@example.com"}}
    erp.system.actions[CreateVendor.contract.name].requests = lambda command, call: [sent]
    worker = make_worker(erp.system)
    worker.command(VENDOR)
    await worker.work()
    (row,) = worker.shadows.rows.values()
    assert row.request == [{"path": "/vendors", "json": {"api_key": "[redacted]", "email": "[redacted]@example.com"}}]


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (REAL, Found.PROBED),
        (None, Found.MADE_UP),
        (Unknown("CUT"), Found.NOT_ASKED),
        (Failed("CIRCUIT_OPEN"), Found.NOT_ASKED),
    ],
)
async def test_what_the_existing_process_has_done_already_is_the_answer(
    make_worker: Any, there: Any, found: Found
) -> None:
    erp = Erp(probe=True)
    erp.there = there
    worker = make_worker(erp.system)
    worker.command(VENDOR)
    await worker.work()
    ((answer, _),) = worker.answers
    assert (answer == REAL) is (there is REAL)
    (row,) = worker.shadows.rows.values()
    assert (row.found, erp.asked, erp.calls) == (found, 1, [])


async def test_a_read_is_done_in_shadow_but_not_in_a_saga_with_made_up_ids(make_worker: Any) -> None:
    erp = Erp()
    erp.system.actions[CreateVendor.contract.name].reads = True
    worker = make_worker(erp.system)
    worker.command(VENDOR, step="first")
    worker.command(VENDOR, step="second", shadow=True)
    await worker.work()
    assert erp.calls == ["create"]
    assert marks(worker) == [False, True]


async def test_a_saga_that_was_in_shadow_is_so_in_a_live_system_too(make_worker: Any) -> None:
    erp = Erp(LIVE)
    worker = make_worker(erp.system)
    worker.command(VENDOR, step="sticky", shadow=True)
    worker.command(VENDOR, step="wanted", mode="shadow")
    worker.command(VENDOR, step="live")
    await worker.work()
    assert (erp.calls, sorted(marks(worker))) == (["create"], [False, True, True])


async def test_the_more_careful_of_two_modes_holds(make_worker: Any) -> None:
    saga = UUID(int=1 << 80)
    percent = next(p for p in range(1, 100) if not Mode(float(p)).shadows(saga))
    live, careful = f"canary {percent} %", f"canary {max(1, percent - 1)} %"
    for system, header, done in ((live, live, 1), (live, careful, 0), (careful, live, 0), ("shadow", live, 0)):
        erp = Erp(Mode.of(system))
        worker = make_worker(erp.system)
        worker.saga_id = saga
        worker.command(VENDOR, mode=header)
        await worker.work()
        assert len(erp.calls) == done, (system, header)


async def test_a_mode_that_is_none_makes_a_dead_letter_and_no_call(make_worker: Any) -> None:
    erp = Erp(LIVE)
    worker = make_worker(erp.system)
    worker.command(VENDOR, mode="half")
    await worker.work()
    (letter,) = [m for m in worker.outbox.sent if m.topic.endswith(".dlq")]
    assert dict(letter.headers)["saga-dlq-reason"] == b"bad-header"
    assert erp.calls == []


async def test_the_probe_of_an_undone_shadow_is_not_asked(make_worker: Any) -> None:
    erp = Erp(LIVE, probe=True)
    erp.there = REAL
    worker = make_worker(erp.system)
    worker.command(VENDOR, direction="probe", shadow=True)
    await worker.work()
    ((answer, _),) = worker.answers
    assert (answer.outcome, answer.code, erp.asked) == (FailureOutcome.rejected, "NOT_FOUND", 0)


async def test_an_undo_whose_do_is_not_known_any_more_is_left_to_a_person(make_worker: Any) -> None:
    erp = Erp()
    worker = make_worker(erp.system)
    worker.command(UNDO, direction="undo")
    worker.command(UNDO, direction="undo", attempt=2)
    await worker.work()
    assert {(answer.outcome, answer.code) for answer, _ in worker.answers} == {(FailureOutcome.unknown, "RECORD_LOST")}
    assert erp.calls == []


async def test_a_worker_without_a_place_for_records_does_nothing(make_worker: Any) -> None:
    erp = Erp()
    worker = make_worker(erp.system)
    worker.runtime._shadow._store = None
    worker.command(VENDOR)
    await worker.work()
    ((answer, _),) = worker.answers
    assert (answer.outcome, answer.code, erp.calls) == (FailureOutcome.failed, "SHADOW_UNAVAILABLE", [])
