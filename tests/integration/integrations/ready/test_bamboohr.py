"""bamboohr.yaml: the new id in Location alone, empty bodies, the error in a header, and no deletion of employees."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from consumers.catalogue import ready
from consumers.errors import Failed, Rejected
from consumers.integrations.spec import IntegrationSpec
from schemas.models import (
    BamboohrCancelTimeOff,
    BamboohrCreateEmployee,
    BamboohrCreateGoal,
    BamboohrDeactivateEmployee,
    BamboohrDeleteGoal,
    BamboohrRequestTimeOff,
)

from .vendor import Asked, Reply, Tried, Vendor

DAY = date(2026, 3, 2)
ADA = BamboohrCreateEmployee(
    first_name="Ada", last_name="Ü", work_email="ada@example.com", hire_date=DAY, job_title=None, department="R&D"
)
OFF = BamboohrRequestTimeOff(
    employee_id="40598", starts_on=DAY, ends_on=DAY, time_off_type_id=78, amount=1.5, note="a wedding"
)
GOAL = BamboohrCreateGoal(employee_id="40598", title="Learn", due_on=DAY)
ROUNDS = [
    (ADA, BamboohrDeactivateEmployee()),
    (OFF, BamboohrCancelTimeOff(employee_id="40598", starts_on=DAY, ends_on=DAY)),
    (GOAL, BamboohrDeleteGoal(employee_id="40598")),
]
URL = "https://example.bamboohr.com"


def error(status: int, message: str) -> Reply:
    return Reply(status, None, {"x-bamboohr-error-message": message})


@dataclass
class Bamboo(Vendor):
    employees: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    goals: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: int = 40_597

    def answer(self, asked: Asked) -> Reply:
        _, version, kind, *rest = asked.parts
        if version == "v2":
            wanted = re.fullmatch(r"customSagaStep eq '(.*)'", asked.body["filter"])
            assert wanted is not None
            found = [id_ for id_, one in self.employees.items() if one["customSagaStep"] == wanted[1]]
            return Reply(200, {"data": [{"fields": {"eeid": id_}} for id_ in found], "links": {}, "meta": {}})
        if kind == "performance":
            return self._goal(asked, rest[3:])
        return self._time_off(asked, rest) if "time_off" in asked.path else self._employee(asked, rest)

    def _employee(self, asked: Asked, rest: list[str]) -> Reply:
        if rest:
            self.employees[rest[0]] |= asked.body
            return Reply(200)
        if any(one["workEmail"] == asked.body["workEmail"] for one in self.employees.values()):
            return error(409, "Invalid value: duplicate work email")
        self.last += 1
        self.employees[str(self.last)] = {**asked.body, "status": "Active"}
        return Reply(201, None, {"location": f"{URL}/api/v1/employees/{self.last}"})

    def _time_off(self, asked: Asked, rest: list[str]) -> Reply:
        if asked.method == "GET":
            wanted = asked.query["status"].split(",")
            rows = [one for one in self.requests.values() if one["status"]["status"] in wanted]
            return Reply(200, rows)
        if rest[-1] == "status":
            self.requests[int(rest[1])]["status"] = {"status": asked.body["status"]}
            return Reply(200, {})
        self.last += 1
        notes = {note["from"]: note["note"] for note in asked.body["notes"]}
        self.requests[self.last] = {"id": self.last, "notes": notes, "status": {"status": asked.body["status"]}}
        return Reply(201, self.requests[self.last], {"location": f"{URL}/api/v1/time_off/requests/{self.last}"})

    def _goal(self, asked: Asked, rest: list[str]) -> Reply:
        if asked.method == "DELETE":
            return Reply(204) if self.goals.pop(rest[0], None) else error(404, "Goal not found")
        if asked.method == "GET":
            return Reply(200, {"goals": list(self.goals.values())})
        self.last += 1
        self.goals[str(self.last)] = {**asked.body, "id": str(self.last)}
        return Reply(201, {"goal": self.goals[str(self.last)]})


@pytest.fixture
async def bamboo(trying: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tried]:
    monkeypatch.setenv("BAMBOOHR_API_KEY", "k-1")
    async with trying("bamboohr", Bamboo()) as tried:
        yield tried


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_done_and_undone_by_our_reference(bamboo: Tried, do: Any, undo: Any) -> None:
    await bamboo.round_trip(do, undo)


@pytest.mark.parametrize(("do", "undo"), ROUNDS)
async def test_a_lost_answer_is_asked_for(bamboo: Tried, do: Any, undo: Any) -> None:
    await bamboo.lost(do, undo)


async def test_what_is_sent_and_what_comes_of_it(bamboo: Tried) -> None:
    assert (await bamboo.do(ADA)).employee_id == "40598"
    sent = bamboo.vendor.asked[-1]
    assert b64decode(sent.headers["authorization"].split()[1]) == b"k-1:k-1"
    assert (sent.body["hireDate"], sent.body["department"], "jobTitle" in sent.body) == ("2026-03-02", "R&D", False)
    await bamboo.do(BamboohrDeactivateEmployee())
    left = bamboo.vendor.employees["40598"]
    assert (left["status"], left["customSagaStep"]) == ("Inactive", f"undone:{bamboo.call.saga_id}:onboard")


async def test_notes_are_those_that_there_are(bamboo: Tried) -> None:
    await bamboo.do(OFF.model_copy(update={"note": None}))
    assert bamboo.vendor.asked[-1].body["notes"] == [{"from": "manager", "note": f"{bamboo.call.saga_id}:onboard"}]


async def test_an_employee_of_somebody_else_is_refused_and_left_alone(bamboo: Tried) -> None:
    bamboo.vendor.employees["7"] = {"workEmail": ADA.work_email, "customSagaStep": "", "status": "Active"}
    with pytest.raises(Rejected, match="HTTP_409: Invalid value: duplicate work email"):
        await bamboo.do(ADA)
    assert (await bamboo.do(BamboohrDeactivateEmployee())).found is False
    assert bamboo.vendor.employees["7"]["status"] == "Active"


@pytest.mark.parametrize("status", [429, 503])
async def test_the_limit_by_either_status(bamboo: Tried, status: int) -> None:
    bamboo.vendor.instead = [Reply(status, None, {"retry-after": "30"})]
    with pytest.raises(Failed) as raised:
        await bamboo.do(ADA)
    assert raised.value.retry_after == 30


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Bamboohr")}
    assert {action.command for action in ready()["bamboohr"].actions.values()} == tried


async def test_prism_refuses_what_bamboohr_does_not_know(trying: Callable[..., Any], monkeypatch: Any) -> None:
    """What makes the tests above mean something."""
    monkeypatch.setenv("BAMBOOHR_API_KEY", "k-1")
    data = ready()["bamboohr"].model_dump(mode="json", exclude_unset=True)
    data["actions"]["request_time_off"]["request"]["body"]["status"] = "'asked'"
    async with trying("bamboohr", Bamboo(), IntegrationSpec.model_validate(data)) as tried:
        with pytest.raises(Rejected, match="HTTP_422"):
            await tried.do(OFF)
    assert tried.vendor.asked == []
