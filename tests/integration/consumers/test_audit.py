"""The audit on PostgreSQL: one chain for each system, whoever writes, and every later change is found."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine

from consumers.audit.entry import AuditRow, Exchange, digest
from consumers.audit.store import AuditReader, PostgresAudit
from consumers.audit.trail import Trail
from orchestrator.database import BadData, StoreError, connect
from orchestrator.messaging.kafka import in_thread

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def row(system: str = "erp", saga: UUID | None = None, **changes: object) -> AuditRow:
    told = Exchange("POST http://erp/vendors", 12.125, '{"a":"ü"}', 200, '{"id":1}', None, "env:ERP_KEY")
    fields = {
        "agent": "bot",
        "step": "erp-vendor",
        "direction": "do",
        "attempt": 1,
        "action": "create_vendor",
        "send": 1,
    }
    return AuditRow(system, 0, NOW, saga_id=saga or uuid4(), exchange=told, **{**fields, **changes})  # type: ignore[arg-type]


@dataclass
class Place:
    url: str
    trail: Trail
    engines: list[Engine] = field(default_factory=list)

    def store(self) -> PostgresAudit:
        self.engines.append(connect(self.url))
        return PostgresAudit(self.engines[-1], in_thread())

    def tamper(self, statement: str) -> None:
        """As somebody does who may do everything."""
        with psycopg.connect(self.url.replace("postgresql+psycopg", "postgresql")) as connection:
            connection.execute("ALTER TABLE audit_call DISABLE TRIGGER USER")
            connection.execute(statement)

    def wrong(self, key: Path | None = None) -> list[tuple[int, str]]:
        return [(b.number, b.why) for b in self.trail.verify(keys=[key] if key else [])[1]]


@pytest.fixture
def place(migrated_url: str) -> Iterator[Place]:
    with Trail(AuditReader(connect(migrated_url))) as trail:
        made = Place(migrated_url, trail)
        yield made
        for engine in made.engines:
            engine.dispose()


async def test_what_is_written_is_found_and_holds(place: Place) -> None:
    store, saga = place.store(), uuid4()
    await store.add([row(saga=saga), row(saga=saga, send=2)])
    await store.add([row("crm", agent="other")])
    await store.add([row(step="later")])
    assert place.trail.verify() == ({"crm": 1, "erp": 3}, [])
    assert [(r["system"], r["number"], r["send"]) for r in place.trail.search(saga=saga)] == [
        ("erp", 2, 2),
        ("erp", 1, 1),
    ]
    assert [r["agent"] for r in place.trail.search(system="crm")] == ["other"]
    assert [r["step"] for r in place.trail.search(system="erp", limit=1)] == ["later"]
    assert place.trail.search(failed=True) == []
    exported = list(place.trail.export())
    assert [(r["system"], r["number"]) for r in exported] == [("crm", 1), ("erp", 1), ("erp", 2), ("erp", 3)]
    assert (exported[1]["request"], exported[1]["duration_ms"], exported[1]["at"]) == ('{"a":"ü"}', 12.125, NOW)


async def test_workers_of_one_system_write_one_chain(place: Place) -> None:
    stores = [place.store() for _ in range(3)]
    await asyncio.gather(*(store.add([row() for _ in range(7)]) for store in stores for _ in range(10)))
    assert place.trail.verify() == ({"erp": 210}, [])


async def test_nothing_is_changed_by_a_slip(place: Place) -> None:
    await place.store().add([row()])
    with psycopg.connect(place.url.replace("postgresql+psycopg", "postgresql")) as connection:
        for statement in ("UPDATE audit_call SET agent = 'x'", "DELETE FROM audit_call"):
            with pytest.raises(psycopg.errors.RaiseException, match="only added to"):
                connection.execute(statement)
            connection.rollback()


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("UPDATE audit_call SET agent = 'nobody' WHERE number = 2", 2),
        ("UPDATE audit_call SET response = '' WHERE number = 3", 3),
        ("UPDATE audit_call SET duration_ms = 1 WHERE number = 1", 1),
        ("UPDATE audit_call SET at = at + interval '1 microsecond' WHERE number = 2", 2),
        ("DELETE FROM audit_call WHERE number = 2", 3),
        ("DELETE FROM audit_call WHERE number = 4", 4),
        ("UPDATE audit_call SET hash = decode(repeat('00', 32), 'hex') WHERE number = 2", 2),
    ],
)
async def test_a_later_change_is_found_where_it_was_made(statement: str, at: int, place: Place) -> None:
    await place.store().add([row() for _ in range(4)])
    assert place.wrong() == []
    place.tamper(statement)
    assert at in [number for number, _ in place.wrong()]


async def test_a_row_whose_hash_was_made_anew_breaks_the_one_after_it(place: Place) -> None:
    await place.store().add([row() for _ in range(4)])
    first, second = itertools.islice(AuditReader(connect_of(place)).chain("erp"), 2)
    forged = digest(first.hash, replace(second, agent="nobody"))
    place.tamper(f"UPDATE audit_call SET agent = 'nobody', hash = '\\x{forged.hex()}' WHERE number = 2")  # noqa: S608 - a hash
    assert place.wrong() == [(3, "is not as it was written")]


def connect_of(place: Place) -> Engine:
    place.engines.append(connect(place.url))
    return place.engines[-1]


async def test_an_end_that_was_cut_off_and_made_anew_is_found_by_a_signature(place: Place, tmp_path: Path) -> None:
    key, store = tmp_path / "key.pem", place.store()
    await store.add([row() for _ in range(3)])
    (made,) = place.trail.checkpoint(key, NOW, make=True)
    assert (made["system"], made["number"]) == ("erp", 3)
    assert place.wrong(key) == []
    await store.add([row()])
    assert place.wrong(key) == []
    place.tamper(
        "DELETE FROM audit_call WHERE number > 2; "
        "UPDATE audit_head SET number = 2, hash = (SELECT hash FROM audit_call WHERE number = 2)"
    )
    assert place.wrong() == [(3, "was signed, and is not there any more")]
    await store.add([row()])
    assert place.wrong(key) == [(3, "is not what was signed at that time")]


async def test_a_checkpoint_of_another_key_does_not_hold(place: Place, tmp_path: Path) -> None:
    await place.store().add([row()])
    place.trail.checkpoint(tmp_path / "forger.pem", NOW, make=True)
    place.trail.checkpoint(tmp_path / "ours.pem", NOW, make=True)
    ((number, why),) = place.wrong(tmp_path / "ours.pem")
    assert number == 1
    assert why.startswith("the checkpoint is signed with no key that is given")
    (tmp_path / "no.pem").write_text("no key")
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        place.trail.verify(keys=[tmp_path / "no.pem"])
    assert (tmp_path / "ours.pem").stat().st_mode & 0o077 == 0


async def test_what_the_database_refuses_is_said(place: Place) -> None:
    with pytest.raises(StoreError):
        await place.store().add([row(agent="a\x00b")])
    assert issubclass(BadData, StoreError)
    assert place.trail.search() == []
