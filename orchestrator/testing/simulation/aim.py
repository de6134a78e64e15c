"""One trouble at one step of a definition: what `saga check-definition` tries, one after the other."""

# ruff: noqa: S311 - a simulation throws dice, and keeps no secrets

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from orchestrator.core.definition import Saga, Step
from orchestrator.messaging.message import Outgoing
from orchestrator.testing.simulation.plan import Fault
from schemas.models import Record

if TYPE_CHECKING:
    from orchestrator.testing.simulation.world import World

__all__ = ["Aim", "Trouble"]


class Trouble(StrEnum):
    """What can befall a step, as a person would say it."""

    NONE = "nothing goes wrong here"
    REJECTED = "the system rejects it"
    FAILED = "it fails at every attempt"
    CALL_LOST = "the connection is cut before the system has done it"
    ANSWER_LOST = "it is done and the answer is lost, at every attempt"
    SILENCE = "it is done and nobody ever answers"
    WORKER_CRASH = "a worker dies between the call and its record"
    WORKER_FREEZE = "a worker freezes between its check and its call"
    COORDINATOR_CRASH = "the coordinators die as they ask for it"
    TWICE = "its messages come twice, at once and a minute later"
    UNREAD = "its command lies unread until the step is given up"
    CANCELLED = "somebody cancels while it is under way"
    UNDO_FAILS = "its undo fails at every attempt"
    UNDO_REJECTED = "its undo is rejected"
    UNDO_UNANSWERED = "its undo is done and the answer is lost, at every attempt"


_FATES = {
    Trouble.REJECTED: ("do", Fault.REJECTED),
    Trouble.FAILED: ("do", Fault.FAILED),
    Trouble.CALL_LOST: ("do", Fault.CALL_LOST),
    Trouble.ANSWER_LOST: ("do", Fault.ANSWER_LOST),
    Trouble.SILENCE: ("do", Fault.SLOW),
    Trouble.UNDO_FAILS: ("undo", Fault.FAILED),
    Trouble.UNDO_REJECTED: ("undo", Fault.REJECTED),
    Trouble.UNDO_UNANSWERED: ("undo", Fault.ANSWER_LOST),
}
_UNDOING = (Trouble.UNDO_FAILS, Trouble.UNDO_REJECTED, Trouble.UNDO_UNANSWERED)


@dataclass(slots=True)
class Aim:
    """Where the trouble strikes. `rejected` is a later step that its system rejects, so that the saga goes back."""

    definition: Saga
    request: Record
    step: str
    trouble: Trouble
    rejected: str | None
    _struck: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, seed: int, definition: Saga, request: Record) -> Aim:
        """The aim of a seed: seeds go through all steps and troubles in turn, and throw dice for the rest."""
        dice = random.Random(seed)
        pairs = [(step, trouble) for step in definition for trouble in Trouble if _concerns(definition, step, trouble)]
        step, trouble = pairs[seed % len(pairs)]
        later = [other.name for other in definition if definition.group_of(other.name) > definition.group_of(step.name)]
        goes_back = later and (trouble in _UNDOING or (seed // len(pairs)) % 2 == 1)
        return cls(definition, request, step.name, trouble, dice.choice(later) if goes_back else None)

    @classmethod
    def count(cls, definition: Saga) -> int:
        """After how many seeds every step has had every trouble."""
        return sum(_concerns(definition, step, trouble) for step in definition for trouble in Trouble)

    @property
    def window(self) -> float:
        """For how long the trouble lasts at most, in seconds."""
        return 60.0 + self._given_up_after()

    def _given_up_after(self) -> float:
        step = self.definition.step(self.step)
        return (step.timeout + step.retry.maximum) * step.retry.attempts

    @property
    def _must_be_cancelled(self) -> bool:
        """Whether nothing comes after the step whose rejection would take it back."""
        return self.trouble in _UNDOING and self.rejected is None

    def fate(self, step: str, direction: str) -> Fault | None:
        """What the system does with that call."""
        if step == self.rejected and direction == "do":
            return Fault.REJECTED
        if step != self.step:
            return None
        where, fault = _FATES.get(self.trouble, ("", None))
        return fault if where == direction else None

    def kills(self, step: str, direction: str) -> bool:
        """Whether the worker dies now that its call has arrived."""
        return self.trouble is Trouble.WORKER_CRASH and self._first(step, direction)

    def freezes(self, step: str, direction: str) -> bool:
        """Whether the worker freezes now that it is about to call."""
        return self.trouble is Trouble.WORKER_FREEZE and self._first(step, direction)

    def _first(self, step: str, direction: str) -> bool:
        if step != self.step or direction != "do" or self._struck:
            return False
        self._struck.add(step)
        return True

    def sent(self, world: World, message: Outgoing, step: str, direction: str) -> None:
        """A message is with the broker."""
        if step != self.step:
            return
        if self.trouble is Trouble.TWICE:
            world.again(message, 0.0)
            world.again(message, 60.0)
        elif message.topic.endswith(".commands") and direction == "do":
            self._asked(world, message)

    def _asked(self, world: World, message: Outgoing) -> None:
        if self.trouble is Trouble.UNREAD and self._first(self.step, "do"):
            for partition in range(world.broker.partition_count(message.topic)):
                world.broker.stalled[message.topic, partition] = self.window
        elif (self.trouble is Trouble.CANCELLED or self._must_be_cancelled) and self._first(self.step, "do"):
            world.loop.later(world.dice.uniform(0.0, 0.3), world.operator.cancel, UUID((message.key or b"").decode()))
        elif self.trouble is Trouble.COORDINATOR_CRASH and self._first(self.step, "do"):
            for node in [node for name, node in world.nodes.items() if name.startswith("coordinator")]:
                world.loop.later(0.0, world.kill, node)


def _concerns(definition: Saga, step: Step, trouble: Trouble) -> bool:
    """Whether that can befall the step: after the pivot nothing is undone."""
    if trouble not in _UNDOING:
        return True
    pivot = definition.pivot
    before = pivot is None or definition.group_of(step.name) < definition.group_of(pivot.name)
    return step.undo is not None and before
