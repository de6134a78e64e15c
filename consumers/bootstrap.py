"""Puts one consumer's real parts together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from consumers.audit.entry import LOOKS, AuditRow, Exchange, summary
from consumers.audit.store import AuditReader, PostgresAudit
from consumers.audit.trail import Trail
from consumers.effects import PostgresEffects, migrate_effects
from consumers.runtime import ConsumerLimits, Runtime
from consumers.shadow.store import PostgresShadows
from consumers.system import SystemConfig, SystemFactory
from orchestrator.database import WORKER_IDLE_SECONDS, connect
from orchestrator.messaging import topics
from orchestrator.messaging.kafka import consumer_config, directly, in_thread, producer_config
from orchestrator.messaging.kafka_inbox import KafkaInbox
from orchestrator.messaging.kafka_outbox import KafkaOutbox
from orchestrator.messaging.message import TopicPartition
from orchestrator.messaging.ports import Ids
from orchestrator.settings import Settings
from schemas.codec import Codec

if TYPE_CHECKING:
    from consumers.integrations.desk import Desk
    from consumers.shadow.desk import ShadowDesk

__all__ = [
    "access_report",
    "audit_trail",
    "bench_calls",
    "check_integrations",
    "consumer_group",
    "make_desk",
    "make_runtime",
    "make_shadow_desk",
    "migrate_effects",
    "record_look",
    "redaction_rules",
    "scaffold_integration",
]


def consumer_group(settings: Settings, system: str) -> str:
    """The system's consumer group."""
    return f"{settings.group_prefix}saga-consumer-{system}"


def audit_trail(settings: Settings) -> Trail:
    """What `saga audit` reads."""
    return Trail(AuditReader(connect(settings.effects_url)))


def bench_calls() -> tuple[str, Callable[..., Any]]:
    """What `saga bench calls` needs: the module of its bare HTTP server, and what measures."""
    from consumers.bench.calls import measure  # noqa: PLC0415 - no worker needs it

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
    from consumers.privacy import rules  # noqa: PLC0415 - reads the files

    return rules()


def access_report(settings: Settings, since: datetime | None) -> dict[str, list[dict[str, Any]]]:
    """What `saga access report` shows: `used`, and `unused` of what the systems of this installation can be asked."""
    from consumers.catalogue import FILES  # noqa: PLC0415 - reads every file; no worker needs it

    granted = [(name, action) for name, spec in FILES.items() for action in spec.actions]
    with audit_trail(settings) as trail:
        return trail.access(since, granted)


def make_desk(settings: Settings) -> Desk:
    """What the CLI asks of the integrations.

    Raises:
        consumers.integrations.load.BadIntegration: a file is wrong.

    """
    from consumers.integrations.desk import Desk  # noqa: PLC0415 - no worker needs it

    return Desk(settings)


def make_shadow_desk(settings: Settings) -> ShadowDesk:
    """What `saga shadow` asks.

    Raises:
        consumers.integrations.load.BadIntegration: a file is wrong.

    """
    from consumers.shadow.desk import ShadowDesk  # noqa: PLC0415 - no worker needs it

    return ShadowDesk(settings)


def check_integrations(targets: Sequence[str]) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
    """See `consumers.integrations.desk.check`."""
    from consumers.integrations.desk import check  # noqa: PLC0415 - as above

    return check(targets)


def scaffold_integration(document: str, name: str) -> str:
    """See `consumers.integrations.scaffold.scaffold`.

    Raises:
        ValueError: the document is no OpenAPI 3.

    """
    from consumers.integrations.scaffold import scaffold  # noqa: PLC0415 - as above

    return scaffold(document, name)


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
