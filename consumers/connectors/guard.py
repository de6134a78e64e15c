"""What every connector does around one call: claim, breaker, short retries in place, and the memory of a doubt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_result
from tenacity.wait import wait_random_exponential

from consumers.connectors.breaker import Breaker, BreakerState
from consumers.errors import ActionError, Failed, Rejected, Unknown
from consumers.system import Call

__all__ = ["CIRCUIT_OPEN", "Guard", "InPlace", "Verdict"]

CIRCUIT_OPEN = "CIRCUIT_OPEN"


@dataclass(frozen=True, slots=True)
class InPlace:
    """Retries within one attempt: few and short, because they hold a claim and a place among the calls in progress.

    `attempts` counts the first send. Delays grow from `first` to `maximum` seconds at random; together they stay
    within `patience` seconds, and a `Retry-After` beyond that is left to the coordinator.
    """

    attempts: int = 3
    first: float = 0.05
    maximum: float = 0.25
    patience: float = 0.5

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first <= 0 or self.maximum < self.first or self.patience < 0:
            msg = f"retries in place out of range: {self}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one send came to.

    Attributes:
        value: the answer, where `error` is None.
        error: what to raise.
        again: sending again right now is safe and may help.
        healthy: what the breaker is told; None where nothing was learned of the system.
        proven: a rejection that the target binds to the idempotency key, so it holds even after a doubt.

    """

    value: Any = None
    error: ActionError | None = None
    again: bool = False
    healthy: bool | None = True
    proven: bool = False


class Guard:
    """Runs sends of one system. Everything it knows is its breaker's."""

    def __init__(
        self,
        breaker: Breaker,
        retries: InPlace,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.breaker = breaker
        self._retries = retries
        self._clock = clock
        self._sleep = sleep
        self._backoff = wait_random_exponential(multiplier=retries.first, max=retries.maximum)

    def wait(self) -> float | None:
        """See `System.gate`."""
        now = self._clock()
        return None if self.breaker.state(now) is BreakerState.CLOSED else self.breaker.retry_after(now)

    async def run(self, call: Call, once: Callable[[], Awaitable[Verdict]]) -> Any:
        """Send until there is an answer or no use in going on.

        Raises:
            Rejected, Failed, Unknown: as the last send came out; but after a send that may have been done, only a
                proven rejection says that it was not.
            ClaimLost: another worker owns the effect now; nothing more was sent.

        """
        doubt: Unknown | None = None

        async def send() -> Verdict:
            nonlocal doubt
            verdict = await self._admitted(call, once)
            if isinstance(verdict.error, Unknown) and doubt is None:
                doubt = verdict.error
            return verdict

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda verdict: verdict.again),
            wait=self._wait,
            stop=self._enough,
            sleep=self._sleep,
            retry_error_callback=lambda state: _last(state),
        )
        verdict: Verdict = await retrying(send)
        if verdict.error is None:
            return verdict.value
        raise _after(doubt, verdict)

    async def _admitted(self, call: Call, once: Callable[[], Awaitable[Verdict]]) -> Verdict:
        if self.wait():
            return self._closed()  # before the renewal, which may wait for a place among the system's calls
        await call.renew()
        permit = self.breaker.admit(self._clock())
        if permit is None:
            return self._closed()
        try:
            verdict = await once()
        except asyncio.CancelledError:
            # The action's time is up: for the breaker that is a call that failed.
            self.breaker.record(permit, self._clock(), ok=False)
            raise
        except BaseException:
            self.breaker.forget(permit)
            raise
        if verdict.healthy is None:
            self.breaker.forget(permit)
        else:
            self.breaker.record(permit, self._clock(), ok=verdict.healthy)
        return verdict

    def _closed(self) -> Verdict:
        wait = self.breaker.retry_after(self._clock())
        return Verdict(error=Failed(CIRCUIT_OPEN, "the system is failing; not called", retry_after=wait))

    def _wait(self, state: RetryCallState) -> float:
        error = _last(state).error
        asked = error.retry_after if isinstance(error, Failed) else None
        # The system's wish is a lower bound; the jitter on top keeps callers from coming back all at once.
        return (asked or 0.0) + self._backoff(state)

    def _enough(self, state: RetryCallState) -> bool:
        return (
            state.attempt_number >= self._retries.attempts
            or state.idle_for + state.upcoming_sleep > self._retries.patience
        )


def _last(state: RetryCallState) -> Verdict:
    assert state.outcome is not None
    verdict: Verdict = state.outcome.result()
    return verdict


def _after(doubt: Unknown | None, verdict: Verdict) -> ActionError:
    error = verdict.error
    assert error is not None
    if doubt is None or isinstance(error, Unknown) or (isinstance(error, Rejected) and verdict.proven):
        return error
    return Unknown(doubt.code, f"{doubt.message}; and then {error}", detail=doubt.detail)
