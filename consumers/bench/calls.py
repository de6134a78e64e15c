"""The middleware beside bare httpx2, in turn and in one process: whatever else the machine does meets both.

A call is what a worker does between its command and its answer: mapping, credentials, guard, breaker, the send, the
answer's meaning, the audit's entry; and, where it says so, the entry written to PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from statistics import quantiles
from typing import Any, Final, Self
from uuid import UUID

import httpx2
import yaml
from sqlalchemy import Engine

from consumers.audit.entry import AuditRow, Exchange
from consumers.audit.store import PostgresAudit
from consumers.errors import ActionError
from consumers.flow import Grouped
from consumers.folders import folders
from consumers.integrations.build import Integration
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from orchestrator.database import connect
from orchestrator.messaging.kafka import in_thread
from orchestrator.redaction import using
from schemas.models import CreateVendor

__all__ = ["measure"]

_SAGA = UUID("01900000-0000-7000-8000-000000000001")
_VENDOR: Final = {
    "vendor_name": "Müller & Söhne", "vendor_type": "SUPPLIER", "tax_id": "DE123456789", "payment_terms": "NET_30",
    "primary_contact_email": "ada@example.com",
}  # fmt: skip
_SECRET = "SAGA_BENCH_SECRET"  # noqa: S105 - a name
_TURN = 100
_WARM = 200
_SECONDS = 5.0
_DEAD_CALLS, _DEAD_SECONDS = 2000, 8.0

Once = Callable[[], Awaitable[object]]


async def measure(
    url: str, database: str, *, calls: int, rate: float, workers: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """All figures. `url` is the bare server's, `database` has the consumers' tables.

    Returns:
        `calls` with p50 and p99 in ms of bare httpx2, of the middleware, and of it with the audit written; `cpu` with
        shares of one core at `rate` calls a second; `tokens`; `dead` with what reached a system that is away; `audit`
        with the chain's cost for `workers` workers who share it.

    """
    os.environ[_SECRET] = "of the bench"
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(_Bench(url, database))
        say(f"{calls} calls, one at a time, in turn")
        timed = await _in_turn({"bare": bench.bare, "middleware": bench.made, "audited": bench.written}, calls)
        found: dict[str, Any] = {"calls": {name: _figures(times) for name, times in timed.items()}}
        found["calls"]["added_ms"] = {
            part: found["calls"]["middleware"][part] - found["calls"]["bare"][part] for part in ("p50", "p99")
        }
        say(f"{rate:g} calls/s for {_SECONDS:g} s each")
        found["cpu"] = {"rate": rate}
        for name, once in (("bare", bench.bare), ("middleware", bench.made), ("audited", bench.written)):
            found["cpu"][name] = await _share(once, rate)
        found["cpu"]["added"] = found["cpu"]["middleware"] - found["cpu"]["bare"]
        say("10,000 calls for the tokens")
        for _ in range(100):
            await asyncio.gather(*(bench.made() for _ in range(100)))
        counts = await bench.counts()
        found["tokens"] = {"calls": counts["calls"], "requested": counts["tokens"], "expected": 1}
    say("a system that is away")
    found["dead"] = await _dead()
    say(f"the audit of {workers} workers")
    found["audit"] = await _chain(database, rate, workers)
    return found


class _Bench:
    """One system by its file, its bare client beside it, and the audit."""

    def __init__(self, url: str, database: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()
        self._engine: Engine = connect(database)
        audit = PostgresAudit(self._engine, in_thread())
        self._audit = Grouped(partial(_add_all, audit))
        self._system = Integration(_spec(url))(SystemConfig(url))
        self._action = self._system.actions[CreateVendor.contract.name]
        self._command = CreateVendor.model_validate(_VENDOR)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._system.lifespan())
        self._client = await self._stack.enter_async_context(httpx2.AsyncClient(base_url=self._url, trust_env=False))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self._engine.dispose()

    async def counts(self) -> dict[str, int]:
        found: dict[str, int] = (await self._client.get("/counts")).json()
        return found

    async def bare(self) -> None:
        answer = await self._client.post("/vendors", json=_VENDOR, headers={"authorization": "Bearer x"})
        assert answer.json()["vendor_id"]

    async def made(self) -> list[Exchange]:
        told: list[Exchange] = []
        with using(partial(self._action.hiding, self._command)):
            await self._action.handler(self._command, _call(told))
        return told

    async def written(self) -> None:
        await self._audit([_row(exchange) for exchange in await self.made()])


def _spec(url: str, **changes: Any) -> IntegrationSpec:
    raw = yaml.safe_load((folders()[0] / "erp.yaml").read_text(encoding="utf-8"))
    auth = {"type": "oauth2_client_credentials", "token_url": f"{url}/token", "client_id": "saga"}
    return IntegrationSpec.model_validate({**raw, "auth": {**auth, "secret": f"env:{_SECRET}"}, **changes})


def _call(told: list[Exchange]) -> Call:
    async def renew() -> None:
        """The claim is a worker's; its cost is measured by `saga bench`."""

    return Call(_SAGA, "erp-vendor", "do", 1, "bench", renew, agent="bench", told=told.append)


def _row(exchange: Exchange) -> AuditRow:
    now = datetime.now(UTC)
    return AuditRow("erp", 0, now, "bench", _SAGA, "erp-vendor", "do", 1, "create_vendor", 1, exchange)


async def _add_all(audit: PostgresAudit, groups: Sequence[Sequence[AuditRow]]) -> Sequence[None]:
    await audit.add([row for rows in groups for row in rows])
    return [None] * len(groups)


async def _in_turn(ways: Mapping[str, Once], calls: int) -> dict[str, list[float]]:
    """Milliseconds of each call of each way, some of one after some of another."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for once in ways.values():
        for _ in range(_WARM):
            await once()
    while any(len(found) < calls for found in times.values()):
        for name, once in ways.items():
            for _ in range(min(_TURN, calls - len(times[name]))):
                began = time.perf_counter()
                await once()
                times[name].append((time.perf_counter() - began) * 1000)
    return times


def _figures(times: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(times, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98]}


async def _share(once: Once, rate: float) -> float:
    """The share of one core that this process uses at that rate; an open loop, so a slow call holds up none."""
    tasks: set[asyncio.Task[object]] = set()
    cpu, began = time.process_time(), time.perf_counter()
    for number in range(int(rate * _SECONDS)):
        delay = began + number / rate - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        task = asyncio.ensure_future(once())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return (time.process_time() - cpu) / (time.perf_counter() - began)


async def _dead() -> dict[str, int]:
    """Calls to a port where nobody listens: what was sent before the breaker opened, and after it."""
    system = Integration(_spec("http://127.0.0.1:9", auth=None))(SystemConfig("http://127.0.0.1:9"))
    action, command = system.actions[CreateVendor.contract.name], CreateVendor.model_validate(_VENDOR)
    told: list[Exchange] = []
    before, began = -1, 0.0
    async with system.lifespan():
        for _ in range(_DEAD_CALLS):
            try:
                await action.handler(command, _call(told))
            except ActionError as exc:
                if exc.code == "CIRCUIT_OPEN" and before < 0:
                    before, began = len(told), time.perf_counter()
            if before >= 0:
                await asyncio.sleep(_DEAD_SECONDS / _DEAD_CALLS)
    seconds = time.perf_counter() - began
    breaker = _spec("http://127.0.0.1:9", auth=None).breaker
    return {
        "calls": _DEAD_CALLS,
        "sent_before": before,
        "sent_after": len(told) - before,
        "probes_allowed": 1 + int(seconds / breaker.open_seconds),
    }


async def _chain(database: str, rate: float, workers: int) -> dict[str, Any]:
    """Rows a second of workers who share a chain, and how long one waits until its row is there."""
    engines = [connect(database) for _ in range(workers)]
    times: list[float] = []
    writers = [Grouped(partial(_add_all, PostgresAudit(engine, in_thread()))) for engine in engines]
    row = _row(Exchange("POST http://127.0.0.1/vendors", 1.0, '{"json":{}}', 201, '{"vendor_id":"V-1"}', None, "x"))

    async def write(writer: Grouped[Sequence[AuditRow], None]) -> None:
        began = time.perf_counter()
        await writer([row])
        times.append((time.perf_counter() - began) * 1000)

    turn = iter(range(1 << 62))
    try:
        for writer in writers:
            await writer([row])
        share = await _share(lambda: write(writers[next(turn) % workers]), rate)
    finally:
        for engine in engines:
            engine.dispose()
    return {"workers": workers, "rate": rate, "ms": _figures(times), "cpu": share}
