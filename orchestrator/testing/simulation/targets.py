"""The systems that are called, and what they really did: the outside ledger, which knows nothing of the engine.

- idempotent: does the work once for each key, and answers the same key alike;
- queryable: honours no key, holds one piece of work for each step and round, and refuses a second;
- blind: does whatever it is asked, each time.

The first two are fenced: what was taken back is not done any more by a call that comes later. A blind one has no such
thing, so a process that freezes between its check and its send makes it do a thing twice; that is told apart here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from orchestrator.testing.simulation.plan import Fault

if TYPE_CHECKING:
    from orchestrator.testing.simulation.node import Node
    from orchestrator.testing.simulation.world import World

__all__ = ["Fate", "Identity", "Ledger", "Line", "Targets", "Work"]

Identity = tuple[str, str, int]
"""Saga, step and round."""

_AT_WORST = 0.2

Fate = tuple[Literal["done", "rejected", "failed", "unknown"], str]


@dataclass(slots=True)
class Work:
    """What a system did for one step in one round. `stale`: a frozen process had a hand in it.

    `refused`: the key was answered with a rejection.
    """

    done: int = 0
    undone: int = 0
    fenced: bool = False
    refused: bool = False
    stale: bool = False

    @property
    def there(self) -> bool:
        """Whether it is there now. A blind system may have done it again after it was undone."""
        return self.done > self.undone


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of work that was really done."""

    at: float
    identity: Identity
    direction: str
    stale: bool


@dataclass(slots=True)
class Ledger:
    """Everything that was really done."""

    works: dict[Identity, Work] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def of(self, identity: Identity) -> Work:
        """The work of a step in a round."""
        return self.works.setdefault(identity, Work())

    def there(self, saga: str, step: str) -> list[int]:
        """The rounds in which the step's work is there."""
        return [i[2] for i, work in self.works.items() if i[:2] == (saga, step) and work.there]


@dataclass(slots=True)
class _Request:
    """A call on its way."""

    identity: Identity
    direction: str
    effect: str
    attempt: int
    fate: Fault | None
    stale: bool
    node: Node
    reply: asyncio.Future[Fate | None]


class Targets:
    """All systems of a run. `late`: (saga, step) that a process frozen before it sent did at a blind one.

    `excess`: the sagas for which a blind one did a thing once too often, and their revision then.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.ledger = Ledger()
        self.calls = 0
        self.away: dict[str, float] = {}
        self.excess: dict[str, int] = {}
        self.late: set[tuple[str, str]] = set()
        self._pending: Counter[tuple[Identity, str]] = Counter()
        self._at: dict[tuple[Identity, str], list[tuple[Node, int]]] = {}

    def gate(self, system: str) -> float | None:
        """Whether that system is called: None, or the seconds until it may be tried."""
        until = self.away.get(system, 0.0)
        now = self._world.loop.now
        return None if until <= now else until - now

    def quiet(self, identity: Identity, direction: str) -> bool:
        """Whether no call for that effect is under way anywhere."""
        return self._pending[identity, direction] == 0

    async def act(self, node: Node, effect: str, call: Any) -> Fate | None:
        """One call of an action by a worker. None where no answer ever comes."""
        identity, direction = _identity(call.idempotency_key)
        key = (identity, direction)
        thaws = node.process.thaws
        self._pending[key] += 1
        here = self._at.setdefault(key, [])
        try:
            await call.renew()
            if node.process.thaws == thaws:
                self._check_alone(node, here, key)
            here.append((node, thaws))
            await node.io()
            if self._world.aim is not None and self._world.aim.freezes(identity[1], direction):
                self._world.freeze(node, self._world.dice.uniform(50.0, 100.0))
                await asyncio.sleep(0)
            if self._world.happens(Fault.FREEZE, _AT_WORST if effect == "blind" else 0.03):
                # The worst moment: it has checked that the effect is its own, and has not sent yet.
                self._freeze(node, effect, identity[0])
                await asyncio.sleep(0)
            self.calls += 1
            stale = node.process.thaws != thaws
            reply: asyncio.Future[Fate | None] = self._world.loop.create_future()
            fate = self._fate(identity[1], direction)
            request = _Request(identity, direction, effect, call.attempt, fate, stale, node, reply)
            self._pending[key] += 1
            self._world.loop.later(self._world.dice.random() * 0.02, self._arrive, request)
            return await reply
        finally:
            self._pending[key] -= 1
            if (node, thaws) in here:
                here.remove((node, thaws))

    def _freeze(self, node: Node, effect: str, saga: str) -> None:
        """At a blind system for so long that its lease ends, and that somebody looks, sees nothing, and says so."""
        world = self._world
        if effect != "blind":
            world.freeze(node)
            return
        world.freeze(node, world.dice.uniform(50.0, 100.0))
        for _ in range(3):
            world.loop.later(world.dice.uniform(12.0, 45.0), world.operator.visit, saga)

    def _check_alone(self, node: Node, here: list[tuple[Node, int]], key: tuple[Identity, str]) -> None:
        """A lease keeps two workers apart, unless one was frozen in its call or the database's clock leapt."""
        awake = [n for n, thaws in here if n is not node and not n.process.frozen and n.process.thaws == thaws]
        if awake and not self._world.leapt:
            (saga, step, round_), direction = key
            self._world.wrong(saga, f"two workers at once at {direction} of {step}, round {round_}")

    async def ask(self, node: Node, call: Any) -> bool | Fate | None:
        """Whether the work of a step is there; an outcome where the question found out nothing."""
        identity, _ = _identity(call.idempotency_key)
        await call.renew()
        await node.io()
        if self._world.happens(Fault.CALL_LOST, 0.04):
            self._world.injure(identity[0], "a probe was cut off")
            return "unknown", "CUT"
        if self._world.happens(Fault.FAILED, 0.06):
            self._world.injure(identity[0], "a probe failed")
            return "failed", "BUSY"
        await node.io()
        return self.ledger.of(identity).there

    def _fate(self, step: str, direction: str) -> Fault | None:
        if self._world.aim is not None:
            return self._world.aim.fate(step, direction)
        happens = self._world.happens
        if happens(Fault.REJECTED, 0.07 if direction == "do" else 0.03):
            return Fault.REJECTED
        for fault, chance in (
            (Fault.FAILED, 0.1),
            (Fault.ANSWER_LOST, 0.06),
            (Fault.CALL_LOST, 0.05),
            (Fault.SLOW, 0.04),
        ):
            if happens(fault, chance):
                return fault
        return None

    def _arrive(self, request: _Request) -> None:
        self._pending[request.identity, request.direction] -= 1
        answer = self._carry_out(request)
        saga, step, round_ = request.identity
        told = "nothing" if answer is None else answer[1] or answer[0]
        where = f"{request.direction} of {step}, round {round_}, attempt {request.attempt}"
        self._world.tell(saga, f"{request.node.name} has the system {where}: answered {told}")
        if request.fate is not None:
            self._world.injure(saga, request.fate.value)
        if self._world.aim is not None and self._world.aim.kills(step, request.direction):
            self._world.kill(request.node)
        elif answer is not None:
            self._world.loop.later(self._world.dice.random() * 0.02, _reply, request.reply, answer)

    def _carry_out(self, request: _Request) -> Fate | None:
        """What is done, and what is answered: None for never."""
        work, fate = self.ledger.of(request.identity), request.fate
        repeated = request.effect == "idempotent" and request.direction == "do" and work.done > 0
        if fate is Fault.REJECTED and not repeated:
            work.refused = True
            return "rejected", "NO"
        if request.stale and request.effect == "idempotent" and work.refused and not repeated:
            return "rejected", "NO"  # its answer is bound to the key, so a request of long ago hears it too
        if fate is Fault.FAILED:
            return "failed", "BUSY"
        if fate is Fault.CALL_LOST:
            return "unknown", "CUT"
        if fate is Fault.SLOW and self._world.dice.random() < 0.5 and self._world.aim is None:
            return None
        answer = self._do(request, work) if request.direction == "do" else self._undo(request, work)
        if fate is Fault.SLOW:
            return None
        return ("unknown", "CUT") if fate is Fault.ANSWER_LOST else answer

    def _do(self, request: _Request, work: Work) -> Fate:
        if request.effect == "idempotent" and work.done > 0:
            return "done", ""
        saga, step, round_ = request.identity
        excused = request.stale or self._world.leapt
        if work.fenced:
            if not excused:
                self._world.wrong(saga, f"a late do of {step}, round {round_}, reached its system after the undo")
            if request.effect != "blind":
                return "rejected", "CANCELLED"
            self._exceed(saga)
        if work.done > 0:
            if not excused and not work.stale:
                self._world.wrong(saga, f"a second call did {step}, round {round_}, again")
            if request.effect != "blind":
                return "rejected", "DUPLICATE"
            self._exceed(saga)
        work.done += 1
        self._write(request, work)
        return "done", ""

    def _undo(self, request: _Request, work: Work) -> Fate:
        work.fenced = True
        if request.effect == "blind":
            saga, step, round_ = request.identity
            excused = request.stale or self._world.leapt or work.stale
            if work.undone > 0 and not excused:
                self._world.wrong(saga, f"a second call undid {step}, round {round_}, again")
            if work.undone > 0:
                self._exceed(saga)
            work.undone += 1
            self._write(request, work)
        elif work.there:
            work.undone = 1
            self._write(request, work)
        return "done", ""

    def _exceed(self, saga: str) -> None:
        """A blind system did a thing once too often. Remembers how far its saga had come by then."""
        row = self._world.store.tables.sagas.get(UUID(saga))
        self.excess[saga] = row.revision if row is not None else 0

    def _write(self, request: _Request, work: Work) -> None:
        work.stale = work.stale or request.stale
        if request.stale and request.effect == "blind":
            self.late.add(request.identity[:2])
        self.ledger.lines.append(Line(self._world.loop.time(), request.identity, request.direction, request.stale))


def _identity(key: str) -> tuple[Identity, str]:
    saga, step, direction, round_ = key.rsplit(":", 3)
    return (saga, step, int(round_)), direction


def _reply(reply: asyncio.Future[Fate | None], answer: Fate) -> None:
    if not reply.done():
        reply.set_result(answer)
