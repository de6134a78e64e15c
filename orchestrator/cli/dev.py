"""Commands that run the whole system on one machine: `saga demo` and `saga dev`."""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn, get_args

import typer
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from orchestrator.cli import show as views
from orchestrator.cli.errors import Exit
from orchestrator.cli.output import STYLES, Format, console, emit, say, stderr, table
from orchestrator.core.state import Status
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.dev.demo import DemoRun
    from orchestrator.dev.stack import Stack

__all__ = ["ended_by_signals", "folder_of", "register"]

_SAGA_SECONDS = 40.0
_LOOK_SECONDS = 0.5
_BAR_WIDTH = 40


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(dev)


def demo(
    json_: Annotated[bool, typer.Option("--json", help="The same as -o jsonl: one object a saga on stdout.")] = False,
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
    keep: Annotated[Path | None, typer.Option(help="Keep data and logs in this folder.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="failures: what operators do when things go wrong, act by act.")
    ] = None,
) -> None:
    """Onboard 61 vendors on a stack of its own, with systems that reject and fail; then check every claim.

    Starts PostgreSQL, a broker, a coordinator, four consumers and the target systems, and ends them again. Exits 0 only
    if every saga reached the end that was expected and the systems' own ledger agrees. With `--scenario failures`: a
    compensation, one that fails, an outcome nobody knows, an outage and a dead letter, with the commands that end them.
    """
    from orchestrator.dev.demo import load_plan, run_demo  # noqa: PLC0415 - loads the drivers
    from orchestrator.dev.stack import Stack, StackOptions  # noqa: PLC0415

    form = Format.JSONL if json_ else output
    if scenario is not None:
        _play(scenario, form, keep)
        return
    plan = load_plan(load())
    with ended_by_signals(), folder_of(keep) as folder:
        began = time.monotonic()
        options = StackOptions("embedded", folder, plan, settings={"SAGA_LOG_FORMAT": "json"})
        with Stack(options, lambda what: say(f"[dim]{time.monotonic() - began:5.1f} s[/]  starting {what}")) as stack:
            say(f"[dim]{time.monotonic() - began:5.1f} s[/]  publishing")
            with _live() as live:
                found = run_demo(stack, plan, _SAGA_SECONDS, lambda counts, all_: live.update(_progress(counts, all_)))
    if form is Format.TEXT:
        _print(found)
    else:
        emit([views.summary_json(saga.row, saga.definition) for saga in found.sagas], form)
    _verdict(found, time.monotonic() - began)
    if not found.well:
        raise typer.Exit(Exit.FAILED)


def _play(name: str, form: Format, keep: Path | None) -> None:
    from orchestrator.cli.scenario import play, wanted  # noqa: PLC0415
    from orchestrator.dev.stack import Stack, StackOptions  # noqa: PLC0415 - loads the drivers

    found = wanted(name)
    with ended_by_signals(), folder_of(keep) as folder:
        began = time.monotonic()
        options = StackOptions("embedded", folder, settings={"SAGA_LOG_FORMAT": "json", **found.settings})
        with Stack(options, lambda what: say(f"[dim]{time.monotonic() - began:5.1f} s[/]  starting {what}")) as stack:
            well = play(stack, found, form)
        say(f"[dim]All of it took {time.monotonic() - began:.0f} s.[/]")
    if not well:
        raise typer.Exit(Exit.FAILED)


def dev(
    kafka: Annotated[
        str, typer.Option(help="embedded (at once, in memory), native (real, needs Java and Maven) or docker.")
    ] = "embedded",
    folder: Annotated[
        Path | None, typer.Option(help="For data and logs, found again next time; else a temporary one.")
    ] = None,
    with_faults: Annotated[bool, typer.Option("--with-faults", help="The systems fail as in `saga demo`.")] = False,
) -> None:
    """Run the whole stack until Ctrl-C, and print the settings that other terminals need."""
    from orchestrator.dev.brokers import Kind  # noqa: PLC0415 - loads the drivers
    from orchestrator.dev.demo import load_plan  # noqa: PLC0415
    from orchestrator.dev.stack import Stack, StackOptions  # noqa: PLC0415

    kinds: tuple[Kind, ...] = get_args(Kind)
    wanted = next((kind for kind in kinds if kind == kafka), None)
    if wanted is None:
        msg = f"--kafka is one of {', '.join(kinds)}"
        raise typer.BadParameter(msg)
    plan = load_plan(load()) if with_faults else {}
    with ended_by_signals(), folder_of(folder) as place:
        try:
            with Stack(StackOptions(wanted, place, plan), lambda what: say(f"starting {what}")) as stack:
                _tell(stack)
                _stay(stack)
        except _Ended:
            say("stopped")


def _tell(stack: Stack) -> None:
    """Settings on stdout, so that `saga dev > env &` and `. env` work too."""
    for name, value in stack.environment().items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    say(f"\n[bold]The stack is up.[/] Logs: {stack.logs}   Ledger: {stack.ledger}")
    say(f"Faults can be ordered at {stack.urls['control']}/_sandbox/faults")
    say("In another terminal: paste the lines above, then for one [bold]saga doctor[/], [bold]saga list[/],")
    say("[bold]saga publish vendor-onboarding --file vendors.jsonl[/]. Ctrl-C ends it.")


def _stay(stack: Stack) -> None:
    while True:
        stack.check()
        time.sleep(_LOOK_SECONDS)


class _Ended(KeyboardInterrupt):
    """A signal asks us to end; like Ctrl-C, so that everything is put away on the way out."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP leave as Ctrl-C does: by the way that stops the children and removes the folder."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)  # once is enough; the children are stopped in order
        raise _Ended

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def folder_of(given: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that is removed again."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="saga-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _live() -> Live:
    return Live(console=stderr, refresh_per_second=8, transient=True)


def _progress(counts: Counter[str], everything: int) -> Group:
    resting = sum(number for status, number in counts.items() if status not in {"running", "compensating"})
    line = Text("  ")
    for status, style in STYLES.items():
        if counts[status]:
            line.append(f"{counts[status]} {status}   ", style)
    return Group(ProgressBar(total=everything, completed=resting, width=_BAR_WIDTH), line)


def _print(found: DemoRun) -> None:
    rows = []
    for saga in sorted(found.sagas, key=lambda saga: saga.row.state.status.value):
        state = saga.row.state
        style = STYLES[state.status.value]
        mark = "" if saga.as_expected else f"[bold red]expected {saga.expected}[/]"
        why = state.code or (state.parks[0].code if state.parks else "")
        where = state.failed_step or (state.parks[0].step if state.parks else "")
        undone = len(views.summary_json(saga.row, saga.definition)["compensations"])
        cells = [f"[{style}]{state.status.value}[/]", state.business_key, where or "", why or "", undone or "", mark]
        if saga.row.state.status is not Status.COMPLETED or not saga.as_expected:
            rows.append(cells)
    console.print(table("what did not complete", ["status", "key", "stopped at", "because of", "undone", ""], rows))
    for saga in found.sagas:
        if saga.row.id in found.timelines:
            console.print()
            console.print(views.rendered(saga.row, found.timelines[saga.row.id], saga.definition))
    console.print()


def _verdict(found: DemoRun, seconds: float) -> None:
    counts = Counter(saga.row.state.status.value for saga in found.sagas)
    ended = ", ".join(f"[{style}]{counts[name]} {name}[/]" for name, style in STYLES.items() if counts[name])
    say(f"{len(found.sagas)} sagas in {found.seconds:.1f} s: {ended}")
    say(f"The systems were called {found.calls} times and did {found.applied} things.")
    for saga in found.sagas:
        if not saga.as_expected:
            key = saga.row.state.business_key
            say(f"[bold red]{key} ended {saga.row.state.status.value}, expected {saga.expected}[/]")
    for what in found.disagreements:
        say(f"[bold red]the ledger disagrees[/]: {what}")
    if found.well:
        say("[green]All ended as expected, and the systems' own ledger agrees: once, in order, undone in reverse.[/]")
    say(f"[dim]All of it took {seconds:.0f} s.[/]")
