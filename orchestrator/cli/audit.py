"""`saga audit`: every call to any system, and whether anybody changed what is written of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.cli.times import age, moment
from orchestrator.settings import Settings, load, load_attribute

__all__ = ["register"]

_app = typer.Typer(help="Every call to any system: who, what, when, with which credential, and what came back.")
_access = typer.Typer(help="Who may do what, and who does.")
_System = Annotated[str | None, typer.Option("--system", help="Of this system only.")]
_Output = Annotated[Format, typer.Option("-o", "--output", help="text, json or jsonl.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(_app, name="audit")
    app.add_typer(_access, name="access")


def _trail(settings: Settings) -> Any:
    # The consumers' packages are loaded by name: the engine does not import them (design §3).
    return load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:audit_trail")(settings)


@_app.command()
def search(
    system: _System = None,
    saga: Annotated[UUID | None, typer.Option("--saga", help="Of this saga.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="On behalf of this agent.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Of this action.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="30m, 12h, 7d, or an ISO time.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what did not succeed.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    output: _Output = Format.TEXT,
) -> None:
    """The newest calls. What is secret or personal in them has been masked before it was written."""
    asked = {"system": system, "saga": saga, "agent": agent, "action": action, "since": moment(since, "--since")}
    with _trail(load()) as trail:
        rows = trail.search(**asked, failed=failed, limit=limit)
    if output is not Format.TEXT:
        emit(rows, output)
        return
    now = datetime.now(UTC)
    columns = ["when", "system", "number", "agent", "saga", "action", "try", "status", "error", "ms", "endpoint"]
    console.print(table("", columns, [_cells(row, now) for row in rows]))
    if len(rows) == limit:
        say(f"The newest {limit}; --limit for more, `saga audit export` for all.")


def _cells(row: dict[str, Any], now: datetime) -> list[Any]:
    return [
        age(now - row["at"]),
        safe(row["system"]),
        row["number"],
        safe(row["agent"]),
        row["saga"],
        safe(f"{row['direction']} {row['step']}: {row['action']}"),
        f"{row['attempt']}.{row['send']}",
        "" if row["status"] is None else row["status"],
        safe(row["error"] or ""),
        f"{row['duration_ms']:.0f}",
        safe(row["endpoint"]),
    ]


@_access.callback()
def _group() -> None:
    """A group, also with one command."""


@_access.command()
def report(
    since: Annotated[str | None, typer.Option("--since", help="30m, 12h, 7d, or an ISO time.")] = None,
    output: _Output = Format.TEXT,
) -> None:
    """Which agent used which system, action and credential, which secrets were read, and what nobody used."""
    settings = load()
    asked: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:access_report")
    found = asked(settings, moment(since, "--since"))
    if output is not Format.TEXT:
        emit([found], output)
        return
    now = datetime.now(UTC)
    cells = [
        [
            safe(row["agent"]), safe(row["system"]), safe(row["action"]), safe(row["credential"]), row["calls"],
            row["failed"], age(now - row["last"]),
        ]
        for row in found["used"]
    ]  # fmt: skip
    console.print(table("", ["agent", "system", "action", "credential", "calls", "failed sends", "last"], cells))
    if found["secrets"]:
        read = [
            [safe(row["system"]), safe(row["reference"]), safe(row["version"]), row["reads"], row["failed"],
             age(now - row["last"])]
            for row in found["secrets"]
        ]  # fmt: skip
        console.print(table("\nsecrets", ["system", "reference", "version", "reads", "failed", "last"], read))
    if found["unused_secrets"]:
        never = [[safe(row["system"]), safe(row["reference"])] for row in found["unused_secrets"]]
        console.print(table("\nsecrets that nobody read", ["system", "reference"], never))
    if found["unused"]:
        never = [[safe(row["system"]), safe(row["action"])] for row in found["unused"]]
        console.print(table("\nwhat nobody used", ["system", "action"], never))


@_app.command()
def export(system: _System = None) -> None:
    """Everything, oldest first, one JSON object a line, with the hashes by which anybody can check the chain."""
    with _trail(load()) as trail:
        emit(trail.export(system), Format.JSONL)


@_app.command()
def verify(
    system: _System = None,
    key: Annotated[
        list[Path] | None, typer.Option("--key", help="Public (or private) key of checkpoints, PEM; also earlier ones.")
    ] = None,
    output: _Output = Format.TEXT,
) -> None:
    """Whether every chain is as it was written. Exit 1 where one is not."""
    with _trail(load()) as trail:
        try:
            looked, broken = trail.verify(system, key or ())
            unsigned = {name: count for name, count in trail.unsigned().items() if name in looked}
        except (OSError, ValueError) as exc:
            raise CliError("BAD_KEY", str(exc), exit_code=Exit.USAGE) from exc
    if output is not Format.TEXT:
        found = [{"system": b.system, "number": b.number, "why": b.why} for b in broken]
        emit([{"looked_at": looked, "broken": found, "unsigned": unsigned}], output)
    else:
        for name, count in looked.items():
            wrong = sum(b.system == name for b in broken)
            state = f"[bold red]{wrong} wrong[/]" if wrong else "unbroken"
            console.print(f"{safe(name)}: {count} rows, {state}, {unsigned.get(name, 0)} after the last checkpoint")
        for found in broken:
            console.print(f"[red]{safe(found.system)} {found.number}[/] {safe(found.why)}")
    if not key:
        say("Without --key nobody can say whether the end of a chain was cut off and made anew.")
    if broken:
        raise typer.Exit(Exit.FAILED)


@_app.command()
def checkpoint(
    key: Annotated[Path, typer.Option("--key", help="The private key, PEM (Ed25519).")],
    make: Annotated[bool, typer.Option("--make-key", help="Make the key, where there is none yet.")] = False,
    output: _Output = Format.TEXT,
) -> None:
    """Sign the end of every chain, as of now. Keep the key, and a copy of what is printed, somewhere else."""
    settings = load()
    with _trail(settings) as trail:
        try:
            made = trail.checkpoint(key, datetime.now(UTC), make=make)
        except (OSError, ValueError) as exc:
            raise CliError("BAD_KEY", str(exc), exit_code=Exit.USAGE) from exc
    if output is not Format.TEXT:
        emit(made, output)
        return
    rows = [[safe(row["system"]), row["number"], row["hash"], row["key"]] for row in made]
    console.print(table("", ["system", "number", "hash", "key"], rows))
