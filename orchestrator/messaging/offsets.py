"""Where reading begins: the one rule that every inbox follows on assignment (design §5)."""

from __future__ import annotations

from orchestrator.messaging.errors import BrokerFatal
from orchestrator.messaging.message import TopicPartition

__all__ = ["start_of"]


def start_of(place: TopicPartition, committed: int | None, known: int | None, low: int, high: int) -> int:
    """The offset to read from. `committed` is Kafka's, `known` is the database's, `low` and `high` bound the log.

    Raises:
        BrokerFatal: it lies outside the log.

    """
    # Without a committed offset nobody knows which outputs of the first batches were acknowledged, whatever the
    # database has of them: all of them are found by reading from the beginning.
    committed = low if committed is None else committed
    start = committed if known is None else min(committed, known)
    if not low <= start <= high:
        msg = (
            f"{place[0]}/{place[1]}: offset {start} lies outside the log {low}..{high}: messages are "
            "gone, or this is another cluster. Nothing is read until somebody decides"
        )
        raise BrokerFatal(msg)
    return start
