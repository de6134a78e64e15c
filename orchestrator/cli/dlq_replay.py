"""`saga dlq replay`: one letter, many, or all that match."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from orchestrator.cli import dlq_views as views
from orchestrator.cli.dlq_options import (
    Actor,
    Output,
    Reason,
    Yes,
    by,
    chosen,
    confirm,
    desk,
    filtered,
    progress,
)
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.letters.wanted import Filter
from orchestrator.redaction import redacted_text

if TYPE_CHECKING:
    from orchestrator.letters.replay import Outcome, Replayer, Report
    from orchestrator.letters.settle import Fate

__all__ = ["register"]

_WATCHED = 20
_SHOWN = 20


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command()(filtered(replay))


def replay(
    *,
    places: Annotated[
        list[str] | None, typer.Argument(metavar="[LETTER]…", help="topic/partition@offset, as list prints it.")
    ] = None,
    wanted: Filter,
    reason: Reason,
    actor: Actor = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait, without another choice.")] = False,
    resolved: Annotated[
        str | None, typer.Option(help="not-done: a person found out that a blind, unknown effect was not done.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen to each; do nothing.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="At most so many a second.")] = None,
    canary: Annotated[int, typer.Option(min=0, help="First so many; the rest if none of them comes back.")] = 0,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that the canary has to settle.")] = 60.0,
    stop_on_repeat: Annotated[bool, typer.Option("--stop-on-repeat", help="Stop when one comes back.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what was replayed too often.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to follow a few letters until they settle.")] = 10.0,
    group: Annotated[
        str | None, typer.Option(help="Only for this consumer group, as `show` names it; for all, if not given.")
    ] = None,
    yes: Yes = False,
    output: Output = Format.TEXT,
) -> None:
    """Replay letters: publish again, begin a new saga, or let the parked saga try again, as `list` says of each.

    In the order of their keys. Twice is once: every message's id follows from its letter, so a replay that was
    interrupted is simply run again.
    """
    from orchestrator.letters.replay import Options, Replayer  # noqa: PLC0415 - loads the drivers

    if resolved not in (None, "not-done"):
        raise CliError("USAGE", f"--resolved {resolved!r}: only not-done may be retried", exit_code=Exit.USAGE)
    who = by(actor, reason)
    options = Options(resolved, force, rate, canary, patience, stop_on_repeat, wanted.states, _group(group))
    with desk() as at, progress("replaying") as advance:
        found = chosen(at, places or [], wanted, everything=everything, limit=limit)
        worker = Replayer(at, who, options, sleep=asyncio.sleep, progress=advance)
        if dry_run:
            _end(worker.dry_run(found), {}, output)
            return
        sample = [views.line(letter) for letter in at.store.at(found[:5])]
        if len(found) > 1 or not places:
            confirm(f"Replay {len(found)} letters?", sample, len(found), yes=yes)
        if canary:
            say(f"the first {min(canary, len(found))} go out; the rest when they have settled well")
        report, fates = asyncio.run(_run(worker, found, wait))
        _end(report, fates, output)


def _group(name: str | None) -> str | None:
    if name is not None and not (name.strip() and name.isprintable()):
        raise CliError("USAGE", f"--group {name!r} is no consumer group", exit_code=Exit.USAGE)
    return name


async def _run(worker: Replayer, places: Sequence[Any], wait: float) -> tuple[Report, Mapping[UUID, Fate]]:
    report = await worker.run(places)
    few = report.sent if len(report.sent) <= _WATCHED else []
    if few and wait:
        say(f"{len(few)} sent; following them for at most {wait:g} s")
    return report, await worker.settle(few, wait) if few and wait else {}


def _end(report: Report, fates: Mapping[UUID, Fate], output: Format) -> None:
    _print(report, fates, output)
    _exit(report, fates)


def _print(report: Report, fates: Mapping[UUID, Fate], output: Format) -> None:
    if output is not Format.TEXT:
        emit([_json(outcome, fates) for outcome in report.outcomes], output)
    elif len(report.outcomes) <= _SHOWN:
        _table(report.outcomes, fates)
    else:
        _table([o for o in report.outcomes if o.result.value != "sent"][:_SHOWN], fates)
    counts: dict[str, int] = {}
    for outcome in report.outcomes:
        counts[outcome.result.value] = counts.get(outcome.result.value, 0) + 1
    said = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "no letter"
    say(said + (f", {report.left} left" if report.left else ""))
    if report.stopped:
        say(f"[bold red]stopped[/]: {safe(report.stopped)}")


def _table(outcomes: Sequence[Outcome], fates: Mapping[UUID, Fate]) -> None:
    if not outcomes:
        return
    cells = []
    for outcome in outcomes:
        fate = fates.get(outcome.letter.identity)
        cells.append(
            [
                outcome.letter.place,
                outcome.result.value,
                outcome.letter.way.value,
                safe(redacted_text(fate.text if fate else outcome.text)),
            ]
        )
    console.print(table("", ["letter", "result", "a replay", "what"], cells))


def _json(outcome: Outcome, fates: Mapping[UUID, Fate]) -> dict[str, Any]:
    fate = fates.get(outcome.letter.identity)
    seen = outcome.prediction
    return {
        "id": str(outcome.letter.place),
        "result": outcome.result.value,
        "replay": outcome.letter.way.value,
        "code": outcome.code or None,
        "text": redacted_text(outcome.text),
        "topic": outcome.plan.message.topic if outcome.plan else None,
        "saga_id": outcome.plan.saga_id if outcome.plan else outcome.letter.saga_id,
        "status": seen.status if seen else None,
        "commands": list(seen.commands) if seen else [],
        "would_return": seen.returns if seen else False,
        "now": redacted_text(fate.text) if fate else None,
        "settled": fate.settled if fate else False,
        "came_back": fate.bad if fate else None,
    }


def _exit(report: Report, fates: Mapping[UUID, Fate]) -> None:
    """0 where all went, 4 where none could, 5 where some did not or came back."""
    good = sum(outcome.result.value in {"sent", "predicted"} for outcome in report.outcomes)
    bad = len(report.outcomes) - good
    back = any(fate.bad for fate in fates.values())
    if report.stopped or back or (good and bad):
        raise typer.Exit(Exit.PARTIAL)
    if bad:
        first = next(o for o in report.outcomes if o.result.value not in {"sent", "predicted"})
        raise CliError(first.code or "REFUSED", first.text, exit_code=Exit.CONFLICT)
