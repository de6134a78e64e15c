"""dynamics-365.yaml against SAP CAP in OData v4 on Dataverse's tables; answers to writes and codes are made Dataverse's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx2
import pytest

from consumers.catalogue import ready
from consumers.connectors.http import Proof
from consumers.errors import Failed, Rejected, Unknown
from consumers.integrations.build import Integration
from consumers.system import Call, System, SystemConfig
from schemas.models import (
    DynamicsCreateAccount,
    DynamicsCreateContact,
    DynamicsCreateOpportunity,
    DynamicsDeleteAccount,
    DynamicsDeleteContact,
    DynamicsDeleteOpportunity,
    Record,
)

PATH = "/api/data/v9.2"
VERSION = {"OData-Version": "4.0"}
KNOWN = UUID("00000000-0000-4000-8000-000000000001")
ACCOUNT = DynamicsCreateAccount(account_name="Ä & O'Söhne", account_number=None, email=None, phone="+49 1")
CONTACT = DynamicsCreateContact(first_name="Ada", last_name="L", email="ada@example.com", account_id=str(KNOWN))
SALE = DynamicsCreateOpportunity(
    topic="Ten of them", account_id=str(KNOWN), estimated_value=Decimal("1234567890123.45"), closes_on=date(2026, 1, 31)
)
ROUNDS = pytest.mark.parametrize(
    ("do", "undo"),
    [(ACCOUNT, DynamicsDeleteAccount()), (CONTACT, DynamicsDeleteContact()), (SALE, DynamicsDeleteOpportunity())],
    ids=["account", "contact", "opportunity"],
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who we are; tokens of a real token server are tried in tests/integration/auth."""

    reference: str = "test"
    verify: bool = True

    async def proof(self) -> Proof:
        return Proof("1", {"authorization": "Bearer token-1"})

    async def refused(self, sent: Proof) -> bool:
        return False


@pytest.fixture(scope="module")
def dataverse(start_server: Callable[..., str]) -> str:
    """With one account in it that is somebody else's."""
    url = start_server("dataverse", script="@sap/cds/bin/serve.js").replace("127.0.0.1", "localhost") + PATH
    row = {"name": "Known", "accountnumber": "K-1"}
    made = httpx2.patch(f"{url}/accounts({KNOWN})", json=row, headers=VERSION)
    assert made.status_code == 204
    return url


@dataclass
class Tried:
    """The file's system, called for one step of one saga, and what somebody else sees."""

    system: System
    url: str
    call: Call

    async def do(self, command: Record, **of: Any) -> Any:
        called = replace(self.call, keyed=command.contract.effect == "idempotent", **of)
        return await self.system.actions[command.contract.name].handler(command, called)

    async def ask(self, command: Record) -> Any:
        probe = self.system.actions[command.contract.name].probe
        assert probe is not None
        return await probe(command, self.call)

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        rows = httpx2.get(f"{self.url}/{table}", headers=VERSION).json()["value"]
        key = {"accounts": "accountid", "contacts": "contactid", "opportunities": "opportunityid"}[table]
        return {row[key]: row for row in rows}


def made(url: str) -> System:
    return Integration(ready()["dynamics-365"], lambda auth, system: Bearer())(SystemConfig(url))


@pytest.fixture
async def tried(dataverse: str, call: Call) -> AsyncIterator[Tried]:
    system = made(dataverse)
    async with system.lifespan():
        yield Tried(system, dataverse, replace(call, saga_id=uuid4()))


@ROUNDS
async def test_done_again_and_undone_by_an_id_that_we_choose(tried: Tried, do: Record, undo: Record) -> None:
    assert await tried.ask(do) is None
    done = await tried.do(do)
    assert str(uuid5(tried.call.saga_id, tried.call.step)) in done.model_dump().values()
    assert await tried.do(do) == done == await tried.ask(do)
    assert (await tried.do(undo)).found is True
    assert (await tried.do(undo)).found is False
    assert await tried.ask(do) is None


async def test_what_is_sent_is_what_dataverse_has(tried: Tried) -> None:
    account = (await tried.do(ACCOUNT)).account_id
    contact = (await tried.do(CONTACT)).contact_id
    sale = (await tried.do(SALE)).opportunity_id
    assert tried.rows("accounts")[account]["name"] == "Ä & O'Söhne"
    assert tried.rows("contacts")[contact]["parentcustomerid_account_accountid"] == str(KNOWN)
    found = tried.rows("opportunities")[sale]
    assert found["estimatedclosedate"] == "2026-01-31"
    assert Decimal(str(found["estimatedvalue"])) == SALE.estimated_value
    assert found["customerid_account_accountid"] == str(KNOWN)


async def test_two_steps_of_a_saga_are_two_rows_and_an_undo_takes_its_own(tried: Tried) -> None:
    one = (await tried.do(ACCOUNT)).account_id
    two = (await tried.do(ACCOUNT, step="other")).account_id
    await tried.do(DynamicsDeleteAccount())
    assert one not in tried.rows("accounts")
    assert {two, str(KNOWN)} <= tried.rows("accounts").keys()


async def test_refusals_are_told_by_dataverses_codes(tried: Tried) -> None:
    with pytest.raises(Rejected, match="E_0X80040237: .*already exists"):
        await tried.do(ACCOUNT.model_copy(update={"account_number": "K-1"}))
    with pytest.raises(Rejected, match="E_0X80040217"):
        await tried.do(CONTACT.model_copy(update={"account_id": str(uuid4())}))
    assert await tried.ask(ACCOUNT) is None


@ROUNDS
async def test_a_lost_answer_is_a_doubt_and_what_is_sent_again_is_the_same(
    wire: Any, answer: Callable[..., bytes], call: Call, do: Record, undo: Record
) -> None:
    system = made(wire.url)
    wire.say("*", answer(500, b"lost"))
    async with system.lifespan():
        tried = Tried(system, wire.url, call)
        with pytest.raises(Unknown):
            await tried.do(do)
        sent = {(path, request.split(b" ")[0], request.partition(b"\r\n\r\n")[2]) for path, request in wire.requests}
        assert [method for _, method, _ in sent] == [b"PATCH"], "the same again, and nothing else"
        with pytest.raises(Unknown):
            await tried.do(undo)


async def test_too_much_for_service_protection_waits(wire: Any, answer: Callable[..., bytes], call: Call) -> None:
    body = b'{"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000"}}'
    wire.say("*", answer(429, body, retry_after="30"))
    system = made(wire.url)
    async with system.lifespan():
        with pytest.raises(Failed, match="E_0X80072322") as raised:
            await Tried(system, wire.url, call).do(ACCOUNT)
    assert raised.value.retry_after == 30
    (request,) = [request for _, request in wire.requests]
    assert b"odata-maxversion: 4.0" in request.lower()


async def test_a_wrong_path_is_not_taken_for_a_row_that_is_gone(
    wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    wire.say("*", answer(404, b'{"error": {"code": "0x8006088a", "message": "Resource not found for the segment"}}'))
    system = made(wire.url)
    async with system.lifespan():
        with pytest.raises(Rejected, match="E_0X8006088A"):
            await Tried(system, wire.url, call).do(DynamicsDeleteAccount())


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Dynamics")}
    assert {action.command for action in ready()["dynamics-365"].actions.values()} == tried
