"""One saga is one trace: publish → coordinator → command → consumer → call → completion, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from consumers.catalogue import SYSTEMS
from consumers.sandbox.ledger import Ledger
from orchestrator import Agent
from orchestrator.dev.stack import Stack, StackOptions
from schemas.models import VendorOnboardingRequested

Make = Callable[[int], VendorOnboardingRequested]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Stack]:
    """The target systems alone."""
    stack = Stack(StackOptions("embedded", tmp_path))
    stack.start_sandbox()
    yield stack
    stack.close()


def _named(spans: Sequence[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


async def test_a_saga_is_one_trace_through_every_hop(
    engine: Any, agent: Agent, make_vendor: Make, sandbox: Stack, spans: InMemorySpanExporter
) -> None:
    engine.factories = dict(SYSTEMS)
    engine.settings.system_urls = {name: url for name, url in sandbox.urls.items() if name in SYSTEMS}
    engine.start()
    vendor = make_vendor(1).model_copy(update={"category": "weapons"})  # refused by the last system, so undone
    with trace.get_tracer("test").start_as_current_span("an agent's work") as root:
        await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 60)).status.value == "compensated"
    await engine.stop()
    found = [span for span in spans.get_finished_spans() if span.context.trace_id == root.get_span_context().trace_id]
    by_id = {span.context.span_id: span for span in found}

    def parent(span: ReadableSpan) -> ReadableSpan:
        assert span.parent is not None
        return by_id[span.parent.span_id]

    def story(span: ReadableSpan) -> list[str]:
        names = [span.name]
        while span.parent is not None:
            span = parent(span)
            names.append(span.name)
        return names

    # From the end of the saga back to the agent, hop by hop: four dos, of which the last is refused, three undos, and a look.
    hops = [
        f"{verb} {system}.{topic}"
        for system in ("erp", "portal", "mail", "suppliers", "mail", "portal", "erp", "erp")
        for topic, verb in (
            ("commands", "send"),
            ("commands", "process"),
            ("completions", "send"),
            ("completions", "process"),
        )
    ]
    expected = ["an agent's work", "send vendor-onboarding.requests", "process vendor-onboarding.requests", *hops]
    (ended,) = _named(found, "send saga.outcomes")
    assert story(ended) == ["send saga.outcomes", *reversed(expected)]

    for span in found:
        if span.name.startswith("process "):
            assert span.kind is SpanKind.CONSUMER
            assert [link.context.span_id for link in span.links] == [parent(span).context.span_id]
        if span.name.startswith(("process ", "send ")):
            assert span.attributes is not None
            assert span.attributes["messaging.message.conversation_id"] == str(vendor.saga_id)
            assert span.attributes["messaging.destination.name"] == span.name.split()[1]
    calls = [span for span in found if span.kind is SpanKind.CLIENT]
    assert sorted(parent(span).name for span in calls) == sorted(
        name for name in hops if name.startswith("process") and name.endswith("commands")
    )
    (refused,) = [span for span in calls if not span.status.is_ok and span.status.description]
    assert refused.status.description == "NOT_ELIGIBLE"
    assert refused.attributes is not None
    assert refused.attributes["http.response.status_code"] == 422
    # The systems themselves saw the trace.
    seen = {line.data["traceparent"] for line in Ledger.read(sandbox.ledger).calls(system="erp")}
    assert {value.split("-")[1] for value in seen} == {f"{root.get_span_context().trace_id:032x}"}


async def test_a_broken_traceparent_does_no_harm(
    engine: Any, agent: Agent, make_vendor: Make, spans: InMemorySpanExporter, wire: Any
) -> None:
    engine.start()
    vendor = make_vendor(1)
    (message,) = [agent._message(vendor, None)]
    headers = [(n, b"00-nonsense-01" if n == "traceparent" else v) for n, v in message.headers]
    wire.send(message.topic, message.value, headers, key=message.key)
    assert (await agent.outcome(vendor.saga_id, 60)).status.value == "completed"
