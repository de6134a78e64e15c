"""What `saga demo` does: many sagas through the whole stack, and then everything held against what was expected."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from orchestrator import bootstrap
from orchestrator.agent import Agent
from orchestrator.core.definition import Saga
from orchestrator.core.state import Status
from orchestrator.database import connect
from orchestrator.dev.errors import NotReady
from orchestrator.dev.stack import Stack
from orchestrator.settings import Settings, load_attribute
from orchestrator.store.queries import Queries, SagaRow, TimelineRow
from orchestrator.testing.audit import audit
from schemas.models import Request

if TYPE_CHECKING:
    from orchestrator.catalogue import Catalogue

__all__ = ["DemoRun", "DemoSaga", "load_plan", "run_demo"]

_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class DemoSaga:
    """How one saga came out, and how it was to."""

    row: SagaRow
    definition: Saga
    expected: str

    @property
    def as_expected(self) -> bool:
        """Whether it ended as the plan says."""
        return self.row.state.status.value == self.expected


@dataclass(frozen=True, slots=True)
class DemoRun:
    """Everything that there is to say afterwards. `seconds` is from the first request to the last end."""

    sagas: Sequence[DemoSaga]
    timelines: Mapping[UUID, Sequence[TimelineRow]]
    disagreements: Sequence[str]
    calls: int
    applied: int
    seconds: float

    @property
    def well(self) -> bool:
        """Whether every saga ended as expected and the systems' ledger agrees with what the sagas say."""
        return not self.disagreements and all(saga.as_expected for saga in self.sagas)


def load_plan(settings: Settings) -> Mapping[str, Any]:
    """The plan that `SAGA_DEMO` names: `expected` (business key to status), and the sandbox's `faults` and `seed`."""
    make: Callable[[], Mapping[str, Any]] = load_attribute("SAGA_DEMO", f"{settings.demo}:plan")
    return make()


def run_demo(
    stack: Stack, plan: Mapping[str, Any], seconds: float, progress: Callable[[Counter[str], int], None]
) -> DemoRun:
    """Publish the demo's requests and wait until every saga rests. `progress` gets sagas by status, and how many.

    Raises:
        NotReady: some were not at rest after `seconds`.
        ChildFailed: a part of the stack ended.

    """
    settings = stack.settings()
    make: Callable[[], list[Request]] = load_attribute("SAGA_DEMO", f"{settings.demo}:requests")
    requests = make()
    engine = connect(settings.database_url)
    queries = Queries(engine)
    began = time.monotonic()
    ids = asyncio.run(_publish(settings, requests))
    rows = _until_rest(stack, queries, ids, began + seconds, progress)
    took = time.monotonic() - began
    catalogue = bootstrap.load_catalogue(settings)
    sagas = [_judged(row, catalogue, plan["expected"]) for row in rows]
    ledger: Any = load_attribute("SAGA_SANDBOX", f"{settings.sandbox}.ledger:Ledger").read(stack.ledger)
    known = {saga.row.id: (saga.definition, saga.row.state) for saga in sagas}
    found = audit(known, ledger.applied())
    found += [f"{key} was done {times} times" for key, times in ledger.doubled().items()]
    timelines = {saga.row.id: queries.timeline(saga.row.id) for saga in _examples(sagas)}
    engine.dispose()
    return DemoRun(sagas, timelines, found, len(ledger.calls()), len(ledger.applied()), took)


async def _publish(settings: Settings, requests: Sequence[Request]) -> list[UUID]:
    async with Agent("saga-demo", settings) as agent:
        return await agent.publish_all(requests)


def _until_rest(
    stack: Stack,
    queries: Queries,
    ids: Sequence[UUID],
    deadline: float,
    progress: Callable[[Counter[str], int], None],
) -> Sequence[SagaRow]:
    while True:
        rows = queries.some(ids)
        counts = Counter(row.state.status.value for row in rows)
        progress(counts, len(ids))
        if len(rows) == len(ids) and all(row.state.terminal or row.state.status is Status.REVIEW for row in rows):
            return rows
        stack.check()
        if time.monotonic() > deadline:
            msg = f"not every saga came to rest in time: {len(ids)} were requested, {dict(counts)} are known"
            raise NotReady(msg)
        time.sleep(_LOOK_SECONDS)


def _judged(row: SagaRow, catalogue: Catalogue, expected: Mapping[str, str]) -> DemoSaga:
    definition = catalogue.get(row.state.definition, row.state.version)
    assert definition is not None  # it has just been run by this very catalogue
    return DemoSaga(row, definition, expected.get(row.state.business_key, Status.COMPLETED.value))


def _examples(sagas: Sequence[DemoSaga]) -> list[DemoSaga]:
    """One saga that completed, and the one that was undone from furthest on."""
    completed = [saga for saga in sagas if saga.row.state.status is Status.COMPLETED]
    compensated = [saga for saga in sagas if saga.row.state.status is Status.COMPENSATED]
    furthest = max(compensated, key=lambda saga: len(saga.row.state.steps), default=None)
    return [*completed[:1], *([furthest] if furthest else [])]
