"""sap-s4.yaml against SAP CAP in OData v2, with CSRF tokens, on a model of SAP's own entities and fields."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from consumers.catalogue import ready
from consumers.errors import Rejected, Unknown
from consumers.integrations.build import Integration
from consumers.system import Call, System, SystemConfig
from orchestrator.dev.process import free_port
from schemas.models import (
    Record,
    SapS4BlockSupplier,
    SapS4CancelSupplierInvoice,
    SapS4CreatePurchaseOrder,
    SapS4CreateSupplier,
    SapS4DeletePurchaseOrder,
    SapS4PostSupplierInvoice,
)

SUPPLIER = SapS4CreateSupplier(supplier_name="Ä & Söhne", grouping="BP02", search_term=None)
ORDER = SapS4CreatePurchaseOrder(
    company_code="1010",
    purchasing_organization="1010",
    purchasing_group="001",
    supplier_id="O'1",
    currency="EUR",
    material="TG12",
    plant="1010",
    quantity=Decimal("10.000"),
    unit="PC",
    net_price=Decimal("12.50"),
)
INVOICE = SapS4PostSupplierInvoice(
    company_code="1010",
    supplier_id="10300001",
    invoice_number="R-2026/1",
    invoiced_on=date(2026, 1, 31),
    posted_on=date(2026, 2, 1),
    currency="EUR",
    gross_amount=Decimal("1190.00"),
    net_amount=Decimal("1000.00"),
    tax_code="V1",
    gl_account="61010000",
    cost_center=None,
)
DELETE = SapS4DeletePurchaseOrder(supplier_id="O'1", company_code="1010")
CANCEL = SapS4CancelSupplierInvoice(
    supplier_id="10300001", invoice_number="R-2026/1", posted_on=date(2026, 2, 3), reversal_reason=None
)
ROUNDS = pytest.mark.parametrize(
    ("do", "undo"), [(SUPPLIER, SapS4BlockSupplier()), (ORDER, DELETE), (INVOICE, CANCEL)], ids=["bp", "po", "invoice"]
)


@pytest.fixture(scope="module")
def s4(start_server: Callable[..., str]) -> Iterator[str]:
    url = start_server("s4", script="@sap/cds/bin/serve.js", CSRF="1").replace("127.0.0.1", "localhost")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAP_S4_USER", "SAGA")
        patch.setenv("SAP_S4_PASSWORD", "s3cret")
        yield f"{url}/odata/v2/sap"


@dataclass
class Loss:
    """Before the server: what is written is done, and its answer lost, where `lost` says so."""

    port: int
    lost: bool = False
    writes: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
            body = await reader.readexactly(size)
            self.heads.append(head)
            answer = await self._asked(head.replace(b"\r\n", b"\r\nconnection: close\r\n", 1) + body)
            if not head.startswith(b"GET"):
                self.writes.append(head.split(b" ")[1].decode())
                if self.lost:
                    return
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("localhost", self.port)
        writer.write(request)
        try:
            return await reader.read()
        finally:
            writer.close()


@dataclass
class Tried:
    """The file's system, called for one step of one saga."""

    system: System
    between: Loss
    call: Call

    async def do(self, command: Record, **of: Any) -> Any:
        called = replace(self.call, keyed=command.contract.effect == "idempotent", **of)
        return await self.system.actions[command.contract.name].handler(command, called)

    async def ask(self, command: Record, **of: Any) -> Any:
        probe = self.system.actions[command.contract.name].probe
        assert probe is not None
        return await probe(command, replace(self.call, **of))


@pytest.fixture
async def tried(s4: str, call: Call) -> AsyncIterator[Tried]:
    between = Loss(int(s4.split(":")[2].split("/", maxsplit=1)[0]))
    port = free_port()
    listening = await asyncio.start_server(between.serve, "127.0.0.1", port)
    system = Integration(ready()["sap-s4"])(SystemConfig(f"http://127.0.0.1:{port}/odata/v2/sap"))
    async with system.lifespan():
        yield Tried(system, between, replace(call, saga_id=uuid4()))
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def rows(s4: str) -> Callable[[str], list[dict[str, Any]]]:
    """What is in SAP, asked by somebody else."""

    def rows(entities: str, expand: str = "") -> list[dict[str, Any]]:
        more = f"?$expand={expand}" if expand else ""
        answer = httpx2.get(f"{s4}/{entities}{more}", headers={"accept": "application/json"})
        return list(answer.json()["d"]["results"])

    return rows


@ROUNDS
async def test_done_and_undone_by_our_reference(tried: Tried, do: Record, undo: Record) -> None:
    assert await tried.ask(do) is None
    done = await tried.do(do)
    assert await tried.ask(do) == done
    assert (await tried.do(undo)).found is True
    assert (await tried.do(undo)).found is False
    assert await tried.ask(do) is None


@ROUNDS
async def test_a_lost_answer_is_asked_for_and_not_sent_again(tried: Tried, do: Record, undo: Record) -> None:
    await tried.do(do, step="other")  # so that there is a token
    tried.between.writes.clear()
    tried.between.lost = True
    with pytest.raises(Unknown):
        await tried.do(do)
    assert len(tried.between.writes) == 1
    assert await tried.ask(do) is not None
    with pytest.raises(Unknown):
        await tried.do(undo)
    tried.between.lost = False
    assert (await tried.do(undo)).found is False, "the first one was done"
    assert await tried.ask(do, step="other") is not None, "another step's is another thing"


async def test_what_is_sent_is_what_sap_has(tried: Tried, rows: Callable[..., list[dict[str, Any]]]) -> None:
    partner = (await tried.do(SUPPLIER)).business_partner
    order = (await tried.do(ORDER)).purchase_order
    invoice = await tried.do(INVOICE)
    found = {
        row["BusinessPartner"]: row for row in rows("API_BUSINESS_PARTNER/A_BusinessPartner", "to_BusinessPartnerRole")
    }
    assert found[partner]["OrganizationBPName1"] == "Ä & Söhne"
    roles = {role["BusinessPartnerRole"] for role in found[partner]["to_BusinessPartnerRole"]["results"]}
    assert roles == {"FLVN00", "FLVN01"}
    items = {row["PurchaseOrder"]: row for row in rows("API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrderItem")}
    assert Decimal(items[order]["OrderQuantity"]) == 10
    assert Decimal(items[order]["NetPriceAmount"]) == Decimal("12.5")
    posted = {row["SupplierInvoice"]: row for row in rows("API_SUPPLIERINVOICE_PROCESS_SRV/A_SupplierInvoice")}
    assert posted[invoice.invoice]["PostingDate"] == "/Date(1769904000000)/"
    assert invoice.fiscal_year == "2026"
    user = base64.b64encode(b"SAGA:s3cret")
    assert all(b"Basic " + user in head for head in tried.between.heads)


async def test_an_undo_leaves_what_sap_keeps(tried: Tried, rows: Callable[..., list[dict[str, Any]]]) -> None:
    partner = (await tried.do(SUPPLIER)).business_partner
    invoice = (await tried.do(INVOICE)).invoice
    await tried.do(SapS4BlockSupplier())
    await tried.do(CANCEL)
    found = {row["BusinessPartner"]: row for row in rows("API_BUSINESS_PARTNER/A_BusinessPartner")}[partner]
    assert (found["BusinessPartnerIsBlocked"], found["IsMarkedForArchiving"]) == (True, True)
    posted = {row["SupplierInvoice"]: row for row in rows("API_SUPPLIERINVOICE_PROCESS_SRV/A_SupplierInvoice")}
    by = posted[posted[invoice]["ReverseDocument"]]
    assert (by["IsReversal"], by["PostingDate"]) == (True, "/Date(1770076800000)/")


async def test_what_somebody_else_posted_of_the_same_number_is_not_ours(tried: Tried) -> None:
    await tried.do(INVOICE, saga_id=uuid4())
    assert await tried.ask(INVOICE) is None
    assert (await tried.do(CANCEL)).found is False


async def test_a_refusal_is_told_by_message_class_and_number(tried: Tried) -> None:
    with pytest.raises(Rejected, match="M8_534: Balance not zero"):
        await tried.do(INVOICE.model_copy(update={"net_amount": Decimal("1190.01")}))
    with pytest.raises(Rejected, match="R11_123"):
        await tried.do(SUPPLIER.model_copy(update={"grouping": "NONE"}))
    assert await tried.ask(INVOICE) is None


async def test_three_services_share_one_token_and_fetch_it_where_there_is_a_service(tried: Tried) -> None:
    for command in (SUPPLIER, ORDER, INVOICE):
        await tried.do(command)
    fetches = [head.split(b" ")[1] for head in tried.between.heads if b"x-csrf-token: fetch" in head.lower()]
    assert fetches == [b"/odata/v2/sap/API_BUSINESS_PARTNER/"]


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("SapS4")}
    assert {action.command for action in ready()["sap-s4"].actions.values()} == tried
