"""The writing end: an idempotent producer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage

from orchestrator.messaging import message as plain
from orchestrator.messaging.errors import BrokerFatal, BrokerUnavailable
from orchestrator.messaging.kafka import Run
from orchestrator.messaging.message import Outgoing
from orchestrator.messaging.ports import Receipt, Refusal

__all__ = ["KafkaOutbox"]

log = structlog.get_logger(__name__)


class KafkaOutbox:
    """An idempotent producer that waits for the acknowledgements of what it sends."""

    def __init__(self, config: Mapping[str, Any], *, run: Run) -> None:
        self._producer = Producer(dict(config))
        self._run = run

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        """See `Outbox.send`."""
        return await self._run(self._send, messages) if messages else Receipt()

    def _send(self, messages: Sequence[Outgoing]) -> Receipt:
        last: dict[plain.TopicPartition, int] = {}
        refused = self._deliver(messages, last)
        together = [refusal for refusal in refused if refusal.code in _OF_A_BATCH]
        if len(messages) > 1 and together:
            log.info("outbox.one_by_one", topic=together[0].message.topic, messages=len(together))
            alone = [found for refusal in together for found in self._deliver([refusal.message], last)]
            refused = [*(refusal for refusal in refused if refusal not in together), *alone]
        return Receipt(refused, last)

    def _deliver(self, messages: Sequence[Outgoing], last: dict[plain.TopicPartition, int]) -> list[Refusal]:
        """Produce and wait; returns what was refused, and notes in `last` where the rest is."""
        errors: list[tuple[Outgoing, KafkaError]] = []
        for message in messages:
            self._produce(message, errors, last)
        # flush sends at once, whatever linger says, and returns when every callback has been called.
        left = self._producer.flush(_FLUSH_SECONDS)
        if left:
            msg = f"{left} messages without an acknowledgement after {_FLUSH_SECONDS:g} s"
            raise BrokerUnavailable(msg)
        for _, error in errors:
            if error.fatal():
                raise BrokerFatal(error.str())
            if error.code() not in _NEVER:
                msg = f"{error.name()}: {error.str()}"
                raise BrokerUnavailable(msg)
        return [Refusal(message, error.name()) for message, error in errors]

    def _produce(
        self,
        message: Outgoing,
        errors: list[tuple[Outgoing, KafkaError]],
        last: dict[plain.TopicPartition, int],
    ) -> None:
        def delivered(error: KafkaError | None, sent: KafkaMessage) -> None:
            if error is not None:
                errors.append((message, error))
                return
            partition, offset = sent.partition(), sent.offset()
            if partition is not None and offset is not None:
                place = (message.topic, partition)
                last[place] = max(offset, last.get(place, -1))

        while True:
            try:
                self._producer.produce(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    on_delivery=delivered,
                )
            except BufferError:
                self._producer.poll(0.1)
                continue
            except KafkaException as exc:
                errors.append((message, exc.args[0]))
            return

    async def close(self) -> None:
        """See `Outbox.close`."""
        await self._run(self._producer.flush, _FLUSH_SECONDS)


_FLUSH_SECONDS = 35.0

# Kafka will say the same tomorrow. Everything else is a matter of time.
_NEVER = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_RECORD,
    KafkaError._INVALID_ARG,  # noqa: SLF001
}

# Kafka judges the messages of one partition that the client sends together: one of them, or their sum, and all are
# refused. librdkafka never splits such a batch, as Java's client does, so each has to be tried alone.
_OF_A_BATCH = {"MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD"}
