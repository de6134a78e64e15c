"""What is done to every span before it leaves the process. Loads OpenTelemetry's SDK."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status

from orchestrator.redaction import redacted, redacted_text

__all__ = ["Redacting"]


class Redacting(SpanExporter):
    """Before another exporter: nothing secret or personal in names, attributes, events and status goes on."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter.export`."""
        return self._exporter.export([_redacted(span) for span in spans])

    def shutdown(self) -> None:
        """See `SpanExporter.shutdown`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SpanExporter.force_flush`."""
        return self._exporter.force_flush(timeout_millis)


def _redacted(span: ReadableSpan) -> ReadableSpan:
    status = span.status
    if status.description:
        status = Status(status.status_code, redacted_text(status.description))
    return ReadableSpan(
        name=redacted_text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=redacted(span.attributes or {}),
        events=[Event(event.name, redacted(event.attributes or {}), event.timestamp) for event in span.events],
        links=[Link(link.context, redacted(link.attributes or {})) for link in span.links],
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
