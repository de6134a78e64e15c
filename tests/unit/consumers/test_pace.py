"""How often a system is called: the arithmetic, and the loop over ports in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.limit import BURST_SECONDS, Advice, Limit, Want, taken
from consumers.pace import Meter, Places
from consumers.system import Call, System
from orchestrator.core.effects import RowStatus
from orchestrator.core.sample import sample
from schemas.models import CreateVendor, ErpPaymentTerms, ErpVendorType, VendorCreated

START = datetime(2026, 1, 1, tzinfo=UTC)
CREATED = sample(VendorCreated, full=True)


# -- the arithmetic ------------------------------------------------------------------------------------------------


@given(
    rate=st.sampled_from([0.5, 3.0, 50.0, 1000.0]),
    asked=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 20)), min_size=1, max_size=30),
)
def test_whoever_asks_and_whenever_the_limit_holds(rate: float, asked: list[tuple[float, int]]) -> None:
    now, row, gap, places = START, None, timedelta(seconds=1 / rate), []
    for pause, calls in asked:
        now += timedelta(seconds=pause)
        row = taken(row, now, calls, Want(Limit("erp", rate)))
        # Nobody calls before he has his place.
        places += [max(now, row.granted_at + number * gap) for number in range(calls)]
    places.sort()
    for number, start in enumerate(places):
        within = sum(1 for place in places[number:] if place < start + timedelta(seconds=1))
        assert within <= rate * (1 + BURST_SECONDS) + 2


@given(rate=st.sampled_from([0.5, 50.0]), calls=st.integers(1, 50))
def test_what_was_taken_stays_so_many_calls_under_another_rate(rate: float, calls: int) -> None:
    before = taken(None, START, calls, Want(Limit("erp", rate)))
    after = taken(before, START, 1, Want(Limit("erp", rate * 10)))
    assert (
        abs((after.granted_at - START) * 10 - (before.next_at - START)) < timedelta(milliseconds=1)
        or after.granted_at < START
    )


@given(
    advice=st.builds(Advice, st.sampled_from([0.0, 0.001, 0.5, 9.0, 1e4]), st.floats(0.1, 3600)),
    calls=st.lists(st.integers(0, 20), max_size=20),
)
def test_whatever_is_said_the_limit_recovers_at_the_reset(advice: Advice, calls: list[int]) -> None:
    row = taken(None, START, 0, Want(Limit("erp", 10.0), advice))
    for count in calls:
        row = taken(row, START, count, Want(Limit("erp", 10.0)))
        # Not later than all of them would be that were taken, from the reset on by the limit of our own.
        assert row.next_at <= START + timedelta(seconds=advice.seconds + sum(calls) / 10 + 0.001)
        if advice.rate == 0:
            assert row.granted_at >= START + timedelta(seconds=advice.seconds)


def test_places_come_one_after_the_other_and_those_missed_are_not_made_up_for() -> None:
    places = Places()
    places.paced(50)
    assert (places.share, places.take(0.0)) == (5, None)
    places.add(1.0, 3, 0.02)
    assert places.take(0.5) == pytest.approx(0.5)
    assert [places.take(1.02), places.take(1.02)] == [0.0, 0.0]
    assert places.take(1.02) == pytest.approx(0.02)
    places.add(1.06, 20, 0.02)
    assert [places.take(100.0) for _ in range(6)] == [0.0] * 5 + [None]


def test_a_meter_forgets() -> None:
    meter = Meter()
    for tenth in range(100):
        meter.count(tenth / 10)
    assert meter.rate(9.9) == pytest.approx(10, rel=0.05)
    assert meter.rate(100.0) == 0


# -- the loop ------------------------------------------------------------------------------------------------------


class Erp:
    """Writes down when it is called, by the worker's clock; `renewals` are the calls of one attempt."""

    def __init__(self, rate: float | None, renewals: int = 1) -> None:
        self.times: list[float] = []
        self.steps: list[str] = []
        self.renewals = renewals
        self.clock: Any = None
        self.system = System("erp", rate=rate)
        self.system.action(CreateVendor, timeout=5.0)(self._handle)

    async def _handle(self, command: CreateVendor, call: Call) -> VendorCreated:
        for _ in range(self.renewals):
            await call.renew()
            self.times.append(self.clock.monotonic())
            self.steps.append(call.step)
        return CREATED


def started(make_worker: Any, erp: Erp, **more: Any) -> Any:
    worker = make_worker(erp.system, **more)
    erp.clock = worker.clock
    return worker


async def spin(*workers: Any, turns: int = 400, until: Any = lambda: False) -> None:
    for _ in range(turns):
        for worker in workers:
            await worker.runtime.step()
        for _ in range(20):
            await asyncio.sleep(0)
        if until():
            return


@pytest.fixture
def vendor() -> CreateVendor:
    return CreateVendor(
        vendor_name="Müller",
        vendor_type=ErpVendorType.SUPPLIER,
        tax_id="DE123456789",
        payment_terms=ErpPaymentTerms.NET_30,
        primary_contact_email="ada@example.com",
    )


async def test_commands_are_called_in_their_order_at_the_pace(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(10)
    worker = started(make_worker, erp)
    for number in range(40):
        worker.command(vendor, step=f"s{number}")
    await spin(worker, until=lambda: len(worker.answers) == 40)
    assert erp.steps == [f"s{number}" for number in range(40)]
    assert erp.times[-1] - erp.times[0] >= 3.7


async def test_two_workers_share_a_limit(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(10)
    one = started(make_worker, erp)
    other = started(make_worker, erp, clock=one.clock, effects=one.effects)
    for number in range(40):
        (one, other)[number % 2].command(vendor, step=f"s{number}")
    await spin(one, other, until=lambda: len(one.answers) + len(other.answers) == 40)
    assert len(erp.times) == 40
    assert erp.times[-1] - erp.times[0] >= 3.7


async def test_what_waits_for_its_place_is_not_claimed(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(0.001)
    worker = started(make_worker, erp)
    for step in ("s", "t", "u"):
        worker.command(vendor, step=step)
    await spin(worker, turns=3)
    assert [(identity.step, row.status) for identity, row in worker.effects.rows.items()] == [("s", RowStatus.DONE)]
    for task in worker.runtime._tasks:
        task.cancel()


async def test_a_stop_is_heard_by_those_who_wait(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(0.001)
    worker = started(make_worker, erp)
    for step in ("s", "t", "u"):
        worker.command(vendor, step=step)
    stopping = [False]
    task = asyncio.create_task(worker.runtime.run(lambda: stopping[0]))
    for _ in range(100):
        await asyncio.sleep(0)
    stopping[0] = True
    async with asyncio.timeout(5):
        await task
    assert erp.steps == ["s"]
    assert worker.inbox.committed == {("erp.commands", 0): 1}


async def test_redeliveries_do_not_use_up_the_limit(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(0.01)
    worker = started(make_worker, erp)
    worker.command(vendor, step="s")
    await spin(worker, turns=5)
    for _ in range(30):
        worker.command(vendor, step="s")
    worker.command(vendor, step="t")
    await spin(worker, turns=6000, until=lambda: len(worker.answers) == 32)
    assert erp.steps == ["s", "t"]
    assert 99 <= erp.times[1] - erp.times[0] < 150


async def test_each_further_call_of_an_attempt_takes_a_place(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(1, renewals=3)
    worker = started(make_worker, erp)
    worker.command(vendor, step="s")
    worker.command(vendor, step="t")
    await spin(worker, until=lambda: len(worker.answers) == 2)
    # The claim that is held goes before the command that waits.
    assert erp.steps == ["s"] * 3 + ["t"] * 3
    assert erp.times[-1] - erp.times[0] >= 4.8


async def test_a_wait_for_a_place_is_not_the_systems_time(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(1000, renewals=3)
    erp.system.actions[CreateVendor.contract.name].timeout = 0.1
    worker = started(make_worker, erp)

    async def slow() -> None:
        await asyncio.sleep(0.08)

    worker.runtime._performer._again = slow
    worker.command(vendor)
    await worker.runtime.step()
    await asyncio.sleep(0.3)
    assert [type(record) for record, _ in worker.answers] == [VendorCreated]


async def test_a_database_that_is_away_is_waited_for(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(10)
    worker = started(make_worker, erp)
    worker.effects.away = {"reserve"}
    worker.command(vendor)
    await spin(worker, turns=5)
    assert erp.steps == []
    assert worker.runtime.unready() is not None
    worker.effects.away = set()
    await spin(worker, turns=50, until=lambda: worker.answers)
    assert erp.steps == ["s"]


async def test_those_who_wait_go_back_when_the_system_goes_away(make_worker: Any, vendor: CreateVendor) -> None:
    erp, wait = Erp(0.001), [None]
    erp.system.gate = lambda: wait[0]
    worker = started(make_worker, erp)
    for step in ("s", "t", "u"):
        worker.command(vendor, step=step)
    await spin(worker, turns=3)
    wait[0] = 3600.0
    await spin(worker, turns=3)
    assert not worker.runtime._line._head.locked()
    assert erp.steps == ["s"]
    for task in worker.runtime._tasks:
        task.cancel()


async def test_a_long_line_is_told_and_an_idle_worker_says_nothing(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Erp(2)
    worker = started(make_worker, erp, tell=10.0)

    def said() -> list[tuple[str, str]]:
        found = [worker.codec.decode(m.value) for m in worker.outbox.sent if m.topic == "saga.systems"]
        assert all(record.limit == 2 for record in found)
        return [(record.state.value, record.reason) for record in found]

    await spin(worker, turns=5)
    worker.clock.seconds += 60
    await spin(worker, turns=5)
    assert said() == []
    for number in range(60):
        worker.command(vendor, step=f"s{number}")
    await spin(worker, turns=3000, until=lambda: len(worker.answers) == 60)
    await spin(worker, turns=3)
    assert said()[0] == ("closed", "")  # a line, and a rate to show, but nothing that would burn an attempt
    assert said()[-1] == ("closed", "")
    assert set(said()[1:-1]) == {("open", "pace")}
    rates = [worker.codec.decode(m.value).rate for m in worker.outbox.sent if m.topic == "saga.systems"]
    assert rates[2] == pytest.approx(2, rel=0.3)


async def test_a_system_that_comes_back_is_not_called_well_while_its_line_is_long(
    make_worker: Any, vendor: CreateVendor
) -> None:
    erp, wait = Erp(2), [3600.0]
    erp.system.gate = lambda: wait[0]
    worker = started(make_worker, erp)
    for number in range(60):
        worker.command(vendor, step=f"s{number}")
    await spin(worker, turns=30)
    worker.clock.seconds += 600
    wait[0] = None
    await spin(worker, turns=30)
    said = [worker.codec.decode(m.value) for m in worker.outbox.sent if m.topic == "saga.systems"]
    assert [record.reason for record in said][:1] == ["breaker"]
    assert "" not in [record.reason for record in said]
    assert said[-1].reason == "pace"
    for task in worker.runtime._tasks:
        task.cancel()


# -- what the system says ------------------------------------------------------------------------------------------


class Telling(Erp):
    """Says something of its limits with some of its answers."""

    said: dict[int, Advice]

    async def _handle(self, command: CreateVendor, call: Call) -> VendorCreated:
        if (advice := self.said.get(len(self.times))) is not None:
            call.limited(advice)
        return await super()._handle(command, call)


@pytest.mark.parametrize("rate", [100.0, None])
async def test_nothing_remains_so_all_wait_and_burn_no_attempt(
    make_worker: Any, vendor: CreateVendor, rate: float | None
) -> None:
    erp = Telling(rate)
    erp.said = {0: Advice(0.0, 30.0)}
    worker = started(make_worker, erp)
    worker.command(vendor, step="s")
    await spin(worker, turns=2)
    for step in ("t", "u"):
        worker.command(vendor, step=step)
    await spin(worker, turns=2)
    assert [identity.step for identity in worker.effects.rows] == ["s"]  # the others are not even claimed
    assert worker.runtime._pace.limit == 0
    await spin(worker, turns=6000, until=lambda: len(worker.answers) == 3)
    assert erp.steps == ["s", "t", "u"]
    assert erp.times[1] - erp.times[0] >= 30
    assert erp.times[2] - erp.times[1] < 1
    assert {row.attempt for row in worker.effects.rows.values()} == {1}
    assert worker.runtime._pace.limit == rate


async def test_one_worker_is_told_and_the_other_waits(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Telling(100)
    erp.said = {0: Advice(0.0, 30.0)}
    one = started(make_worker, erp)
    other = started(make_worker, erp, clock=one.clock, effects=one.effects)
    one.command(vendor, step="s")
    await spin(one, turns=3)
    other.command(vendor, step="t")
    await spin(one, other, turns=6000, until=lambda: other.answers)
    assert erp.times[1] - erp.times[0] >= 29.9


async def test_what_remains_is_spread_and_then_it_goes_on_as_fast_as_before(
    make_worker: Any, vendor: CreateVendor
) -> None:
    erp = Telling(10)
    erp.said = {0: Advice(0.5, 10.0)}
    worker = started(make_worker, erp)
    for number in range(30):
        worker.command(vendor, step=f"s{number}")
    await spin(worker, turns=6000, until=lambda: len(worker.answers) == 30)
    until = erp.times[0] + 10
    assert 4 <= sum(time < until for time in erp.times[1:]) <= 7
    late = [time for time in erp.times if time >= until + 0.5]
    assert (len(late) - 1) / (late[-1] - late[0]) == pytest.approx(10, rel=0.15)


async def test_advice_that_cannot_be_written_is_kept_and_stops_nothing(make_worker: Any, vendor: CreateVendor) -> None:
    erp = Telling(None)
    erp.said = {0: Advice(0.0, 1000.0)}
    worker = started(make_worker, erp)
    worker.effects.away = {"reserve"}
    worker.command(vendor, step="s")
    await spin(worker, turns=5)
    assert len(worker.answers) == 1
    assert worker.effects._paces == {}
    worker.effects.away = set()
    await spin(worker, turns=2)
    assert worker.effects._paces["erp"].told_rate == 0


async def test_two_systems_share_the_limit_of_their_credential(make_worker: Any, vendor: CreateVendor) -> None:
    erp, other = Erp(1000), Erp(None)
    for each in (erp, other):
        each.system.credential = Limit("api_key env:KEY", 10.0)
    one = started(make_worker, erp)
    two = started(make_worker, other, clock=one.clock, effects=one.effects)
    for number in range(20):
        one.command(vendor, step=f"s{number}")
        two.command(vendor, step=f"s{number}")
    await spin(one, two, until=lambda: len(one.answers) + len(two.answers) == 40)
    times = sorted([*erp.times, *other.times])
    assert len(times) == 40
    assert times[-1] - times[0] >= 3.7
