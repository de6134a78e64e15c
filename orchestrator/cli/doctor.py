"""`saga doctor`: is everything there, and if not, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from orchestrator import bootstrap
from orchestrator.settings import BadSettings, Settings, load, load_attribute

__all__ = ["Finding", "diagnose"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    level: Literal["ok", "warning", "error"]
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        return asdict(self)


def diagnose() -> Iterator[Finding]:
    """Look at everything, one after the other; a fault in one does not hide the next."""
    try:
        settings = load()
        bootstrap.configure_logs(settings)
    except BadSettings as exc:
        yield Finding("settings", "error", str(exc), "correct that environment variable")
        return
    yield Finding("settings", "ok", "every SAGA_ variable can be read")
    for what, look in (
        ("catalogue", _catalogue),
        ("systems", _systems),
        ("contracts", _contracts),
        ("database", _database),
        ("effects database", _effects),
        ("audit", _audit),
        ("kafka", _kafka),
        ("schema registry", _registry),
    ):
        yield from _guarded(what, look, settings)


def _guarded(what: str, look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from look(settings)
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is the finding
        text = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
        yield Finding(what, "error", text, _REMEDIES.get(what, ""))


_REMEDIES = {
    "catalogue": "SAGA_CATALOGUE names a list of definitions as module:attribute",
    "systems": "SAGA_SYSTEMS names a mapping of systems as module:attribute",
    "database": "is PostgreSQL up, and SAGA_DATABASE_URL right? then: saga db migrate",
    "effects database": "is PostgreSQL up, and SAGA_EFFECTS_DATABASE_URL right? then: saga db migrate",
    "kafka": "is the broker up, and SAGA_KAFKA_BOOTSTRAP_SERVERS right?",
    "schema registry": "is the registry up, and SAGA_SCHEMA_REGISTRY_URL right? then: saga schemas register",
}


def _catalogue(settings: Settings) -> Iterator[Finding]:
    found = bootstrap.load_catalogue(settings)
    names = ", ".join(
        f"{name} version {', '.join(map(str, sorted(versions)))}" for name, versions in found.fingerprints.items()
    )
    yield Finding("catalogue", "ok", names)


def _systems(settings: Settings) -> Iterator[Finding]:
    factories = bootstrap.load_systems(settings)
    asked = bootstrap.load_catalogue(settings).systems
    missing = sorted(asked - set(factories))
    if missing:
        text = f"the catalogue asks {', '.join(missing)}, which SAGA_SYSTEMS does not have"
        yield Finding("systems", "error", text, _REMEDIES["systems"])
    for name in sorted(factories):
        try:
            place = urlsplit(settings.url_of(name, getattr(factories[name], "urls", None))).netloc.split("@")[-1]
        except BadSettings as exc:
            yield Finding(f"system {name}", "warning", str(exc), "needed where its consumer runs, and only there")
        else:
            yield Finding(f"system {name}", "ok", place)


def _contracts(settings: Settings) -> Iterator[Finding]:
    del settings
    from schemas.compatibility import check  # noqa: PLC0415 - loads Apache Avro

    problems = check()
    if problems:
        yield Finding("contracts", "error", f"{problems[0].record}: {problems[0].message}", "saga schemas check")
    else:
        yield Finding("contracts", "ok", "compatible with their history")


def _database(settings: Settings) -> Iterator[Finding]:
    from orchestrator.database import connect  # noqa: PLC0415 - loads the driver
    from orchestrator.store.queries import Queries  # noqa: PLC0415

    counts = Queries(connect(settings.database_url)).counts()
    waiting = counts.get("review", 0)
    text = ", ".join(f"{number} {status}" for status, number in counts.items()) or "no sagas yet"
    remedy = "saga list --status review" if waiting else ""
    yield Finding("database", "warning" if waiting else "ok", text, remedy)


def _effects(settings: Settings) -> Iterator[Finding]:
    from orchestrator.database import connect, translated  # noqa: PLC0415 - loads the driver

    with translated(), connect(settings.effects_url).connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM effect LIMIT 1")
    yield Finding("effects database", "ok", "has its tables")


def _audit(settings: Settings) -> Iterator[Finding]:
    state_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:audit_state")
    state = state_of(settings)
    behind = sum(state["unsigned"].values())
    text = f"{behind} rows lie after the last checkpoints" if behind else "signed to its end"
    if state["problem"]:
        yield Finding(
            "audit",
            "warning",
            f"{state['problem']}; {text}",
            "calls go on; mend the key, or by hand: saga audit checkpoint",
        )
    elif state["overdue"]:
        late = f"{text}, those of {', '.join(state['overdue'])} for too long"
        yield Finding("audit", "warning", late, "do the consumers run? they sign; see their event audit.unsigned")
    else:
        yield Finding("audit", "ok", text)


def _kafka(settings: Settings) -> Iterator[Finding]:
    from orchestrator.messaging.admin import partition_counts  # noqa: PLC0415 - loads the driver

    found = partition_counts({**settings.kafka_settings(), "log_level": 0})
    needed = bootstrap.topic_names(settings)
    missing = [name for name in needed if name not in found]
    counts = {found[name] for name in needed if name in found}
    if missing:
        text = f"{len(missing)} topics are missing, {missing[0]} for one"
        yield Finding("kafka", "error", text, "saga topics create")
    elif len(counts) > 1:
        text = f"the topics differ in their partitions: {sorted(counts)}"
        yield Finding("kafka", "warning", text, "equal counts let one replica own a saga")
    else:
        yield Finding("kafka", "ok", f"{len(needed)} topics of {counts.pop()} partitions")


def _registry(settings: Settings) -> Iterator[Finding]:
    registry = bootstrap.make_registry(settings)
    if registry is None:
        yield Finding("schema registry", "ok", "none: ids come from schemas/ids.json")
        return
    from schemas.catalogue import load as schemas  # noqa: PLC0415

    for name in schemas():
        registry.id_of(name)
    yield Finding("schema registry", "ok", f"{len(schemas())} contracts are registered")
