"""How far offsets may move."""

from __future__ import annotations

from consumers.flow import Watermarks
from orchestrator.messaging.message import Incoming

PLACE = ("erp.commands", 0)


def message(offset: int) -> Incoming:
    return Incoming(*PLACE, offset, b"k", b"v")


def test_offsets_move_up_to_the_lowest_that_is_open() -> None:
    marks = Watermarks()
    first, second, third = messages = [message(n) for n in (4, 5, 7)]
    for each in messages:
        marks.began(each)
    marks.ended(second)
    assert marks.ready() == {}
    marks.ended(first)
    assert marks.ready() == {PLACE: 6}
    marks.ended(third)
    assert marks.ready() == {PLACE: 8}


def test_what_was_read_before_the_partition_went_away_says_nothing_of_its_second_delivery() -> None:
    marks = Watermarks()
    before, again = message(4), message(4)
    marks.began(before)
    marks.forget(frozenset())
    marks.ended(before)
    assert marks.ready() == {}
    marks.began(again)
    # The first delivery may have ended without an answer: another worker had its claim, and may be dead by now.
    marks.ended(before)
    assert marks.ready() == {}
    marks.ended(again)
    assert marks.ready() == {PLACE: 5}


def test_what_is_committed_is_not_ready_any_more_unless_it_moved_on() -> None:
    marks = Watermarks()
    first, second = message(0), message(1)
    marks.began(first)
    marks.began(second)
    marks.ended(first)
    taken = marks.ready()
    marks.ended(second)
    marks.committed(taken)
    assert marks.ready() == {PLACE: 2}
    marks.committed(marks.ready())
    assert marks.ready() == {}
