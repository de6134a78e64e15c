"""What a run leaves behind, as plain data: sagas with their history, the systems' ledger, topics, and who asked what.

Whoever ran it fills this in, a simulation or a chaos run; `checker` judges it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.definition import Saga
from orchestrator.core.state import SagaState
from orchestrator.messaging import topics
from orchestrator.messaging.message import Headers, Incoming, Outgoing

__all__ = ["Act", "Asked", "Case", "Evidence", "Line", "Output", "Replay", "Row", "Told", "header", "standing"]


@dataclass(frozen=True, slots=True)
class Output:
    """One message that the journal says was sent: its event id, topic and effect ("" and 0 where it has none)."""

    id: str
    topic: str
    step: str
    direction: str
    round: int

    @classmethod
    def of(cls, message: Outgoing) -> Output:
        """What its headers say."""
        headers = dict(message.headers)

        def text(name: str) -> str:
            return (headers.get(name) or b"").decode()

        return cls(text("ce_id"), message.topic, text("ce_step"), text("ce_direction"), int(text("ce_round") or 0))


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a saga's journal: `entry` is its column of that name (kind, facts, notes), as plain JSON.

    `cause` is its column `cause_id` as text, empty where nobody wants acts to be looked for.
    """

    revision: int
    entry: Mapping[str, Any]
    outputs: Sequence[Output]
    cause: str = ""

    @property
    def notes(self) -> Sequence[str]:
        """Its notes."""
        found: Sequence[str] = self.entry.get("notes", ())
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of work that a system really did. `stale`: by a process that had been frozen before it sent."""

    step: str
    direction: str
    round: int
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One message of `saga.outcomes`: its event id, the steps that it says may remain, and its place in their order."""

    id: str
    residue: Sequence[str]
    sequence: str


@dataclass(frozen=True, slots=True)
class Case:
    """One saga: what it says of itself, its history, what was really done, and what the topics hold of it.

    `journal` is ordered by revision, `lines` by when they were done, `told` and `letters` by when they were published
    within a partition. `standing` are the (step, round) whose work is there at the end; see `standing`. `commands` are
    the event ids that lie in each command topic, as they were published; a saga's lie in one partition.
    """

    id: str
    definition: Saga
    state: SagaState
    journal: Sequence[Row]
    lines: Sequence[Line]
    standing: frozenset[tuple[str, int]]
    told: Sequence[Told]
    letters: Sequence[Incoming]
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def there(self, step: str) -> list[int]:
        """The rounds in which the step's work is there."""
        return sorted(round_ for name, round_ in self.standing if name == step)

    def done(self, step: str, round_: int) -> int:
        """How often the step's work was done in that round."""
        return sum((line.step, line.direction, line.round) == (step, "do", round_) for line in self.lines)

    @property
    def outcomes(self) -> list[Told]:
        """What it has told, each once, in the order that their readers go by; the last one holds."""
        once = {told.id: told for told in reversed(self.told)}
        return sorted(once.values(), key=lambda told: told.sequence)

    @property
    def ended(self) -> list[str]:
        """The ids of the outcomes that it has told, in the order in which they were decided."""
        return [o.id for row in self.journal for o in row.outputs if o.topic == topics.OUTCOMES]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its event id, its saga where one is known, and whether the broker acknowledged it."""

    id: str
    saga: str | None
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator sent to a saga, and the broker acknowledged: its event id, and its cause id as text."""

    saga: str
    id: str
    cause: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What somebody sent, or tried to, to go on with a dead letter: the letter as it lies there, and the message.

    `decision` tells one way to go on from another (an edit, or that a person knows what was not done), and is empty for
    none; `edited` where it is an edit, and then `mended` are the headers that it sets. `cause` is how a journal knows
    the message.
    """

    letter: Incoming
    decision: str
    edited: bool
    message: Outgoing
    cause: str
    mended: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A whole run.

    `garbage` is what nobody can read, as it lies in its topics; `letters` the messages of each dead-letter topic;
    `buried` are letters of messages that were read, each with what lies where it was read. `replays` are in the order
    in which they were sent. `strangers` are sagas that only the ledger names. What the run did to whom: `injured` sagas
    may wait for a person, in `silent` ones a step may time out, `excused` are (saga, step) of blind systems that a
    process called too late (design §7), `excess` the sagas for which such a system is known to have done a thing once
    too often, with the revision that the saga had then.
    """

    cases: Sequence[Case]
    asked: Sequence[Asked]
    letters: Mapping[str, Sequence[Incoming]]
    acts: Sequence[Act] = ()
    garbage: Sequence[Incoming] = ()
    buried: Sequence[tuple[Incoming, Incoming]] = ()
    replays: Sequence[Replay] = ()
    strangers: Sequence[str] = ()
    injured: Container[str] = frozenset()
    silent: Container[str] = frozenset()
    excused: Container[tuple[str, str]] = frozenset()
    excess: Mapping[str, int] = field(default_factory=dict)


def header(headers: Headers, name: str) -> str:
    """The text of a header, empty where there is none."""
    return next(((value or b"").decode() for key, value in headers if key == name), "")


def standing(lines: Sequence[Line]) -> frozenset[tuple[str, int]]:
    """The (step, round) that were done and not undone, by the ledger's lines alone."""
    done = {(line.step, line.round) for line in lines if line.direction == "do"}
    return frozenset(done - {(line.step, line.round) for line in lines if line.direction == "undo"})
