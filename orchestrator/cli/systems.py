"""`saga systems`: which of them are called, how fast, and what waits for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator import bootstrap
from orchestrator.cli import systems_files
from orchestrator.cli.output import Format, console, emit, table
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
    rows = [_Row(name, views.get(name), *_facts(settings, name)) for name in sorted(bootstrap.load_systems(settings))]
    if output is not Format.TEXT:
        emit([row.as_json() for row in rows], output)
        return
    now = datetime.now(UTC)
    cells = [row.cells(now) for row in rows]
    console.print(table("", ["system", "state", "limit/s", "calls/s", "commands waiting", "oldest"], cells))


@dataclass(frozen=True, slots=True)
class _Row:
    """One system. `configured` is the limit by our own settings, which need not be the consumers'."""

    name: str
    view: SystemView | None
    configured: float | None
    waiting: Backlog

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
        }

    def cells(self, now: datetime) -> list[Any]:
        return [
            self.name,
            f"[{_STYLES[self.state]}]{self.state}[/]",
            "" if self.limit is None else f"{self.limit:g}",
            "" if self.rate is None else f"{self.rate:.1f}",
            self.waiting.messages,
            age(now - self.waiting.oldest) if self.waiting.oldest else "",
        ]


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
