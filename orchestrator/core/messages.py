"""What goes into `decide` and what comes out of it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct

from orchestrator.core.payload import Payload
from schemas.models import Record

__all__ = [
    "GONE",
    "Answer",
    "Command",
    "Control",
    "ControlCommand",
    "DeadRequest",
    "Direction",
    "Ended",
    "Entry",
    "Failure",
    "Message",
    "Outcome",
    "Output",
    "Parked",
    "Requested",
    "Succeeded",
    "Wake",
]


class Direction(StrEnum):
    """Whether an effect does a step, undoes it, or asks whether the undo left anything behind."""

    DO = "do"
    UNDO = "undo"
    PROBE = "probe"


class Outcome(StrEnum):
    """How an effect that did not succeed came out (design §6)."""

    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"


# The code of a probe's rejection that says: there is no such thing (any more).
GONE = "NOT_FOUND"


class ControlCommand(StrEnum):
    """What an operator, or the engine itself, may ask of a saga. `wake` is a message of its own."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    RESOLVE = "resolve"
    SKIP = "skip"
    COMPENSATE = "compensate"
    RERUN = "rerun"
    PARK = "park"


# -- in ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Requested:
    """An agent asks for a saga. `agent` is who."""

    request: Record
    agent: str = ""


class Succeeded(Struct, frozen=True):
    """The effect is done."""

    output: Record


class Failure(Struct, frozen=True):
    """The effect did not succeed, or nobody knows. `retry_after` is in seconds."""

    outcome: Outcome
    code: str
    message: str = ""
    retry_after: float | None = None


class Answer(Struct, frozen=True):
    """A completion: the answer to one attempt of one effect.

    `unclaimed`: the worker had lost its claim when its call came back, so that others may have done the same.
    `shadow`: nothing was done, only recorded, and an output is made up.
    """

    step: str
    direction: Direction
    round: int
    attempt: int
    result: Succeeded | Failure
    unclaimed: bool = False
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Wake:
    """A timer fired. Says nothing but that it is time to look.

    `heard_until`: completions that were published later may lie unread, so no effect that was due later has timed out
    yet. None where every completion has been read. `away` are systems that are not called now: their steps wait.
    """

    heard_until: datetime | None = None
    away: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Control:
    """A decision of an operator, or the engine's own `park`.

    `resolved` is `done` or `not-done`: what a person found out about an unknown effect. `if_revision` refuses the
    decision where the saga has moved on since the person looked. `request` is what a rerun's steps are to see in the
    place of the saga's own.
    """

    command: ControlCommand
    actor: str = ""
    reason: str = ""
    step: str | None = None
    direction: Direction | None = None
    if_revision: int | None = None
    resolved: str | None = None
    output: Record | None = None
    request: Record | None = None


Message: TypeAlias = Requested | Answer | Wake | Control

# -- out -----------------------------------------------------------------------------------------------------------


class Command(Struct, frozen=True):
    """Ask a system to do or undo one step. `by_operator` lets a consumer call again after a final answer.

    `mode` is the definition's, empty where it is live. `shadow`: of a do, that an earlier step was only recorded; of
    an undo or a probe, that the do was.
    """

    step: str
    direction: Direction
    round: int
    attempt: int
    record: Record
    deadline: datetime
    by_operator: bool = False
    resolved: str | None = None
    mode: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The saga reached an end, or waits for a person: for `saga.outcomes`."""

    status: str
    step: str | None = None
    code: str | None = None
    message: str | None = None
    residue: tuple[str, ...] = ()
    outputs: Mapping[str, Payload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parked:
    """An effect waits for a person: its command becomes a dead letter of its system."""

    step: str | None
    direction: Direction | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DeadRequest:
    """The saga was compensated because a step failed: its request becomes a dead letter of its definition."""

    step: str
    code: str
    message: str


Output: TypeAlias = Command | Ended | Parked | DeadRequest


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a saga's history: what came, and what followed. Everything a timeline shows."""

    kind: str
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()
