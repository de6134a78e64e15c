"""What the consumers count. It goes where OpenTelemetry's variables ask (`orchestrator.telemetry`), else nowhere.

    saga.calls                    actions asked of systems, by system, action, direction and outcome
    saga.breaker.open             1 while a worker takes its system for away
    saga.rate.wait                seconds that commands stood in line for their system
    saga.alerts                   alerts raised (`consumers.watch`), by system, action and kind
    saga.audit.failures           writes of the audit that failed; calls wait meanwhile
    http.client.request.duration  seconds of each send, by OpenTelemetry's conventions for HTTP (1.30)

Beside them: `saga.secret.failures`, `saga.token.requests` and `saga.token.failures`.
"""

from __future__ import annotations

from opentelemetry import metrics

__all__ = ["alerts", "audit_failures", "breaker_open", "calls", "rate_wait", "request_duration"]

# Those that the conventions ask for, in seconds.
_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
_WAITS = [0.01, 0.1, 1, 10, 60, 300, 900, 3600]

_meter = metrics.get_meter("saga-orchestrator")
calls = _meter.create_counter("saga.calls", description="Actions asked of systems")
breaker_open = _meter.create_gauge("saga.breaker.open", description="1 while the system is taken for away")
rate_wait = _meter.create_histogram(
    "saga.rate.wait",
    unit="s",
    description="How long commands stood in line for their system",
    explicit_bucket_boundaries_advisory=_WAITS,
)
alerts = _meter.create_counter("saga.alerts", description="Alerts raised, by system, action and kind")
audit_failures = _meter.create_counter("saga.audit.failures", description="Writes of the audit that failed")
request_duration = _meter.create_histogram(
    "http.client.request.duration",
    unit="s",
    description="Duration of HTTP client requests.",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
