"""Secrets by reference, kept for a lease, so that neither a rotation nor an outage of their store needs a restart.

    asked for                         what happens
    not known yet                     read once, however many ask
    lease has not ended               what is known
    lease has ended                   read again; what is known serves while the store is slow or away, for a limit
    the other side refused it         read again at once, but not more than once in a few seconds
    store says: no such secret        known no more; `Failed SECRET_UNAVAILABLE`

Who was given which version of which reference is told by the event `secret.read` and in the audit (`READS`), once for
each lease and user; who was not, too.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from opentelemetry import metrics

from consumers.connectors.auth.reference import Reference
from consumers.connectors.secrets.aws import AwsSecretsManager
from consumers.connectors.secrets.azure import AzureKeyVault
from consumers.connectors.secrets.secret import Secret
from consumers.connectors.secrets.source import Away, Document, Environment, Files, Source, SourceError
from consumers.connectors.secrets.vault import Vault
from consumers.errors import Failed

__all__ = ["UNAVAILABLE", "Leases", "Pair", "Secrets", "default_sources"]

UNAVAILABLE = "SECRET_UNAVAILABLE"

log = structlog.get_logger(__name__)
_failures = metrics.get_meter("saga-orchestrator").create_counter(
    "saga.secret.failures", description="Reads of a secret's store that gave none, by source and reason"
)


@dataclass(frozen=True, slots=True)
class Leases:
    """Seconds.

    Attributes:
        lease: how long a value is used before its store is asked again; each a little shorter at random.
        stale: how long after that an old value still serves while the store gives no answer.
        again: between two tries while it serves.
        patience: how long a caller waits for the store while there is an old value.
        answer: how long a caller waits for the store without one.
        cooldown: between two reads that a refusal asks for.

    """

    lease: float = 300.0
    stale: float = 3600.0
    again: float = 15.0
    patience: float = 2.0
    answer: float = 15.0
    cooldown: float = 5.0


@dataclass(frozen=True, slots=True)
class Pair:
    """What one reference gives: the present value and, with `@previous` and where there is one, the one before."""

    current: Secret
    previous: Secret | None = None


@dataclass(slots=True)
class _Held:
    document: Document
    read_at: float
    until: float
    limit: float
    told: set[tuple[str, str | None]] = field(default_factory=set)


# A document, not a reference: user and password of one document are always of one version.
_Key = tuple[str, str, bool]


class Secrets:
    """The secrets of one process. Stores are asked in a thread each, off the event loop.

    Args:
        sources: name of a source to what makes it; made when first needed.
        leases: how long values live.
        clock: seconds, monotonic.
        uniform: random between two numbers.
        told: is told who has read which reference in which version, or why it could not be read; for the audit.

    """

    def __init__(
        self,
        sources: Mapping[str, Callable[[], Source]],
        *,
        leases: Leases | None = None,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        told: Callable[[str, str, str, str | None], None] = lambda *_: None,
    ) -> None:
        self._told = told
        self._refused: dict[tuple[str, str], float] = {}
        self._makers = dict(sources)
        self._leases = leases or Leases()
        self._clock = clock
        self._uniform = uniform
        self._sources: dict[str, tuple[Source, ThreadPoolExecutor]] = {}
        self._held: dict[_Key, _Held] = {}
        self._flights: dict[_Key, asyncio.Task[SourceError | None]] = {}

    async def read(self, reference: Reference, *, who: str) -> Pair:
        """What the reference gives now. `who` asks: the name of the system that it is for.

        Raises:
            Failed: SECRET_UNAVAILABLE; the message names the reference.

        """
        return await self._pair(reference, who, lambda held: self._clock() < held.until)

    async def renewed(self, reference: Reference, *, refused: str, who: str) -> Pair:
        """The same after the version `refused` was refused: read again, unless another is known by now.

        However many ask at once, there is one read; and none if the last one was `cooldown` seconds ago or less.

        Raises:
            Failed: as `read`.

        """

        def good(held: _Held) -> bool:
            moved = refused not in {held.document.current.version, _version(held.document.previous)}
            return moved or self._clock() < held.read_at + self._leases.cooldown

        return await self._pair(reference, who, good)

    async def _pair(self, reference: Reference, who: str, good: Callable[[_Held], bool]) -> Pair:
        key = (reference.source, reference.name, reference.previous)
        held = self._held.get(key)
        if held is None or not good(held):
            try:
                held = await self._fetched(reference, key, held)
            except Failed as exc:
                self._tell_of_refusal(reference, who, exc)
                raise
        document = held.document
        if (who, reference.key) not in held.told:
            held.told.add((who, reference.key))
            log.info("secret.read", reference=str(reference), version=document.current.version, who=who)
            self._told(who, str(reference), document.current.version, None)
        previous = None if document.previous is None else _field(reference, document.previous)
        return Pair(_field(reference, document.current), previous)

    def _tell_of_refusal(self, reference: Reference, who: str, error: Failed) -> None:
        """Not each time: every call of a system fails while its secret is away."""
        now, last = self._clock(), self._refused.get((who, str(reference)))
        if last is None or now - last >= self._leases.again:
            self._refused[who, str(reference)] = now
            self._told(who, str(reference), "", error.code)

    async def _fetched(self, reference: Reference, key: _Key, held: _Held | None) -> _Held:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fetch(reference, key))
        usable = held is not None and self._clock() < held.limit
        # A waiter that is cancelled leaves the flight to the others.
        done, _ = await asyncio.wait({flight}, timeout=self._leases.patience if usable else self._leases.answer)
        known = self._held.get(key)
        error = flight.result() if done else Away("no answer yet")
        if known is not None and not done:
            known.until = self._clock() + self._leases.again  # the next callers need not wait for it too
        if known is not None and (error is None or (isinstance(error, Away) and self._clock() < known.limit)):
            return known
        raise Failed(UNAVAILABLE, f"{reference}: {error}")

    async def _fetch(self, reference: Reference, key: _Key) -> SourceError | None:
        try:
            document = await self._ask(reference)
        except SourceError as exc:
            self._failed(reference, key, exc)
            return exc
        except Exception as exc:  # noqa: BLE001 - a client's bug must not leave all callers without an answer
            away = Away(type(exc).__name__)
            self._failed(reference, key, away)
            return away
        finally:
            del self._flights[key]
        now, before = self._clock(), self._held.get(key)
        if before is not None and before.document.current.version != document.current.version:
            log.info("secret.rotated", reference=str(reference), version=document.current.version)
        until = now + self._leases.lease * self._uniform(0.8, 1.0)
        self._held[key] = _Held(document, now, until, until + self._leases.stale)
        return None

    async def _ask(self, reference: Reference) -> Document:
        if reference.source not in self._sources:
            pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"secrets-{reference.source}")
            self._sources[reference.source] = (self._makers[reference.source](), pool)
        source, pool = self._sources[reference.source]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, lambda: source.read(reference.name, previous=reference.previous))

    def _failed(self, reference: Reference, key: _Key, error: SourceError) -> None:
        reason = type(error).__name__.lower()
        _failures.add(1, {"source": reference.source, "reason": reason})
        held = self._held.get(key)
        serves = held is not None and isinstance(error, Away) and self._clock() < held.limit
        log.error(
            "secret.unavailable", reference=str(reference), reason=reason, error=str(error), old_value_serves=serves
        )
        if held is not None and serves:
            held.read_at = self._clock()
            held.until = held.read_at + self._leases.again * self._uniform(0.8, 1.0)
        else:
            self._held.pop(key, None)


def default_sources() -> Mapping[str, Callable[[], Source]]:
    """All that a reference can name, each as its own tools are set up on this machine."""
    return {
        "env": Environment,
        "file": Files,
        "aws-sm": AwsSecretsManager,
        "vault": Vault,
        "azure-kv": AzureKeyVault,
    }


def _version(secret: Secret | None) -> str | None:
    return None if secret is None else secret.version


def _field(reference: Reference, document: Secret) -> Secret:
    """The field that the reference names, or all of it.

    Raises:
        Failed: SECRET_UNAVAILABLE; there is no such field.

    """
    if reference.key is None:
        return document
    try:
        found = json.loads(document.reveal())
    except (ValueError, RecursionError):
        raise Failed(UNAVAILABLE, f"{reference}: the secret is no JSON object") from None
    value = found.get(reference.key) if isinstance(found, dict) else None
    if not isinstance(value, str) or not value:
        raise Failed(UNAVAILABLE, f"{reference}: the secret has no text in that field")
    return Secret(value, document.version)
