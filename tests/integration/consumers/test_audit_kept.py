"""What goes on beside the workers: checkpoints by themselves, and each read of a secret in a chain of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine
from structlog.testing import capture_logs

from consumers.audit.checkpoints import Keeper
from consumers.audit.entry import AuditRow, Exchange
from consumers.audit.reads import Reads
from consumers.audit.signing import make_key, public_key
from consumers.audit.store import AuditReader, PostgresAudit
from consumers.audit.trail import Trail
from consumers.bootstrap import audit_state
from consumers.connectors.auth.reference import Reference
from consumers.connectors.secrets.cache import Leases, Secrets
from consumers.connectors.secrets.source import Environment, Files
from consumers.errors import Failed
from orchestrator.database import StoreUnavailable, connect
from orchestrator.messaging.kafka import in_thread
from orchestrator.settings import Settings

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
VALUE = "c4n4ry"


@dataclass
class Place:
    url: str
    folder: Path
    now: datetime = NOW
    clock: float = 0.0
    variables: dict[str, str] = field(default_factory=dict)
    reads: Reads = field(default_factory=Reads)
    engines: list[Engine] = field(default_factory=list)

    def __post_init__(self) -> None:
        make_key(self.key)
        sources = {"file": Files, "env": lambda: Environment(self.variables)}
        leases = Leases(lease=10, stale=0)
        self.secrets = Secrets(sources, leases=leases, clock=lambda: self.clock, told=self.reads.tell)

    @property
    def key(self) -> Path:
        return self.folder / "audit.pem"

    def engine(self) -> Engine:
        self.engines.append(connect(self.url))
        return self.engines[-1]

    def keeper(self, calls: int = 3, seconds: float = 60) -> Keeper:
        engine, run = self.engine(), in_thread()
        return Keeper(
            AuditReader(engine), PostgresAudit(engine, run), self.reads, self.secrets,
            key=Reference.parse(f"file:{self.key}"), calls=calls, seconds=seconds, run=run, now=lambda: self.now,
        )  # fmt: skip

    async def called(self, count: int, system: str = "erp") -> None:
        told = Exchange("POST http://x", 1.0, status=200)
        row = AuditRow(system, 0, self.now, "bot", UUID(int=1), "s", "do", 1, "a", 1, told)
        await PostgresAudit(self.engine(), in_thread()).add([row] * count)

    def trail(self) -> Trail:
        return Trail(AuditReader(self.engine()))

    def public(self, name: str) -> Path:
        path = self.folder / name
        path.write_bytes(public_key(self.key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return path


@pytest.fixture
def place(migrated_url: str, tmp_path: Path) -> Iterator[Place]:
    made = Place(migrated_url, tmp_path)
    yield made
    for engine in made.engines:
        engine.dispose()


async def test_a_chain_is_signed_when_enough_was_added_or_it_is_old_enough(place: Place) -> None:
    keeper = place.keeper()
    await place.called(2)
    await place.called(3, "portal")
    assert await keeper.turn() == 1
    assert place.trail().unsigned() == {"erp": 2, "portal": 0}
    place.now += timedelta(seconds=59)
    assert await keeper.turn() == 0
    place.now += timedelta(seconds=1)
    assert await keeper.turn() == 1
    assert place.trail().unsigned() == {"erp": 0, "portal": 0, "@secrets": 1}, "the key itself was read"
    assert await keeper.turn() == 0, "nothing was added"
    looked, broken = place.trail().verify(keys=[place.public("k")])
    assert (looked, broken) == ({"erp": 2, "portal": 3, "@secrets": 1}, [])


async def test_one_of_many_signs(place: Place) -> None:
    await place.called(10)
    keepers = [place.keeper() for _ in range(6)]
    made = await asyncio.gather(*(keeper.turn() for keeper in keepers))
    assert sum(made) == 1
    assert len(AuditReader(place.engine()).checkpoints()) == 1


async def test_after_a_rotation_old_checkpoints_hold_by_the_old_public_key(place: Place) -> None:
    keeper = place.keeper(calls=1)
    await place.called(1)
    await keeper.turn()
    old = place.public("old")
    place.key.unlink()
    make_key(place.key)
    place.clock += 11  # the lease has ended
    await place.called(1)
    await keeper.turn()
    new = place.public("new")
    trail = place.trail()
    assert trail.verify("erp", [old, new])[1] == []
    for keys, number in (([old], 2), ([new], 1)):
        assert [(b.number, "no key that is given" in b.why) for b in trail.verify("erp", keys)[1]] == [(number, True)]


@pytest.mark.parametrize("trouble", ["gone", "nonsense"])
async def test_without_its_key_calls_go_on_and_everybody_is_told(place: Place, trouble: str) -> None:
    keeper, kept = place.keeper(calls=1), place.key.read_bytes()
    if trouble == "gone":
        place.key.unlink()
    else:
        place.key.write_text(f"-----BEGIN PRIVATE KEY-----\n{VALUE}\n-----END PRIVATE KEY-----")
    settings = Settings(database_url=place.url, audit_key=f"file:{place.key}", audit_checkpoint_seconds=1)
    with capture_logs() as logs:
        await place.called(2)
        assert await keeper.turn() == 0
        await place.called(2)
        state = await asyncio.to_thread(audit_state, settings)
    (told,) = [event for event in logs if event["event"] == "audit.unsigned"]
    assert told["log_level"] == "error"
    assert VALUE not in repr(logs) + repr(state)
    assert state["problem"].startswith("SAGA_AUDIT_KEY: ")
    assert state["unsigned"]["erp"] == 4
    assert "erp" in state["overdue"]
    place.key.write_bytes(kept)
    place.clock += 11
    assert await keeper.turn() >= 1
    assert (await asyncio.to_thread(audit_state, settings))["problem"] is None
    assert place.trail().unsigned()["erp"] == 0


async def test_each_read_of_a_secret_is_written_but_not_what_it_is(place: Place) -> None:
    keeper, reference = place.keeper(), Reference.parse("env:ERP_KEY")
    with pytest.raises(Failed):
        await place.secrets.read(reference, who="erp")
    with pytest.raises(Failed):
        await place.secrets.read(reference, who="erp")  # soon again: told once
    place.variables["ERP_KEY"] = VALUE
    for who in ("erp", "erp", "portal"):
        await place.secrets.read(reference, who=who)
    place.clock += 11
    await place.secrets.read(reference, who="erp")
    await keeper.turn()
    trail = place.trail()
    rows = [row for row in trail.export("@secrets") if row["endpoint"] == "env:ERP_KEY"]
    assert [(row["agent"], row["error"], bool(row["credential"])) for row in rows] == [
        ("erp", "SECRET_UNAVAILABLE", False), ("erp", None, True), ("portal", None, True), ("erp", None, True),
    ]  # fmt: skip
    assert VALUE not in repr(list(trail.export()))
    report = trail.access(None, [], [("erp", "env:ERP_KEY"), ("erp", "env:OTHER")])
    assert report["used"] == [], "reading a secret is not calling a system"
    assert {(r["system"], r["reads"], r["failed"]) for r in report["secrets"]} == {
        ("erp", 2, 0), ("erp", 0, 1), ("portal", 1, 0),
    }  # fmt: skip
    assert report["unused_secrets"] == [{"system": "erp", "reference": "env:OTHER"}]
    assert trail.verify("@secrets")[1] == []


async def test_a_read_waits_while_the_audit_is_away(place: Place) -> None:
    class Away:
        async def add(self, rows: Any) -> None:
            raise StoreUnavailable("away")

    place.reads.tell("erp", "env:X", "v1", None)
    with pytest.raises(StoreUnavailable):
        await place.reads.write(Away())
    await place.keeper().turn()
    await place.keeper().turn()
    assert len(list(place.trail().export("@secrets"))) == 1


async def test_it_keeps_once_more_when_it_is_told_to_stop(place: Place) -> None:
    stopping: Callable[[], bool] = lambda: True  # noqa: E731
    place.reads.tell("erp", "env:X", "v1", None)
    await place.keeper().keep(stopping, asyncio.sleep, 5)
    assert len(list(place.trail().export("@secrets"))) == 1
