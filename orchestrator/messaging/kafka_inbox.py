"""The reading end: one member of a Kafka consumer group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from orchestrator.messaging import message as plain
from orchestrator.messaging.errors import BrokerFatal
from orchestrator.messaging.kafka import Run, translated
from orchestrator.messaging.message import Incoming
from orchestrator.messaging.offsets import start_of
from orchestrator.messaging.ports import OnAssign

__all__ = ["KafkaInbox"]

log = structlog.get_logger(__name__)

_REQUEST_SECONDS = 10.0
_IDLE_POLL_SECONDS = 0.2


class KafkaInbox:
    """One member of a consumer group.

    On assignment it starts at the lower of Kafka's committed offset and the one `on_assign` knows, and commits a
    rewind to Kafka before anything is processed: a second crash would else skip outputs (design §5).

    Commits are sent and not waited for: a broker gathers them for some milliseconds (KIP-848's group coordinator), and
    one that gets lost costs a redelivery. Whoever gives partitions up, or leaves, waits for the last.
    """

    def __init__(self, config: Mapping[str, Any], topics: Sequence[str], *, run: Run, on_assign: OnAssign) -> None:
        self._consumer = Consumer({**config, "on_commit": self._on_commit})
        self._run = run
        self._on_assign = on_assign
        self._pending: list[TopicPartition] | None = None
        self._assigned: frozenset[plain.TopicPartition] = frozenset()
        self._joined = False
        # Next offset and time of the last message that was read, per partition: how far we have heard.
        self._read: dict[plain.TopicPartition, tuple[int, int]] = {}
        # What has been sent to be committed and not been confirmed.
        self._unconfirmed: dict[plain.TopicPartition, int] = {}
        self._consumer.subscribe(list(topics), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose)

    # The callbacks run inside poll. Looking up offsets takes the store, so it is done after them.

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign([])
        self._pending = partitions

    def _revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._confirm()
        self._lose(consumer, partitions)

    def _lose(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("inbox.revoked", partitions=len(partitions))
        self._pending = None
        self._assigned = frozenset()
        self._joined = False
        self._unconfirmed.clear()
        # The client keeps a partition paused over its revocation: it would be silent for ever when it comes back.
        consumer.resume(partitions)
        consumer.unassign()

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        """See `Inbox.poll`."""
        if self._pending is not None:
            await self._start(self._pending)
        return await self._run(self._poll, most, timeout)

    def _poll(self, most: int, seconds: float) -> Sequence[Incoming]:
        # consume(n, t) waits the whole t for n messages; one by poll and the rest without waiting is 0.7 ms.
        first = self._consumer.poll(seconds)
        if first is None or self._pending is not None:
            return ()
        found = [first, *(self._consumer.consume(most - 1, 0) if most > 1 else ())]
        messages = []
        for raw in found:
            if self._ended(raw):
                continue
            if _readable(raw) and (message := _incoming(raw)).place in self._assigned:
                messages.append(message)
                self._read[message.place] = (message.offset + 1, max(raw.timestamp()[1], 0))
        return messages

    def _ended(self, event: KafkaMessage) -> bool:
        """Take in that the end of a partition has been reached, if that is what the client says."""
        error = event.error()
        if error is None or error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is its public name
            return False
        topic, partition, end = event.topic(), event.partition(), event.offset()
        if topic is not None and partition is not None and (known := self._read.get((topic, partition))):
            self._read[topic, partition] = (max(known[0], end or 0), known[1])
        return True

    async def _start(self, partitions: list[TopicPartition]) -> None:
        places = [(p.topic, p.partition) for p in partitions]
        known = await self._on_assign(places)
        await self._run(self._assign_at, partitions, known)

    def _assign_at(self, partitions: list[TopicPartition], known: Mapping[plain.TopicPartition, int]) -> None:
        try:
            committed = self._consumer.committed(partitions, timeout=_REQUEST_SECONDS) if partitions else []
            starts, rewinds = [], []
            for place in committed:
                start = self._start_of(place, known.get((place.topic, place.partition)))
                starts.append(TopicPartition(place.topic, place.partition, start))
                if place.offset >= 0 and start < place.offset:
                    rewinds.append(starts[-1])
            if rewinds:
                log.warning("inbox.rewind", partitions=[f"{p.topic}/{p.partition}@{p.offset}" for p in rewinds])
                self._consumer.commit(offsets=rewinds, asynchronous=False)
            self._consumer.assign(starts)
        except KafkaException as exc:
            raise translated(exc) from exc
        self._pending = None
        self._assigned = frozenset((p.topic, p.partition) for p in starts)
        self._read = {(p.topic, p.partition): (p.offset, 0) for p in starts}
        self._joined = True
        log.info("inbox.assigned", partitions=len(starts))

    def _start_of(self, place: TopicPartition, known: int | None) -> int:
        low, high = self._consumer.get_watermark_offsets(
            TopicPartition(place.topic, place.partition), timeout=_REQUEST_SECONDS
        )
        if place.error is not None:
            raise KafkaException(place.error)
        committed = place.offset if place.offset >= 0 else None
        return start_of((place.topic, place.partition), committed, known, int(low), int(high))

    async def commit(self, offsets: Mapping[plain.TopicPartition, int]) -> None:
        """See `Inbox.commit`."""
        ours = [TopicPartition(t, p, o) for (t, p), o in offsets.items() if (t, p) in self._assigned]
        if ours:
            await self._run(self._commit, ours)

    def _commit(self, offsets: list[TopicPartition]) -> None:
        self._unconfirmed |= {(p.topic, p.partition): p.offset for p in offsets}
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as exc:
            if exc.args[0].code() not in _NOT_OURS:
                raise translated(exc) from exc

    def _on_commit(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        """What became of a commit; called inside a later poll."""
        for place in offsets:
            failed = error or place.error
            if failed is not None:
                # The next one covers it.
                log.warning("inbox.commit_failed", topic=place.topic, partition=place.partition, code=failed.name())
            elif self._unconfirmed.get((place.topic, place.partition)) == place.offset:
                del self._unconfirmed[place.topic, place.partition]

    def _confirm(self) -> None:
        """Commit what is not confirmed, and wait for it: whoever reads these partitions next begins there."""
        if not self._unconfirmed:
            return
        try:
            offsets = [TopicPartition(topic, partition, at) for (topic, partition), at in self._unconfirmed.items()]
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as exc:
            log.warning("inbox.commit_failed", code=exc.args[0].name())

    async def rewind(self, offsets: Mapping[plain.TopicPartition, int]) -> None:
        """See `Inbox.rewind`."""
        for (topic, partition), offset in offsets.items():
            if (topic, partition) in self._assigned:
                self._read[topic, partition] = (offset, 0)
                try:
                    await self._run(self._consumer.seek, TopicPartition(topic, partition, offset))
                except KafkaException as exc:
                    raise translated(exc) from exc

    async def idle(self, seconds: float) -> None:
        """See `Inbox.idle`. Paused partitions are polled, or the group would take us for dead."""
        await self._run(self._idle, seconds)

    def _idle(self, seconds: float) -> None:
        ours = [TopicPartition(t, p) for t, p in self._assigned]
        if ours:
            self._consumer.pause(ours)
        for _ in range(max(1, round(seconds / _IDLE_POLL_SECONDS))):
            event = self._consumer.poll(min(seconds, _IDLE_POLL_SECONDS))
            if event is not None and not self._ended(event):
                # An error that the client tells once, and then reads no more from that partition.
                _readable(event)
        still = [TopicPartition(t, p) for t, p in self._assigned if TopicPartition(t, p) in ours]
        if still:
            self._consumer.resume(still)

    def assigned(self) -> frozenset[plain.TopicPartition]:
        """See `Inbox.assigned`."""
        return self._assigned

    def joined(self) -> bool:
        """See `Inbox.joined`."""
        return self._joined

    def heard_until(self, partition: int) -> datetime | None:
        """See `Inbox.heard_until`. Asks nobody: the client learns the end of a partition from every fetch."""
        unread = []
        for place, (offset, read_at) in self._read.items():
            if place[1] == partition:
                known = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
                if known is None or known[1] < 0 or known[1] > offset:
                    unread.append(read_at)
        return datetime.fromtimestamp(min(unread) / 1000, UTC) if unread else None

    async def close(self) -> None:
        """See `Inbox.close`."""
        await self._run(self._close)

    def _close(self) -> None:
        self._confirm()
        self._consumer.close()


def _readable(message: KafkaMessage) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - that is its public name
        msg = f"{message.topic()}: {error.str()}"
        raise BrokerFatal(msg)
    log.warning("inbox.error", code=error.name(), error=error.str())
    return False


def _incoming(message: KafkaMessage) -> Incoming:
    pairs: Any = message.headers() or ()
    headers = tuple((name, _bytes(value)) for name, value in pairs)
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return Incoming(topic, partition, offset, _bytes(message.key()), _bytes(message.value()), headers)


def _bytes(value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


_NOT_OURS = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError._NO_OFFSET,  # noqa: SLF001
    KafkaError._STATE,  # noqa: SLF001
}
