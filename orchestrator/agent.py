"""The client for agents: publish a request, follow its outcome.

async with Agent("procurement-bot") as agent:
    saga_id = await agent.publish(VendorOnboardingRequested(...))
    outcome = await agent.outcome(saga_id, timeout=60)
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from orchestrator import telemetry
from orchestrator.bootstrap import make_codec
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BadMessage, BrokerUnavailable
from orchestrator.messaging.event import Event, read_event
from orchestrator.messaging.kafka import in_thread, producer_config
from orchestrator.messaging.kafka_outbox import KafkaOutbox
from orchestrator.messaging.message import Outgoing
from orchestrator.messaging.reader import decode
from orchestrator.settings import Settings, load
from orchestrator.store.partitions import time_of
from schemas.models import Request, SagaEnded

if TYPE_CHECKING:
    from schemas.codec import Codec

__all__ = ["Agent", "SagaOutcome", "SyncAgent"]

T = TypeVar("T")

log = structlog.get_logger(__name__)

_SLACK = timedelta(minutes=5)
_SECONDS = 10.0
_RETRY_SECONDS = 0.2
_BATCH = 500
_LONGEST_NAME = 256
_REMEMBERED = 100_000
_FINAL = frozenset({"completed", "compensated", "cancelled"})


def _is_name(name: str) -> bool:
    """Whether a reader takes it as a header. A request under another name would be acknowledged and then buried."""
    try:
        return 0 < len(name.encode()) <= _LONGEST_NAME and "\x00" not in name
    except UnicodeEncodeError:
        return False


class Agent:
    """Publishes requests under its name and waits for outcomes. One per process and name is enough."""

    def __init__(self, name: str, settings: Settings | None = None) -> None:
        if not _is_name(name):
            msg = f"an agent has a name, of at most {_LONGEST_NAME} bytes: it stands in every audit line"
            raise ValueError(msg)
        self.name = name
        self._settings = settings or load()
        self._codec: Codec = make_codec(self._settings)
        kafka = self._settings.kafka_settings()
        self._outbox = KafkaOutbox(producer_config(kafka), run=in_thread())
        self._outcomes: _Outcomes | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def publish(self, request: Request, *, definition: str | None = None) -> UUID:
        """Publish a request; returns the saga's id once the broker has it.

        The id was put into the request when it was constructed, so publishing the same object again, after a crash or
        a time-out, is the same saga.

        Raises:
            BrokerUnavailable: it may or may not have arrived; publish the same object again.
            schemas.errors.InvalidRecord: it does not fit its schema.
            ValueError: its contract names no definition, or the broker will never take it.

        """
        (saga_id,) = await self.publish_all([request], definition=definition)
        return saga_id

    async def publish_all(self, requests: Sequence[Request], *, definition: str | None = None) -> list[UUID]:
        """Publish many at once; as `publish`."""
        receipt = await self._outbox.send([self._message(request, definition) for request in requests])
        if receipt.refused:
            msg = f"{receipt.refused[0].message.topic} refuses the request: {receipt.refused[0].code}"
            raise ValueError(msg)
        return [request.saga_id for request in requests]

    def _message(self, request: Request, definition: str | None) -> Outgoing:
        # Checked once more: a model can be built without validation.
        type(request).model_validate(request.model_dump())
        name = definition or request.contract.definition
        if name is None:
            msg = f"{request.contract.name} names no definition; say which"
            raise ValueError(msg)
        event = Event(
            id=str(request.saga_id),
            source=f"agent/{self.name}",
            type=request.contract.type,
            time=datetime.now(UTC),
            saga_id=request.saga_id,
            agent=self.name,
        )
        topic, key = topics.requests(name), str(request.saga_id).encode()
        return Outgoing(topic, key, self._codec.encode(request), telemetry.sending(topic, event).headers())

    async def outcome(self, saga_id: UUID, timeout: float, *, final: bool = False) -> SagaOutcome:
        """Wait until the saga ends, or waits for a person (unless `final`). `timeout` is in seconds.

        Raises:
            TimeoutError: it has done neither by then; it goes on all the same.
            BrokerUnavailable: the broker did not answer.

        """
        if self._outcomes is None:
            self._outcomes = _Outcomes(self._settings, self._codec)
        async with asyncio.timeout(timeout):
            return await self._outcomes.wait(saga_id, final=final)

    async def close(self) -> None:
        """Let go of the broker."""
        await self._outbox.close()
        if self._outcomes is not None:
            await self._outcomes.close()


class SagaOutcome(SagaEnded):
    """How a saga ended. `shadow`: of some step it was only recorded what would have been done; outputs are made up."""

    shadow: bool = False


class _Outcomes:
    """Reads `saga.outcomes` without a group, from before the oldest saga that somebody waits for."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        config = {**settings.kafka_settings(), "group.id": "saga-agent", "enable.auto.commit": False}
        self._consumer = Consumer({**config, "auto.offset.reset": "earliest"})
        self._run = in_thread()
        self._codec = codec
        self._since: datetime | None = None
        # The latest outcome of each, with its place among those of its saga.
        self._seen: dict[UUID, tuple[str, SagaOutcome]] = {}
        self._waiting: dict[UUID, list[tuple[asyncio.Future[SagaOutcome], bool]]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def wait(self, saga_id: UUID, *, final: bool) -> SagaOutcome:
        future: asyncio.Future[SagaOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(saga_id, []).append((future, final))
        made = (time_of(saga_id) or datetime.now(UTC)) - _SLACK
        if saga_id in self._seen:
            self._tell(saga_id, self._seen[saga_id][1])
        elif self._since is None or made < self._since:
            # From the time in its id: an outcome published before we began to wait is found too.
            await self._seek(made)
            self._since = made
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return await future

    async def _seek(self, time: datetime) -> None:
        """Read on from that time. What passes, a topic that is just being made for one, is waited for."""
        deadline = asyncio.get_running_loop().time() + _SECONDS
        while True:
            try:
                await self._run(self._start_at, time)
            except BrokerUnavailable:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _start_at(self, time: datetime) -> None:
        try:
            found = self._consumer.list_topics(topics.OUTCOMES, timeout=_SECONDS).topics[topics.OUTCOMES]
            # Where nothing is younger, Kafka answers "the end", and the client looks that up later: it would pass over
            # what is published in between. So the end is where it was before we asked.
            ends = {p: self._end(p) for p in found.partitions}
            wanted = [TopicPartition(topics.OUTCOMES, p, int(time.timestamp() * 1000)) for p in found.partitions]
            starts = self._consumer.offsets_for_times(wanted, timeout=_SECONDS)
            self._consumer.assign(
                [TopicPartition(p.topic, p.partition, p.offset if p.offset >= 0 else ends[p.partition]) for p in starts]
            )
        except KafkaException as exc:
            raise BrokerUnavailable(exc.args[0].str()) from exc

    def _end(self, partition: int) -> int:
        _, end = self._consumer.get_watermark_offsets(TopicPartition(topics.OUTCOMES, partition), timeout=_SECONDS)
        return int(end)

    async def _read(self) -> None:
        try:
            while self._waiting:
                for message in await self._run(self._next):
                    if message.error() is None:
                        self._take(message)
                self._forget_abandoned()
                self._forget_oldest()
        except Exception as exc:  # noqa: BLE001 - handed to everyone who waits
            for futures in self._waiting.values():
                for future, _ in futures:
                    if not future.done():
                        future.set_exception(exc)
            self._waiting.clear()
            self._since = None

    def _next(self) -> list[KafkaMessage]:
        # To consume many waits its whole time even where one is there: one by poll, and the rest without waiting.
        first = self._consumer.poll(0.1)
        return [] if first is None else [first, *self._consumer.consume(_BATCH, 0)]

    def _take(self, message: KafkaMessage) -> None:
        pairs: Any = message.headers() or ()
        try:
            event = read_event(tuple((name, value) for name, value in pairs))
            record = decode(self._codec, message.value())
        except BadMessage as exc:
            # Not ours to judge: anybody may write to a topic. It is no outcome of a saga.
            log.warning("agent.unreadable_outcome", offset=message.offset(), error=str(exc))
            return
        if isinstance(record, SagaEnded) and event.saga_id is not None:
            latest, _ = self._seen.get(event.saga_id, ("", None))
            if event.sequence is not None and event.sequence < latest:
                return  # sent again after a crash, and overtaken by what was decided since
            self._seen.pop(event.saga_id, None)
            outcome = SagaOutcome(**dict(record), shadow=event.shadow)
            self._seen[event.saga_id] = event.sequence or "", outcome
            self._tell(event.saga_id, outcome)

    def _forget_oldest(self) -> None:
        """Bounded memory: what is forgotten is read again from the topic by whoever waits for it."""
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
            self._since = None

    def _tell(self, saga_id: UUID, outcome: SagaOutcome) -> None:
        left: list[tuple[asyncio.Future[SagaOutcome], bool]] = []
        for future, final in self._waiting.pop(saga_id, []):
            if future.done():
                continue
            if final and outcome.status.value not in _FINAL:
                left.append((future, final))
            else:
                future.set_result(outcome)
        if left:
            self._waiting[saga_id] = left

    def _forget_abandoned(self) -> None:
        for saga_id, futures in list(self._waiting.items()):
            if all(future.done() for future, _ in futures):
                del self._waiting[saga_id]

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._run(self._consumer.close)


class SyncAgent:
    """`Agent` for code without an event loop: the same client, in a thread of its own."""

    def __init__(self, name: str, settings: Settings | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="saga-agent", daemon=True)
        self._thread.start()
        self._agent = Agent(name, settings)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def publish(self, request: Request, *, definition: str | None = None) -> UUID:
        """See `Agent.publish`."""
        return self._call(self._agent.publish(request, definition=definition))

    def outcome(self, saga_id: UUID, timeout: float, *, final: bool = False) -> SagaOutcome:
        """See `Agent.outcome`."""
        return self._call(self._agent.outcome(saga_id, timeout, final=final))

    def close(self) -> None:
        """See `Agent.close`."""
        self._call(self._agent.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
