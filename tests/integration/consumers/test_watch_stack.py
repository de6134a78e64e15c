"""The watch end to end: real workers, a real broker and database, and what an operator sees and says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from orchestrator.bootstrap import make_codec
from orchestrator.messaging.kafka_systems import reader_config
from schemas.models import SystemAlert, VendorOnboardingRequested

pytestmark = [
    pytest.mark.native,
    pytest.mark.timeout(300),
]


def _alerts_of_topic(world: Any) -> list[SystemAlert]:
    codec = make_codec(world.settings)
    consumer = Consumer(reader_config(world.settings.kafka_settings()))
    known = consumer.list_topics("saga.systems", timeout=10).topics["saga.systems"].partitions
    consumer.assign([TopicPartition("saga.systems", number, 0) for number in known])
    found, ended = [], 0
    while ended < len(known):
        for message in consumer.consume(100, 0.2):
            if message.error() is not None:
                ended += 1
            elif isinstance(record := codec.decode(message.value()), SystemAlert):
                found.append(record)
    consumer.close()
    return found


def _shown(world: Any) -> list[dict[str, Any]]:
    rows = {row["system"]: row for row in json.loads(world.saga("systems", "-o", "json"))}
    return list(rows["erp"]["alerts"])


def _change(world: Any, statement: str) -> int:
    with world.engine.begin() as connection:
        return int(connection.exec_driver_sql(statement).rowcount)


async def _until(found: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(found):
            await asyncio.sleep(0.5)


async def test_a_drift_is_told_once_shown_and_accepted(
    make_world: Any, make_vendors: Callable[..., list[VendorOnboardingRequested]]
) -> None:
    world = make_world()
    await world.running(world.stack.start_consumer("erp"))
    await world.at_rest(await world.publish(make_vendors(60)))
    enough = "SELECT 1 FROM watch_action WHERE system = 'erp' AND action = 'create_vendor' AND (shape->>'samples')::int >= 20"
    await _until(lambda: _change(world, enough) == 1)
    # As if the ERP had no such field when its answers were learned.
    forget = "UPDATE watch_action SET shape = shape #- '{fields,POST/created_at}' WHERE system = 'erp' AND action = 'create_vendor'"
    assert _change(world, forget) == 1
    # Both workers hear of that with the next they share, and judge by it what comes after.
    first = 1001
    async with asyncio.timeout(150):
        while not await asyncio.to_thread(_shown, world):
            await world.at_rest(await world.publish(make_vendors(60, first)))
            first += 1000
            await asyncio.sleep(2)
    (shown,) = _shown(world)
    assert (shown["action"], shown["kind"], shown["changes"]) == (
        "create_vendor",
        "drift",
        ["appeared POST/created_at"],
    )
    assert "created_at" in world.saga("systems")
    await _until(lambda: len(_alerts_of_topic(world)) >= 1)
    told = {(alert.system, alert.action, alert.ended_ms) for alert in _alerts_of_topic(world)}
    assert told == {("erp", "create_vendor", None)}

    world.saga("systems", "accept", "nobody", code=3)
    world.saga("systems", "accept", "erp", "no_such_action", "--reason", "x", code=3)
    world.saga("systems", "accept", "erp", "create_vendor", code=2)
    accepted = json.loads(
        world.saga("systems", "accept", "erp", "create_vendor", "--reason", "a new version", "-o", "json")
    )
    assert accepted == [{"system": "erp", "action": "create_vendor"}]
    assert _shown(world) == []

    def over() -> bool:
        return any(alert.ended_ms for alert in _alerts_of_topic(world)) and _change(world, enough) == 1

    async with asyncio.timeout(150):
        while not await asyncio.to_thread(over):
            await world.at_rest(await world.publish(make_vendors(60, first)))
            first += 1000
            await asyncio.sleep(2)
    assert _shown(world) == []
    world.stack.check()
