"""`saga systems`: which of them are called, how fast, and what waits for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from orchestrator import bootstrap
from orchestrator.cli import systems_files
from orchestrator.cli.actor import actor_name
from orchestrator.cli.control import Actor
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, say, table
from orchestrator.cli.times import age
from orchestrator.settings import Settings, load, load_attribute

if TYPE_CHECKING:
    from orchestrator.messaging.backlog import Backlog
    from orchestrator.messaging.kafka_systems import SystemView

__all__ = ["register", "systems"]

_STYLES = {"called": "green", "away": "bold red", "paced": "yellow"}


_systems = typer.Typer(help="The systems: how they are called now, and what they can be asked.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    systems_files.register(_systems)
    app.add_typer(_systems, name="systems")


@_systems.callback(invoke_without_command=True)
def systems(
    context: typer.Context,
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
) -> None:
    """Show each system: whether its consumers call it and how fast, how many commands wait, and since when.

    away: not called now. paced: more commands wait than its limit lets through. The steps of both get more time.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load()
    views = asyncio.run(_views(settings))
    alerts = _alerts(settings)
    rows = [
        _Row(name, views.get(name), *_facts(settings, name), [alert for alert in alerts if alert.system == name])
        for name in sorted(bootstrap.load_systems(settings))
    ]
    if output is not Format.TEXT:
        emit([row.as_json() for row in rows], output)
        return
    now = datetime.now(UTC)
    cells = [row.cells(now) for row in rows]
    columns = ["system", "state", "limit/s", "calls/s", "commands waiting", "oldest", "alerts"]
    console.print(table("", columns, cells))


@_systems.command("accept")
def accept(
    name: Annotated[str, typer.Argument(help="The system.")],
    action: Annotated[str | None, typer.Argument(help="One action of it; by default all.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit with your name.")] = None,
    actor: Actor = None,
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
) -> None:
    """Take what the answers of a system look like now for normal: it is learned anew, and alerts of drift are over.

    What drifts while it learns is not told, so who did this, and why, is kept in the audit.
    """
    settings = load()
    if name not in bootstrap.load_systems(settings):
        raise CliError("NOT_FOUND", f"there is no system {name!r}", exit_code=Exit.NOT_FOUND)
    if not (reason or "").strip():
        raise CliError("USAGE", "--reason is needed: who accepts, and why, is kept in the audit", exit_code=Exit.USAGE)
    accept_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:accept_answers")
    accepted = accept_of(settings, name, action, actor=actor_name(actor), reason=reason)
    if not accepted:
        which = f"{name} {action}" if action else name
        raise CliError("NOT_FOUND", f"nothing has been learned of {which}", exit_code=Exit.NOT_FOUND)
    if output is Format.TEXT:
        console.print(f"{name}: {', '.join(accepted)} will be learned anew from the next answers")
    else:
        emit([{"system": name, "action": each} for each in accepted], output)


@dataclass(frozen=True, slots=True)
class _Row:
    """One system. `configured` is the limit by our own settings, which need not be the consumers'."""

    name: str
    view: SystemView | None
    configured: float | None
    waiting: Backlog
    alerts: Sequence[Any]

    @property
    def state(self) -> str:
        return self.view.state if self.view else "called"

    @property
    def limit(self) -> float | None:
        return self.view.limit if self.view else self.configured

    @property
    def rate(self) -> float | None:
        return self.view.rate if self.view else None

    def as_json(self) -> dict[str, Any]:
        return {
            "system": self.name,
            "state": self.state,
            "limit": self.limit,
            "rate": self.rate,
            "backlog": self.waiting.messages,
            "oldest": self.waiting.oldest,
            "alerts": [
                {
                    "action": alert.action,
                    "kind": alert.kind,
                    "since": alert.since,
                    "changes": list(alert.changes),
                    "rate": alert.rate,
                    "usual": alert.usual,
                }
                for alert in self.alerts
            ],
        }

    def cells(self, now: datetime) -> list[Any]:
        return [
            self.name,
            f"[{_STYLES[self.state]}]{self.state}[/]",
            "" if self.limit is None else f"{self.limit:g}",
            "" if self.rate is None else f"{self.rate:.1f}",
            self.waiting.messages,
            age(now - self.waiting.oldest) if self.waiting.oldest else "",
            "\n".join(f"[red]{escape(_said(alert))}[/]" for alert in self.alerts),
        ]


def _said(alert: Any) -> str:
    if alert.kind == "error-rate":
        return f"{alert.action}: {alert.rate:.0%} fail, {alert.usual:.0%} are usual"
    first, more = alert.changes[0] if alert.changes else "drift", len(alert.changes) - 1
    return f"{alert.action}: {first}" + (f" and {more} more" if more > 0 else "")


def _watch(settings: Settings) -> Any:
    reader_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:watch_reader")
    return reader_of(settings)


def _alerts(settings: Settings) -> Sequence[Any]:
    """Those of the consumers' watch; none, and a word of it, while their database is away."""
    from orchestrator.database import StoreError  # noqa: PLC0415 - loads the driver

    reader = _watch(settings)
    try:
        found: Sequence[Any] = reader.alerts()
    except StoreError as exc:
        say(f"alerts are not known: {exc}")
        return ()
    finally:
        reader.close()
    return found


def _facts(settings: Settings, name: str) -> tuple[float | None, Backlog]:
    from orchestrator.messaging import topics  # noqa: PLC0415
    from orchestrator.messaging.backlog import backlog_of  # noqa: PLC0415 - loads the driver

    group_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:consumer_group")
    waiting = backlog_of(settings.kafka_settings(), group_of(settings, name), topics.commands(name))
    return settings.rate_of(name), waiting


async def _views(settings: Settings) -> Mapping[str, SystemView]:
    from orchestrator.messaging.kafka import directly  # noqa: PLC0415 - loads the driver
    from orchestrator.messaging.kafka_systems import KafkaSystems  # noqa: PLC0415

    codec = bootstrap.make_codec(settings)
    reader = KafkaSystems(settings.kafka_settings(), codec, run=directly, clock=time.monotonic)
    try:
        return await reader.views()
    finally:
        await reader.close()
