"""The call itself: probe, handler, time-out, and what an exception means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import structlog

from consumers.command import ReceivedCommand
from consumers.effects import EffectStore
from consumers.errors import ClaimLost, Failed, Rejected, Unknown
from consumers.system import Call
from orchestrator.core.effects import Perform
from orchestrator.core.messages import GONE, Failure, Outcome, Succeeded
from orchestrator.database import StoreError
from orchestrator.messaging.ports import Sleep
from schemas.models import Record

__all__ = ["CIRCUIT_OPEN", "Performer"]

log = structlog.get_logger(__name__)
T = TypeVar("T")

CIRCUIT_OPEN = "CIRCUIT_OPEN"


class Performer:
    """Calls handlers."""

    def __init__(
        self,
        effects: EffectStore,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Sleep,
        draining: Callable[[], bool],
    ) -> None:
        self._draining = draining
        self._effects = effects
        self._clock = clock
        self._now = now
        self._sleep = sleep

    async def perform(
        self, command: ReceivedCommand, owner: UUID, verdict: Perform, asked_at: float, lease: float
    ) -> Succeeded | Failure | None:
        """Do it; None where the claim was lost before or between calls."""
        renewed = asked_at

        async def renew() -> None:
            # The clock was read before the claim was written, so the lease lasts longer than we think. A fresh one
            # needs no round trip: the call's time-out fits into what is left.
            nonlocal renewed
            at = self._clock()
            if at - renewed < lease / 4:
                return
            if not await self._effects.renew(command.identity, owner, lease):
                raise ClaimLost
            renewed = at

        return await self._until_closed(command, _call(command, renew), verdict)

    async def look(self, command: ReceivedCommand) -> Succeeded | Failure:
        """Ask whether the action's work is there: its output, or a rejection with code `GONE`.

        Asking changes nothing, so there is no claim and nothing is kept; whoever wants to know again asks again.
        """
        probe = command.action.probe
        if probe is None:
            name = command.action.contract.name
            return Failure(Outcome.REJECTED, "NO_PROBE", f"nobody can ask the system about {name}")

        async def renew() -> None:
            """No claim, so nothing to renew."""

        async def ask() -> Succeeded | Failure | None:
            found = await probe(command.record, _call(command, renew))
            return None if found is None else _checked(command, found)

        result = await _caught(command, ask)
        if result is None:
            return Failure(Outcome.REJECTED, GONE)
        if isinstance(result, Failure) and result.outcome is Outcome.REJECTED:
            # A question that is refused has found out nothing.
            return Failure(Outcome.UNKNOWN, result.code, result.message)
        return result

    async def _until_closed(self, command: ReceivedCommand, call: Call, verdict: Perform) -> Succeeded | Failure | None:
        """An open breaker burns no attempt: wait for it, as long as the coordinator waits for us."""
        while True:
            try:
                result = await self._once(command, call, verdict)
            except ClaimLost:
                return None
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

    async def _once(self, command: ReceivedCommand, call: Call, verdict: Perform) -> Succeeded | Failure:
        action = command.action
        try:
            await call.renew()
        except StoreError as exc:
            # Nothing has been called yet, so this is no doubt that a person would have to resolve.
            return Failure(Outcome.FAILED, "EFFECTS_UNAVAILABLE", str(exc))

        async def act() -> Succeeded | Failure:
            if verdict.probe and action.probe is not None:
                found = await action.probe(command.record, call)
                if found is not None:
                    return _checked(command, found)
                await call.renew()
            return _checked(command, await action.handler(command.record, call))

        return await _caught(command, act)


def _call(command: ReceivedCommand, renew: Callable[[], Awaitable[None]]) -> Call:
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
    )


async def _caught(command: ReceivedCommand, act: Callable[[], Awaitable[T]]) -> T | Failure:
    """What `act` returns, or what its exception says of the outcome."""
    action = command.action
    try:
        async with asyncio.timeout(action.timeout):
            return await act()
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
