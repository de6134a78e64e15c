"""microsoft-graph.yaml: upserts that say nothing the second time, reads that lag, 429 with Retry-After, as documented."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected, Unknown
from consumers.integrations.spec import IntegrationSpec
from schemas.models import (
    GraphAddGroupMember,
    GraphCreateEvent,
    GraphCreateGroup,
    GraphDeleteEvent,
    GraphDeleteGroup,
    GraphRemoveGroupMember,
)

from .vendor import Asked, Reply, Tried, Vendor

GROUP_ID, USER_ID = "45b7d2e7-b882-4a80-ba97-10b7a63b8fa4", "26be1845-4119-4801-a799-aea79d09f1a2"
GROUP = GraphCreateGroup(display_name="Vendors", mail_nickname="vendors", description=None)
MEMBER = GraphAddGroupMember(group_id=GROUP_ID, user_id=USER_ID)
EVENT = GraphCreateEvent(
    user_id="ada@example.com",
    subject="Hällo",
    body=None,
    starts_at=datetime(2026, 1, 2, 9, tzinfo=UTC),
    ends_at=datetime(2026, 1, 2, 10, tzinfo=UTC),
    attendee_email="bob@example.com",
)
ROUNDS = [
    (GROUP, GraphDeleteGroup()),
    (MEMBER, GraphRemoveGroupMember(group_id=GROUP_ID, user_id=USER_ID)),
    (EVENT, GraphDeleteEvent(user_id="ada@example.com")),
]


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message, "innerError": {}}}, headers or {})


MISSING = error(
    404, "Request_ResourceNotFound", "Resource does not exist or one of its queried objects is not present."
)


@dataclass
class Graph(Vendor):
    """`lagging`: reads of Entra show nothing yet of what was written."""

    groups: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=lambda: {GROUP_ID: set()})
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    lagging: bool = False

    def answer(self, asked: Asked) -> Reply:
        _, kind, *rest = asked.parts
        if name := re.fullmatch(r"groups\(uniqueName='(.*)'\)", kind):
            return self._group(asked, name[1])
        if kind == "groups":
            return self._member(asked, rest[0], rest[2:])
        return self._event(asked, rest)

    def _group(self, asked: Asked, name: str) -> Reply:
        if asked.method == "PATCH":
            if name in self.groups:
                return Reply(204)
            self.groups[name] = str(uuid4())
            return Reply(201, {"id": self.groups[name]})
        if name not in self.groups or (asked.method == "GET" and self.lagging):
            return MISSING
        if asked.method == "DELETE":
            del self.groups[name]
            return Reply(204)
        return Reply(200, {"id": self.groups[name]})

    def _member(self, asked: Asked, group: str, rest: list[str]) -> Reply:
        if group not in self.members:
            return MISSING
        members = self.members[group]
        if asked.method == "POST":
            user = asked.body["@odata.id"].rpartition("/")[2]
            if user in members:
                return error(400, "Request_BadRequest", "One or more added object references already exist")
            members.add(user)
            return Reply(204)
        if asked.method == "DELETE":
            if rest[0] not in members:
                return MISSING
            members.remove(rest[0])
            return Reply(204)
        wanted = re.fullmatch(r"id eq '(.*)'", asked.query["$filter"])
        assert wanted is not None
        return Reply(200, {"value": [{"id": m} for m in members if m == wanted[1] and not self.lagging]})

    def _event(self, asked: Asked, rest: list[str]) -> Reply:
        if asked.method == "POST":
            if asked.body["transactionId"] in self.spent:
                return error(409, "ErrorDuplicateTransactionId", "The TransactionId has already been used")
            self.spent.add(asked.body["transactionId"])
            self.events[f"AAMk/{len(self.events)}="] = asked.body["singleValueExtendedProperties"][0]
            return Reply(201, {"id": list(self.events)[-1]})
        if asked.method == "DELETE":
            if self.events.pop(rest[2], None) is None:
                return error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
            return Reply(204)
        shape = r"singleValueExtendedProperties/Any\(ep: ep/id eq '(.*)' and ep/value eq '(.*)'\)"
        wanted = re.fullmatch(shape, asked.query["$filter"])
        assert wanted is not None
        found = [id_ for id_, one in self.events.items() if (one["id"], one["value"]) == wanted.groups()]
        return Reply(200, {"value": [{"id": id_} for id_ in found]})


@pytest.fixture
async def graph(trying: Callable[..., Any]) -> AsyncIterator[Tried]:
    async with trying("microsoft-graph", Graph()) as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(graph: Tried, do: Any, undo: Any) -> None:
    await graph.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(graph: Tried, do: Any, undo: Any) -> None:
    await graph.lost(do, undo)


async def test_what_is_sent(graph: Tried) -> None:
    await graph.do(EVENT)
    sent = graph.vendor.asked[-1]
    assert sent.headers["authorization"] == "Bearer token-1"
    assert sent.body["start"] == {"dateTime": "2026-01-02T09:00:00", "timeZone": "UTC"}
    assert sent.body["attendees"] == [{"type": "required", "emailAddress": {"address": "bob@example.com"}}]
    assert "body" not in sent.body


async def test_a_group_is_one_however_far_behind_the_reads_are(graph: Tried) -> None:
    graph.vendor.lagging = True
    await graph.do(GROUP)
    assert await graph.ask(GROUP) is None  # which is wrong, and does no harm:
    assert (await graph.do(GROUP)).group_id is None
    assert len(graph.vendor.groups) == 1
    assert (await graph.do(GraphDeleteGroup())).found is True


async def test_a_member_is_one_and_somebody_elses_is_left_alone(graph: Tried) -> None:
    graph.vendor.members[GROUP_ID].add(USER_ID)
    with pytest.raises(Rejected, match="REQUEST_BADREQUEST"):
        await graph.do(MEMBER)
    with pytest.raises(Rejected, match="REQUEST_RESOURCENOTFOUND"):
        await graph.do(GraphAddGroupMember(group_id=USER_ID, user_id=USER_ID))


async def test_an_event_that_comes_twice_is_one(graph: Tried) -> None:
    await graph.do(EVENT)
    with pytest.raises(Unknown, match="ERRORDUPLICATETRANSACTIONID"):
        await graph.do(EVENT)
    assert len(graph.vendor.events) == 1


async def test_the_limit(graph: Tried) -> None:
    graph.vendor.instead = [error(429, "TooManyRequests", "Too many requests", {"retry-after": "17"})]
    with pytest.raises(Failed, match="TOOMANYREQUESTS") as raised:
        await graph.do(GROUP)
    assert raised.value.retry_after == 17
    assert graph.vendor.groups == {}


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Graph") and name != "Graph"}
    assert {action.command for action in ready()["microsoft-graph"].actions.values()} == tried


async def test_prism_refuses_what_graph_does_not_know(trying: Callable[..., Any]) -> None:
    """What makes the tests above mean something."""
    data = ready()["microsoft-graph"].model_dump(mode="json", exclude_unset=True)
    del data["actions"]["create_group"]["request"]["headers"]
    async with trying("microsoft-graph", Graph(), IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected, match="HTTP_422"):
            await tried.do(GROUP)
    assert tried.vendor.asked == []
