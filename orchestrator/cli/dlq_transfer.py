"""`saga dlq export` and `saga dlq import`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import dlq_views as views
from orchestrator.cli.dlq_options import Actor, Output, Reason, Yes, by, chosen, confirm, desk, filtered
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, emit, json_line, safe, say
from orchestrator.cli.privacy import Unredacted, View, Why, viewing
from orchestrator.letters.wanted import Filter
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.letters.desk import Desk
    from orchestrator.letters.letter import Place

__all__ = ["register"]

_STDIO = "-"


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("export")(filtered(export_letters))
    group.command("import")(import_file)


def export_letters(
    *,
    places: Annotated[list[str] | None, typer.Argument(metavar="[LETTER]…")] = None,
    wanted: Filter,
    file: Annotated[Path, typer.Option("--file", "-f", help="Where to; - is stdout.")] = Path(_STDIO),
    everything: Annotated[bool, typer.Option("--all", help="All that wait, without another choice.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    unredacted: Unredacted = False,
    reason: Why = None,
) -> None:
    """Write letters as JSON lines; nothing about them changes. An import needs them --unredacted, with all bytes."""
    from orchestrator.letters.transfer import export_lines  # noqa: PLC0415 - loads the drivers

    with desk() as at:
        found = chosen(at, places or [], wanted, everything=everything, limit=limit)
        view = viewing(load(), f"saga dlq export of {len(found)} letters", unredacted=unredacted, reason=reason)
        lines = export_lines(at, found) if view.whole else _to_read(at, view, found)
        try:
            if str(file) == _STDIO:
                sys.stdout.buffer.writelines(lines)
                sys.stdout.flush()
            else:
                with file.open("wb") as opened:
                    opened.writelines(lines)
        except OSError as exc:
            raise CliError("UNWRITABLE", f"{file}: {exc.strerror}") from exc
    say(f"{len(found)} letters are exported")


def _to_read(at: Desk, view: View, places: Sequence[Place]) -> Iterator[bytes]:
    """Lines for people and their tools, which no import takes."""
    for place in places:
        (letter,) = at.store.at([place])
        letter, value = views.shown(at, view, letter)
        whole = views.whole_json(letter, value, [], None, whole=False)
        yield json_line({"redacted": True, **whole})


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `saga dlq export` wrote; - is stdin.")],
    reason: Reason,
    actor: Actor = None,
    yes: Yes = False,
    output: Output = Format.TEXT,
) -> None:
    """Publish exported letters to the dead-letter topics of this cluster. Importing twice adds nothing."""
    from orchestrator.letters.transfer import import_letters, read_lines  # noqa: PLC0415 - loads the drivers

    who = by(actor, reason)
    try:
        lines, bad = read_lines(sys.stdin.buffer.read() if str(file) == _STDIO else file.read_bytes())
    except OSError as exc:
        raise CliError("UNREADABLE", f"{file}: {exc.strerror}", exit_code=Exit.USAGE) from exc
    for wrong in bad:
        say(f"[red]line {wrong.line}[/]: {safe(wrong.message)}")
    if bad:
        text = f"{len(bad)} of {len(bad) + len(lines)} lines are no letters; nothing was sent"
        raise CliError("BAD_ROWS", text, exit_code=Exit.USAGE)
    with desk() as at:
        confirm(f"Import {len(lines)} letters?", [safe(f"{x.id}  {x.reason}") for _, x in lines], len(lines), yes=yes)
        report = asyncio.run(import_letters(at, lines, who))
    for wrong in report.bad:
        say(f"[red]line {wrong.line}[/]: {safe(wrong.message)}")
    if output is not Format.TEXT:
        emit([{"sent": report.sent, "known": report.known, "failed": len(report.bad)}], output)
    say(f"{report.sent} letters are imported, {report.known} were here already, {len(report.bad)} could not be sent")
    if report.bad:
        raise typer.Exit(Exit.PARTIAL)
