"""The coordinator's loop over ports in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.payload import Payload
from orchestrator.database import StoreUnavailable
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import (
    ControlCommand,
    SagaControl,
    PaymentTerms,
    VendorOnboardingRequested,
    VendorType,
)


@pytest.fixture
def replica(make_replica: Any) -> Any:
    return make_replica(vendor_onboarding)


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
    replica.store.sagas[vendor.saga_id] = replace(state, request=Payload(state.request.name, value=older))
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
    replica.store.sagas[vendor.saga_id] = replace(state, version=7)
    replica.control(vendor.saga_id, SagaControl(command=ControlCommand.wake), "w")
    replica.control(vendor.saga_id, SagaControl(command=ControlCommand.pause), "p")
    await replica.coordinator.step()
    # The decision waits for a replica that has the version. The timer fires again by itself.
    assert [held.message.topic for held, _ in replica.store.held.values()] == ["saga.control"]
    assert len(replica.store.held) == 1
