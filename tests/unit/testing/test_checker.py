"""The checker: it is content with a run that went well, and finds each thing that is made wrong in its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from msgspec.structs import replace as changed
from typing import Any

import pytest

from consumers.testing import Simulated
from orchestrator.core.state import Status
from orchestrator.messaging import topics
from orchestrator.testing.checker import Asked, Case, Evidence, Line, check, standing
from orchestrator.testing.simulation.invariants import evidence
from orchestrator.testing.simulation.plan import Fault, Plan
from orchestrator.testing.simulation.world import World

FAULTS = (Fault.OPERATOR, Fault.REJECTED, Fault.FAILED, Fault.GARBAGE, Fault.DUPLICATE)


@pytest.fixture(scope="module")
def ran() -> Evidence:
    world = World(Plan(4, FAULTS, 15), Simulated)
    world.run()
    return evidence(world)


def case(ran: Evidence, fits: Callable[[Case], bool]) -> Case:
    return next(case for case in ran.cases if fits(case))


def compensated(case: Case) -> bool:
    return case.state.status is Status.COMPENSATED and any(line.direction == "undo" for line in case.lines)


def completed(case: Case) -> bool:
    return case.state.status is Status.COMPLETED


def instead(ran: Evidence, old: Case, **changes: Any) -> Evidence:
    return replace(ran, cases=[replace(c, **changes) if c is old else c for c in ran.cases])


def wrong(found: Evidence) -> list[str]:
    return [what for _, what in check(found).wrong]


def test_a_run_that_went_well(ran: Evidence) -> None:
    assert wrong(ran) == []
    assert ran.acts
    assert ran.garbage


def test_an_acknowledged_request_without_a_saga(ran: Evidence) -> None:
    lost = replace(ran, asked=[*ran.asked, Asked("x", None, acknowledged=True)])
    assert wrong(lost) == ["the acknowledged request x led to no saga"]


def test_an_act_of_an_operator_that_left_no_entry(ran: Evidence) -> None:
    causes = {act.cause for act in ran.acts}
    old = case(ran, lambda c: any(row.cause in causes for row in c.journal))
    journal = [replace(row, cause="") if row.cause in causes else row for row in old.journal]
    assert "what an operator did is 0 times in the journal" in wrong(instead(ran, old, journal=journal))


def test_an_entry_that_is_missing(ran: Evidence) -> None:
    old = ran.cases[0]
    assert any("the journal has the revisions" in what for what in wrong(instead(ran, old, journal=old.journal[:-1])))


def test_a_step_that_was_left_behind(ran: Evidence) -> None:
    old = case(ran, compensated)
    step = next(line.step for line in old.lines if line.direction == "undo")
    left = instead(ran, old, standing=frozenset({(step, 1)}))
    assert f"compensated, and {step} was left behind" in wrong(left)
    excused = check(replace(left, excused={(old.id, step)}))
    assert excused.wrong == []
    assert excused.excess == {old.id}


def test_a_step_that_is_there_twice(ran: Evidence) -> None:
    old = case(ran, completed)
    step = old.lines[0].step
    twice = instead(ran, old, standing=old.standing | {(step, 2)})
    assert f"{step} is there twice, of the rounds [1, 2]" in wrong(twice)


def test_work_that_nobody_asked_for(ran: Evidence) -> None:
    old = case(ran, completed)
    more = [*old.lines, Line(old.lines[0].step, "do", 7)]
    assert any("was done and never asked for" in what for what in wrong(instead(ran, old, lines=more)))


def test_outcomes_in_another_order(ran: Evidence) -> None:
    old = case(ran, lambda c: len({told.id for told in c.told}) > 1)
    # However they lie in their topic: their sequence counts.
    assert wrong(instead(ran, old, told=list(reversed(old.told)))) == wrong(ran)
    turned = {told.id: other.sequence for told, other in zip(old.outcomes, reversed(old.outcomes), strict=True)}
    back = instead(ran, old, told=[replace(told, sequence=turned[told.id]) for told in old.told])
    assert "its outcomes are in another sequence than they were decided in" in wrong(back)


def test_commands_in_another_order(ran: Evidence) -> None:
    old = case(ran, lambda c: any(len(set(ids)) > 1 for ids in c.commands.values()))
    back = {topic: list(reversed(ids)) for topic, ids in old.commands.items()}
    assert any("its commands lie in" in what for what in wrong(instead(ran, old, commands=back)))


def test_undone_in_another_order(ran: Evidence) -> None:
    def two_groups(case: Case) -> bool:
        undone = [line.step for line in case.lines if line.direction == "undo"]
        return compensated(case) and len({case.definition.group_of(step) for step in undone}) > 1

    old = case(ran, two_groups)
    done = [line for line in old.lines if line.direction == "do"]
    undone = [line for line in old.lines if line.direction == "undo"]
    for policy in ("park", "continue"):
        definition = replace(old.definition, on_compensation_failure=policy)
        back = instead(ran, old, lines=[*done, *reversed(undone)], definition=definition)
        assert any("was undone before" in what for what in wrong(back))


def test_dead_letters_of_one_id_that_differ(ran: Evidence) -> None:
    old = case(ran, lambda c: bool(c.letters))
    other = changed(old.letters[0], value=b"other")
    assert "two dead letters of one id differ" in wrong(instead(ran, old, letters=[*old.letters, other]))


def test_a_saga_that_compensated_and_left_no_dead_letter(ran: Evidence) -> None:
    old = case(ran, lambda c: compensated(c) and c.state.failed_step is not None)
    assert "compensated, and there is no dead letter" in wrong(instead(ran, old, letters=[]))


def test_garbage_that_was_lost_or_changed(ran: Evidence) -> None:
    topic = topics.dead_letters(ran.garbage[0].topic)
    lost: Mapping[str, Any] = {**ran.letters, topic: []}
    assert any("was not dead-lettered" in what for what in wrong(replace(ran, letters=lost)))
    emptied = [(changed(letter, value=b""), message) for letter, message in ran.buried]
    assert any("is not what was read" in what for what in wrong(replace(ran, buried=emptied)))
    bare = [(changed(letter, headers=()), message) for letter, message in ran.buried]
    assert any("has lost headers" in what for what in wrong(replace(ran, buried=bare)))


def test_an_excess_is_shown_only_by_what_comes_after_it(ran: Evidence) -> None:
    old = case(ran, lambda c: any(row.entry.get("status") == Status.REVIEW for row in c.journal))
    assert check(replace(ran, excess={old.id: 0})).unnoticed == []
    assert check(replace(ran, excess={old.id: old.journal[-1].revision})).unnoticed == [old.id]


def test_what_stands_by_the_ledger_alone() -> None:
    lines = [Line("a", "do", 1), Line("b", "do", 1), Line("a", "undo", 1), Line("a", "do", 2)]
    assert standing(lines) == {("b", 1), ("a", 2)}
