"""A dead letter that cannot be written holds up its partition, says why, and loses and doubles nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from consumers.bootstrap import consumer_group, make_runtime
from consumers.runtime import ConsumerStopped
from consumers.system import Call, System, SystemConfig
from orchestrator import bootstrap
from orchestrator.bootstrap import coordinator_group
from orchestrator.coordinator import Stopped
from orchestrator.core.sample import sample
from orchestrator.dev.cluster import create_topics
from orchestrator.ids import RealIds
from orchestrator.messaging.kafka import in_thread
from schemas.models import (
    ApproveSupplier,
    CreatePortalAccount,
    CreateVendor,
    Record,
    SendWelcomeEmail,
    VendorOnboardingRequested,
)

pytestmark = pytest.mark.timeout(120)

Make = Callable[[int], VendorOnboardingRequested]


CALLED: Counter[type[Record]] = Counter()


def _factory(name: str, command: type[Record]) -> Callable[[SystemConfig], System]:
    """A system that does what it is asked, and counts it."""

    async def handle(_: Record, call: Call) -> Record:
        await call.renew()
        CALLED[command] += 1
        assert command.contract.completion is not None
        return sample(command.contract.completion, full=True)

    def build(_: SystemConfig) -> System:
        system = System(name)
        system.action(command, timeout=5.0)(handle)
        return system

    return build


SYSTEMS = {
    "erp": _factory("erp", CreateVendor),
    "portal": _factory("portal", CreatePortalAccount),
    "mail": _factory("mail", SendWelcomeEmail),
    "suppliers": _factory("suppliers", ApproveSupplier),
}


class Outage:
    """A dead-letter topic that takes nothing, until it is mended."""

    def __init__(self, bootstrap_servers: str, topic: str, kind: str) -> None:
        self._servers = bootstrap_servers
        self._topic = topic
        self._kind = kind
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})

    def begin(self) -> None:
        if self._kind == "gone":
            self._admin.delete_topics([self._topic], operation_timeout=20)[self._topic].result()
        else:
            self._largest("1")

    def end(self) -> None:
        if self._kind == "gone":
            create_topics(self._servers, [self._topic])
        else:
            self._largest("2097176")

    def _largest(self, size: str) -> None:
        entry = ConfigEntry("max.message.bytes", size, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, self._topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result()


def _committed(servers: str, group: str, topic: str, partition: int) -> int:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group})
    try:
        (place,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
        return max(0, place.offset)
    finally:
        consumer.close()


@pytest.fixture
def impatient(settings: Any) -> Any:
    """The client takes half a minute to believe that a topic is gone."""
    settings.kafka["topic"] = {"metadata": {"propagation": {"max": {"ms": 500}}}}
    return settings


@pytest.mark.parametrize("kind", ["gone", "full"])
@pytest.mark.parametrize("where", ["coordinator", "consumer"])
async def test_the_partition_waits_for_its_dead_letter(
    where: str, kind: str, impatient: Any, engine: Any, agent: Any, make_vendor: Make, wire: Any
) -> None:
    topic = "vendor-onboarding.requests" if where == "coordinator" else "erp.commands"
    outage = Outage(wire.bootstrap, f"{topic}.dlq", kind)
    outage.begin()
    CALLED.clear()
    vendors = [make_vendor(number) for number in range(10)]

    def start() -> tuple[Any, asyncio.Task[None]]:
        made: Any
        if where == "coordinator":
            made = bootstrap.make_coordinator(impatient, in_thread())
        else:
            codec = bootstrap.make_codec(impatient)
            made = make_runtime(impatient, "erp", SYSTEMS["erp"], codec, RealIds(), lambda: datetime.now(UTC))
        return made, asyncio.create_task(made.run(lambda: engine.stopping))

    # The others run all the time.
    engine.factories = {name: factory for name, factory in SYSTEMS.items() if where == "coordinator" or name != "erp"}
    engine.start(coordinators=0 if where == "coordinator" else 1)
    await agent.publish_all(vendors[:5])
    if where == "consumer":
        await engine.until(lambda: len(wire.read(topic)) == 5)
    wire.send(topic, b"\x00garbage", [("ce_id", b"1")])
    (bad,) = [message for message in wire.read(topic) if message.value() == b"\x00garbage"]
    await agent.publish_all(vendors[5:])
    if where == "consumer":
        await engine.until(lambda: len(wire.read(topic)) == 11)

    group = coordinator_group(impatient) if where == "coordinator" else consumer_group(impatient, "erp")
    worker, task = start()
    if kind == "gone":
        await engine.until(lambda: "UNKNOWN" in (worker.unready() or ""))
    else:
        # Kafka says that it will never take it: the process ends with the reason, and so does the next one.
        for _ in range(2):
            with pytest.raises(
                (Stopped, ConsumerStopped), match=rf"{topic}\.dlq refuses a message: MSG_SIZE_TOO_LARGE"
            ):
                await task
            worker, task = start()
    assert _committed(wire.bootstrap, group, topic, bad.partition()) <= bad.offset()

    if kind == "full":
        with pytest.raises((Stopped, ConsumerStopped)):
            await task
    outage.end()
    if kind == "full":
        worker, task = start()
    for vendor in vendors:
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "completed"
    await engine.until(lambda: _committed(wire.bootstrap, group, topic, bad.partition()) > bad.offset())
    assert worker.unready() is None
    assert [message.value() for message in wire.read(f"{topic}.dlq")] == [b"\x00garbage"]
    assert len(engine.sagas()) == 10
    assert dict.fromkeys((CreateVendor, CreatePortalAccount, SendWelcomeEmail, ApproveSupplier), 10) == CALLED
    engine.stopping = True
    await task
