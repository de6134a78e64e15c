"""`saga chaos`: everything that can die does, under load, and what is left is judged."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from orchestrator import bootstrap
from orchestrator.cli.dev import ended_by_signals
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.testing.chaos.judge import Judgement

__all__ = ["RATE", "register"]

RATE = 20.0
"""Sagas a second, if nothing else is asked for: half of what two cores carry with all of this on them."""
_MOST_TOLD = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="chaos")(_chaos)


def _chaos(
    minutes: Annotated[float, typer.Option(min=0.25, help="How long the load lasts; for soaks, hours of them.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="What strikes when and whom follows from it.")] = 0,
    rate: Annotated[float, typer.Option(min=1, max=10_000, help="Sagas a second.")] = RATE,
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
    keep: Annotated[Path | None, typer.Option(help="Keep data, logs and history in this folder.")] = None,
    again: Annotated[
        Path | None, typer.Option("--judge", help="Run nothing: judge again what a run left in this folder.")
    ] = None,
) -> None:
    """Kill, freeze, cut off and poison a stack of its own under load, and judge what became of every saga.

    Real Kafka (Java and Maven), PostgreSQL, two coordinators, two consumers of each system, and the sandbox, as
    processes. Exits 0 only if nothing was lost or done twice, everything moved again in time, and everything that was
    planned really struck. What failed keeps its folder.
    """
    from orchestrator.testing.chaos.run import HISTORY, ChaosOptions, judge_folder, run  # noqa: PLC0415 - loads the drivers

    if again is not None:
        if not (again / HISTORY).exists():
            raise CliError("NOT_FOUND", f"no run has left its history in {again}", exit_code=Exit.NOT_FOUND)
        _report(judge_folder(again), output)
        return
    if keep is not None and (keep / HISTORY).exists():
        raise CliError("EXISTS", f"{keep} has the history of another run; name a fresh folder", exit_code=Exit.USAGE)
    # That a broker is away is what this is about: only what nobody expected is said.
    bootstrap.configure_logs(load(log_level="ERROR"))
    began = time.monotonic()
    with ended_by_signals(), _kept_if_it_fails(keep) as folder:
        run(ChaosOptions(folder, seed, minutes * 60, rate), say)
        say(f"[dim]Seed {seed} took {time.monotonic() - began:.0f} s; judging.[/]")
        _report(judge_folder(folder), output)


@contextmanager
def _kept_if_it_fails(given: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that is removed if all is well."""
    folder = given or Path(tempfile.mkdtemp(prefix="saga-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        say(f"History, evidence and logs are in {escape(str(folder))}.")
        raise
    if given is None:
        shutil.rmtree(folder, ignore_errors=True)


def _report(found: Judgement, output: Format) -> None:
    if output is Format.TEXT:
        _print(found)
    else:
        emit([_as_json(found)], output)
    for why in found.invalid:
        say(f"[bold red]invalid[/]: {safe(why)}")
    for what in found.late:
        say(f"[bold red]late[/]: {safe(what)}")
    for saga, what in found.wrong[:_MOST_TOLD]:
        say(f"[bold red]wrong[/]: {safe(saga)} {safe(what)}")
    if len(found.wrong) > _MOST_TOLD:
        say(f"… and {len(found.wrong) - _MOST_TOLD} more; -o json has them all")
    if not found.passed:
        raise typer.Exit(Exit.FAILED)
    say("[green]Passed: nothing was lost, and nothing was done twice.[/]")


def _print(found: Judgement) -> None:
    rows = [
        [name, times, *(_seconds(found, name, which) for which in ("worst", "worst_partition"))]
        for name, times in sorted(found.struck.items())
    ]
    console.print(table("", ["nemesis", "struck", "some saga moved after", "every partition after"], rows))
    console.print()
    told = ", ".join(f"{count} {what} {answer}" for (what, answer), count in sorted(found.operations.items()))
    ended = ", ".join(f"{count} {status}" for status, count in sorted(found.ended.items()))
    console.print(f"operations: {told}", highlight=False)
    console.print(f"sagas: {ended}; {found.effects} effects, {found.copies} dead letters twice", highlight=False)
    for (step, code), count in sorted(found.reviews.items()):
        console.print(f"in review: {count} by {step}, {code}", highlight=False)
    for kind, (megabytes, slope) in sorted(found.growth.items()):
        console.print(f"memory of {kind}: {megabytes:.0f} MB, {slope:+.1f} MB/h", highlight=False)


def _seconds(found: Judgement, name: str, which: str) -> str:
    return f"{getattr(found.silences[name], which):.1f} s" if name in found.silences else "-"


def _as_json(found: Judgement) -> dict[str, Any]:
    return {
        "passed": found.passed,
        "invalid": list(found.invalid),
        "late": list(found.late),
        "wrong": [{"saga": saga, "what": what} for saga, what in found.wrong],
        "sagas": dict(found.ended),
        "operations": [{"what": w, "answer": a, "count": count} for (w, a), count in sorted(found.operations.items())],
        "struck": dict(found.struck),
        "effects": found.effects,
        "dead_letters_twice": found.copies,
        "reviews": [{"step": s, "code": c, "count": count} for (s, c), count in sorted(found.reviews.items())],
        "silences": {
            name: {"times": s.times, "some_saga": s.worst, "every_partition": s.worst_partition}
            for name, s in sorted(found.silences.items())
        },
        "memory": {kind: {"mb": mb, "mb_per_hour": slope} for kind, (mb, slope) in sorted(found.growth.items())},
    }
