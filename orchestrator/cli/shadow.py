"""`saga shadow`: what was only recorded, compared with what the existing process did, and when it may go live."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli.actor import actor_name
from orchestrator.cli.dlq_options import Actor, Output
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.importing import RowError, read_rows
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.cli.times import moment
from orchestrator.settings import load, load_attribute

__all__ = ["register"]

_app = typer.Typer(
    help="Actions that are only recorded: how they compare with the existing process, and when they may go live."
)
_System = Annotated[str, typer.Option("--system", help="Of this system.")]
_Action = Annotated[str | None, typer.Option("--action", help="Of this action only.")]
_Since = Annotated[str | None, typer.Option("--since", help="30m, 12h, 7d, or an ISO time.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(_app, name="shadow")


@contextmanager
def _desk() -> Iterator[Any]:
    settings = load()
    # A wrong file is told as a wrong setting.
    load_attribute("SAGA_SYSTEMS", settings.systems)
    with load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:make_shadow_desk")(settings) as desk:
        try:
            yield desk
        except KeyError as exc:
            text = f"there is no system or action {exc.args[0]!r}"
            raise CliError("NOT_FOUND", text, exit_code=Exit.NOT_FOUND) from exc


@_app.command()
def compare(
    system: _System,
    action: _Action = None,
    probe: Annotated[bool, typer.Option("--probe", help="Ask the system what it has.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="What the existing process did: .jsonl or .csv, all of it.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="The file's field by which things are known.")] = None,
    since: _Since = None,
    actor: Actor = None,
    output: Output = Format.TEXT,
) -> None:
    """Compare what was recorded with what the existing process did, and keep the result for `report`.

    Exit 5 where some of it could not be asked.
    """
    if probe == (file is not None) or (probe and key is not None) or (file is not None and since is not None):
        text = "say --probe (perhaps with --since), or --file (perhaps with --key)"
        raise CliError("USAGE", text, exit_code=Exit.USAGE)
    who = actor_name(actor)
    with _desk() as desk:
        actions = desk.actions(system, action)
        if not actions:
            raise CliError("NOTHING_RECORDED", f"nothing of {system} was recorded", exit_code=Exit.NOT_FOUND)
        if file is not None and len(actions) > 1:
            text = f"a file is of one action: say --action; recorded are {', '.join(actions)}"
            raise CliError("USAGE", text, exit_code=Exit.USAGE)
        try:
            if file is not None:
                found = [desk.compare_file(system, actions[0], _rows(file), key=key, source=file.name)]
            else:
                moment_ = moment(since, "--since")
                found = [asyncio.run(desk.compare_by_probe(system, a, moment_, actor=who)) for a in actions]
        except ValueError as exc:
            raise CliError("CANNOT_COMPARE", str(exc)) from exc
    _show_compared(found, output)
    if any(row.get("not_asked") for row in found):
        raise typer.Exit(Exit.PARTIAL)


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    for line, row in read_rows(file):
        if isinstance(row, RowError):
            # Half of what they did would read as "only ours".
            raise CliError("BAD_ROW", f"{file}, line {line}: {row.message}", exit_code=Exit.USAGE)
        yield row


def _show_compared(found: list[dict[str, Any]], output: Format) -> None:
    if output is not Format.TEXT:
        emit(found, output)
        return
    columns = ["action", "compared", "agrees", "differs", "only ours", "only theirs", "not asked"]
    rows = [
        [
            safe(row["action"]), row["compared"], row["agrees"], row["differs"], row["only_ours"], row["only_theirs"],
            ", ".join(f"{count} times {safe(code)}" for code, count in row.get("not_asked", {}).items()),
        ]
        for row in found
    ]  # fmt: skip
    console.print(table("", columns, rows))


@_app.command()
def report(
    system: Annotated[str | None, typer.Option("--system", help="Of this system only.")] = None,
    since: _Since = None,
    output: Output = Format.TEXT,
) -> None:
    """What was recorded of each action, how much of it agrees, and where it differs. Values are redacted."""
    with _desk() as desk:
        found = desk.report(system, moment(since, "--since"))
    if output is not Format.TEXT:
        emit(found, output)
        return
    columns = ["system", "action", "recorded", "compared", "agreement", "differs", "only ours", "only theirs", "where"]
    console.print(table("", columns, [_cells(row) for row in found]))
    for row in found:
        for fields in row["differences"]:
            for name, (ours, theirs) in fields.items():
                text = f"{row['system']}.{row['action']} {name}: ours {ours!r}, theirs {theirs!r}"
                console.print(safe(text), highlight=False, soft_wrap=True)
        if row["examples"]:
            console.print(safe(f"sagas: {', '.join(row['examples'])}"), highlight=False, soft_wrap=True)
        if row["only_theirs_keys"]:
            console.print(safe(f"only theirs: {', '.join(row['only_theirs_keys'])}"), highlight=False, soft_wrap=True)
    if any(row["not_compared"] for row in found):
        say("Some of what was recorded has not been compared: `saga shadow compare`.")


def _cells(row: Mapping[str, Any]) -> list[Any]:
    return [
        safe(row["system"]), safe(row["action"]), row["recorded"], row["compared"],
        "" if row["agreement"] is None else f"{row['agreement']:.2%}", row["differs"], row["only_ours"],
        row["only_theirs"], safe(", ".join(f"{name} {times} times" for name, times in list(row["fields"].items())[:3])),
    ]  # fmt: skip


@_app.command()
def promote(
    system: _System,
    action: _Action = None,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="The share that has to agree.")] = 0.99,
    minimum: Annotated[int, typer.Option(min=1, help="How many have to be compared, of each action.")] = 100,
    to: Annotated[str, typer.Option("--to", help="live, or 'canary N %'.")] = "live",
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit with your name.")] = None,
    actor: Actor = None,
    output: Output = Format.TEXT,
) -> None:
    """Say what to change so that a system, or one action of it, goes live. Changes nothing itself.

    Exit 1 where too little was compared or too little agrees; what is missing stands there.
    """
    who = actor_name(actor)
    with _desk() as desk:
        try:
            found = desk.weigh(system, action, to=to, threshold=threshold, minimum=minimum)
        except ValueError as exc:
            raise CliError("USAGE", f"--to: {exc}", exit_code=Exit.USAGE) from exc
        if not found.missing:
            if not (reason or "").strip():
                text = "--reason is needed: who promotes, and why, is kept in the audit"
                raise CliError("USAGE", text, exit_code=Exit.USAGE)
            asyncio.run(desk.note(found, actor=who, reason=reason, threshold=threshold, minimum=minimum))
    if output is not Format.TEXT:
        emit([found.as_json()], output)
    elif found.missing:
        for line in found.missing:
            console.print(f"[red]missing[/] {safe(line)}", highlight=False, soft_wrap=True)
    else:
        console.print(safe(found.change), highlight=False, soft_wrap=True)
        say("Then restart its consumers. Sagas that have begun stay as they are.")
    if found.missing:
        raise typer.Exit(Exit.FAILED)
