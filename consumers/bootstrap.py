"""Puts one consumer's real parts together.

What only some of it needs is imported where it is needed: every command of the CLI asks here what it must hide.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel

from consumers.audit.entry import LOOKS, AuditRow, Exchange, summary
from consumers.audit.store import AuditReader, PostgresAudit
from consumers.connectors.auth.reference import Reference
from consumers.effects import PostgresEffects, migrate_effects
from orchestrator.database import WORKER_IDLE_SECONDS, connect
from orchestrator.messaging import topics
from orchestrator.messaging.kafka import consumer_config, directly, in_thread, producer_config
from orchestrator.messaging.message import TopicPartition
from orchestrator.messaging.ports import Ids
from orchestrator.settings import BadSettings, Settings
from schemas.codec import Codec

if TYPE_CHECKING:
    from consumers.audit.trail import Trail
    from consumers.integrations.desk import Desk
    from consumers.runtime import Runtime
    from consumers.shadow.desk import ShadowDesk
    from consumers.system import SystemFactory
    from consumers.watch.store import WatchReader

__all__ = [
    "accept_answers",
    "access_report",
    "audit_state",
    "audit_trail",
    "bench_calls",
    "check_integrations",
    "consumer_group",
    "keep_audit",
    "make_desk",
    "make_runtime",
    "make_shadow_desk",
    "migrate_effects",
    "record_look",
    "redaction_rules",
    "scaffold_graphql",
    "scaffold_integration",
    "scaffold_odata",
    "scaffold_wsdl",
    "watch_reader",
]


_KEEP_SECONDS = 5.0


def consumer_group(settings: Settings, system: str) -> str:
    """The system's consumer group."""
    return f"{settings.group_prefix}saga-consumer-{system}"


def audit_trail(settings: Settings) -> Trail:
    """What `saga audit` reads."""
    from consumers.audit.trail import Trail

    return Trail(AuditReader(connect(settings.effects_url)))


async def keep_audit(settings: Settings, stopping: Callable[[], bool]) -> None:
    """What goes on beside the workers of a process: checkpoints of the audit, and the reads of secrets.

    Raises:
        BadSettings: SAGA_AUDIT_KEY is no reference.

    """
    from consumers.audit.checkpoints import Keeper
    from consumers.audit.reads import READS
    from consumers.integrations.build import shared_secrets

    engine = connect(settings.effects_url, idle_seconds=WORKER_IDLE_SECONDS)
    run = in_thread()
    keeper = Keeper(
        AuditReader(engine),
        PostgresAudit(engine, run),
        READS,
        shared_secrets(),
        key=_audit_key(settings),
        calls=settings.audit_checkpoint_calls,
        seconds=settings.audit_checkpoint_seconds,
        run=run,
        now=lambda: datetime.now(UTC),
    )
    try:
        await keeper.keep(stopping, asyncio.sleep, min(_KEEP_SECONDS, settings.audit_checkpoint_seconds))
    finally:
        engine.dispose()


def audit_state(settings: Settings) -> dict[str, Any]:
    """What `saga doctor` says of the audit: `unsigned` rows of each chain, whether they are `overdue`, and `problem`.

    Raises:
        BadSettings: as `keep_audit`.
        StoreError: the database is away.

    """
    key = _audit_key(settings)
    engine = connect(settings.effects_url)
    try:
        unsigned = AuditReader(engine).unsigned()
        problem = asyncio.run(_trouble_with(key, PostgresAudit(engine, directly)))
    finally:
        engine.dispose()
    late = 2 * settings.audit_checkpoint_seconds + _KEEP_SECONDS
    now = datetime.now(UTC)
    return {
        "unsigned": {end.system: end.number - end.signed for end in unsigned},
        "overdue": [end.system for end in unsigned if (now - end.since).total_seconds() > late],
        "problem": problem,
    }


async def _trouble_with(key: Reference | None, audit: PostgresAudit) -> str | None:
    if key is None:
        return "SAGA_AUDIT_KEY is not set: nothing is signed by itself"
    from consumers.audit.checkpoints import key_of
    from consumers.audit.reads import Reads
    from consumers.audit.signing import BadKey
    from consumers.connectors.secrets.cache import Secrets, default_sources
    from consumers.errors import Failed

    reads = Reads()
    try:
        await key_of(Secrets(default_sources(), told=reads.tell), key)
    except (Failed, BadKey) as exc:
        return f"SAGA_AUDIT_KEY: {exc}"
    finally:
        await reads.write(audit)
    return None


def _audit_key(settings: Settings) -> Reference | None:
    try:
        return Reference.parse(settings.audit_key) if settings.audit_key else None
    except ValueError as exc:
        msg = f"SAGA_AUDIT_KEY: {exc}"
        raise BadSettings(msg) from exc


def bench_calls() -> tuple[str, Callable[..., Any]]:
    """What `saga bench calls` needs: the module of its bare HTTP server, and what measures."""
    from consumers.bench.calls import measure

    return "consumers.bench.server", measure


def record_look(settings: Settings, what: str, *, actor: str, reason: str, saga: UUID | None) -> None:
    """Write down that somebody reads what is hidden by default: in the chain `LOOKS` of the audit.

    Raises:
        StoreError: it could not be written.

    """
    engine = connect(settings.effects_url)
    try:
        look = Exchange(what, 0.0, request=summary({"reason": reason}))
        row = AuditRow(LOOKS, 0, datetime.now(UTC), actor, saga or UUID(int=0), "", "look", 1, "unredacted", 1, look)
        PostgresAudit(engine, directly).write([row])
    finally:
        engine.dispose()


def redaction_rules() -> Mapping[str, Mapping[str, Any]]:
    """Which fields each system of this installation has hidden, and how.

    Raises:
        BadSettings: a file cannot be read.

    """
    from consumers.privacy import rules

    return rules()


def accept_answers(settings: Settings, system: str, action: str | None, *, actor: str, reason: str) -> Sequence[str]:
    """Take what the answers of a system look like now for normal; which actions. Who did it is in the audit before.

    Raises:
        StoreError: the database is away.

    """
    reader = watch_reader(settings)
    try:
        said = Exchange("BY HAND", 0.0, request=summary({"watch": "answers are learned anew", "reason": reason}))
        row = AuditRow(system, 0, datetime.now(UTC), actor, UUID(int=0), "by-hand", "do", 1, action or "", 1, said)
        PostgresAudit(reader.engine, directly).write([row])
        return reader.accept(system, action)
    finally:
        reader.close()


def watch_reader(settings: Settings) -> WatchReader:
    """What `saga systems` shows of the watch, and tells it."""
    from consumers.watch.store import WatchReader

    return WatchReader(connect(settings.effects_url))


def access_report(settings: Settings, since: datetime | None) -> dict[str, list[dict[str, Any]]]:
    """What `saga access report` shows: `used`, and `unused` of what the systems of this installation can be asked."""
    from consumers.catalogue import FILES

    granted = [(name, action) for name, spec in FILES.items() for action in spec.actions]
    secrets = [(name, str(found)) for name, spec in FILES.items() for found in _references(spec.auth)]
    with audit_trail(settings) as trail:
        return trail.access(since, granted, secrets)


def _references(value: object) -> Iterator[Reference]:
    """Every secret that an `auth` names."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _references(getattr(value, name))


def make_desk(settings: Settings) -> Desk:
    """What the CLI asks of the integrations.

    Raises:
        consumers.integrations.load.BadIntegration: a file is wrong.

    """
    from consumers.integrations.desk import Desk

    return Desk(settings)


def make_shadow_desk(settings: Settings) -> ShadowDesk:
    """What `saga shadow` asks.

    Raises:
        consumers.integrations.load.BadIntegration: a file is wrong.

    """
    from consumers.shadow.desk import ShadowDesk

    return ShadowDesk(settings)


def check_integrations(targets: Sequence[str]) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
    """See `consumers.integrations.desk.check`."""
    from consumers.integrations.desk import check

    return check(targets)


def scaffold_integration(document: str, name: str) -> str:
    """See `consumers.integrations.scaffold.scaffold`.

    Raises:
        ValueError: the document is no OpenAPI 3.

    """
    from consumers.integrations.scaffold import scaffold

    return scaffold(document, name)


def scaffold_graphql(document: str, name: str) -> str:
    """See `consumers.integrations.scaffold_graphql.scaffold_graphql`.

    Raises:
        ValueError: the document is no schema.

    """
    from consumers.integrations.scaffold_graphql import scaffold_graphql

    return scaffold_graphql(document, name)


def scaffold_odata(document: str, name: str) -> str:
    """See `consumers.integrations.scaffold_odata.scaffold_odata`.

    Raises:
        ValueError: the document is no `$metadata`.

    """
    from consumers.integrations.scaffold_odata import scaffold_odata

    return scaffold_odata(document, name)


def scaffold_wsdl(path: Path, name: str, beside: str | None = None) -> str:
    """See `consumers.integrations.scaffold_wsdl.scaffold_wsdl`.

    Raises:
        ValueError: it is no WSDL that can be used.

    """
    from consumers.integrations.scaffold_wsdl import scaffold_wsdl

    return scaffold_wsdl(path, name, beside=beside)


async def _nowhere(places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    """A consumer starts at Kafka's committed offset: its database only remembers that it was there."""
    del places
    return {}


def make_runtime(
    settings: Settings,
    name: str,
    factory: SystemFactory,
    codec: Codec,
    ids: Ids,
    now: Callable[[], datetime],
) -> Runtime:
    """One worker of that system. Kafka's client and the database's calls have a thread each; handlers share the loop.

    Raises:
        BadSetting: a Kafka setting loses or doubles work.
        BadSettings: the system has no base URL, or its rate or mode is none.

    """
    from consumers.runtime import ConsumerLimits, Runtime
    from consumers.shadow.store import PostgresShadows
    from consumers.system import SystemConfig
    from consumers.watch.store import PostgresWatch
    from orchestrator.messaging.kafka_inbox import KafkaInbox
    from orchestrator.messaging.kafka_outbox import KafkaOutbox

    group = consumer_group(settings, name)
    kafka = settings.kafka_settings()
    engine = connect(settings.effects_url, idle_seconds=WORKER_IDLE_SECONDS, generic_plans=True)
    database = in_thread()
    system = factory(SystemConfig(settings.url_of(name, getattr(factory, "urls", None)), settings.options_of(name)))
    system.rate = settings.rate_of(name) or system.rate
    for action in system.actions.values():
        action.mode = settings.mode_of(name, action.contract.action or action.contract.name) or action.mode
    return Runtime(
        system=system,
        inbox=KafkaInbox(consumer_config(kafka, group), [topics.commands(name)], run=in_thread(), on_assign=_nowhere),
        outbox=KafkaOutbox(producer_config(kafka), run=in_thread()),
        effects=PostgresEffects(engine, database),
        audit=PostgresAudit(engine, database),
        shadows=PostgresShadows(engine, database),
        watch=PostgresWatch(engine, database),
        codec=codec,
        ids=ids,
        clock=time.monotonic,
        now=now,
        sleep=asyncio.sleep,
        group=group,
        limits=ConsumerLimits(
            batch=settings.batch_size,
            lease_margin=settings.lease_margin,
            poison=settings.poison_limit,
            max_bytes=settings.max_message_bytes,
        ),
    )
