"""Shapes of answers and rates of errors: what is learned, and what counts as a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.errors import Failed
from consumers.system import Call, System
from consumers.watch.rates import Baseline, ErrorRate
from consumers.watch.shape import ENOUGH, Learned, shape_of
from consumers.watch.store import Alert, Known, Seen
from orchestrator.core.sample import fitting
from orchestrator.database import StoreError
from schemas.errors import UnknownRecord
from schemas.models import CreateVendor, VendorCreated

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


def learned(*answers: Any) -> Learned:
    made = Learned()
    for number in range(ENOUGH):
        made.learn(shape_of("GET", answers[number % len(answers)]))
    return made


def changes(made: Learned, answer: Any) -> list[str]:
    return made.changes(shape_of("GET", answer))


VENDOR = {"id": "V-1", "name": "Ada", "tags": [{"k": 1}, {"k": 2, "note": "x"}], "total": Decimal("1.50")}


def test_a_shape_is_of_names_and_types_and_has_no_value() -> None:
    assert sorted(shape_of("GET", VENDOR)) == [
        ("GET", "object"), ("GET/id", "string"), ("GET/name", "string"), ("GET/tags", "array"),
        ("GET/tags[]", "object"), ("GET/tags[]/k", "number"), ("GET/tags[]/note", "string"), ("GET/total", "number"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["ada@example.com", "4711", "DE123456789", "Ada Lovelace", "f" * 65, "ü", ""])
def test_a_name_that_is_data_is_not_told(name: str) -> None:
    assert shape_of("GET", {name: 1}) == {("GET", "object"), ("GET/*", "number")}


def test_a_map_with_very_many_names_is_one_path() -> None:
    assert shape_of("GET", {f"field_{chr(97 + n % 26)}{n}": 1 for n in range(100)}) == {
        ("GET", "object"),
        ("GET/*", "number"),
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (VENDOR, []),
        ({**VENDOR, "vat": "x"}, ["appeared GET/vat"]),
        ({**VENDOR, "bank": {"iban": "x", "bic": "y"}}, ["appeared GET/bank"]),
        ({k: v for k, v in VENDOR.items() if k != "name"}, ["vanished GET/name"]),
        ({**VENDOR, "name": None}, ["vanished GET/name"]),
        ({**VENDOR, "id": 1}, ["changed type GET/id"]),
        ({**VENDOR, "tags": []}, ["vanished GET/tags[]"]),
        ({**VENDOR, "tags": [{"k": "1"}]}, ["changed type GET/tags[]/k", "vanished GET/tags[]/note"]),
        ({**VENDOR, "tags": {"k": 1}}, ["appeared GET/tags/k", "changed type GET/tags", "vanished GET/tags[]"]),
    ],
)
def test_the_field_that_changed_is_named(answer: Any, said: list[str]) -> None:
    assert changes(learned(VENDOR), answer) == said


def test_optional_fields_are_learned_and_members_of_lists_are_taken_together() -> None:
    made = learned(VENDOR, {**VENDOR, "name": None, "tags": []}, {**VENDOR, "vat": "x", "tags": [{"k": 1}]})
    for answer in (VENDOR, {**VENDOR, "vat": "y", "name": None}, {**VENDOR, "tags": [{"k": 3}, {"k": 4}]}):
        assert changes(made, answer) == []


def test_an_answer_to_another_question_is_no_change() -> None:
    assert learned(VENDOR).changes(shape_of("POST", {"ok": True})) == []


@given(answers=st.lists(JSON, min_size=1, max_size=6))
def test_whatever_was_learned_is_no_change_afterwards_and_survives_the_database(answers: list[Any]) -> None:
    made = Learned.of(learned(*answers).as_json())
    assert [changes(made, answer) for answer in answers[:ENOUGH]] == [[]] * len(answers)


@given(answers=st.lists(JSON, max_size=8), cut=st.integers(0, 8))
def test_workers_that_learn_apart_know_together_what_one_would(answers: list[Any], cut: int) -> None:
    alone, one, other = Learned(), Learned(), Learned()
    for number, answer in enumerate(answers):
        alone.learn(shape_of("GET", answer))
        (one if number < cut else other).learn(shape_of("GET", answer))
    assert one.join(other) == alone == other.join(one)


# -- error rates ---------------------------------------------------------------------------------------------------


class Calls:
    """One call a second, judged every five."""

    def __init__(self, baseline: Baseline | None = None) -> None:
        self.rate = ErrorRate(baseline)
        self.now = 0.0

    def make(self, count: int, every: int = 0) -> list[bool]:
        """So many calls, each `every`-th of which fails; what was judged."""
        found = []
        for number in range(count):
            self.now += 1
            self.rate.count(self.now, ok=not every or bool(number % every))
            if number % 5 == 4:
                found.append(self.rate.judge(self.now))
        return found


def test_more_errors_than_usual_are_noticed_and_their_end_too() -> None:
    calls = Calls()
    assert not any(calls.make(300, every=20))
    assert calls.rate.baseline.rate == pytest.approx(0.05, abs=0.01)
    assert any(calls.make(60, every=2))
    assert calls.rate.elevated
    calls.make(120, every=20)
    assert not calls.rate.elevated
    # What was too much is not usual now.
    assert calls.rate.baseline.rate < 0.12


def test_what_always_fails_often_is_usual() -> None:
    assert not any(Calls().make(600, every=2))


def test_a_few_calls_say_nothing() -> None:
    calls = Calls(Baseline(1000, 0))
    for _ in range(19):
        calls.rate.count(1.0, ok=False)
    assert not calls.rate.judge(2.0)
    calls.rate.count(2.0, ok=False)
    assert calls.rate.judge(2.0)


def test_without_a_past_nothing_is_unusual() -> None:
    calls = Calls()
    for _ in range(100):
        calls.rate.count(1.0, ok=False)
    assert not calls.rate.judge(2.0)


# -- in the runtime ------------------------------------------------------------------------------------------------


class Meeting:
    """A `WatchStore` that writes down what it is given, and has one alert to tell."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.waiting = [Alert("erp", "create_vendor", "drift", NOW, None, ["appeared POST/vat"], None, None)]
        self.told_of: list[Alert] = []
        self.broken: Exception | None = None

    async def share(self, system: str, seen: Sequence[Seen], quiet: float) -> Mapping[str, Known]:
        if self.broken:
            raise self.broken
        self.seen += seen
        return {}

    async def untold(self, system: str) -> Sequence[Alert]:
        waiting, self.waiting = self.waiting, []
        return waiting

    async def told(self, alert: Alert) -> None:
        self.told_of.append(alert)


def watched(make_worker: Any) -> tuple[Any, Meeting]:
    system, meeting = System("erp"), Meeting()

    async def handle(command: CreateVendor, call: Call) -> VendorCreated:
        await call.renew()
        if call.step == "bad":
            raise Failed("TRANSIENT_ERROR")
        call.answered("POST", {"vendor_id": "V-1"})
        return fitting(VendorCreated)

    system.action(CreateVendor, timeout=5)(handle)
    return make_worker(system, watch=meeting), meeting


async def test_a_worker_shows_its_watch_what_it_is_answered_and_tells_of_alerts(make_worker: Any) -> None:
    worker, meeting = watched(make_worker)
    for step in ("s", "t", "bad"):
        worker.command(fitting(CreateVendor), step=step)
    await worker.work(3)
    assert meeting.seen == []
    worker.clock.seconds += 6
    await worker.work(1)
    (seen,) = meeting.seen
    assert (seen.action, seen.learned.samples, seen.elevated) == ("create_vendor", 2, False)
    assert seen.learned.seen == {"POST": 2, "POST/vendor_id": 2}
    (message,) = [sent for sent in worker.outbox.sent if sent.topic == "saga.systems"]
    assert message.key == b"erp/create_vendor/drift"  # not "erp", which is the state of the system
    told = worker.codec.decode(message.value)
    assert (told.system, told.action, told.changes) == ("erp", "create_vendor", ["appeared POST/vat"])
    assert len(meeting.told_of) == 1


@pytest.mark.parametrize("broken", [StoreError("no such table"), UnknownRecord("no id for the alert's record")])
async def test_a_watch_that_does_not_work_stops_nothing(broken: Exception, make_worker: Any) -> None:
    worker, meeting = watched(make_worker)
    meeting.broken = broken
    for number in range(3):
        worker.command(fitting(CreateVendor), step=f"s{number}")
        worker.clock.seconds += 6
        await worker.work(2)
    assert len(worker.answers) == 3
