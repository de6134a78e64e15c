"""How far offsets may move, and many requests as one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.flow import Grouped, Watermarks
from orchestrator.messaging.message import Incoming, TopicPartition


def at(offset: int, partition: int = 0) -> Incoming:
    return Incoming("erp.commands", partition, offset, b"k", b"v")


PLACE: TopicPartition = ("erp.commands", 0)


# -- Watermarks ------------------------------------------------------------------------------------------------------


def begin(marks: Watermarks, *offsets: int, partition: int = 0) -> list[Incoming]:
    """Deliver these; each delivery is a message of its own."""
    messages = [at(offset, partition) for offset in offsets]
    for message in messages:
        marks.began(message)
    return messages


def test_nothing_may_be_committed_while_the_first_message_is_open() -> None:
    marks = Watermarks()
    first, second, third = begin(marks, 5, 6, 7)
    marks.ended(third)
    marks.ended(second)
    assert marks.ready() == {}
    marks.ended(first)
    assert marks.ready() == {PLACE: 8}


def test_what_could_not_be_committed_is_there_the_next_time() -> None:
    marks = Watermarks()
    (first,) = begin(marks, 5)
    marks.ended(first)
    assert marks.ready() == {PLACE: 6}
    assert marks.ready() == {PLACE: 6}
    (second,) = begin(marks, 6)
    marks.ended(second)
    marks.committed({PLACE: 6})  # of a commit that began before the second had ended
    assert marks.ready() == {PLACE: 7}
    marks.committed({PLACE: 7})
    assert marks.ready() == {}


def test_gaps_between_offsets_hold_nothing_up() -> None:
    marks = Watermarks()
    first, second, _ = begin(marks, 5, 9, 100)
    marks.ended(first)
    marks.ended(second)
    assert marks.ready() == {PLACE: 10}


def test_a_partition_that_was_taken_from_us_moves_no_offset() -> None:
    marks = Watermarks()
    (lost,) = begin(marks, 5)
    (ours,) = begin(marks, 1, partition=1)
    marks.ended(lost)
    marks.forget(frozenset({("erp.commands", 1)}))
    marks.ended(lost)
    marks.ended(ours)
    assert marks.ready() == {("erp.commands", 1): 2}


def test_only_the_delivery_itself_ends_a_message_of_a_partition_that_came_back() -> None:
    marks = Watermarks()
    before = begin(marks, 5, 6)
    marks.forget(frozenset())
    again = begin(marks, 5, 6)
    for message in before:
        marks.ended(message)
    assert marks.ready() == {}
    for message in again:
        marks.ended(message)
    assert marks.ready() == {PLACE: 7}


class Naive:
    """The definition: every delivery since the partition is ours, and whether it has ended."""

    def __init__(self) -> None:
        self.deliveries: dict[TopicPartition, list[tuple[Incoming, bool]]] = {}
        self.committed: dict[TopicPartition, int] = {}

    def began(self, message: Incoming) -> None:
        self.deliveries.setdefault(message.place, []).append((message, False))

    def ended(self, message: Incoming) -> None:
        known = self.deliveries.get(message.place, [])
        known[:] = [(m, done or m is message) for m, done in known]

    def forget(self, kept: frozenset[TopicPartition]) -> None:
        for place in set(self.deliveries) - kept:
            del self.deliveries[place]
            self.committed.pop(place, None)

    def ready(self) -> dict[TopicPartition, int]:
        found = {}
        for place, deliveries in self.deliveries.items():
            for message, done in deliveries:
                if not done:
                    break
                found[place] = message.offset + 1
        return {place: offset for place, offset in found.items() if self.committed.get(place) != offset}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("began"), st.integers(0, 2), st.integers(1, 3)),
        st.tuples(st.just("ended"), st.integers(0, 2), st.integers(0, 9)),
        st.tuples(st.just("forget"), st.frozensets(st.integers(0, 2)), st.just(0)),
        st.tuples(st.just("commit"), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@settings(max_examples=500, deadline=None)
@given(STEPS)
def test_watermarks_are_what_the_naive_model_says(steps: list[tuple[str, int | frozenset[int], int]]) -> None:
    marks, naive = Watermarks(), Naive()
    position = dict.fromkeys(range(3), 10)
    committed = dict.fromkeys(range(3), 10)
    read: dict[int, list[Incoming]] = {p: [] for p in range(3)}
    for kind, partition, number in [*steps, ("commit", 0, 0)]:
        match kind:
            case "began":
                assert isinstance(partition, int)
                position[partition] += number
                message = at(position[partition], partition)
                read[partition].append(message)
                marks.began(message)
                naive.began(message)
            case "ended":
                assert isinstance(partition, int)
                # Any message ever read, also one of an assignment that is over, also one that has ended before.
                if read[partition]:
                    message = read[partition][-1 - number % len(read[partition])]
                    marks.ended(message)
                    naive.ended(message)
            case "forget":
                assert isinstance(partition, frozenset)
                kept = frozenset(("erp.commands", p) for p in partition)
                marks.forget(kept)
                naive.forget(kept)
                # What comes back is read again from what was committed.
                position |= {p: committed[p] for p in range(3) if p not in partition}
            case "commit":
                found = marks.ready()
                assert found == naive.ready()
                marks.committed(found)
                naive.committed |= found
                committed |= {p: offset for (_, p), offset in found.items()}


# -- Grouped ---------------------------------------------------------------------------------------------------------


class Recorder:
    """Work that waits for a gate, doubles numbers, and fails for groups that hold a 13."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        await self.gate.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


async def submitted(grouped: Grouped[int, int], items: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(grouped(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


async def test_what_waits_while_one_group_runs_is_the_next_group_in_order() -> None:
    work = Recorder()
    grouped = Grouped(work)
    first = await submitted(grouped, [1])
    await asyncio.sleep(0)
    rest = await submitted(grouped, [2, 3, 4])
    work.gate.set()
    assert await asyncio.gather(*first, *rest) == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


async def test_no_group_is_larger_than_allowed() -> None:
    work = Recorder()
    work.gate.set()
    grouped = Grouped(work, most=3)
    assert await asyncio.gather(*(grouped(n) for n in range(8))) == [2 * n for n in range(8)]
    assert work.groups == [[0, 1, 2], [3, 4, 5], [6, 7]]


async def test_an_error_reaches_every_member_of_its_group_and_nobody_else() -> None:
    work = Recorder()
    work.gate.set()
    grouped = Grouped(work, most=2)
    results = await asyncio.gather(*(grouped(n) for n in (1, 13, 2, 3)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError, int, int]
    assert await grouped(5) == 10


async def test_a_member_that_is_cancelled_takes_nobody_with_it() -> None:
    work = Recorder()
    grouped = Grouped(work)
    tasks = await submitted(grouped, [1, 2])
    await asyncio.sleep(0)
    tasks[0].cancel()
    work.gate.set()
    assert await tasks[1] == 4
    assert await grouped(3) == 6


async def test_work_that_returns_too_few_results_is_an_error_of_its_group_and_loses_nobody() -> None:
    async def short(items: Sequence[int]) -> Sequence[int]:
        return list(items)[:-1] if 13 in items else list(items)

    grouped = Grouped(short, most=2)
    results = await asyncio.gather(*(grouped(n) for n in (1, 13, 2, 3)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError, int, int]


async def test_work_that_is_cancelled_cancels_its_group_and_loses_nobody() -> None:
    async def cancelled(items: Sequence[int]) -> Sequence[int]:
        if 13 in items:
            raise asyncio.CancelledError
        return list(items)

    grouped = Grouped(cancelled, most=1)
    results = await asyncio.gather(*(grouped(n) for n in (13, 2)), return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1] == 2


async def test_the_end_of_the_loop_leaves_nobody_waiting() -> None:
    grouped = Grouped(Recorder())
    tasks = await submitted(grouped, [1])
    await asyncio.sleep(0)
    tasks += await submitted(grouped, [2])
    (runner,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
    runner.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=40), st.integers(1, 7))
def test_every_item_gets_its_own_result(items: list[int], most: int) -> None:
    async def run() -> tuple[list[int | BaseException], list[list[int]]]:
        work = Recorder()
        work.gate.set()
        grouped = Grouped(work, most=most)
        return await asyncio.gather(*(grouped(n) for n in items), return_exceptions=True), work.groups

    results, groups = asyncio.run(run())
    assert [item for group in groups for item in group] == items
    failed = {
        index
        for group, start in zip(groups, starts(groups), strict=True)
        if 13 in group
        for index in range(start, start + len(group))
    }
    for index, (item, result) in enumerate(zip(items, results, strict=True)):
        assert isinstance(result, ValueError) if index in failed else result == 2 * item


def starts(groups: list[list[int]]) -> list[int]:
    return [sum(len(group) for group in groups[:index]) for index in range(len(groups))]
