"""workday.yaml and oracle-ebs.yaml against npm `soap` with their WSDLs, and sap-ecc.yaml on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import consumers
from consumers.catalogue import ready
from consumers.connectors.xml import as_data, read_xml
from consumers.errors import Failed, Rejected, Unknown
from consumers.integrations.build import Integration
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from schemas.models import (
    OracleEbsCreateCustomer,
    OracleEbsCreateSupplier,
    OracleEbsCreateSupplierSite,
    OracleEbsDeactivateCustomer,
    OracleEbsEndSupplier,
    OracleEbsEndSupplierSite,
    SapEccBlockVendor,
    SapEccCreatePurchaseOrder,
    SapEccCreateVendor,
    SapEccDeletePurchaseOrder,
    SapEccPostGoodsReceipt,
    SapEccReverseGoodsReceipt,
    WorkdayChangeJob,
    WorkdayClosePosition,
    WorkdayCreatePosition,
    WorkdayHireEmployee,
    WorkdayRescindHire,
    WorkdayRescindJobChange,
)

WSDLS = Path(consumers.__file__).parent / "systems/ready/wsdl"
DAY = date(2026, 2, 1)
Do = Callable[..., Any]


@pytest.fixture(scope="session")
def ready_url(start_server: Callable[..., str]) -> str:
    return start_server("ready_soap", WSDLS=str(WSDLS))


@pytest.fixture
def do(call: Call, monkeypatch: pytest.MonkeyPatch) -> Do:
    for name in ("WORKDAY", "ORACLE_EBS", "SAP_ECC"):
        monkeypatch.setenv(f"{name}_USER", "saga")
        monkeypatch.setenv(f"{name}_PASSWORD", "s3cret")

    async def do(command: Any, url: str, *, probe: bool = False) -> Any:
        system = Integration(ready()[command.contract.system])(SystemConfig(url))
        action = system.actions[command.contract.name]
        async with system.lifespan():
            return await (action.probe if probe else action.handler)(command, call)  # type: ignore[misc]

    return do


# -- Workday ---------------------------------------------------------------------------------------------------------


def position() -> WorkdayCreatePosition:
    return WorkdayCreatePosition(
        position_id=f"P-{uuid4()}",
        organization_id="SUP-1",
        title="Clerk",
        reason_id="R-1",
        available_on=DAY,
        job_profile_id="J-1",
    )


async def test_a_position_is_created_found_and_closed(do: Do, ready_url: str) -> None:
    wanted = position()
    assert await do(wanted, ready_url, probe=True) is None
    assert (await do(wanted, ready_url)).position_id == wanted.position_id
    assert (await do(wanted, ready_url, probe=True)).position_id == wanted.position_id
    with pytest.raises(Rejected, match="CLIENT_VALIDATIONERROR: Validation error occurred. Position_ID is in use"):
        await do(wanted, ready_url)
    close = WorkdayClosePosition(position_id=wanted.position_id, closed_on=DAY)
    assert (await do(close, ready_url)).position_id == wanted.position_id
    assert await do(wanted, ready_url, probe=True) is None


async def test_an_employee_is_hired_moved_and_both_are_rescinded(do: Do, ready_url: str) -> None:
    wanted = position()
    await do(wanted, ready_url)
    hire = WorkdayHireEmployee(
        employee_id=f"E-{uuid4()}", applicant_id="A-1", position_id=wanted.position_id, hired_on=DAY
    )
    hired = await do(hire, ready_url)
    assert hired.event_id.startswith("wid-")
    assert (await do(hire, ready_url, probe=True)).employee_id == hire.employee_id
    move = WorkdayChangeJob(
        employee_id=hire.employee_id, position_id=wanted.position_id, effective_on=DAY, reason_id="R-2"
    )
    moved = await do(move, ready_url)
    assert await do(WorkdayRescindJobChange(event_id=moved.event_id), ready_url)
    assert await do(WorkdayRescindHire(event_id=hired.event_id), ready_url)
    with pytest.raises(Rejected, match="Invalid ID value"):
        await do(WorkdayRescindHire(event_id=hired.event_id), ready_url)


# -- Oracle EBS ------------------------------------------------------------------------------------------------------


async def test_a_supplier_and_its_site_are_created_and_ended(do: Do, ready_url: str) -> None:
    create = OracleEbsCreateSupplier(supplier_name=f"Müller {uuid4()}")
    made = await do(create, ready_url)
    with pytest.raises(Rejected, match="EBS_E: AP_VEN_DUPLICATE_NAME"):
        await do(create, ready_url)
    site = await do(
        OracleEbsCreateSupplierSite(
            supplier_id=made.supplier_id, site_code="BERLIN", org_id=204, address="Weg 1", country="DE"
        ),
        ready_url,
    )
    assert await do(OracleEbsEndSupplierSite(site_id=site.site_id, org_id=204, inactive_from=DAY), ready_url)
    for _ in range(2):
        assert await do(OracleEbsEndSupplier(supplier_id=made.supplier_id, ends_on=DAY), ready_url)
    with pytest.raises(Rejected, match="no such supplier"):
        await do(OracleEbsEndSupplier(supplier_id=1, ends_on=DAY), ready_url)


async def test_what_ebs_did_not_expect_is_unknown(do: Do, ready_url: str) -> None:
    with pytest.raises(Unknown, match="EBS_U: ORA-00600"):
        await do(OracleEbsCreateSupplier(supplier_name="ODD"), ready_url)


async def test_a_customer_is_created_and_deactivated(do: Do, ready_url: str) -> None:
    made = await do(OracleEbsCreateCustomer(customer_name="Müller"), ready_url)
    assert await do(OracleEbsDeactivateCustomer(account_id=made.account_id), ready_url)


async def test_a_wrong_password_did_nothing(ready_url: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBS_WRONG_PASSWORD", "another")
    auth = {"type": "ws_security", "username": "saga", "password": "env:EBS_WRONG_PASSWORD"}
    data = ready()["oracle-ebs"].model_dump(mode="json", exclude_unset=True) | {"auth": auth}
    system = Integration(IntegrationSpec.model_validate(data))(SystemConfig(ready_url))
    command = OracleEbsCreateCustomer(customer_name="Müller")
    async with system.lifespan():
        with pytest.raises(Failed, match="AUTHENTICATIONFAILURE") as failed:
            await system.actions[command.contract.name].handler(command, call)
    assert "another" not in str(failed.value)


# -- SAP ECC ---------------------------------------------------------------------------------------------------------

VENDOR = SapEccCreateVendor(
    vendor_number="4711",
    account_group="KRED",
    vendor_name="Müller",
    country="DE",
    company_code="1000",
    reconciliation_account="160000",
    purchasing_organization="1000",
)
ORDER = SapEccCreatePurchaseOrder(
    order_number="4500000001",
    company_code="1000",
    purchasing_organization="1000",
    purchasing_group="001",
    vendor_number="4711",
    currency="EUR",
    material="M-1",
    plant="1000",
    quantity=Decimal("2.500"),
    net_price=Decimal("9.9900"),
    delivery_date=DAY,
)
RECEIPT = {
    "order_number": "4500000001",
    "order_item": "00010",
    "plant": "1000",
    "quantity": Decimal("2.500"),
    "posted_on": DAY,
}


@pytest.fixture
def sent(do: Do, wire: Any, answer: Callable[..., bytes]) -> Do:
    """Send it to a SAP that posts it at once; the IDoc."""

    async def sent(command: Any) -> Any:
        wire.requests.clear()
        wire.say("/sap/bc/idoc_xml", answer(200))
        posted = json.dumps({"value": [{"STATUS": "53", "DOCNUM": "0001"}]}).encode()
        wire.say("/sap/bc/zsaga_idoc_status", answer(200, posted))
        assert (await do(command, wire.url)).idoc_number == "0001"
        (request,) = wire.asked("/sap/bc/idoc_xml")
        head, _, body = request.partition(b"\r\n\r\n")
        assert b"sap-client: 100" in head
        return as_data(read_xml(body))["IDOC"]

    return sent


async def test_a_vendor_is_created_and_blocked(sent: Do, call: Call) -> None:
    idoc = await sent(VENDOR)
    assert (idoc["EDI_DC40"]["MESTYP"], idoc["EDI_DC40"]["ARCKEY"]) == ("CREMAS", call.idempotency_key)
    assert idoc["E1LFA1M"]["E1LFB1M"]["AKONT"] == "160000"
    assert idoc["E1LFA1M"]["E1LFM1M"] == {"MSGFN": "009", "LIFNR": "4711", "EKORG": "1000"}
    assert "E1LFM1M" not in (await sent(VENDOR.model_copy(update={"purchasing_organization": None})))["E1LFA1M"]
    assert (await sent(SapEccBlockVendor(vendor_number="4711", company_code="1000")))["E1LFA1M"]["SPERR"] == "X"


async def test_an_order_and_its_receipt_and_what_undoes_them(sent: Do) -> None:
    order = (await sent(ORDER))["E1PORDCR1"]
    assert order["E1BPMEPOITEM"]["NET_PRICE"] == "9.9900"
    assert order["E1BPMEPOSCHEDULE"]["DELIVERY_DATE"] == "20260201"
    assert (await sent(SapEccDeletePurchaseOrder(order_number="4500000001")))["E1PORDCH"]["E1BPMEPOITEM"][
        "DELETE_IND"
    ] == "L"
    for command, movement in ((SapEccPostGoodsReceipt, "101"), (SapEccReverseGoodsReceipt, "102")):
        receipt = (await sent(command(**RECEIPT)))["E1MBGMCR"]
        assert receipt["E1BP2017_GM_ITEM_CREATE"]["MOVE_TYPE"] == movement


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith(("Workday", "OracleEbs", "SapEcc"))}
    files = (ready()[name] for name in ("workday", "oracle-ebs", "sap-ecc"))
    assert {action.command for spec in files for action in spec.actions.values()} == tried
