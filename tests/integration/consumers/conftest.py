"""Effect stores under one clock that the test moves: the real one and the one in memory."""

from __future__ import annotations

from msgspec.structs import replace

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from consumers.claims import Admitted, Claim, EffectStore, Identity, Settlement
from consumers.effects import PostgresEffects
from consumers.limit import Advice, Limit, Want
from consumers.testing import MemoryEffects
from orchestrator.core.effects import Ask, EffectRow, RowStatus, settled
from orchestrator.core.messages import Direction, Failure, Outcome, Succeeded
from orchestrator.database import connect
from orchestrator.messaging.kafka import in_thread
from schemas.models import VendorDeactivated

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEASE = 60.0


@dataclass
class Clock:
    """The store's time. `told` passes it on to a database."""

    told: Callable[[datetime], None] = lambda _: None
    now: datetime = START

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.told(self.now)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Bench:
    """A store and its clock, with short words for what a worker does. `more` opens another connection to it."""

    effects: EffectStore
    clock: Clock
    more: Callable[[], EffectStore]
    saga: UUID = field(default_factory=uuid4)

    def identity(self, direction: Direction = Direction.DO, step: str = "erp-vendor", round_: int = 1) -> Identity:
        return Identity(self.saga, step, direction, round_)

    def claim_of(
        self, owner: UUID, attempt: int = 1, direction: Direction = Direction.DO, effect: str = "idempotent", **ask: Any
    ) -> Claim:
        asked = Ask(direction, attempt, effect, **ask)  # type: ignore[arg-type]
        return Claim(self.identity(direction), "erp", asked, owner, LEASE, b"nobody knows")

    async def claim(self, owner: UUID, attempt: int = 1, direction: Direction = Direction.DO, **ask: Any) -> Admitted:
        (admitted,) = await self.effects.claim([self.claim_of(owner, attempt, direction, **ask)])
        return admitted

    async def settle(self, admitted: Admitted, identity: Identity, result: str, reply: bytes = b"reply") -> bool:
        """Record how a claim came out; `result` is done or an outcome."""
        assert admitted.row is not None
        assert admitted.row.owner is not None
        said = (
            Succeeded(VendorDeactivated(found=True)) if result == "done" else Failure(Outcome(result), "CODE", "text")
        )
        row, _ = settled(admitted.row, "idempotent", said)
        settlement = Settlement(identity, admitted.row.owner, replace(row, reply=reply))
        (ours,) = await self.effects.settle([settlement])
        return ours

    async def reserve(self, name: str, calls: int, rate: float, told: Advice | None = None) -> float:
        """Seconds until the first of so many places under one limit."""
        return (await self.effects.reserve([Want(Limit(name, rate), told)], calls)).first

    async def finish(self, result: str, attempt: int = 1, direction: Direction = Direction.DO) -> None:
        """Claim and settle in one go."""
        admitted = await self.claim(uuid4(), attempt, direction)
        assert await self.settle(admitted, self.identity(direction), result)

    async def row(self, direction: Direction = Direction.DO) -> EffectRow | None:
        """The row as a command sees it that may do nothing: of a later round's identity nothing changes."""
        if isinstance(self.effects, MemoryEffects):
            return self.effects.rows.get(self.identity(direction))
        assert isinstance(self.effects, PostgresEffects)
        found = self.effects._change(
            "SELECT status, attempt, owner, lease_until, doubtful, reply, shadow FROM effect "
            "WHERE saga_id = %(saga)s AND step = 'erp-vendor' AND direction = %(direction)s AND round = 1",
            {"saga": self.saga, "direction": direction.value},
        )
        return EffectRow(RowStatus(found[0][0]), *found[0][1:]) if found else None


def fixed_clock(engine: Engine) -> Clock:
    """`effect_now()` says what the test wants."""

    def tell(now: datetime) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE OR REPLACE FUNCTION effect_now() RETURNS timestamptz LANGUAGE sql STABLE AS "
                f"$$ SELECT timestamptz '{now.isoformat()}' $$"
            )

    clock = Clock(tell)
    clock.advance(0)
    return clock


@contextmanager
def on_postgres(url: str) -> Iterator[Bench]:
    """A thread and a connection for each store."""
    control = connect(url)
    engines: list[Engine] = []

    def more() -> PostgresEffects:
        engines.append(connect(url))
        return PostgresEffects(engines[-1], in_thread())

    yield Bench(more(), fixed_clock(control), more)
    for engine in (*engines, control):
        engine.dispose()


@pytest.fixture
def postgres_bench(migrated_url: str) -> Iterator[Bench]:
    """PostgreSQL."""
    with on_postgres(migrated_url) as made:
        yield made


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Both stores: what holds for one holds for the other."""
    if request.param == "postgres":
        with on_postgres(request.getfixturevalue("migrated_url")) as made:
            yield made
        return
    clock = Clock()
    effects = MemoryEffects(clock)
    yield Bench(effects, clock, lambda: effects)
