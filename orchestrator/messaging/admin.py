"""Topics: made and checked. Equal partition counts on all inputs let one replica own a saga (design §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from orchestrator.messaging.errors import BadSetting, BrokerUnavailable
from orchestrator.messaging.kafka import LARGEST_LETTER
from orchestrator.messaging.topics import SYSTEMS

__all__ = ["create_topics", "partition_counts", "topic_config"]

_SECONDS = 15.0


def partition_counts(kafka: Mapping[str, Any]) -> dict[str, int]:
    """Topic → number of partitions, as the broker has them.

    Raises:
        BrokerUnavailable: it did not answer.

    """
    try:
        found = AdminClient(dict(kafka)).list_topics(timeout=_SECONDS).topics
    except KafkaException as exc:
        raise BrokerUnavailable(exc.args[0].str()) from exc
    return {name: len(topic.partitions) for name, topic in found.items()}


def create_topics(kafka: Mapping[str, Any], names: Sequence[str], partitions: int, replication: int) -> list[str]:
    """Make those that are missing; returns their names.

    Raises:
        BrokerUnavailable: the broker did not answer or refused.
        BadSetting: a topic exists with another number of partitions.

    """
    existing = partition_counts(kafka)
    wrong = [f"{name} has {existing[name]}" for name in names if existing.get(name, partitions) != partitions]
    if wrong:
        msg = f"all topics need {partitions} partitions (SAGA_PARTITIONS), but {', '.join(wrong)}"
        raise BadSetting(msg)
    missing = [name for name in names if name not in existing]
    new = [
        NewTopic(name, num_partitions=partitions, replication_factor=replication, config=topic_config(name))
        for name in missing
    ]
    admin = AdminClient(dict(kafka))  # kept until the futures are done: it ends them when it goes
    futures = admin.create_topics(new, request_timeout=_SECONDS) if new else {}
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as exc:
            error: KafkaError = exc.args[0]
            if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                msg = f"{name}: {error.str()}"
                raise BrokerUnavailable(msg) from exc
    return missing


def topic_config(name: str) -> dict[str, str]:
    """Settings of a topic of ours, with Kafka's names."""
    if name == SYSTEMS:
        return {"cleanup.policy": "compact"}
    if name.endswith(".dlq"):
        # A dead letter waits for a person, and people go on holiday. It is larger than its message.
        return {"retention.ms": str(365 * 24 * 3600 * 1000), "max.message.bytes": str(LARGEST_LETTER)}
    return {}
