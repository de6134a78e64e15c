"""google-workspace.yaml: ids that the caller chooses, 409 and 410, limits by 403, as documented."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected
from consumers.integrations.build import Integration
from consumers.integrations.spec import IntegrationSpec
from consumers.system import SystemConfig
from schemas.models import (
    GoogleCreateEvent,
    GoogleCreateFolder,
    GoogleDeleteEvent,
    GoogleDeleteFolder,
    GoogleMoveFile,
    GoogleMoveFileBack,
    GoogleReserveFileId,
)

from .discovery import Discovery
from .vendor import Asked, Bearer, Reply, Tried, Vendor

DISCOVERY = Discovery("calendar.v3", "drive.v3")
EVENT = GoogleCreateEvent(
    calendar_id="team@example.com",
    summary="Hällo",
    description=None,
    starts_at=datetime(2026, 1, 2, 9, tzinfo=UTC),
    ends_at=datetime(2026, 1, 2, 10, tzinfo=UTC),
    attendee_email="bob@example.com",
)
FOLDER = GoogleCreateFolder(file_id="id-1", folder_name="Acme", parent_id="root-1")
MOVE = {"file_id": "file-1", "from_folder_id": "root-1", "to_folder_id": "other-1"}
ROUNDS = [
    (EVENT, GoogleDeleteEvent(calendar_id="team@example.com")),
    (FOLDER, GoogleDeleteFolder(file_id="id-1")),
    (GoogleMoveFile(**MOVE), GoogleMoveFileBack(**MOVE)),
]


def error(status: int, reason: str, message: str) -> Reply:
    errors = [{"domain": "global", "reason": reason, "message": message}]
    return Reply(status, {"error": {"code": status, "message": message, "errors": errors}})


MISSING = error(404, "notFound", "Not Found")


@dataclass
class Google(Vendor):
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=lambda: {"file-1": ["root-1"]})
    given: int = 0

    def answer(self, asked: Asked) -> Reply:
        if wrong := DISCOVERY.violations(asked.method, asked.path, asked.query, asked.body):
            return error(400, "badRequest", "; ".join(wrong))
        reply = self._event(asked) if asked.parts[0] == "calendar" else self._file(asked)
        if reply.status < 300:
            assert DISCOVERY.answer_violations(asked.method, asked.path, reply.body) == []
        return reply

    def _event(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            id_ = asked.body["id"]
            if not re.fullmatch(r"[0-9a-v]{5,1024}", id_):
                return error(400, "invalid", "Invalid resource id value.")
            if id_ in self.events:
                return error(409, "duplicate", "The requested identifier already exists.")
            self.events[id_] = {**asked.body, "status": "confirmed"}
            return Reply(200, self.events[id_])
        found = self.events.get(asked.parts[5])
        if found is None:
            return MISSING
        if asked.method == "GET":
            return Reply(200, found)
        if found["status"] == "cancelled":
            return error(410, "deleted", "Resource has been deleted")
        found["status"] = "cancelled"
        return Reply(204)

    def _file(self, asked: Asked) -> Reply:
        if asked.path.endswith("generateIds"):
            self.given += 1
            return Reply(200, {"kind": "drive#generatedIds", "space": "drive", "ids": [f"id-{self.given}"]})
        if asked.method == "POST":
            if asked.body["id"] in self.files:
                return error(409, "fileIdInUse", "A file already exists with the provided ID.")
            self.files[asked.body["id"]] = asked.body["parents"]
            return Reply(200, {"id": asked.body["id"]})
        id_ = asked.parts[3]
        if id_ not in self.files:
            return error(404, "notFound", f"File not found: {id_}.")
        if asked.method == "DELETE":
            del self.files[id_]
            return Reply(204)
        if asked.method == "PATCH":
            kept = [one for one in self.files[id_] if one != asked.query["removeParents"]]
            self.files[id_] = [*kept, asked.query["addParents"]]
        return Reply(200, {"id": id_, "parents": self.files[id_]})


SPEC = ready()["google-workspace"]


@asynccontextmanager
async def trying(step: str = "onboard", spec: IntegrationSpec = SPEC) -> AsyncIterator[Tried]:
    vendor = Google()
    listening = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    system = Integration(spec, lambda auth, name: Bearer())(SystemConfig(url))
    async with system.lifespan():
        yield Tried.of(system, vendor, step)
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def google() -> AsyncIterator[Tried]:
    async with trying() as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(google: Tried, do: Any, undo: Any) -> None:
    await google.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(google: Tried, do: Any, undo: Any) -> None:
    await google.lost(do, undo)


async def test_ids_are_reserved_one_after_the_other(google: Tried) -> None:
    assert [(await google.do(GoogleReserveFileId())).file_id for _ in range(2)] == ["id-1", "id-2"]


async def test_what_is_sent(google: Tried) -> None:
    await google.do(EVENT)
    sent = google.vendor.asked[-1]
    assert (sent.path, sent.query) == ("/calendar/v3/calendars/team%40example.com/events", {"sendUpdates": "all"})
    assert (sent.body["start"], sent.body["attendees"]) == (
        {"dateTime": "2026-01-02T09:00:00Z"}, [{"email": "bob@example.com"}],
    )  # fmt: skip


async def test_steps_of_any_letters_have_ids_of_their_own() -> None:
    ids = set()
    steps = ["very-wxyz", "v", "w", "vv", "v0", "v1", "wx", "-", "v4", "zzz", "0v"]
    for step in steps:
        async with trying(step) as tried:
            ids.add((await tried.do(EVENT)).event_id[32:])
    assert len(ids) == len(steps)


async def test_what_comes_twice_is_refused(google: Tried) -> None:
    await google.do(EVENT)
    with pytest.raises(Rejected, match="DUPLICATE"):
        await google.do(EVENT)
    await google.do(FOLDER)
    with pytest.raises(Rejected, match="FILEIDINUSE"):
        await google.do(FOLDER)


async def test_a_file_that_was_moved_on_is_left_alone(google: Tried) -> None:
    await google.do(GoogleMoveFile(**MOVE))
    google.vendor.files["file-1"] = ["third-1"]
    assert (await google.do(GoogleMoveFileBack(**MOVE))).found is False
    assert google.vendor.files["file-1"] == ["third-1"]


async def test_a_limit_told_by_403(google: Tried) -> None:
    google.vendor.instead = [error(403, "userRateLimitExceeded", "User Rate Limit Exceeded")] * 3
    with pytest.raises(Failed, match="USERRATELIMITEXCEEDED"):
        await google.do(EVENT)


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Google") and name != "Google"}
    assert {action.command for action in ready()["google-workspace"].actions.values()} == tried


async def test_the_documents_refuse_what_google_does_not_know() -> None:
    """What makes the tests above mean something."""
    data = ready()["google-workspace"].model_dump(mode="json", exclude_unset=True)
    request = data["actions"]["create_event"]["request"]
    request["body"]["title"] = request["body"].pop("summary")
    request["query"] = {"sendUpdates": "'some'", "notify": True}
    async with trying(spec=IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected) as raised:
            await tried.do(EVENT)
    for said in ("body.title is unknown", "no parameter notify", "sendUpdates is no string"):
        assert said in str(raised.value)
