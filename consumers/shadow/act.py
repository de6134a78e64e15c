"""What a shadow does in the place of its action: everything up to the effect, which it records.

Records come before outcomes, under the effect's identity: a worker that dies between the two leaves a record that the
next one writes again, and the made-up output, which follows from the effect's key, is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from consumers.command import ReceivedCommand
from consumers.errors import ActionError, Failed, Rejected
from consumers.shadow.placeholder import NoPlaceholder, placeholder
from consumers.shadow.store import Found, ShadowRow, ShadowStore
from consumers.system import Action, Call, System
from orchestrator.core.messages import Direction
from orchestrator.redaction import redacted
from schemas.models import Record

__all__ = ["Shadow"]

log = structlog.get_logger(__name__)


class Shadow:
    """The shadows of one system's actions. Without a `store` nothing can be recorded, and so nothing is answered."""

    def __init__(self, system: System, store: ShadowStore | None, now: Callable[[], datetime]) -> None:
        self._system = system
        self._store = store
        self._now = now

    def of(self, command: ReceivedCommand) -> ReceivedCommand:
        """The same command, whose action records and does nothing."""
        real = command.action
        action = Action(real.command, partial(self._act, command), real.timeout, mode=real.mode)
        return replace(command, shadow=True, action=action)

    async def _act(self, command: ReceivedCommand, record: Record, call: Call) -> Record:
        """See `consumers.system.Handler`."""
        if self._store is None:
            raise Failed("SHADOW_UNAVAILABLE", "this worker has nowhere to record what it does not do")
        action = command.action
        requests = [] if action.requests is None else [_plain(sent) for sent in action.requests(record, call)]
        if self._system.prove is not None:
            await self._system.prove()
        output, found = await self._output(command, record, call)
        identity = command.identity
        row = ShadowRow(
            identity=identity,
            system=self._system.name,
            action=action.contract.action or action.contract.name,
            at=self._now(),
            agent=call.agent,
            request=redacted(requests),
            command=record.model_dump(mode="json"),
            output=output.model_dump(mode="json"),
            found=found,
        )
        await self._store.record(row)
        log.info("consumer.shadowed", saga_id=str(call.saga_id), step=identity.step, direction=identity.direction.value)
        return output

    async def _output(self, command: ReceivedCommand, record: Record, call: Call) -> tuple[Record, Found]:
        """What the existing process has done already, where the system can be asked; else something made up."""
        action = command.action
        made = action.contract.completion
        assert made is not None
        found = Found.MADE_UP
        asks = action.known or action.probe
        if asks is not None and command.identity.direction is Direction.DO:
            try:
                there = await asks(record, call)
            except ActionError as exc:
                # To ask is a help and no duty: the record says that it was not possible.
                log.warning("consumer.shadow_not_asked", code=exc.code, step=command.identity.step)
                found = Found.NOT_ASKED
            else:
                if there is not None:
                    return there, Found.PROBED
        try:
            return placeholder(made, command.key), found
        except NoPlaceholder as exc:
            raise Rejected("NO_PLACEHOLDER", str(exc)) from exc


def _plain(sent: Any) -> Any:
    return asdict(sent) if is_dataclass(sent) and not isinstance(sent, type) else sent
