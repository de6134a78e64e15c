"""netsuite.yaml: 204 with Location, external ids in URLs, and errors in o:errorDetails, as documented."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected
from consumers.integrations.spec import IntegrationSpec
from schemas.models import (
    NetsuiteCreateCustomer,
    NetsuiteCreateVendor,
    NetsuiteCreateVendorBill,
    NetsuiteDeleteCustomer,
    NetsuiteDeleteVendor,
    NetsuiteDeleteVendorBill,
)

from .vendor import Asked, Reply, Tried, Vendor

CUSTOMER = NetsuiteCreateCustomer(company_name="Ä & Co", subsidiary_id="1", email=None)
VENDOR = NetsuiteCreateVendor(company_name="Acme", subsidiary_id="1", email="ada@example.com")
BILL = NetsuiteCreateVendorBill(
    vendor_id="647", bill_number="B-1", billed_on=date(2026, 1, 31), account_id="58", amount="12.50", memo=None
)
ROUNDS = [
    (CUSTOMER, NetsuiteDeleteCustomer()),
    (VENDOR, NetsuiteDeleteVendor()),
    (BILL, NetsuiteDeleteVendorBill()),
]
URL = "https://example.suitetalk.api.netsuite.com"


def error(status: int, code: str, detail: str) -> Reply:
    details = [{"detail": detail, "o:errorCode": code}]
    return Reply(status, {"type": "about:blank", "title": "Error", "status": status, "o:errorDetails": details})


@dataclass
class NetSuite(Vendor):
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    last: int = 646

    def answer(self, asked: Asked) -> Reply:
        _, _, _, _, kind, *rest = asked.parts
        records = self.records.setdefault(kind, {})
        if asked.method == "POST":
            if any(one["externalId"] == asked.body["externalId"] for one in records.values()):
                return error(400, "USER_ERROR", "Error while accessing a resource. This record already exists.")
            self.last += 1
            records[str(self.last)] = asked.body
            return Reply(204, None, {"location": f"{URL}{asked.path}/{self.last}"})
        wanted = rest[0].removeprefix("eid:")
        id_ = next((id_ for id_, one in records.items() if one["externalId"] == wanted), None)
        if id_ is None:
            return error(404, "NONEXISTENT_ID", "The record instance does not exist.")
        if asked.method == "GET":
            return Reply(200, {"links": [], "id": id_})
        if kind == "vendor" and any(
            bill["entity"]["id"] == id_ for bill in self.records.get("vendorBill", {}).values()
        ):
            return error(400, "USER_ERROR", "This record cannot be deleted because it has dependent records.")
        del records[id_]
        return Reply(204)


@pytest.fixture
async def netsuite(trying: Callable[..., Any]) -> AsyncIterator[Tried]:
    async with trying("netsuite", NetSuite()) as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(netsuite: Tried, do: Any, undo: Any) -> None:
    await netsuite.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(netsuite: Tried, do: Any, undo: Any) -> None:
    await netsuite.lost(do, undo)


async def test_what_is_sent_and_what_comes_of_it(netsuite: Tried) -> None:
    assert (await netsuite.do(BILL)).bill_id == "647"
    assert netsuite.vendor.asked[-1].body == {
        "entity": {"id": "647"}, "tranId": "B-1", "tranDate": "2026-01-31",
        "expense": {"items": [{"account": {"id": "58"}, "amount": 12.5}]},
        "externalId": f"{netsuite.call.saga_id}_onboard",
    }  # fmt: skip


async def test_the_same_again_makes_no_second_one(netsuite: Tried) -> None:
    await netsuite.do(VENDOR)
    with pytest.raises(Rejected, match="USER_ERROR: .*already exists"):
        await netsuite.do(VENDOR)
    assert len(netsuite.vendor.records["vendor"]) == 1


async def test_a_vendor_with_bills_is_not_deleted(netsuite: Tried) -> None:
    await netsuite.do(VENDOR)
    await netsuite.do(BILL)
    with pytest.raises(Rejected, match="USER_ERROR: .*dependent records"):
        await netsuite.do(NetsuiteDeleteVendor())


async def test_too_many_at_once(netsuite: Tried) -> None:
    netsuite.vendor.instead = [error(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded.")] * 3
    with pytest.raises(Failed, match="CONCURRENCY_LIMIT_EXCEEDED"):
        await netsuite.do(CUSTOMER)


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Netsuite")}
    assert {action.command for action in ready()["netsuite"].actions.values()} == tried


async def test_prism_refuses_what_netsuite_does_not_know(trying: Callable[..., Any]) -> None:
    """What makes the tests above mean something."""
    data = ready()["netsuite"].model_dump(mode="json", exclude_unset=True)
    data["actions"]["create_vendor"]["request"]["body"]["externalId"] = "join('|', [saga_id, step])"
    async with trying("netsuite", NetSuite(), IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected, match="HTTP_422"):
            await tried.do(VENDOR)
    assert tried.vendor.asked == []
