"""zendesk.yaml: keys for tickets alone, deleted users that are still shown, and 422 with details, as documented."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected, Unknown
from consumers.integrations.spec import IntegrationSpec
from schemas.models import (
    ZendeskCreateOrganization,
    ZendeskCreateTicket,
    ZendeskCreateUser,
    ZendeskDeleteOrganization,
    ZendeskDeleteTicket,
    ZendeskDeleteUser,
)

from .vendor import Asked, Reply, Tried, Vendor

TICKET = ZendeskCreateTicket(subject="Hällo", body="It is broken", priority="high", requester_id=None, public=True)
USER = ZendeskCreateUser(user_name="Ada", email="ada@example.com", organization_id=None)
GROUP = ZendeskCreateOrganization(organization_name="Acme", details=None)
ROUNDS = [(TICKET, ZendeskDeleteTicket()), (USER, ZendeskDeleteUser()), (GROUP, ZendeskDeleteOrganization())]
UNIQUE = {"users": "email", "organizations": "name"}


def invalid(name: str, error: str, text: str) -> Reply:
    details = {name: [{"description": text, "error": error}]}
    return Reply(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": details})


@dataclass
class Zendesk(Vendor):
    records: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, tuple[Any, Reply]] = field(default_factory=dict)
    last: int = 35_436

    def answer(self, asked: Asked) -> Reply:
        _, _, kind, *rest = asked.parts
        records = self.records.setdefault(kind, {})
        if asked.method == "POST":
            return self._once(asked, lambda: self._create(kind, records, asked.body[kind[:-1]]))
        if asked.method == "DELETE":
            return self._delete(kind, records, int(rest[0]))
        wanted = asked.query["external_id"].lower()
        return Reply(200, {kind: [one for one in records.values() if one["external_id"].lower() == wanted]})

    def _once(self, asked: Asked, work: Callable[[], Reply]) -> Reply:
        key = asked.headers.get("idempotency-key")
        if key is None or "tickets" not in asked.path:
            return work()
        if key not in self.keys:
            self.keys[key] = asked.body, work()
        body, reply = self.keys[key]
        if body != asked.body:
            text = "Request parameters don't match the given idempotency key"
            return Reply(400, {"error": "IdempotentRequestError", "description": text})
        return reply

    def _create(self, kind: str, records: dict[int, dict[str, Any]], new: dict[str, Any]) -> Reply:
        unique = UNIQUE.get(kind)
        if unique and any(one[unique] == new[unique] for one in records.values() if one["active"]):
            return invalid(unique, "DuplicateValue", f"{unique.title()}: {new[unique]} is already being used")
        self.last += 1
        records[self.last] = {**new, "id": self.last, "active": True}
        return Reply(201, {kind[:-1]: records[self.last]}, {"location": f"/api/v2/{kind}/{self.last}.json"})

    def _delete(self, kind: str, records: dict[int, dict[str, Any]], id_: int) -> Reply:
        if id_ not in records:
            return Reply(404, {"error": "RecordNotFound", "description": "Not found"})
        if kind == "users":
            records[id_]["active"] = False
            return Reply(200, {"user": records[id_]})
        del records[id_]
        return Reply(204)


@pytest.fixture
async def zendesk(trying: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tried]:
    monkeypatch.setenv("ZENDESK_USER", "agent@example.com/token")
    monkeypatch.setenv("ZENDESK_API_TOKEN", "t-1")
    async with trying("zendesk", Zendesk()) as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(zendesk: Tried, do: Any, undo: Any) -> None:
    await zendesk.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(zendesk: Tried, do: Any, undo: Any) -> None:
    await zendesk.lost(do, undo)


async def test_what_is_sent(zendesk: Tried) -> None:
    await zendesk.do(TICKET)
    sent = zendesk.vendor.asked[-1]
    assert b64decode(sent.headers["authorization"].split()[1]) == b"agent@example.com/token:t-1"
    assert sent.body["ticket"]["external_id"] == f"{zendesk.call.saga_id}:onboard"


async def test_a_ticket_that_comes_twice_is_one(zendesk: Tried) -> None:
    first = await zendesk.do(TICKET)
    assert await zendesk.do(TICKET) == first
    assert len(zendesk.vendor.records["tickets"]) == 1
    with pytest.raises(Unknown, match="IDEMPOTENTREQUESTERROR"):
        await zendesk.do(TICKET.model_copy(update={"subject": "another"}))


async def test_a_user_that_comes_twice_or_is_somebody_elses_is_refused(zendesk: Tried) -> None:
    zendesk.vendor.records["users"] = {
        7: {"id": 7, "email": USER.email, "name": "A", "external_id": "x", "active": True}
    }
    with pytest.raises(Rejected, match="DUPLICATEVALUE: Email: ada@example.com is already being used"):
        await zendesk.do(USER)
    assert (await zendesk.do(ZendeskDeleteUser())).found is False
    assert zendesk.vendor.records["users"][7]["active"] is True


async def test_a_user_with_open_tickets_is_not_deleted(zendesk: Tried) -> None:
    await zendesk.do(USER)
    refused = Reply(422, {"error": "RecordInvalid", "description": "User has open tickets"})
    zendesk.vendor._delete = lambda *_: refused  # type: ignore[method-assign]
    with pytest.raises(Rejected, match="RECORDINVALID: User has open tickets"):
        await zendesk.do(ZendeskDeleteUser())


async def test_the_limit(zendesk: Tried) -> None:
    zendesk.vendor.instead = [Reply(429, {"error": "APIRateLimitExceeded", "description": "x"}, {"retry-after": "93"})]
    with pytest.raises(Failed, match="APIRATELIMITEXCEEDED") as raised:
        await zendesk.do(GROUP)
    assert raised.value.retry_after == 93


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Zendesk") and name != "Zendesk"}
    assert {action.command for action in ready()["zendesk"].actions.values()} == tried


async def test_prism_refuses_what_zendesk_does_not_know(trying: Callable[..., Any], monkeypatch: Any) -> None:
    """What makes the tests above mean something."""
    monkeypatch.setenv("ZENDESK_USER", "agent@example.com/token")
    monkeypatch.setenv("ZENDESK_API_TOKEN", "t-1")
    data = ready()["zendesk"].model_dump(mode="json", exclude_unset=True)
    data["actions"]["create_user"]["request"]["body"] = {"user": {"full_name": "user_name"}}
    async with trying("zendesk", Zendesk(), IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected, match="HTTP_422"):
            await tried.do(USER)
    assert tried.vendor.asked == []
