"""The coordinator's loop (design §5): read a batch, decide in one transaction, send, commit offsets.

It is written over Protocols: it starts no thread and asks no clock. What happens at each crash:

- before the commit: nothing happened, the input is delivered again;
- after the commit, before the acknowledgements: the input comes again, the journal has it, and its outputs go out
  again with the same ids;
- the commit's outcome unknown: treated as failed; redelivery finds out.

What could not be sent is kept and sent before anything else is read: a saga's next outcome would else overtake it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from orchestrator.batch import Batch
from orchestrator.catalogue import Catalogue
from orchestrator.database import BadData, StoreConflict, StoreUnavailable
from orchestrator.messaging.dead_letter import Grave, bury
from orchestrator.messaging.errors import BadMessage, BrokerFatal, BrokerUnavailable
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import Ids, Inbox, Outbox, Refusal, Systems
from orchestrator.messaging.reader import Parsed, Reader, meant_for
from orchestrator.messaging.writer import Context, Writer
from orchestrator.store.ports import Store
from schemas.errors import RegistryUnavailable

__all__ = ["Coordinator", "Limits", "Stopped"]

log = structlog.get_logger(__name__)

_TRANSIENT = (StoreUnavailable, StoreConflict, BrokerUnavailable, RegistryUnavailable)
_ANNOUNCE_SECONDS = 2.0
_LONGEST_BACKOFF = 5.0


class Stopped(Exception):
    """The coordinator stopped by itself, rather than pass messages it could not deal with."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes and times of the loop, in messages and seconds. More than `poison` dead letters in a row stop it."""

    batch: int = 500
    poll: float = 0.2
    hold: float = 300.0
    control_hold: float = 60.0
    poison: int = 1000


@dataclass(frozen=True, slots=True)
class _Unsent:
    """What a committed batch has to send, and the offsets that may pass once it is out."""

    outputs: Sequence[Outgoing]
    offsets: Mapping[TopicPartition, int]


class Coordinator:
    """One replica. Any number of them share the work; correctness does not depend on who owns what."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        outbox: Outbox,
        store: Store,
        systems: Systems,
        reader: Reader,
        writer: Writer,
        catalogue: Catalogue,
        ids: Ids,
        clock: Callable[[], float],
        group: str,
        limits: Limits,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._store = store
        self._systems = systems
        self._reader = reader
        self._writer = writer
        self._catalogue = catalogue
        self._ids = ids
        self._clock = clock
        self._group = group
        self._limits = limits
        self._replica = ids.token()
        self._unsent: _Unsent | None = None
        self._announced: float | None = None
        self._startable: Mapping[str, int] = {}
        self._failures = 0
        self._trouble: str | None = None
        self._poisoned = 0

    def unready(self) -> str | None:
        """Why no message can be dealt with now; None where one can."""
        if self._trouble is not None:
            return self._trouble
        return None if self._inbox.joined() else "not yet a member of the group"

    async def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop; then leave the group.

        Raises:
            Stopped, BrokerFatal, StoreError: what no waiting would mend.

        """
        try:
            while not stopping():
                await self.step()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        try:
            await self._store.withdraw(self._replica)
        except StoreUnavailable as exc:
            log.warning("coordinator.withdraw_failed", error=str(exc))
        await self._inbox.close()
        await self._outbox.close()
        await self._systems.close()
        await self._store.close()

    async def step(self) -> int:
        """One turn: at most one batch. Returns how many messages it dealt with.

        While the database, the broker or the registry is away nothing is read and nothing is skipped.
        """
        messages: Sequence[Incoming] = ()
        try:
            if self._unsent is not None:
                await self._send_again(self._unsent)
            await self._announce()
            # A smaller one after a failure: perhaps it was the batch's size that took too long.
            most = max(1, self._limits.batch >> min(self._failures, 9))
            messages = await self._inbox.poll(most, self._limits.poll)
            if messages:
                await self._process(messages)
        except _TRANSIENT as exc:
            await self._back_off(messages if self._unsent is None else (), exc)
            return 0
        self._failures = 0
        self._trouble = None
        return len(messages)

    async def _back_off(self, messages: Sequence[Incoming], exc: Exception) -> None:
        self._failures += 1
        self._trouble = f"{type(exc).__name__}: {exc}"
        delay = min(_LONGEST_BACKOFF, 0.1 * 2 ** min(self._failures - 1, 10))
        log.warning("coordinator.waiting", error=f"{type(exc).__name__}: {exc}", failures=self._failures, delay=delay)
        try:
            await self._inbox.rewind(_first_offsets(messages))
        except BrokerUnavailable as again:
            # Lost the partitions in the meantime: whoever has them now starts at the committed offset.
            raise BrokerFatal(str(again)) from again
        await self._inbox.idle(delay)

    async def _announce(self) -> None:
        now = self._clock()
        if self._announced is None or now - self._announced >= _ANNOUNCE_SECONDS:
            self._startable = await self._store.announce(self._replica, self._catalogue.fingerprints)
            self._announced = now

    # -- a batch ---------------------------------------------------------------------------------------------------

    async def _process(self, messages: Sequence[Incoming]) -> None:
        outputs = await self._apply(messages)
        self._unsent = _Unsent(outputs, _next_offsets(messages))
        await self._send(self._unsent)

    async def _send(self, unsent: _Unsent) -> None:
        # No next batch before the acknowledgements: who crashes here is found out by redelivery only.
        receipt = await self._outbox.send(unsent.outputs)
        if receipt.refused:
            await self._bury_outputs(receipt.refused)
        await self._inbox.commit(unsent.offsets)
        self._unsent = None

    async def _send_again(self, unsent: _Unsent) -> None:
        if self._inbox.assigned().issuperset(unsent.offsets):
            await self._send(unsent)
        else:
            # Whoever has the partitions now begins before this batch, and sends it from the journal; so late, ours
            # would come after what has been decided since.
            self._unsent = None

    async def _apply(self, messages: Sequence[Incoming]) -> list[Outgoing]:
        """Apply a batch; where the database refuses a value, find the one message and set it aside."""
        try:
            return await self._transact(messages)
        except BadData as exc:
            if len(messages) == 1:
                log.error("coordinator.refused_by_database", place=_place(messages[0]), error=str(exc))
                return await self._transact(messages, refused=str(exc))
            middle = len(messages) // 2
            first = await self._apply(messages[:middle])
            return first + await self._apply(messages[middle:])

    async def _transact(self, messages: Sequence[Incoming], refused: str | None = None) -> list[Outgoing]:
        parsed: list[Parsed] = []
        dead: list[tuple[Incoming, BadMessage]] = []
        for message in messages:
            if not meant_for(message.headers, self._group):
                log.info("coordinator.for_another_group", place=_place(message))
                continue
            try:
                if refused is not None:
                    raise BadMessage("refused-by-database", refused)
                parsed.append(self._reader.read(message))
            except BadMessage as exc:
                dead.append((message, exc))
        async with self._store.begin() as transaction:
            batch = Batch(
                transaction,
                self._catalogue,
                self._writer,
                self._ids,
                group=self._group,
                hold=self._limits.hold,
                control_hold=self._limits.control_hold,
                startable=self._startable,
                heard_until=self._inbox.heard_until,
                systems=self._systems,
            )
            outputs = await batch.apply(parsed, dead, _next_offsets(messages))
            await transaction.commit()
        unfit = sum(map(_buried_in_apply, outputs))
        self._count_poison(len(dead) + unfit, good=len(parsed) - unfit)
        return outputs

    def _count_poison(self, dead: int, *, good: int) -> None:
        """What can be read and fits nothing counts as well: to an empty database every answer is of an unknown saga."""
        self._poisoned = dead if good else self._poisoned + dead
        if self._poisoned > self._limits.poison:
            msg = (
                f"{self._poisoned} messages in a row could not be dealt with: something is wrong with what is sent "
                "here, with this program or with its database; stopping rather than drain the topic into its dead "
                "letters"
            )
            raise Stopped(msg)

    async def _bury_outputs(self, refused: Sequence[Refusal]) -> None:
        """Outputs that Kafka will never take: dead-letter them and park their sagas, so that no partition stops."""
        letters: list[Outgoing] = []
        async with self._store.begin() as transaction:
            now = (await transaction.lock(())).now
        for refusal in refused:
            headers = {name: (value or b"").decode() for name, value in refusal.message.headers}
            log.error("coordinator.output_refused", topic=refusal.message.topic, code=refusal.code)
            if refusal.message.topic.endswith(".dlq") or "ce_sagaid" not in headers:
                msg = f"{refusal.message.topic} refuses a message: {refusal.code}; the partition stops here"
                raise Stopped(msg)
            saga_id = UUID(headers["ce_sagaid"])
            grave = Grave(refusal.code, "the broker refuses it", "output", self._group, now, saga_id=saga_id)
            context = Context(saga_id, UUID(headers["ce_causationid"]), now)
            letters.append(bury(refusal.message, grave))
            step, direction = headers.get("ce_step"), headers.get("ce_direction")
            letters.append(self._writer.park(context, refusal.code, step, direction))
        if (await self._outbox.send(letters)).refused:
            msg = "a dead-letter topic or saga.control refuses messages; the partition stops here"
            raise Stopped(msg)


def _buried_in_apply(output: Outgoing) -> bool:
    return output.topic.endswith(".dlq") and ("saga-dlq-stage", b"apply") in output.headers


def _next_offsets(messages: Sequence[Incoming]) -> dict[TopicPartition, int]:
    return {message.place: message.offset + 1 for message in messages}


def _first_offsets(messages: Sequence[Incoming]) -> dict[TopicPartition, int]:
    return {message.place: message.offset for message in reversed(messages)}


def _place(message: Incoming) -> str:
    return f"{message.topic}/{message.partition}@{message.offset}"
