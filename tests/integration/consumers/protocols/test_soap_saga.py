"""vendor-onboarding with an ERP over SOAP, on the real engine: done once, delivered again, undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from consumers.catalogue import SYSTEMS
from consumers.integrations.build import BUILDERS, Integration
from consumers.integrations.load import read
from consumers.system import Call, SystemConfig
from orchestrator import Agent
from orchestrator.dev.stack import Stack, StackOptions
from schemas.models import VendorOnboardingRequested

FILE = Path(__file__).with_name("servers") / "erp_soap/erp.yaml"
Make = Callable[[int], VendorOnboardingRequested]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Stack]:
    """The other three systems."""
    stack = Stack(StackOptions("embedded", tmp_path))
    stack.start_sandbox()
    yield stack
    stack.close()


def read_topic(bootstrap: str, topic: str) -> list[Any]:
    """All that is in it now."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"})
    found = []
    try:
        for partition in reader.list_topics(topic, timeout=10).topics[topic].partitions:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            reader.assign([TopicPartition(topic, partition, low)])
            while low < high:
                message = reader.poll(5)
                assert message is not None
                assert message.error() is None
                found.append(message)
                low = message.offset() + 1
    finally:
        reader.close()
    return found


async def test_it_is_done_once_delivered_again_and_undone(
    engine: Any,
    agent: Agent,
    make_vendor: Make,
    sandbox: Stack,
    start_server: Callable[..., str],
    kafka: str,
    call: Call,
) -> None:
    url = start_server("erp_soap")
    erp = Integration(read(FILE))
    engine.settings.system_urls = {n: u for n, u in sandbox.urls.items() if n in SYSTEMS} | {"erp": url}
    engine.factories = dict(SYSTEMS) | {"erp": erp}
    engine.start()

    async def calls(tax_id: str) -> list[str]:
        """What changed something there; it is asked as well, whether what was undone is gone."""
        async with (client := BUILDERS["soap"](erp.spec, SystemConfig(url), None).client):
            found = await client.port().request("Calls", {"taxId": tax_id}, call=call, reads=True)
        return [said.split(" ")[0] for said in found["call"] if said != "find"]

    fine = make_vendor(1)
    bad = make_vendor(2).model_copy(update={"category": "weapons"})
    for vendor in (fine, bad):
        await agent.publish(vendor)
    assert (await agent.outcome(fine.saga_id, 60)).status.value == "completed"
    assert await calls(fine.tax_id) == ["create"]
    # What the list refuses is taken away at the ERP.
    assert (await agent.outcome(bad.saga_id, 60)).status.value == "compensated"
    assert await calls(bad.tax_id) == ["create", "deactivate"]
    # The same commands again: the stored replies go out again, and nobody calls.
    sent = read_topic(kafka, "erp.commands")
    answered = len(read_topic(kafka, "erp.completions"))
    producer = Producer({"bootstrap.servers": kafka})
    for message in sent:
        producer.produce(message.topic(), value=message.value(), key=message.key(), headers=message.headers())
    assert producer.flush(20) == 0
    await engine.until(lambda: len(read_topic(kafka, "erp.completions")) == answered + len(sent))
    assert await calls(fine.tax_id) == ["create"]
    assert await calls(bad.tax_id) == ["create", "deactivate"]
