"""What the client says while nothing is read is heard all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from orchestrator.messaging import kafka
from orchestrator.messaging.errors import BrokerFatal


class Client:
    """A consumer that has one error to tell."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.events = [SimpleNamespace(topic=lambda: "t", error=lambda: KafkaError(KafkaError._AUTO_OFFSET_RESET))]

    def subscribe(self, topics: list[str], **callbacks: Any) -> None: ...

    def pause(self, partitions: Any) -> None: ...

    def resume(self, partitions: Any) -> None: ...

    def poll(self, timeout: float) -> Any:
        return self.events.pop(0) if self.events else None


async def test_an_offset_outside_the_log_is_not_missed_while_idling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "Consumer", Client)

    async def nowhere(places: Any) -> dict[Any, int]:
        return {}

    inbox = kafka.KafkaInbox({}, ["t"], run=kafka.directly, on_assign=nowhere)
    with pytest.raises(BrokerFatal):
        await inbox.idle(0.1)
