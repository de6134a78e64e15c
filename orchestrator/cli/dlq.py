"""Commands about dead letters: find, understand, and deal with what was given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from orchestrator.cli import dlq_edit, dlq_replay, dlq_transfer
from orchestrator.cli import dlq_views as views
from orchestrator.cli import show as saga_views
from orchestrator.cli.dlq_options import Output, desk, filtered, find, place_of
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.cli.privacy import Unredacted, Why, viewing
from orchestrator.cli.times import age
from orchestrator.letters.wanted import Filter
from orchestrator.settings import load

__all__ = ["register"]

_dlq = typer.Typer(help="Dead letters: what was given up, and how to go on.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    dlq_replay.register(_dlq)
    dlq_edit.register(_dlq)
    dlq_transfer.register(_dlq)
    app.add_typer(_dlq, name="dlq")


@_dlq.command("list")
@filtered
def list_letters(
    *,
    wanted: Filter,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    unredacted: Unredacted = False,
    reason: Why = None,
    output: Output = Format.TEXT,
) -> None:
    """List dead letters that wait for somebody, the newest first."""
    view = viewing(load(), "saga dlq list", unredacted=unredacted, reason=reason)
    with desk() as at:
        letters = [views.shown(at, view, letter)[0] for letter in at.store.newest(wanted, limit)]
        total = at.store.count(wanted)
    if output is not Format.TEXT:
        emit([views.brief_json(letter) for letter in letters], output)
        return
    columns = ["letter", "state", "failed", "reason", "where", "step", "saga", "a replay"]
    console.print(table("", columns, views.rows(letters), fold=False))
    if total > len(letters):
        say(f"the newest {len(letters)} of {total}; more with --limit, or by reason with: saga dlq groups")


@_dlq.command("show")
def show_letter(
    place: Annotated[str, typer.Argument(metavar="LETTER", help="topic/partition@offset, as list prints it.")],
    original: Annotated[bool, typer.Option("--original", help="As it was before any edit.")] = False,
    unredacted: Unredacted = False,
    reason: Why = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one letter: its decoded value, why it was given up, what was done about it, and its saga now."""
    where = place_of(place)
    with desk() as at:
        letter = find(at, where)
        if original:
            letter = replace(letter, edited=None, header_edits=())
        what = f"saga dlq show {where}"
        view = viewing(load(), what, unredacted=unredacted, reason=reason, saga=letter.saga_id)
        letter, value = views.shown(at, view, letter)
        acts = at.store.acts(letter)
        saga = at.queries.one(letter.saga_id) if letter.saga_id else None
        if output is not Format.TEXT:
            emit([views.whole_json(letter, value, acts, saga, whole=view.whole)], Format.JSONL)
            return
        now: Any = None
        if saga is not None:
            definition = at.catalogue.get(saga.state.definition, saga.state.version)
            timeline = view.of_saga(saga).timeline(at.queries.timeline(saga.id))
            now = saga_views.rendered(view.saga(saga), timeline, definition)
        console.print(views.rendered(letter, value, acts, now, whole=view.whole))


@_dlq.command()
@filtered
def groups(*, wanted: Filter, output: Output = Format.TEXT) -> None:
    """Count dead letters by reason and system, the largest group first."""
    with desk() as at:
        found = at.store.groups(wanted)
    if output is not Format.TEXT:
        fields = ("reason", "system", "count", "oldest", "newest")
        emit([{name: getattr(row, name) for name in fields} for row in found], output)
        return
    now = datetime.now(UTC)
    cells = [[safe(g.reason), safe(g.system or "-"), g.count, age(now - g.oldest), age(now - g.newest)] for g in found]
    console.print(table("", ["reason", "system", "letters", "oldest", "newest"], cells))


@_dlq.command()
def stats(output: Output = Format.TEXT) -> None:
    """Count the letters of every dead-letter topic by what has been done about them."""
    with desk() as at:
        found = at.store.stats()
    names = ("topic", "total", "open", "edited", "replayed", "discarded", "returned", "oldest")
    if output is not Format.TEXT:
        emit([{name: getattr(row, name) for name in names} for row in found], output)
        return
    now = datetime.now(UTC)
    cells = [
        [*(getattr(row, name) for name in names[:-1]), age(now - row.oldest) if row.oldest else "-"] for row in found
    ]
    console.print(table("", [*names[:-1], "oldest that waits"], cells))


@_dlq.command()
def rebuild() -> None:
    """Read all that the dead-letter topics hold anew. Nothing is lost: what was done about letters stays."""
    with desk(rebuild=True) as at:
        total = sum(row.total for row in at.store.stats())
    say(f"{total} letters")
