"""What must hold at the end of a run: judged by the systems' ledger, the journal and the topics.

Never by what the engine thinks of itself: its state is only held against what really happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from orchestrator.core.definition import Saga
from orchestrator.core.state import TERMINAL, EffectStatus, SagaState, Status
from orchestrator.messaging import topics
from orchestrator.messaging.message import Incoming
from orchestrator.testing.memory_rows import JournalEntry
from orchestrator.testing.simulation.plan import LOSING, Fault
from orchestrator.testing.simulation.targets import Line
from schemas.models import SagaEnded

if TYPE_CHECKING:
    from orchestrator.testing.simulation.world import World

__all__ = ["check"]

_FORWARD_AGAIN = ("going forward again from there", "cancel refused: the pivot landed first")
_LEFT = (EffectStatus.SKIPPED, EffectStatus.NOT_DONE, EffectStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Output:
    """One output that the journal says was sent, or that a topic holds."""

    id: str
    topic: str
    step: str
    direction: str
    round: int


@dataclass(frozen=True, slots=True)
class _Case:
    """One saga: what it says of itself, its history, what was really done, and what the topics hold of it."""

    world: World
    id: str
    definition: Saga
    state: SagaState
    journal: Sequence[JournalEntry]
    outputs: Sequence[Sequence[_Output]]
    lines: Sequence[Line]
    outcomes: Sequence[Incoming]
    letters: Sequence[Incoming]


def check(world: World) -> list[tuple[str, str]]:
    """What does not hold, as (saga, what)."""
    shaken = bool(LOSING & world.fired.keys())
    found = [*world.violations, *_requests(world), *_garbage(world), *_strangers(world)]
    world.excess |= {identity[0] for identity in world.targets.excess}
    for case in _cases(world):
        if case.id in world.excess and not _was_shown(case):
            world.unnoticed.append(case.id)
        for checks in (_ends, _history, _in_order, _counts, _left_behind, _order, _letters):
            found += [(case.id, text) for text in checks(case)]
        found += [(case.id, text) for text in _without_cause(case, shaken=shaken)]
    return found


def _cases(world: World) -> Iterator[_Case]:
    journal: dict[UUID, list[JournalEntry]] = defaultdict(list)
    for (saga_id, _), written in world.store.tables.journal.items():
        journal[saga_id].append(written)
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in world.targets.ledger.lines:
        lines[line.identity[0]].append(line)
    outcomes: dict[str, list[Incoming]] = defaultdict(list)
    for message in world.broker.messages(topics.OUTCOMES):
        outcomes[_text(message, "ce_sagaid")].append(message)
    letters: dict[str, list[Incoming]] = defaultdict(list)
    for topic in topics.needed(world.names, world.systems):
        if topic.endswith(".dlq"):
            for message in world.broker.messages(topic):
                letters[_text(message, "saga-dlq-sagaid")].append(message)
    for saga_id, row in world.store.tables.sagas.items():
        state, text = row.state(), str(saga_id)
        rows = sorted(journal[saga_id], key=lambda entry: entry.revision)
        outputs = [[_output(dict(m.headers), m.topic) for m in entry.sent] for entry in rows]
        definition = world.definitions[state.definition]
        yield _Case(world, text, definition, state, rows, outputs, lines[text], outcomes[text], letters[text])


def _output(headers: Mapping[str, bytes | None], topic: str) -> _Output:
    def text(name: str) -> str:
        return (headers.get(name) or b"").decode()

    return _Output(text("ce_id"), topic, text("ce_step"), text("ce_direction"), int(text("ce_round") or 0))


def _text(message: Incoming, name: str) -> str:
    return next(((value or b"").decode() for key, value in message.headers if key == name), "")


# -- the run as a whole --------------------------------------------------------------------------------------------


def _requests(world: World) -> Iterator[tuple[str, str]]:
    """Every acknowledged request leads to exactly one saga, and nothing else does."""
    tables = world.store.tables
    known = set()
    for asked in world.asked:
        event = asked.event
        saga_id = event.saga_id or tables.foreign.get((event.source, event.id))
        if saga_id is not None:
            known.add(saga_id)
        if asked.acknowledged and saga_id not in tables.sagas:
            yield str(saga_id or ""), f"the acknowledged request {event.id} led to no saga"
    for saga_id in tables.sagas:
        if saga_id not in known:
            yield str(saga_id), "a saga that nobody asked for"


def _garbage(world: World) -> Iterator[tuple[str, str]]:
    """What nobody can read is a dead letter once, with every byte of it."""
    for sent in world.garbage:
        letters = [m for m in world.broker.messages(topics.dead_letters(sent.topic)) if m.key == sent.key]
        places = {(_text(m, "__dlq.errors.partition"), _text(m, "__dlq.errors.offset")) for m in letters}
        if len(places) != 1:
            yield "", f"an unreadable message of {sent.topic} was dead-lettered {len(places)} times"
        if any(m.value != sent.value or m.headers[: len(sent.headers)] != sent.headers for m in letters):
            yield "", f"a dead letter of {sent.topic} is not what was sent"


def _strangers(world: World) -> Iterator[tuple[str, str]]:
    sagas = {str(saga_id) for saga_id in world.store.tables.sagas}
    for line in world.targets.ledger.lines:
        if line.identity[0] not in sagas:
            yield line.identity[0], "work for a saga that does not exist"


# -- one saga ------------------------------------------------------------------------------------------------------


def _ends(case: _Case) -> Iterator[str]:
    """Terminal or in review, and the outcome that was told last says so."""
    state = case.state
    if state.status not in TERMINAL and state.status is not Status.REVIEW:
        yield f"it neither ended nor waits for a person: {state.status}"
    ended = [o.id for outputs in case.outputs for o in outputs if o.topic == topics.OUTCOMES]
    told = [_text(message, "ce_id") for message in case.outcomes]
    missing = [event_id for event_id in ended if event_id not in told]
    if missing:
        yield f"{len(missing)} of its outcomes were never published"
    if not ended:
        yield "it has told no outcome"


def _without_cause(case: _Case, *, shaken: bool) -> Iterator[str]:
    """A person is asked, and a step times out, only where something went wrong."""
    if case.state.status is Status.REVIEW and not shaken and case.id not in case.world.injured:
        touchy = Fault.MAPPING in case.world.fired
        if not touchy:
            yield "it waits for a person, and nothing was wrong with it"
    late = any("no completion within" in entry.entry_text for entry in case.journal)
    if late and not shaken and case.id not in case.world.silent:
        yield "a step timed out, and no message was lost"


def _history(case: _Case) -> Iterator[str]:
    """One entry for each transition, in order; nothing goes forward after it has turned back."""
    revisions = [entry.revision for entry in case.journal]
    if revisions != list(range(1, case.state.revision + 1)):
        yield f"the journal has the revisions {revisions}, and the saga is at {case.state.revision}"
    back = False
    asked: set[tuple[str, str, int]] = set()
    for entry, outputs in zip(case.journal, case.outputs, strict=True):
        if "decide failed" in entry.entry_text:
            yield "`decide` raised"
        if any(text in entry.entry_text for text in _FORWARD_AGAIN):
            back = False
        for output in outputs:
            if output.topic.endswith(".commands"):
                asked.add((output.step, output.direction, output.round))
                if output.direction == "do" and back:
                    yield f"{output.step} was asked for after the saga had turned back"
                back = back or output.direction == "undo"
    for line in case.lines:
        _, step, round_ = line.identity
        if (step, line.direction, round_) not in asked:
            yield f"{line.direction} of {step}, round {round_}, was done and never asked for"


def _in_order(case: _Case) -> Iterator[str]:
    """Outcomes are published in the order in which they were decided: the last one is the one that holds."""
    ended = [o.id for outputs in case.outputs for o in outputs if o.topic == topics.OUTCOMES]
    first = list(dict.fromkeys(_text(message, "ce_id") for message in case.outcomes))
    if sorted(first) == sorted(ended) and first != ended:
        yield "its outcomes were published in another order than they were decided in"


def _was_shown(case: _Case) -> bool:
    """Whether a person was asked about it, or the outcome names what may remain."""
    return any('"status":"review"' in entry.entry_text for entry in case.journal)


def _counts(case: _Case) -> Iterator[str]:
    """Each effect at most once, and exactly once where it is reported done."""
    ledger = case.world.targets.ledger
    for step in case.definition:
        there = ledger.there(case.id, step.name)
        if len(there) > 1 and not _excused(case, step.name):
            yield f"{step.name} is there twice, of the rounds {there}"
        effects = case.state.steps.get(step.name)
        if effects is None:
            if there:
                yield f"{step.name} was done, and the saga knows nothing of it"
            continue
        work = ledger.of((case.id, step.name, effects.round))
        if effects.do is not None and effects.do.status is EffectStatus.DONE and work.done == 0:
            yield f"{step.name} is reported done, and was not"
        if effects.undo is not None and effects.undo.status is EffectStatus.DONE and work.there:
            yield f"{step.name} is reported undone, and is there"


def _excused(case: _Case, step: str) -> bool:
    """Whether a process that had been frozen before it sent did it, at a blind system: nobody can prevent that.

    Such an excess is to be noticed, so it is counted.
    """
    if not case.world.targets.late(case.id, step):
        return False
    case.world.excess.add(case.id)
    return True


def _left_behind(case: _Case) -> Iterator[str]:
    """Completed: all of it is there, once. Compensated or cancelled: nothing is, but what the definition accepts."""
    state, ledger = case.state, case.world.targets.ledger
    gone = state.status in (Status.COMPENSATED, Status.CANCELLED)
    for step in case.definition:
        there = ledger.there(case.id, step.name)
        effects = state.steps.get(step.name)
        known = [e.status for e in (effects.do, effects.undo) if e is not None] if effects else []
        if EffectStatus.SKIPPED in known:
            continue
        if state.status is Status.COMPLETED and len(there) != 1 and not _excused(case, step.name):
            yield f"completed, and {step.name} is there {len(there)} times"
        accepted = step.residue_accepted or (gone and there and _compensated_knowingly(case, step.name))
        if gone and there and not accepted and not _excused(case, step.name):
            yield f"{state.status}, and {step.name} was left behind"


def _compensated_knowingly(case: _Case, step: str) -> bool:
    """Whether a person was asked about that step and decided to go back all the same, and the outcome names it."""
    commands = ('"command":"compensate"', '"command":"retry"')
    decided = any(command in entry.entry_text for entry in case.journal for command in commands)
    last = case.world.codec.decode(case.outcomes[-1].value or b"")
    return decided and isinstance(last, SagaEnded) and step in last.residue


def _order(case: _Case) -> Iterator[str]:
    """Undone in reverse between groups."""
    there: dict[str, int] = {}
    definition = case.definition
    lenient = definition.on_compensation_failure == "continue"
    for line in case.lines:
        step = line.identity[1]
        if line.direction == "do":
            there[step] = there.get(step, 0) + 1
            continue
        there.pop(step, None)
        for other in there:
            later = definition.group_of(other) > definition.group_of(step)
            if later and definition.step(other).undo is not None and not line.stale:
                effects = case.state.steps.get(other)
                left = effects is not None and any(
                    e is not None and e.status in _LEFT for e in (effects.do, effects.undo)
                )
                if not left and not lenient:
                    yield f"{step} was undone before {other}"


def _letters(case: _Case) -> Iterator[str]:
    """What did not complete has left a dead letter that says how to go on."""
    state = case.state
    failed = state.status is Status.COMPENSATED and state.failed_step is not None
    if (failed or state.status is Status.REVIEW) and not case.letters:
        yield f"{state.status}, and there is no dead letter"
    if failed:
        requests = topics.dead_letters(topics.requests(state.definition))
        places = {_text(m, "saga-dlq-version") for m in case.letters if m.topic == requests}
        if len(places) != 1:
            yield f"its request was dead-lettered {len(places)} times"
