"""The checker of replays: it is content with what was really replayed, and finds each thing that is made wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from msgspec.structs import replace as changed

import pytest

from consumers.testing import Simulated
from orchestrator.messaging.message import Headers
from orchestrator.testing.checker import Evidence, check
from orchestrator.testing.evidence import Replay, header
from orchestrator.testing.simulation.invariants import evidence
from orchestrator.testing.simulation.plan import Fault, Plan
from orchestrator.testing.simulation.world import World

FAULTS = (Fault.REPLAY, Fault.REJECTED, Fault.FAILED, Fault.CALL_LOST, Fault.MAPPING, Fault.GARBAGE, Fault.OPERATOR)
SEEDS = range(8)


@pytest.fixture(scope="module")
def ran() -> list[Evidence]:
    found = []
    for seed in SEEDS:
        world = World(Plan(seed, FAULTS, 15), Simulated)
        world.run()
        found.append(evidence(world))
    return found


def wrong(found: Evidence) -> list[str]:
    return [what for _, what in check(found).wrong]


def of_saga(replay: Replay) -> bool:
    return header(replay.letter.headers, "saga-dlq-stage") == "saga"


def begins(replay: Replay) -> bool:
    return of_saga(replay) and replay.letter.topic.endswith(".requests.dlq")


def continues(replay: Replay) -> bool:
    return of_saga(replay) and not begins(replay)


def publishes(replay: Replay) -> bool:
    return not of_saga(replay)


def first(ran: list[Evidence], fits: Callable[[Replay], bool]) -> tuple[Evidence, Replay]:
    return next((found, replay) for found in ran for replay in found.replays if fits(replay))


def instead(found: Evidence, old: Replay, new: Replay) -> Evidence:
    return replace(found, replays=[new if replay is old else replay for replay in found.replays])


def without(headers: Headers, *names: str) -> Headers:
    return tuple(pair for pair in headers if pair[0] not in names)


def test_runs_that_went_well(ran: list[Evidence]) -> None:
    assert [wrong(found) for found in ran] == [[]] * len(ran)
    for kind in (begins, continues, publishes):
        assert first(ran, kind)


@pytest.mark.parametrize("kind", [begins, continues, publishes])
def test_one_letter_that_became_two_messages(ran: list[Evidence], kind: Callable[[Replay], bool]) -> None:
    found, replay = first(ran, kind)
    twice = replace(found, replays=[*found.replays, replace(replay, cause="another")])
    assert any("became 2 messages" in what for what in wrong(twice))


def test_a_saga_that_no_replay_began(ran: list[Evidence]) -> None:
    found, replay = first(ran, begins)
    asked = [asked for asked in found.asked if asked.id != header(replay.message.headers, "ce_id")]
    assert "a saga that nobody asked for" in wrong(replace(found, asked=asked))


def test_a_new_saga_that_names_no_other(ran: list[Evidence]) -> None:
    found, replay = first(ran, begins)
    alone = changed(replay.message, headers=without(replay.message.headers, "ce_causationid"))
    assert "the saga that a replay began does not name the old one" in wrong(
        instead(found, replay, replace(replay, message=alone))
    )


def test_a_letter_that_lost_its_headers(ran: list[Evidence]) -> None:
    found, replay = first(ran, begins)
    bare = changed(replay.message, headers=without(replay.message.headers, "content-type"))
    assert any(
        "without its headers content-type" in w for w in wrong(instead(found, replay, replace(replay, message=bare)))
    )


@pytest.mark.parametrize("kind", [begins, publishes])
def test_a_letter_whose_value_was_changed(ran: list[Evidence], kind: Callable[[Replay], bool]) -> None:
    found, replay = first(ran, lambda replay: kind(replay) and not replay.edited)
    other = replace(replay, message=changed(replay.message, value=b"other"))
    assert any("is not what it was" in what for what in wrong(instead(found, replay, other)))


def test_two_edits_that_became_one_message(ran: list[Evidence]) -> None:
    found, replay = first(ran, begins)
    both = replace(found, replays=[*found.replays, replace(replay, decision="another")])
    assert "two edits of one dead letter became one message" in wrong(both)


def test_a_letter_that_continued_a_saga_which_had_moved_on(ran: list[Evidence]) -> None:
    for found in ran:
        entries = {row.cause: row for case in found.cases for row in case.journal}
        for replay in filter(continues, found.replays):
            if replay.cause in entries and "refused" not in entries[replay.cause].entry:
                headers = replay.letter.headers
                old = ("saga-dlq-version", b"999")
                stale = changed(replay.letter, headers=(*without(headers, "saga-dlq-version"), old))
                moved = replace(found, replays=[replace(replay, letter=stale)])
                assert "a dead letter continued a saga that had moved on" in wrong(moved)
                return
    pytest.fail("no replay continued a saga")
