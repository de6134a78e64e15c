"""`saga systems`: which of them are called, and what waits for each."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from orchestrator import bootstrap
from orchestrator.cli.output import Format, console, emit, table
from orchestrator.cli.times import age
from orchestrator.settings import load, load_attribute

__all__ = ["register", "systems"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(systems)


def systems(
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
) -> None:
    """Show each system: whether its consumers call it, how many commands wait, and how long the oldest has waited."""
    from orchestrator.messaging import topics  # noqa: PLC0415
    from orchestrator.messaging.backlog import backlog_of  # noqa: PLC0415 - loads the driver
    from orchestrator.messaging.kafka import directly  # noqa: PLC0415
    from orchestrator.messaging.kafka_systems import KafkaSystems  # noqa: PLC0415

    settings = load()
    kafka = settings.kafka_settings()
    group_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:consumer_group")

    async def away() -> frozenset[str]:
        reader = KafkaSystems(kafka, bootstrap.make_codec(settings), run=directly, clock=time.monotonic)
        try:
            return await reader.away()
        finally:
            await reader.close()

    absent = asyncio.run(away())
    names = sorted(bootstrap.load_systems(settings))
    found = [(name, backlog_of(kafka, group_of(settings, name), topics.commands(name))) for name in names]
    if output is not Format.TEXT:
        rows = [(name, "away" if name in absent else "called", waiting) for name, waiting in found]
        emit([{"system": n, "state": s, "backlog": w.messages, "oldest": w.oldest} for n, s, w in rows], output)
        return
    now = datetime.now(UTC)
    cells = [
        [
            name,
            "[bold red]away[/]" if name in absent else "[green]called[/]",
            waiting.messages,
            age(now - waiting.oldest) if waiting.oldest else "",
        ]
        for name, waiting in found
    ]
    console.print(table("", ["system", "state", "commands waiting", "oldest"], cells))
