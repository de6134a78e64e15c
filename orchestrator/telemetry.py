"""Traces across every hop, and metrics, by OpenTelemetry: off until a process sets them up.

Then there are `send T` and `process T` spans. The names follow OpenTelemetry's semantic conventions for messaging
(1.30): every message has a `send` span, whose context travels in its `traceparent` header (W3C Trace Context); the
`process` span of its receiver is that span's child and is linked to it. All spans of a saga carry its id as
`messaging.message.conversation_id`. Injected and extracted by hand: the instrumentation for Kafka's client follows
older conventions.
"""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace
from opentelemetry import metrics, trace
from opentelemetry.trace import Link, ProxyTracerProvider, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Incoming
from orchestrator.redaction import redacted, redacted_text

__all__ = ["calling", "configure", "enabled", "failed", "processing", "sending"]

_NAME = "saga-orchestrator"
_W3C = TraceContextTextMapPropagator()
_HEADER = "traceparent"
_enabled = False
_SWITCH = "OTEL_EXPORTER_OTLP_ENDPOINT"


def configure(service: str) -> None:
    """Export this process' spans and metrics by OTLP, where OpenTelemetry's own variables ask for it.

    `OTEL_EXPORTER_OTLP_ENDPOINT` turns both on, `…_TRACES_ENDPOINT` and `…_METRICS_ENDPOINT` one of them, and
    `OTEL_TRACES_EXPORTER=none` and `OTEL_METRICS_EXPORTER=none` turn one off; headers, certificates, sampling,
    intervals and the rest are taken from the other `OTEL_` variables. `service` is the service's name where
    `OTEL_SERVICE_NAME` says nothing.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    name = os.environ.get("OTEL_SERVICE_NAME") or service
    if _asked_for("TRACES"):
        _export_traces(name)
    if _asked_for("METRICS"):
        _export_metrics(name)


def _asked_for(signal: str) -> bool:
    if os.environ.get(f"OTEL_{signal}_EXPORTER", "").lower() == "none":
        return False
    return bool(os.environ.get(_SWITCH) or os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))


def _export_traces(name: str) -> None:
    # Loaded only here, as below: the exporter brings an HTTP client, and most processes export nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from orchestrator.spans import Redacting  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(Redacting(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)  # flushed and closed at exit by the SDK


def _export_metrics(name: str) -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415

    # Workers of one system count apart; their sums are the collector's business.
    about = {SERVICE_NAME: name, "service.instance.id": f"{socket.gethostname()}-{os.getpid()}"}
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider([reader], resource=Resource.create(about)))


def enabled() -> bool:
    """Whether anybody has set up tracing in this process; all below costs next to nothing where nobody has."""
    # To ask for the provider reads the environment as long as there is none, several times for each message.
    global _enabled  # noqa: PLW0603 - a provider is set once in the life of a process
    if not _enabled and trace._TRACER_PROVIDER is not None:  # noqa: SLF001
        _enabled = not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)
    return _enabled


def sending(topic: str, event: Event) -> Event:
    """A `send` span for one message: the event with that span's context, or as it was where nobody traces.

    Its parent is the current span, or else the context that the event carries. It has no length: when the broker has
    the message is known for a batch only.
    """
    if not enabled():
        return event
    current = trace.get_current_span().get_span_context().is_valid
    context = None if current or event.traceparent is None else _W3C.extract({_HEADER: event.traceparent})
    attributes = {**_of(event, topic), "messaging.operation.name": "send", "messaging.operation.type": "send"}
    span = trace.get_tracer(_NAME).start_span(f"send {topic}", context, SpanKind.PRODUCER, attributes)
    span.end()
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span))
    return replace(event, traceparent=carrier.get(_HEADER, event.traceparent))


@contextmanager
def processing(message: Incoming, event: Event, group: str, **facts: str | int) -> Iterator[Span | None]:
    """A `process` span around the handling of one message; None where nobody traces.

    Facts become attributes `saga.…`.
    """
    if not enabled():
        yield None
        return
    context = _W3C.extract({_HEADER: event.traceparent}) if event.traceparent else None
    origin = trace.get_current_span(context).get_span_context()
    attributes: dict[str, str | int] = {
        **_of(event, message.topic),
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": group,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
        **{f"saga.{name}": value for name, value in facts.items()},
    }
    links = [Link(origin)] if origin.is_valid else []
    with _span(f"process {message.topic}", context, SpanKind.CONSUMER, attributes, links) as span:
        yield span


@contextmanager
def calling(name: str, attributes: Mapping[str, str | int]) -> Iterator[Span | None]:
    """A client's span around one call to a system; None where nobody traces."""
    if not enabled():
        yield None
        return
    with _span(name, None, SpanKind.CLIENT, redacted(attributes)) as span:
        yield span


@contextmanager
def _span(
    name: str, context: Any, kind: SpanKind, attributes: Mapping[str, str | int], links: Sequence[Link] = ()
) -> Iterator[Span]:
    """A current span, which takes down an exception as the SDK does, but redacted."""
    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span(
        name, context, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as exc:
            said = redacted_text(f"{type(exc).__name__}: {exc}")
            stack = redacted_text("".join(traceback.format_exception(exc)))
            span.add_event(
                "exception",
                {"exception.type": type(exc).__name__, "exception.message": said, "exception.stacktrace": stack},
            )
            span.set_status(Status(StatusCode.ERROR, said))
            raise


def failed(why: str) -> None:
    """Mark the current span as that of something that did not succeed."""
    trace.get_current_span().set_status(Status(StatusCode.ERROR, redacted_text(why)))


def _of(event: Event, topic: str) -> dict[str, str | int]:
    found: dict[str, str | int | None] = {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.message.id": event.id,
        "messaging.message.conversation_id": str(event.saga_id) if event.saga_id else None,
        "cloudevents.event_type": event.type,
        "saga.step": event.step,
        "saga.direction": event.direction,
        "saga.attempt": event.attempt,
        "saga.agent": event.agent,
    }
    return {name: value for name, value in found.items() if value is not None}
