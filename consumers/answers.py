"""What a worker answers to a command, made once the registry has told its schema: no call is forgotten meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from consumers.command import ReceivedCommand, Replies
from orchestrator.core.effects import EffectRow, settled
from orchestrator.core.messages import Failure, Outcome, Succeeded
from orchestrator.messaging.message import Outgoing
from schemas.errors import InvalidRecord, RegistryUnavailable, SchemaError

__all__ = ["Answers"]

log = structlog.get_logger(__name__)


class _Patiently(Protocol):
    """Try until it works."""

    async def __call__(self, call: Callable[[], Awaitable[Outgoing]], /) -> Outgoing: ...


class Answers:
    """The answers of one worker. `largest` is the size of an answer that can be sent, in bytes."""

    def __init__(self, replies: Replies, *, now: Callable[[], datetime], patiently: _Patiently, largest: int) -> None:
        self._replies = replies
        self._now = now
        self._patiently = patiently
        self._largest = largest

    async def told(
        self, command: ReceivedCommand, row: EffectRow, result: Succeeded | Failure
    ) -> tuple[EffectRow, Succeeded | Failure, Outgoing]:
        """The row after the call, and the answer. An output that cannot be sent was reached by doing something."""
        after, result = settled(row, command.ask.effect, result)
        try:
            reply = await self.reply(command, result)
            if isinstance(result, Succeeded) and reply.is_over(self._largest):
                msg = f"an answer of {reply.size} bytes is over the limit of {self._largest}"
                raise InvalidRecord(msg)
        except SchemaError as exc:
            if isinstance(result, Failure):
                raise
            log.error("consumer.bad_output", saga_id=str(command.saga_id), step=command.identity.step, error=str(exc))
            return await self.told(command, row, Failure(Outcome.UNKNOWN, "CONTRACT_VIOLATION", str(exc)))
        return after, result, reply

    async def reply(self, command: ReceivedCommand, result: Succeeded | Failure) -> Outgoing:
        """See `Replies.reply`."""
        try:
            return self._replies.reply(command, result, self._now())
        except RegistryUnavailable:
            pass

        async def make() -> Outgoing:
            return self._replies.reply(command, result, self._now())

        return await self._patiently(make)

    async def again(self, command: ReceivedCommand, row: EffectRow | None) -> Outgoing:
        """See `Replies.again`; of the answer that the row keeps."""
        assert row is not None
        assert row.reply is not None
        stored = row.reply

        async def make() -> Outgoing:
            return self._replies.again(command, stored, self._now())

        return await self._patiently(make)

    async def unclaimed(self, command: ReceivedCommand, result: Succeeded | Failure, owner: UUID) -> Outgoing:
        """See `Replies.unclaimed`."""

        async def make() -> Outgoing:
            return self._replies.unclaimed(command, result, owner, self._now())

        return await self._patiently(make)
