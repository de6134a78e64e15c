"""oracle-fusion.yaml: hashes as names, numbers that are taken, and dates from which something is there, as documented."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected
from consumers.integrations.spec import IntegrationSpec
from schemas.models import (
    FusionCreateInvoice,
    FusionCreateLocation,
    FusionCreateReceivable,
    FusionDeleteInvoice,
    FusionDeleteLocation,
    FusionDeleteReceivable,
)

from .vendor import Asked, Reply, Tried, Vendor

INVOICE = FusionCreateInvoice(
    invoice_number="1000183-3",
    business_unit="Vision Operations",
    supplier="Ä & Co",
    supplier_site="FRESNO",
    amount="130.80",
    currency="USD",
    issued_on=date(2026, 1, 31),
)
RECEIVABLE = FusionCreateReceivable(
    business_unit="Vision Operations",
    customer_number="1008",
    transaction_source="Manual",
    transaction_type="Invoice",
    payment_terms="30 Net",
    currency="USD",
    issued_on=date(2026, 1, 31),
    line_description="Laptop",
    quantity=2,
    unit_price="1299.99",
)
# Begins after the sandbox's today.
PLACE = FusionCreateLocation(
    location_code="FRESNO_2",
    location_name="Fresno",
    set_code="COMMON",
    effective_on=date(2026, 7, 1),
    address_line="1 Main St",
    city="Fresno",
    country="US",
)
ROUNDS = [
    (INVOICE, FusionDeleteInvoice(invoice_number="1000183-3")),
    (RECEIVABLE, FusionDeleteReceivable()),
    (PLACE, FusionDeleteLocation(location_code="FRESNO_2", effective_on=date(2026, 7, 1))),
]
TODAY = "2026-02-01"
KEYS = {"invoices": "InvoiceId", "receivablesInvoices": "CustomerTransactionId", "locationsV2": "LocationId"}
UNIQUE = {"invoices": ("InvoiceNumber", "Supplier"), "locationsV2": ("LocationCode",)}


def error(status: int, code: str, detail: str) -> Reply:
    details = [{"detail": detail, "o:errorCode": code}]
    return Reply(status, {"title": "Bad Request", "status": str(status), "o:errorDetails": details})


@dataclass
class Fusion(Vendor):
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    last: int = 300_100_187_048_033

    def answer(self, asked: Asked) -> Reply:
        kind, *rest = asked.parts[3:]
        records = self.records.setdefault(kind, {})
        if asked.method == "POST":
            return self._create(asked, kind, records)
        if asked.method == "DELETE":
            name = rest[0] if kind != "receivablesInvoices" else f"{int(rest[0]):024X}"
            if records.pop(name, None) is None:
                return Reply(404, {"title": "Not Found", "status": "404"})
            return Reply(204)
        wanted = re.fullmatch(r"(\w+)='(.*)'", asked.query["q"])
        assert wanted is not None
        as_of = asked.query.get("effectiveDate", TODAY)
        found = [one for one in records.values() if one[wanted[1]] == wanted[2] and one["from"] <= as_of]
        return Reply(200, {"items": found, "count": len(found), "hasMore": False})

    def _create(self, asked: Asked, kind: str, records: dict[str, dict[str, Any]]) -> Reply:
        unique = UNIQUE.get(kind, ())
        if unique and any(all(one[name] == asked.body[name] for name in unique) for one in records.values()):
            return error(400, "AP-810164", "A record with this number exists already.")
        self.last += 1
        hash_ = f"{self.last:024X}"
        href = f"https://example.fa.us2.oraclecloud.com{asked.path}/{hash_}"
        begins = asked.headers.get("effective-of", f"RangeStartDate={TODAY}").partition("=")[2]
        links = [{"rel": "self", "href": href}, {"rel": "canonical", "href": f"{href}/x"}]
        records[hash_] = {**asked.body, KEYS[kind]: self.last, "from": begins, "links": links}
        return Reply(201, records[hash_])


@pytest.fixture
async def fusion(trying: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tried]:
    monkeypatch.setenv("FUSION_USER", "saga")
    monkeypatch.setenv("FUSION_PASSWORD", "p-1")
    async with trying("oracle-fusion", Fusion()) as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(fusion: Tried, do: Any, undo: Any) -> None:
    await fusion.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(fusion: Tried, do: Any, undo: Any) -> None:
    await fusion.lost(do, undo)


async def test_what_is_sent_and_what_comes_of_it(fusion: Tried) -> None:
    assert (await fusion.do(INVOICE)).invoice_id == 300_100_187_048_034
    sent = fusion.vendor.asked[-1]
    assert sent.headers["content-type"] == "application/vnd.oracle.adf.resourceitem+json"
    assert sent.headers["rest-framework-version"] == "4"
    assert (sent.body["InvoiceAmount"], sent.body["invoiceLines"][0]["LineAmount"]) == ("130.80", "130.80")


async def test_a_number_that_is_taken_is_refused_and_not_deleted(fusion: Tried) -> None:
    await fusion.do(INVOICE)
    theirs = Tried.of(fusion.system, fusion.vendor)
    with pytest.raises(Rejected, match="AP_810164"):
        await theirs.do(INVOICE)
    assert (await theirs.do(FusionDeleteInvoice(invoice_number="1000183-3"))).found is False
    assert len(fusion.vendor.records["invoices"]) == 1


async def test_too_many_requests(fusion: Tried) -> None:
    fusion.vendor.instead = [Reply(429, {"title": "Too Many Requests"}, {"retry-after": "60"})]
    with pytest.raises(Failed) as raised:
        await fusion.do(PLACE)
    assert raised.value.retry_after == 60


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Fusion") and name != "Fusion"}
    assert {action.command for action in ready()["oracle-fusion"].actions.values()} == tried


async def test_prism_refuses_what_fusion_does_not_know(trying: Callable[..., Any], monkeypatch: Any) -> None:
    """What makes the tests above mean something."""
    monkeypatch.setenv("FUSION_USER", "saga")
    monkeypatch.setenv("FUSION_PASSWORD", "p-1")
    data = ready()["oracle-fusion"].model_dump(mode="json", exclude_unset=True)
    del data["actions"]["create_location"]["request"]["headers"]["Effective-Of"]
    async with trying("oracle-fusion", Fusion(), IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected, match="HTTP_422"):
            await tried.do(PLACE)
    assert tried.vendor.asked == []
