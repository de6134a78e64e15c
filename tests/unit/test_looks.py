"""A consumer that is asked whether what was undone is still there: it asks the system, claims nothing, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.errors import Failed, Rejected, Unknown
from consumers.system import System
from orchestrator.core.sample import sample
from schemas.models import CreateVendor, ErpPaymentTerms, ErpVendorType, FailureOutcome, StepFailed, VendorCreated

CREATED = sample(VendorCreated, full=True)
COMMAND = CreateVendor(
    vendor_name="Müller",
    vendor_type=ErpVendorType.SUPPLIER,
    tax_id="DE123456789",
    payment_terms=ErpPaymentTerms.NET_30,
    primary_contact_email="ada@example.com",
)


def _system(found: Any) -> tuple[System, list[str]]:
    system, called = System("erp"), []

    @system.action(CreateVendor, timeout=5.0)
    async def create(command: Any, call: Any) -> Any:
        called.append("handler")
        return CREATED

    if found != "no probe":

        @system.probe(CreateVendor)
        async def find(command: Any, call: Any) -> Any:
            await call.renew()
            called.append(f"probe, {call.direction}")
            if isinstance(found, Exception):
                raise found
            return found

    return system, called


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, (FailureOutcome.rejected, "NOT_FOUND")),
        ("no probe", (FailureOutcome.rejected, "NO_PROBE")),
        (Failed("BUSY"), (FailureOutcome.failed, "BUSY")),
        (Unknown("CONNECTION_LOST"), (FailureOutcome.unknown, "CONNECTION_LOST")),
        # Whoever refuses to answer has not said that it is gone, whatever the refusal is called.
        (Rejected("NOT_FOUND"), (FailureOutcome.unknown, "NOT_FOUND")),
        (ValueError("bad answer"), (FailureOutcome.unknown, "HANDLER_ERROR")),
        (COMMAND, (FailureOutcome.unknown, "CONTRACT_VIOLATION")),
    ],
)
async def test_what_the_probe_finds_is_said(make_worker: Any, found: Any, said: tuple[FailureOutcome, str]) -> None:
    system, called = _system(found)
    worker = make_worker(system)
    worker.command(COMMAND, direction="probe")
    await worker.work()
    ((answer, attempt),) = worker.answers
    assert isinstance(answer, StepFailed)
    assert (answer.outcome, answer.code, attempt) == (*said, 1)
    assert "handler" not in called
    assert worker.inbox.committed == {("erp.commands", 0): 1}


async def test_what_is_still_there_is_the_answer(make_worker: Any) -> None:
    system, called = _system(CREATED)
    worker = make_worker(system)
    worker.command(COMMAND, direction="probe")
    await worker.work()
    assert [record for record, _ in worker.answers] == [CREATED]
    assert called == ["probe, probe"]


async def test_asking_leaves_the_effects_of_the_step_alone(make_worker: Any) -> None:
    system, called = _system(None)
    worker = make_worker(system)
    worker.command(COMMAND)
    await worker.work()
    rows = dict(worker.effects.rows)
    worker.command(COMMAND, direction="probe")
    await worker.work()
    assert dict(worker.effects.rows) == rows
    worker.command(COMMAND)
    await worker.work()
    assert called == ["handler", "probe, probe"], "done once, asked once, and the stored reply"
