"""Commands about sagas: publish, list, show."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import RenderableType
from rich.live import Live

from orchestrator import bootstrap, telemetry
from orchestrator.catalogue import Catalogue
from orchestrator.cli import show as views
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.importing import read_requests
from orchestrator.cli.output import STYLES, Format, console, emit, safe, say, table
from orchestrator.cli.privacy import Unredacted, View, Why, viewing
from orchestrator.cli.times import age, moment
from orchestrator.core.definition import Saga
from orchestrator.core.state import Status
from orchestrator.settings import Settings, load

__all__ = ["open_queries", "register"]

Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]

_WATCH_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(publish)
    app.command("list")(list_sagas)
    app.command()(show)


def open_queries(settings: Settings) -> Any:
    """Read-only questions to the database that the settings name."""
    from orchestrator.database import connect  # noqa: PLC0415 - loads the driver
    from orchestrator.store.queries import Queries  # noqa: PLC0415

    return Queries(connect(settings.database_url))


def publish(
    request: Annotated[str, typer.Argument(help="Name of the definition, vendor-onboarding for one.")],
    file: Annotated[
        Path, typer.Option("--file", "-f", help="Requests, one a row: .jsonl or .csv; - reads JSON lines.")
    ],
    agent: Annotated[str, typer.Option(help="Who asks.")] = "cli",
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Send the good rows of a file with bad ones.")
    ] = False,
    output: Output = Format.TEXT,
) -> None:
    """Publish requests from a file. Prints the saga ids; a bad row is listed with its line."""
    settings = load()
    bootstrap.configure_logs(settings)
    requests, errors = read_requests(file, newest(settings, request))
    for error in errors:
        say(f"[red]line {error.line}[/]: {error.message}")
    if errors and not keep_going:
        text = f"{len(errors)} of {len(requests) + len(errors)} rows are bad; nothing was sent (see --keep-going)"
        raise CliError("BAD_ROWS", text, exit_code=Exit.USAGE)

    telemetry.configure("saga-cli")

    async def send() -> list[UUID]:
        from orchestrator.agent import Agent  # noqa: PLC0415 - loads the driver

        async with Agent(agent, settings) as client:
            return await client.publish_all(requests, definition=request)

    ids = asyncio.run(send())
    if output is Format.TEXT:
        for saga_id in ids:
            print(saga_id)
    else:
        emit([{"id": saga_id} for saga_id in ids], output)
    say(f"{len(ids)} requests are with the broker; follow one with: saga show ID --watch")
    if errors:
        raise typer.Exit(Exit.PARTIAL)


def newest(settings: Settings, name: str) -> Saga:
    """The highest version of a definition that this process carries.

    Raises:
        CliError: there is none of that name.

    """
    catalogue = bootstrap.load_catalogue(settings)
    versions = catalogue.fingerprints.get(name)
    if versions is None:
        text = f"no definition {name!r}; there are {', '.join(sorted(catalogue.requests))}"
        raise CliError("UNKNOWN_DEFINITION", text, exit_code=Exit.NOT_FOUND)
    found = catalogue.get(name, max(versions))
    assert found is not None
    return found


def list_sagas(
    status: Annotated[list[Status] | None, typer.Option(help="Only these; may be given more than once.")] = None,
    definition: Annotated[str | None, typer.Option(help="Only of this definition.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only asked for by this agent.")] = None,
    key: Annotated[str | None, typer.Option(help="Only with this business key.")] = None,
    since: Annotated[str | None, typer.Option(help="Only younger ones: 30m, 12h, 7d, or an ISO time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    unredacted: Unredacted = False,
    reason: Why = None,
    output: Output = Format.TEXT,
) -> None:
    """List sagas, newest first."""
    from orchestrator.store.queries import Filter  # noqa: PLC0415 - loads the driver

    wanted = Filter([s.value for s in status or ()], definition, agent, key, moment(since, "--since"), limit)
    settings = load()
    view = viewing(settings, "saga list", unredacted=unredacted, reason=reason)
    rows = [view.saga(row) for row in open_queries(settings).list(wanted)]
    if output is not Format.TEXT:
        emit([views.brief_json(row) for row in rows], output)
        return
    cells = []
    for row in rows:
        style = STYLES[row.state.status.value]
        error = views.brief_json(row)["error"] or ""
        changed = age(datetime.now(UTC) - row.updated_at)
        state = row.state
        cells.append(
            [
                row.id,
                f"[{style}]{state.status.value}[/]",
                safe(state.business_key),
                changed,
                safe(error),
                state.definition,
                safe(state.agent),
            ]
        )
    columns = ["id", "status", "key", "changed", "error", "definition", "agent"]
    console.print(table("", columns, cells, fold=False))
    if len(rows) == limit:
        say(f"the newest {limit}; more with --limit")


def show(
    saga_id: Annotated[str, typer.Argument(metavar="ID")],
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow it until it ends; exits 1 unless completed.")
    ] = False,
    unredacted: Unredacted = False,
    reason: Why = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one saga: where it stands, and its history with times, attempts, errors and commands."""
    try:
        wanted = UUID(saga_id)
    except ValueError as exc:
        raise CliError("USAGE", f"{saga_id!r} is no saga id", exit_code=Exit.USAGE) from exc
    settings = load()
    queries = open_queries(settings)
    catalogue = bootstrap.load_catalogue(settings)
    view = viewing(settings, "saga show", unredacted=unredacted, reason=reason, saga=wanted)
    if output is not Format.TEXT:
        row = _wait(queries, wanted) if watch else _find(queries, wanted)
        definition = catalogue.get(row.state.definition, row.state.version)
        timeline = view.of_saga(row).timeline(queries.timeline(wanted))
        emit([views.as_json(view.saga(row), timeline, definition)], Format.JSONL)
    elif not watch:
        row = _find(queries, wanted)
        console.print(_rendered(view, row, queries, catalogue))
    else:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while True:
                row = _find(queries, wanted)
                live.update(_rendered(view, row, queries, catalogue), refresh=True)
                if _settled(row):
                    break
                time.sleep(_WATCH_SECONDS)
        console.print(_rendered(view, row, queries, catalogue))
    if watch and row.state.status is not Status.COMPLETED:
        raise typer.Exit(Exit.FAILED)


def _rendered(view: View, row: Any, queries: Any, catalogue: Catalogue) -> RenderableType:
    definition = catalogue.get(row.state.definition, row.state.version)
    return views.rendered(view.saga(row), view.of_saga(row).timeline(queries.timeline(row.id)), definition)


def _find(queries: Any, saga_id: UUID) -> Any:
    row = queries.one(saga_id)
    if row is None:
        raise CliError("NOT_FOUND", f"there is no saga {saga_id} (yet)", exit_code=Exit.NOT_FOUND, retryable=True)
    return row


def _wait(queries: Any, saga_id: UUID) -> Any:
    while not _settled(row := _find(queries, saga_id)):
        time.sleep(_WATCH_SECONDS)
    return row


def _settled(row: Any) -> bool:
    return row.state.terminal or row.state.status is Status.REVIEW
