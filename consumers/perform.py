"""The call itself: probe, handler, time-out, and what an exception means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog
from msgspec.structs import replace

from consumers.audit.entry import Exchange
from consumers.command import ReceivedCommand
from consumers.effects import EffectStore
from consumers.errors import ClaimLost, Failed, Rejected, Unknown
from consumers.limit import Advice
from consumers.system import Call
from orchestrator.core.effects import Perform
from orchestrator.core.messages import GONE, Failure, Outcome, Succeeded
from orchestrator.database import StoreError
from orchestrator.messaging.ports import Sleep
from orchestrator.redaction import redacted_text, using
from schemas.models import Record

__all__ = ["CIRCUIT_OPEN", "Performer"]

log = structlog.get_logger(__name__)
T = TypeVar("T")

CIRCUIT_OPEN = "CIRCUIT_OPEN"


@dataclass(slots=True)
class _Hold:
    """A claim while its system is called.

    `renewed` is when the clock was read before the claim was last written. `limit` is the call's time-out, which stands
    still while a place is waited for. `acting`: what is called is the handler, not the probe; `acted`: it has called.
    """

    effects: EffectStore
    command: ReceivedCommand
    owner: UUID
    renewed: float
    lease: float
    clock: Callable[[], float]
    again: Callable[[], Awaitable[None]]
    limit: asyncio.Timeout | None = None
    called: bool = False
    acting: bool = False
    acted: bool = False

    async def renew(self) -> None:
        """The claim is ours, and lasts as long as a call may."""
        # The clock was read before the claim was written, so the lease lasts longer than we think. A fresh one
        # needs no round trip: the call's time-out fits into what is left.
        at = self.clock()
        if at - self.renewed < self.lease / 4:
            return
        if not await self.effects.renew(self.command.identity, self.owner, self.lease):
            raise ClaimLost
        self.renewed = at

    async def before_call(self) -> None:
        """What `Call.renew` does. The first call goes by the command's own place."""
        if self.called:
            await self._place()
        self.called = True
        await self.renew()
        self.acted = self.acting

    async def _place(self) -> None:
        loop, limit = asyncio.get_running_loop(), self.limit
        if limit is None or (ends := limit.when()) is None:
            await self.again()
            return
        left = ends - loop.time()
        limit.reschedule(None)
        try:
            await self.again()
        finally:
            limit.reschedule(loop.time() + left)


class Performer:
    """Calls handlers. `again` waits for the place of a further call under one claim.

    `limited` hears what answers say of limits; `answered` is shown an action's good answers.

    `audited` writes what was sent and what came back, before anybody learns of the outcome.
    """

    def __init__(
        self,
        effects: EffectStore,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Sleep,
        draining: Callable[[], bool],
        again: Callable[[], Awaitable[None]],
        limited: Callable[[Advice], None],
        answered: Callable[[str, str, Any], None],
        audited: Callable[[ReceivedCommand, Sequence[tuple[datetime, Exchange]]], Awaitable[None]],
    ) -> None:
        self._audited = audited
        self._draining = draining
        self._again = again
        self._limited = limited
        self._answered = answered
        self._effects = effects
        self._clock = clock
        self._now = now
        self._sleep = sleep

    async def perform(
        self,
        command: ReceivedCommand,
        owner: UUID,
        verdict: Perform,
        asked_at: float,
        lease: float,
        *,
        placed: bool = True,
    ) -> Succeeded | Failure | None:
        """Do it; None where the claim was lost before anything was called.

        `placed`: the command has a place among the system's calls; else its first call waits for one, too.
        """
        hold = _Hold(self._effects, command, owner, asked_at, lease, self._clock, self._again, called=not placed)
        sends: list[tuple[datetime, Exchange]] = []
        try:
            call = self._call(command, hold.before_call, sends)
            with using(partial(command.action.hiding, command.record)):
                return _readable(await self._until_closed(command, call, verdict, hold))
        finally:
            if sends:
                await self._audited(command, sends)

    def _call(
        self,
        command: ReceivedCommand,
        renew: Callable[[], Awaitable[None]],
        sends: list[tuple[datetime, Exchange]],
    ) -> Call:
        return Call(
            saga_id=command.saga_id,
            step=command.identity.step,
            direction=command.identity.direction.value,
            attempt=command.ask.attempt,
            idempotency_key=command.key,
            renew=renew,
            deadline=command.event.deadline,
            agent=command.event.agent or "",
            keyed=command.ask.effect == "idempotent",
            told=lambda exchange: sends.append((self._now(), exchange)),
            limited=self._limited,
            answered=partial(self._answered, command.action.name),
        )

    async def look(self, command: ReceivedCommand) -> Succeeded | Failure:
        """Ask whether the action's work is there: its output, or a rejection with code `GONE`.

        Asking changes nothing, so there is no claim and nothing is kept; whoever wants to know again asks again.
        """
        probe = command.action.probe
        if probe is None:
            name = command.action.contract.name
            return Failure(Outcome.REJECTED, "NO_PROBE", f"nobody can ask the system about {name}")

        called = False

        async def renew() -> None:
            """No claim, so nothing to renew; but a further call takes a place of its own."""
            nonlocal called
            if called:
                await self._again()
            called = True

        sends: list[tuple[datetime, Exchange]] = []

        async def ask(_: asyncio.Timeout) -> Succeeded | Failure | None:
            found = await probe(command.record, self._call(command, renew, sends))
            return None if found is None else _checked(command, found)

        try:
            with using(partial(command.action.hiding, command.record)):
                result = _readable(await _caught(command, ask))
        finally:
            if sends:
                await self._audited(command, sends)
        if result is None:
            return Failure(Outcome.REJECTED, GONE)
        if isinstance(result, Failure) and result.outcome is Outcome.REJECTED:
            # A question that is refused has found out nothing.
            return Failure(Outcome.UNKNOWN, result.code, result.message)
        return result

    async def _until_closed(
        self, command: ReceivedCommand, call: Call, verdict: Perform, hold: _Hold
    ) -> Succeeded | Failure | None:
        """An open breaker burns no attempt: wait for it, as long as the coordinator waits for us."""
        while True:
            try:
                result = await self._once(command, call, verdict, hold)
            except ClaimLost:
                if not hold.acted:
                    return None
                return Failure(Outcome.UNKNOWN, "CLAIM_LOST", "the claim was lost between two calls of one action")
            except StoreError as exc:
                # Our own database failed between two calls of one attempt; the first may have done it.
                return Failure(Outcome.UNKNOWN, "EFFECTS_UNAVAILABLE", str(exc))
            open_ = isinstance(result, Failure) and result.code == CIRCUIT_OPEN
            if not open_ or call.deadline is None or self._draining():
                return result
            assert isinstance(result, Failure)
            delay = min(1.0, max(0.05, result.retry_after or 0.0))
            if (call.deadline - self._now()).total_seconds() <= delay:
                return result
            await self._sleep(delay)

    async def _once(self, command: ReceivedCommand, call: Call, verdict: Perform, hold: _Hold) -> Succeeded | Failure:
        action = command.action
        try:
            await hold.renew()
        except StoreError as exc:
            # Nothing has been called yet, so this is no doubt that a person would have to resolve.
            return Failure(Outcome.FAILED, "EFFECTS_UNAVAILABLE", str(exc))

        async def act(limit: asyncio.Timeout) -> Succeeded | Failure:
            hold.limit = limit
            if verdict.probe and action.probe is not None:
                found = await action.probe(command.record, call)
                if found is not None:
                    return _checked(command, found)
                await hold.renew()
            hold.acting = True
            return _checked(command, await action.handler(command.record, call))

        return await _caught(command, act)


def _readable(result: T) -> T | Failure:
    """A failure without what the system repeats of the command: everybody reads it, and nobody works with it."""
    return replace(result, message=redacted_text(result.message)) if isinstance(result, Failure) else result


async def _caught(command: ReceivedCommand, act: Callable[[asyncio.Timeout], Awaitable[T]]) -> T | Failure:
    """What `act`, which is given its time-out, returns; or what its exception says of the outcome."""
    action = command.action
    try:
        async with asyncio.timeout(action.timeout) as limit:
            return await act(limit)
    except TimeoutError:
        return Failure(Outcome.UNKNOWN, "TIMEOUT", f"no answer within {action.timeout:g} s")
    except Rejected as exc:
        return Failure(Outcome.REJECTED, exc.code, exc.message)
    except Failed as exc:
        return Failure(Outcome.FAILED, exc.code, exc.message, exc.retry_after)
    except Unknown as exc:
        return Failure(Outcome.UNKNOWN, exc.code, exc.message)
    except (ClaimLost, StoreError):
        raise
    except Exception as exc:
        # Code that broke in mid-call may have called: never assume.
        log.exception("consumer.handler_failed", action=action.contract.name, saga_id=str(command.saga_id))
        return Failure(Outcome.UNKNOWN, "HANDLER_ERROR", f"{type(exc).__name__}: {exc}")


def _checked(command: ReceivedCommand, output: Record) -> Succeeded | Failure:
    expected = command.action.contract.completion
    if type(output) is not expected:
        name = type(output).__name__
        return Failure(Outcome.UNKNOWN, "CONTRACT_VIOLATION", f"the handler returned {name}")
    return Succeeded(output)
