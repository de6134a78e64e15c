"""The evidence of a simulated run: what its ledger, its journal and its topics hold, and what was done to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from orchestrator.messaging import topics
from orchestrator.messaging.event import read_event
from orchestrator.messaging.message import Incoming
from orchestrator.testing import checker
from orchestrator.testing.checker import Asked, Case, Evidence, Line, Output, Row, Told, header
from orchestrator.testing.memory_rows import JournalEntry
from orchestrator.testing.simulation.plan import DISORDERING, LOSING, Fault
from schemas.models import SagaEnded

if TYPE_CHECKING:
    from orchestrator.testing.simulation.world import World

__all__ = ["check", "evidence"]


def check(world: World) -> list[tuple[str, str]]:
    """What does not hold, as (saga, what)."""
    verdict = checker.check(evidence(world))
    world.excess |= verdict.excess
    world.unnoticed += verdict.unnoticed
    return [*world.violations, *verdict.wrong]


def evidence(world: World) -> Evidence:
    """All that is left of a run."""
    tables, ledger = world.store.tables, world.targets.ledger
    sagas = frozenset(map(str, tables.sagas))
    shaken = bool(LOSING & world.fired.keys()) or world.aim is not None
    touchy = Fault.MAPPING in world.fired
    letters = {
        topic: world.broker.messages(topic)
        for topic in topics.needed(world.names, world.systems)
        if topic.endswith(".dlq")
    }
    return Evidence(
        cases=list(_cases(world, letters)),
        asked=list(_asked(world)),
        letters=letters,
        acts=world.operator.acts,
        garbage=list(_garbage(world)),
        buried=list(_buried(world, letters)),
        replays=world.replays.kept,
        strangers=[line.identity[0] for line in ledger.lines if line.identity[0] not in sagas],
        injured=sagas if shaken or touchy else frozenset(world.injured),
        silent=sagas if shaken else frozenset(world.silent),
        excused=world.targets.late,
        excess=world.targets.excess,
    )


def _asked(world: World) -> Iterator[Asked]:
    for asked in world.asked:
        event = asked.event
        saga_id = event.saga_id or world.store.tables.foreign.get((event.source, event.id))
        yield Asked(event.id, None if saga_id is None else str(saga_id), asked.acknowledged)

    unreadable = {message.value for message in world.garbage}
    lie = {header(m.headers, "ce_id") for name in world.names for m in world.broker.messages(topics.requests(name))}
    for begun in world.replays.kept:
        if begun.message.topic.endswith(".requests"):
            event = read_event(begun.message.headers)
            saga_id = event.saga_id or world.store.tables.foreign.get((event.source, event.id))
            readable = begun.message.value not in unreadable
            yield Asked(event.id, None if saga_id is None else str(saga_id), readable and event.id in lie)


def _garbage(world: World) -> Iterator[Incoming]:
    """Everything unreadable, as often as it was published."""
    unreadable = {(message.topic, message.key, message.value) for message in world.garbage}
    for topic in sorted({message.topic for message in world.garbage}):
        yield from (m for m in world.broker.messages(topic) if (topic, m.key, m.value) in unreadable)


def _buried(world: World, letters: Mapping[str, Sequence[Incoming]]) -> Iterator[tuple[Incoming, Incoming]]:
    for letter in (letter for messages in letters.values() for letter in messages):
        offset = header(letter.headers, "__dlq.errors.offset")
        if offset:
            place = header(letter.headers, "__dlq.errors.topic"), int(header(letter.headers, "__dlq.errors.partition"))
            yield letter, world.broker.read(place, int(offset), 1)[0][0]


def _cases(world: World, dead: Mapping[str, Sequence[Incoming]]) -> Iterator[Case]:
    journal: dict[UUID, list[JournalEntry]] = defaultdict(list)
    for (saga_id, _), written in world.store.tables.journal.items():
        journal[saga_id].append(written)
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in world.targets.ledger.lines:
        saga, step, round_ = line.identity
        lines[saga].append(Line(step, line.direction, round_, line.stale))
    standing: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for (saga, step, round_), work in world.targets.ledger.works.items():
        if work.there:
            standing[saga].add((step, round_))
    told: dict[str, list[Told]] = defaultdict(list)
    for message in world.broker.messages(topics.OUTCOMES):
        record = world.codec.decode(message.value or b"")
        assert isinstance(record, SagaEnded)
        heard = Told(header(message.headers, "ce_id"), record.residue, header(message.headers, "ce_sequence"))
        told[header(message.headers, "ce_sagaid")].append(heard)
    letters: dict[str, list[Incoming]] = defaultdict(list)
    for message in (message for messages in dead.values() for message in messages):
        letters[header(message.headers, "saga-dlq-sagaid")].append(message)
    commands: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    # Once what was committed is sent by redelivery, nobody keeps its order among others: the attempt that each command
    # carries, and the sequence of the outcomes, do not depend on it.
    orderly = not DISORDERING & world.fired.keys()
    for topic in map(topics.commands, world.systems if orderly else ()):
        for message in world.broker.messages(topic):
            commands[header(message.headers, "ce_sagaid")][topic].append(header(message.headers, "ce_id"))
    for saga_id, row in world.store.tables.sagas.items():
        state, text = row.state(), str(saga_id)
        rows = [
            Row(entry.revision, entry.entry, [Output.of(message) for message in entry.sent], str(entry.cause_id))
            for entry in sorted(journal[saga_id], key=lambda entry: entry.revision)
        ]
        definition = world.definitions[state.definition]
        yield Case(
            text, definition, state, rows, lines[text], frozenset(standing[text]), told[text], letters[text],
            commands[text],
        )  # fmt: skip
