"""What a worker counts of what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from consumers.audit.entry import Exchange
from consumers.errors import Rejected
from consumers.system import Call, System
from orchestrator.core.sample import fitting
from orchestrator.database import StoreUnavailable
from schemas.models import CreateVendor, VendorCreated

_READER = InMemoryMetricReader()


@pytest.fixture(scope="session")
def _provider() -> None:
    # Set once a process, as OpenTelemetry has it.
    metrics.set_meter_provider(MeterProvider([_READER]))


@pytest.fixture
def counted(_provider: None) -> Callable[[str], list[tuple[Mapping[str, Any], float]]]:
    """The points of a metric: their attributes, and their value or how many there were."""

    def read(name: str) -> list[tuple[Mapping[str, Any], float]]:
        data = _READER.get_metrics_data()
        found = [
            metric
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [
            (dict(point.attributes or {}), getattr(point, "value", getattr(point, "count", None)))
            for metric in found
            for point in metric.data.data_points
        ]

    return read


class Away:
    """An audit that cannot be written a few times."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def add(self, rows: Any) -> None:
        if self.times:
            self.times -= 1
            raise StoreUnavailable("audit")


async def test_a_worker_counts_outcomes_waits_the_breaker_and_what_the_audit_refused(
    make_worker: Any, counted: Any
) -> None:
    away: list[float | None] = [None]
    # A name of its own: counters are of the whole process.
    system = System("erp", rate=100, gate=lambda: away[0])

    async def handle(command: CreateVendor, call: Call) -> VendorCreated:
        await call.renew()
        call.told(Exchange(endpoint="POST /", duration_ms=1.0, request="", status=200, response="", error=None))
        if call.step == "t":
            raise Rejected("DUPLICATE_TAX_ID")
        return fitting(VendorCreated)

    system.action(CreateVendor, timeout=5)(handle)
    worker = make_worker(system, audit=Away(2))
    before = {str(facts): value for name in ("saga.calls", "saga.audit.failures") for facts, value in counted(name)}
    waits = sum(value for facts, value in counted("saga.rate.wait") if facts["system"] == "erp")
    for step in ("s", "t"):
        worker.command(fitting(CreateVendor), step=step)
    await worker.work()
    risen = {
        (facts.get("outcome"), facts.get("error.type"), facts.get("action")): value - before.get(str(facts), 0)
        for facts, value in counted("saga.calls")
        if value > before.get(str(facts), 0)
    }
    assert risen == {
        ("succeeded", None, "create_vendor"): 1,
        ("rejected", "DUPLICATE_TAX_ID", "create_vendor"): 1,
    }
    failures = [value - before.get(str(facts), 0) for facts, value in counted("saga.audit.failures")]
    assert failures == [2]
    assert sum(value for facts, value in counted("saga.rate.wait") if facts["system"] == "erp") == waits + 2
    assert ({"system": "erp"}, 0) in counted("saga.breaker.open")
    away[0] = 60.0
    await worker.work(2)
    assert ({"system": "erp"}, 1) in counted("saga.breaker.open")
