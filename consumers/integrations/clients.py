"""What the clients of all protocols over HTTP are made of, as an integration file says."""

from __future__ import annotations

from typing import Any

from consumers.connectors.breaker import Breaker
from consumers.connectors.guard import Guard
from consumers.connectors.http import Credentials, HttpClient, trace_headers
from consumers.integrations.mapping import fixed_headers
from consumers.integrations.spec import IntegrationSpec
from consumers.system import SystemConfig

__all__ = ["codes_of", "guard_of", "http_of"]


def http_of(spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> HttpClient:
    """The exchange, with the headers that go with every request of the system."""
    fixed = fixed_headers(spec)
    return HttpClient(
        config.base_url,
        timeouts=spec.timeouts.made(),
        connections=spec.concurrency,
        credentials=credentials,
        headers=lambda: {**trace_headers(), **fixed},
    )


def guard_of(spec: IntegrationSpec) -> Guard:
    """Claim, breaker and short retries."""
    return Guard(Breaker(spec.breaker.made()), spec.retries.made())


def codes_of(spec: IntegrationSpec) -> dict[str, Any]:
    """The system's codes, and no header for a key: each action says where its own goes."""
    return {"errors": spec.errors, "missing_codes": spec.missing_codes, "key_header": None}
