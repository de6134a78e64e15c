"""The one place where real parts are put together. Nothing here decides anything."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog

from orchestrator import redaction, telemetry
from orchestrator.catalogue import Catalogue
from orchestrator.health import serving
from orchestrator.ids import RealIds
from orchestrator.messaging import topics
from orchestrator.redaction import redact_event
from orchestrator.settings import BadSettings, Settings, load_attribute

if TYPE_CHECKING:
    from orchestrator.coordinator import Coordinator
    from orchestrator.core.definition import Saga
    from orchestrator.letters.desk import Desk
    from orchestrator.messaging.kafka import Run
    from orchestrator.messaging.message import TopicPartition
    from orchestrator.messaging.ports import Systems
    from orchestrator.timers import Timers
    from schemas.codec import Codec
    from schemas.registry import ConfluentRegistry

__all__ = [
    "Stopping",
    "configure_logs",
    "configure_redaction",
    "coordinator_group",
    "load_catalogue",
    "load_systems",
    "make_codec",
    "make_coordinator",
    "make_desk",
    "make_registry",
    "make_timers",
    "migrate",
    "run_consumers",
    "run_coordinator",
    "topic_names",
]

log = structlog.get_logger(__name__)

COORDINATOR_GROUP = "saga-coordinator"
_REGISTRY_SECONDS = 2.0
_GARBAGE_THRESHOLD = 50_000


def configure_logs(settings: Settings) -> None:
    """Logs go to stderr, one event a line: for people, or as JSON; nothing secret or personal is in them.

    Raises:
        BadSettings: the level is none, or see `configure_redaction`.

    """
    configure_redaction(settings)
    level = logging.getLevelNamesMapping().get(settings.log_level.upper())
    if level is None:
        msg = f"SAGA_LOG_LEVEL: {settings.log_level!r} is no level"
        raise BadSettings(msg)
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def configure_redaction(settings: Settings) -> None:
    """What logs, traces and views of this process hide: the fields that any system's integration file names.

    Raises:
        BadSettings: they cannot be read; what must be hidden is not known then, so nothing starts.

    """
    rules_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:redaction_rules")
    key = settings.redaction_key
    redaction.install(redaction.Rules(*rules_of().values()), key.get_secret_value() if key else None)


def load_catalogue(settings: Settings) -> Catalogue:
    """The sagas that `SAGA_CATALOGUE` names.

    Raises:
        BadSettings: it names nothing, or definitions contradict each other.

    """
    definitions: Iterable[Saga] = load_attribute("SAGA_CATALOGUE", settings.catalogue)
    try:
        return Catalogue(definitions)
    except ValueError as exc:
        msg = f"SAGA_CATALOGUE: {exc}"
        raise BadSettings(msg) from exc


def load_systems(settings: Settings) -> Mapping[str, Any]:
    """System name → factory, from `SAGA_SYSTEMS`."""
    systems: Mapping[str, Any] = load_attribute("SAGA_SYSTEMS", settings.systems)
    return systems


def make_codec(settings: Settings) -> Codec:
    """The codec over the registry that the settings name, or over the committed ids."""
    from schemas.codec import Codec  # noqa: PLC0415 - models are loaded when first needed
    from schemas.registry import FixedIds  # noqa: PLC0415

    # Asked from within the loops, once for each schema, and everything waits for the answer: not for long.
    return Codec(make_registry(settings, seconds=_REGISTRY_SECONDS) or FixedIds())


def make_registry(settings: Settings, *, seconds: float = 30.0) -> ConfluentRegistry | None:
    """The registry that the settings name, if they name one. `seconds` is the limit of one question."""
    from schemas.registry import ConfluentRegistry  # noqa: PLC0415 - loads the driver

    url = settings.schema_registry_url
    return ConfluentRegistry(url, {"timeout": seconds, **settings.registry_settings()}) if url else None


def migrate(settings: Settings) -> None:
    """Bring both databases to their newest migrations.

    Raises:
        StoreError: a database is away or refuses.
        BadSettings: `SAGA_CONSUMERS` names no module of consumers.

    """
    from orchestrator.store.migrate import migrate_sagas  # noqa: PLC0415

    migrate_sagas(settings.database_url)
    migrate_effects: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:migrate_effects")
    migrate_effects(settings.effects_url)


def topic_names(settings: Settings) -> list[str]:
    """Every topic that the catalogue and the systems need."""
    catalogue = load_catalogue(settings)
    return topics.needed(catalogue.requests, catalogue.systems | set(load_systems(settings)))


@dataclass(slots=True)
class Stopping:
    """Whether a signal, or a fault elsewhere, has asked this process to end."""

    asked: bool = False
    error: BaseException | None = None

    def __call__(self) -> bool:
        return self.asked

    def on_signals(self) -> None:
        """SIGTERM and SIGINT end the process gracefully; a second one at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.asked = True


def _run_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a worker's loop: on uvloop, whose tasks and futures cost a third less of each command's CPU.

    What has been loaded lives as long as the process, so the collector of cycles need not look at it again; and it
    looks seldom, since hardly anything of a message's work hangs in a cycle.
    """
    import uvloop  # noqa: PLC0415 - loaded by workers only

    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


# -- coordinator ---------------------------------------------------------------------------------------------------


def coordinator_group(settings: Settings) -> str:
    """The coordinators' consumer group."""
    return f"{settings.group_prefix}{COORDINATOR_GROUP}"


def make_coordinator(settings: Settings, run: Run | None = None) -> Coordinator:
    """One replica with its real parts. Its calls to Kafka block unless `run` says otherwise.

    Raises:
        BadSettings, BadSetting: a setting is wrong.

    """
    from orchestrator.coordinator import Coordinator, Limits  # noqa: PLC0415 - loads the drivers
    from orchestrator.database import WORKER_IDLE_SECONDS, connect  # noqa: PLC0415
    from orchestrator.messaging import kafka  # noqa: PLC0415
    from orchestrator.messaging.kafka_inbox import KafkaInbox  # noqa: PLC0415
    from orchestrator.messaging.kafka_outbox import KafkaOutbox  # noqa: PLC0415
    from orchestrator.messaging.reader import Reader  # noqa: PLC0415
    from orchestrator.messaging.writer import Writer  # noqa: PLC0415
    from orchestrator.store.postgres import PostgresStore  # noqa: PLC0415

    catalogue = load_catalogue(settings)
    codec = make_codec(settings)
    group = coordinator_group(settings)
    client = settings.kafka_settings()
    store = PostgresStore(connect(settings.database_url, idle_seconds=WORKER_IDLE_SECONDS, generic_plans=True), group)
    inputs = topics.inputs(catalogue.requests, catalogue.systems)

    async def offsets(places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return await store.offsets(group, places)

    return Coordinator(
        inbox=KafkaInbox(kafka.consumer_config(client, group), inputs, run=run or kafka.directly, on_assign=offsets),
        outbox=KafkaOutbox(kafka.producer_config(client), run=run or kafka.directly),
        store=store,
        systems=_systems(settings, codec, run or kafka.directly),
        reader=Reader(codec, catalogue.requests),
        writer=Writer(codec, settings.max_message_bytes),
        catalogue=catalogue,
        ids=RealIds(),
        clock=time.monotonic,
        group=group,
        limits=Limits(
            batch=settings.batch_size,
            hold=settings.hold_seconds,
            control_hold=settings.control_hold_seconds,
            poison=settings.poison_limit,
        ),
    )


def _systems(settings: Settings, codec: Codec, run: Run) -> Systems:
    from orchestrator.messaging.kafka_systems import KafkaSystems, NobodyAway  # noqa: PLC0415 - loads the driver

    if not settings.extend_deadlines:
        return NobodyAway()
    return KafkaSystems(settings.kafka_settings(), codec, run=run, clock=time.monotonic)


def make_timers(settings: Settings, run: Run | None = None) -> Timers:
    """One timer loop with its real parts.

    Raises:
        BadSettings, BadSetting: a setting is wrong.

    """
    from orchestrator.database import WORKER_IDLE_SECONDS, connect  # noqa: PLC0415 - loads the drivers
    from orchestrator.messaging import kafka  # noqa: PLC0415
    from orchestrator.messaging.kafka_outbox import KafkaOutbox  # noqa: PLC0415
    from orchestrator.messaging.writer import Writer  # noqa: PLC0415
    from orchestrator.store.postgres import PostgresStore  # noqa: PLC0415
    from orchestrator.timers import Timers  # noqa: PLC0415

    group = coordinator_group(settings)
    return Timers(
        store=PostgresStore(
            connect(settings.database_url, pool_size=1, idle_seconds=WORKER_IDLE_SECONDS, generic_plans=True), group
        ),
        outbox=KafkaOutbox(kafka.producer_config(settings.kafka_settings()), run=run or kafka.directly),
        writer=Writer(make_codec(settings), settings.max_message_bytes),
        ids=RealIds(),
        clock=time.monotonic,
        now=_now,
        sleep=asyncio.sleep,
        group=group,
        interval=settings.timer_seconds,
    )


def make_desk(settings: Settings) -> Desk:
    """What commands about dead letters work with. Connects when first used.

    Raises:
        BadSettings, BadSetting: a setting is wrong.

    """
    from orchestrator.database import connect  # noqa: PLC0415 - loads the drivers
    from orchestrator.letters.desk import Desk  # noqa: PLC0415
    from orchestrator.letters.feed import Feed  # noqa: PLC0415
    from orchestrator.letters.store import LetterStore  # noqa: PLC0415
    from orchestrator.messaging import kafka  # noqa: PLC0415
    from orchestrator.messaging.kafka_outbox import KafkaOutbox  # noqa: PLC0415
    from orchestrator.store.queries import Queries  # noqa: PLC0415

    client = settings.kafka_settings()
    engine = connect(settings.database_url)
    return Desk(
        store=LetterStore(engine),
        feed=Feed(client),
        outbox=KafkaOutbox(kafka.producer_config(client), run=kafka.directly),
        queries=Queries(engine),
        codec=make_codec(settings),
        catalogue=load_catalogue(settings),
        limit=settings.replay_limit,
        retired=settings.retired_topics,
        max_bytes=settings.max_message_bytes,
    )


def run_coordinator(settings: Settings) -> None:
    """Run one replica and its timer loop until SIGTERM.

    Raises:
        BadSettings, Stopped, BrokerFatal, StoreError: what no waiting would mend.

    """
    telemetry.configure("saga-coordinator")
    stopping = Stopping()
    stopping.on_signals()
    coordinator = make_coordinator(settings)
    timers = threading.Thread(target=_run_timers, args=(settings, stopping), name="timers")
    timers.start()
    log.info("coordinator.started", definitions=sorted(load_catalogue(settings).requests))
    try:
        with serving(settings.health_address, {"coordinator": coordinator.unready}):
            _run_loop(coordinator.run(stopping))
    finally:
        stopping.asked = True
        timers.join()
    log.info("coordinator.stopped")
    if stopping.error is not None:
        raise stopping.error


def _run_timers(settings: Settings, stopping: Stopping) -> None:
    """The timer loop in a thread of its own: its calls block, and the coordinator's must not wait for them."""
    try:
        asyncio.run(make_timers(settings).run(stopping))
    except BaseException as exc:  # noqa: BLE001 - the main thread raises it
        log.error("timers.failed", error=f"{type(exc).__name__}: {exc}")
        stopping.error = exc
        stopping.asked = True


# -- consumers -----------------------------------------------------------------------------------------------------


def run_consumers(settings: Settings, names: Sequence[str]) -> None:
    """Run the consumers of those systems in this process until SIGTERM.

    Raises:
        BadSettings, ConsumerStopped, BrokerFatal, StoreError: what no waiting would mend.

    """
    telemetry.configure(f"saga-consumer-{'-'.join(names)}")
    stopping = Stopping()
    stopping.on_signals()
    factories = load_systems(settings)
    unknown = sorted(set(names) - set(factories))
    if unknown:
        msg = f"SAGA_SYSTEMS has no {', '.join(unknown)}; it has {', '.join(sorted(factories))}"
        raise BadSettings(msg)

    async def main() -> None:
        runtimes = {name: _consumer(settings, name, factories[name]) for name in names}
        with serving(settings.health_address, {name: runtime.unready for name, runtime in runtimes.items()}):
            tasks = [asyncio.create_task(runtime.run(stopping)) for runtime in runtimes.values()]
            keep: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:keep_audit")
            tasks.append(asyncio.create_task(keep(settings, stopping)))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            stopping.asked = True
            await asyncio.gather(*tasks)

    log.info("consumers.started", systems=list(names))
    _run_loop(main())
    log.info("consumers.stopped", systems=list(names))


def _consumer(settings: Settings, name: str, factory: Any) -> Any:
    # The consumers' packages are loaded by name: the engine does not import them (design §3).
    build: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:make_runtime")
    return build(settings, name, factory, make_codec(settings), RealIds(), _now)


def _now() -> datetime:
    return datetime.now(UTC)
