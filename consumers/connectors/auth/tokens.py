"""Access tokens of one process: one request for each, however many calls need it.

    token is                       a call
    fresh                          takes it
    near its end, still valid      takes it; one refresh runs beside
    ended, or none                 waits for the one refresh
    refused by the system (401)    waits for the one refresh; none if the token was only just got

Ends are counted by our monotonic clock from before the request was sent: the server's clock may not be ours.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cache

import structlog
from opentelemetry import metrics

from consumers.connectors.secrets.secret import Secret
from consumers.errors import Failed

__all__ = ["Grant", "Key", "Tokens", "shared_tokens"]

log = structlog.get_logger(__name__)
_meter = metrics.get_meter("saga-orchestrator")
_requested = _meter.create_counter("saga.token.requests", description="Tokens asked for, by system")
_failures = _meter.create_counter(
    "saga.token.failures", description="Tokens that were not to be had, by system and code"
)

_COOLDOWN_SECONDS = 5.0
_AGAIN_SECONDS = 5.0
_QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token server gave: the token, the seconds it is good for, and the version of the secret that proved us."""

    token: str = field(repr=False)
    lifetime: float
    secret_version: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What a token is for. `purpose` is all else that makes two tokens differ: client, scopes, audience."""

    system: str
    token_url: str
    purpose: Hashable
    secret_version: str


@dataclass(slots=True)
class _Held:
    token: Secret
    got: float
    refresh: float
    end: float


class Tokens:
    """The cache. Share one among all that use an event loop.

    Args:
        clock: seconds, monotonic.
        uniform: random between two numbers.
        cooldown: seconds in which a new token is not asked for because the last was refused.

    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        cooldown: float = _COOLDOWN_SECONDS,
    ) -> None:
        self._clock = clock
        self._uniform = uniform
        self._cooldown = cooldown
        self._held: dict[Key, _Held] = {}
        self._flights: dict[Key, asyncio.Task[_Held | Failed]] = {}
        self._failed: dict[Key, tuple[float, Failed]] = {}
        self._serial = 0

    async def get(self, key: Key, fetch: Callable[[], Awaitable[Grant]]) -> Secret:
        """The token; its version is a number of ours.

        Raises:
            Failed: as `fetch` raised it; for a second after that, without asking again.

        """
        held, now = self._held.get(key), self._clock()
        if held is not None and now < held.end:
            if now >= held.refresh:
                self._flight(key, fetch)
            return held.token
        return await self._fetched(key, fetch)

    async def refused(self, key: Key, version: str, fetch: Callable[[], Awaitable[Grant]]) -> bool:
        """The system refused that token. True where there is another one now.

        Raises:
            Failed: as `get`.

        """
        held = self._held.get(key)
        if held is not None and held.token.version == version:
            if self._clock() < held.got + self._cooldown:
                return False  # a new token did not please either: it is not the token
            await self._fetched(key, fetch)
        return True

    async def _fetched(self, key: Key, fetch: Callable[[], Awaitable[Grant]]) -> Secret:
        failed = self._failed.get(key)
        if failed is not None and self._clock() < failed[0]:
            found: _Held | Failed = failed[1]
        else:
            # Shielded: a call whose time is up leaves the flight to the others.
            found = await asyncio.shield(self._flight(key, fetch))
        if isinstance(found, Failed):
            raise Failed(found.code, found.message, retry_after=found.retry_after)
        return found.token

    def _flight(self, key: Key, fetch: Callable[[], Awaitable[Grant]]) -> asyncio.Task[_Held | Failed]:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key, fetch))
        return flight

    async def _fly(self, key: Key, fetch: Callable[[], Awaitable[Grant]]) -> _Held | Failed:
        began = self._clock()
        _requested.add(1, {"system": key.system})
        try:
            grant = await fetch()
        except Failed as exc:
            return self._missed(key, exc)
        except Exception as exc:  # noqa: BLE001 - whatever it is, nothing was sent to the system
            return self._missed(key, Failed("TOKEN_UNAVAILABLE", type(exc).__name__))
        finally:
            del self._flights[key]
        end = began + grant.lifetime
        # A tenth, but not less than half a minute, before the end; half-way for tokens that live no minute.
        margin = min(max(30.0, grant.lifetime * 0.1) * self._uniform(1.0, 1.2), grant.lifetime / 2)
        self._serial += 1
        held = _Held(Secret(grant.token, str(self._serial)), began, end - margin, end)
        self._failed.pop(key, None)
        # In a rotation the server may have taken another version than the one that was tried first.
        key = replace(key, secret_version=grant.secret_version or key.secret_version)
        self._held[key] = held
        self._forget_ended()
        log.info("token.got", system=key.system, secret_version=key.secret_version, lifetime=grant.lifetime)
        return held

    def _missed(self, key: Key, error: Failed) -> Failed:
        now, held = self._clock(), self._held.get(key)
        valid = held is not None and now < held.end
        _failures.add(1, {"system": key.system, "code": error.code})
        log.error("token.unavailable", system=key.system, code=error.code, error=error.message, old_token_serves=valid)
        if held is not None:
            held.refresh = now + _AGAIN_SECONDS * self._uniform(0.8, 1.2)
        self._failed[key] = (now + _QUIET_SECONDS, error)
        return error

    def _forget_ended(self) -> None:
        now = self._clock()
        for key in [key for key, held in self._held.items() if now >= held.end]:
            del self._held[key]
            self._failed.pop(key, None)


@cache
def shared_tokens() -> Tokens:
    """The one of this process."""
    return Tokens()
