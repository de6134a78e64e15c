"""hubspot.yaml: unique values, 409 for a known address, and limits, as HubSpot documents them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected
from consumers.integrations.spec import IntegrationSpec
from schemas.models import (
    HubspotCreateCompany,
    HubspotCreateContact,
    HubspotCreateDeal,
    HubspotDeleteCompany,
    HubspotDeleteContact,
    HubspotDeleteDeal,
)

from .vendor import Asked, Reply, Tried, Vendor

ADA = HubspotCreateContact(email="ada@example.com", first_name="Ada", last_name=None)
ACME = HubspotCreateCompany(company_name="Ä & Co", domain="example.com")
DEAL = HubspotCreateDeal(deal_name="Big", amount="12.50", pipeline="default", stage="presentation", contact_id="101")
ROUNDS = [(ADA, HubspotDeleteContact()), (ACME, HubspotDeleteCompany()), (DEAL, HubspotDeleteDeal())]


def error(status: int, category: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    id_ = "aeb5f871-7f07-4993-9211-075dc63e7cbf"
    body = {"status": "error", "message": message, "correlationId": id_, "category": category}
    return Reply(status, body, headers or {})


@dataclass
class HubSpot(Vendor):
    records: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    last: int = 100

    def answer(self, asked: Asked) -> Reply:
        _, _, _, kind, *rest = asked.parts
        records = self.records.setdefault(kind, {})
        if asked.method == "POST":
            return self._create(records, asked.body["properties"])
        if asked.method == "DELETE":
            records.pop(rest[0], None)  # HubSpot answers 204 for what is deleted already, too
            return Reply(204)
        name = asked.query["idProperty"]
        for id_, properties in records.items():
            if properties.get(name) == rest[0]:
                return Reply(200, _shown(id_, properties))
        return error(404, "OBJECT_NOT_FOUND", "Object not found.")

    def _create(self, records: dict[str, dict[str, str]], new: dict[str, str]) -> Reply:
        for id_, known in records.items():
            if "email" in new and known["email"] == new["email"]:
                return error(409, "CONFLICT", f"Contact already exists. Existing ID: {id_}")
            if known["saga_step"] == new["saga_step"]:
                return error(400, "VALIDATION_ERROR", "Property values were not valid: saga_step is taken")
        self.last += 1
        records[str(self.last)] = new
        return Reply(201, _shown(str(self.last), new))


def _shown(id_: str, properties: dict[str, str]) -> dict[str, Any]:
    when = "2026-01-01T00:00:00.000Z"
    return {"id": id_, "properties": properties, "createdAt": when, "updatedAt": when, "archived": False}


@pytest.fixture
async def hubspot(trying: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tried]:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-1")
    async with trying("hubspot", HubSpot()) as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(hubspot: Tried, do: Any, undo: Any) -> None:
    await hubspot.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(hubspot: Tried, do: Any, undo: Any) -> None:
    await hubspot.lost(do, undo)


async def test_what_is_sent(hubspot: Tried) -> None:
    await hubspot.do(DEAL)
    sent = hubspot.vendor.asked[-1]
    assert sent.headers["authorization"] == "Bearer pat-1"
    assert sent.body["properties"] == {
        "dealname": "Big", "amount": "12.50", "pipeline": "default", "dealstage": "presentation",
        "saga_step": f"{hubspot.call.saga_id}:onboard",
    }  # fmt: skip
    assert sent.body["associations"][0]["to"] == {"id": "101"}


async def test_the_same_again_makes_no_second_one(hubspot: Tried) -> None:
    await hubspot.do(ACME)
    with pytest.raises(Rejected, match="VALIDATION_ERROR"):
        await hubspot.do(ACME)
    assert len(hubspot.vendor.records["companies"]) == 1


async def test_a_contact_of_somebody_else_is_refused_and_left_alone(hubspot: Tried) -> None:
    hubspot.vendor.records["contacts"] = {"7": {"email": "ada@example.com", "saga_step": "another"}}
    with pytest.raises(Rejected, match="CONFLICT: Contact already exists"):
        await hubspot.do(ADA)
    assert (await hubspot.do(HubspotDeleteContact())).found is False
    assert list(hubspot.vendor.records["contacts"]) == ["7"]


async def test_limits_and_scopes(hubspot: Tried) -> None:
    limited = error(429, "RATE_LIMITS", "You have reached your secondly limit.", {"retry-after": "10"})
    hubspot.vendor.instead = [limited]
    with pytest.raises(Failed, match="RATE_LIMITS") as raised:
        await hubspot.do(ADA)
    assert raised.value.retry_after == 10
    hubspot.vendor.instead = [error(403, "MISSING_SCOPES", "This app lacks scopes")] * 3
    with pytest.raises(Failed, match="MISSING_SCOPES"):
        await hubspot.do(ADA)


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Hubspot")}
    assert {action.command for action in ready()["hubspot"].actions.values()} == tried


async def test_prism_refuses_what_hubspot_does_not_know(trying: Callable[..., Any], monkeypatch: Any) -> None:
    """What makes the tests above mean something."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-1")
    data = ready()["hubspot"].model_dump(mode="json", exclude_unset=True)
    del data["actions"]["create_company"]["request"]["body"]["associations"]
    async with trying("hubspot", HubSpot(), IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected, match="HTTP_422"):
            await tried.do(ACME)
    assert tried.vendor.asked == []
