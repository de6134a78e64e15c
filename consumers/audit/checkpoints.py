"""Checkpoints by themselves: each process of consumers looks every few seconds, and one of them signs.

They are made where the calls are made, and not by a timer of the machine or by `saga doctor`: whoever runs consumers
has them, and a chain that nobody adds to needs none. PostgreSQL's advisory lock makes the processes take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from opentelemetry import metrics

from consumers.audit.reads import Reads
from consumers.audit.signing import BadKey, private_key, sign
from consumers.audit.store import AuditReader, AuditStore, Checkpoint, Unsigned
from consumers.connectors.auth.reference import Reference
from consumers.connectors.secrets.cache import Secrets
from consumers.errors import Failed
from orchestrator.database import StoreError
from orchestrator.messaging.kafka import Run
from orchestrator.messaging.ports import Sleep

__all__ = ["Keeper", "key_of"]

log = structlog.get_logger(__name__)
_failures = metrics.get_meter("saga-orchestrator").create_counter(
    "saga.audit.unsigned", description="Times that the audit was due to be signed and could not be, by reason"
)
_WHO = "audit"


async def key_of(secrets: Secrets, reference: Reference) -> Ed25519PrivateKey:
    """The signing key as it is now.

    Raises:
        Failed: there is no such secret now.
        BadKey: it is no Ed25519 key.

    """
    pair = await secrets.read(reference, who=_WHO)
    return private_key(pair.current.reveal().encode(), str(reference))


class Keeper:
    """Signs what is due, and writes what has been read of secrets.

    Args:
        calls, seconds: a chain is signed when so many rows lie after its last checkpoint, or the first of them is so
            old.
        key: where the private key is; None signs nothing.

    """

    def __init__(
        self,
        reader: AuditReader,
        audit: AuditStore,
        reads: Reads,
        secrets: Secrets,
        *,
        key: Reference | None,
        calls: int,
        seconds: float,
        run: Run,
        now: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._audit = audit
        self._reads = reads
        self._secrets = secrets
        self._key = key
        self._calls = calls
        self._seconds = seconds
        self._run = run
        self._now = now

    async def keep(self, stopping: Callable[[], bool], sleep: Sleep, every: float) -> None:
        """Until told to stop, and once more then. Calls go on whatever happens here; an event says what did."""
        while not stopping():
            await self.turn()
            left = every
            while left > 0 and not stopping():
                await sleep(min(left, 0.5))
                left -= 0.5
        await self.turn()

    async def turn(self) -> int:
        """Write and sign what is due; how many checkpoints were made."""
        try:
            await self._reads.write(self._audit)
            return await self._signed()
        except StoreError as exc:
            log.warning("audit.not_kept", error=str(exc))
        return 0

    async def _signed(self) -> int:
        if self._key is None or not any(map(self._due, await self._run(self._reader.unsigned))):
            return 0
        try:
            key = await key_of(self._secrets, self._key)
        except (Failed, BadKey) as exc:
            reason = exc.code if isinstance(exc, Failed) else "BAD_KEY"
            _failures.add(1, {"reason": reason})
            log.error("audit.unsigned", reason=reason, error=str(exc))
            return 0

        def make(ends: Sequence[Unsigned]) -> Sequence[Checkpoint]:
            at = self._now()
            return [sign(key, end.system, end.number, end.hash, at) for end in ends if self._due(end)]

        made = await self._run(self._reader.sign_in_turn, make)
        if made:
            log.info("audit.signed", checkpoints=made)
        return made or 0

    def _due(self, end: Unsigned) -> bool:
        late = (self._now() - end.since).total_seconds() >= self._seconds
        return late or end.number - end.signed >= self._calls
