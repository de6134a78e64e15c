"""`saga demo --scenario NAME`: acts that fail, and what operators do about them, told on the screen and checked."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.text import Text

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, say
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.dev.scenario import Act, ActRun, Scenario
    from orchestrator.dev.stack import Stack

__all__ = ["play", "wanted"]


def wanted(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        CliError: there is none.

    """
    from orchestrator.dev.scenario import load_scenario  # noqa: PLC0415 - loads the drivers

    try:
        return load_scenario(load(), name)
    except KeyError as exc:
        raise CliError("USAGE", f"there is no scenario {name!r}", exit_code=Exit.USAGE) from exc


def play(stack: Stack, scenario: Scenario, form: Format) -> bool:
    """Play it; whether everything came out as it should."""
    from orchestrator.dev.scenario import Stage  # noqa: PLC0415 - loads the drivers

    stage = Stage(stack, _Teller(quiet=form is not Format.TEXT))
    runs = stage.play(scenario)
    disagreements = stage.audit(runs)
    if form is not Format.TEXT:
        emit([_row(run) for run in runs], form)
    for what in disagreements:
        say(f"[bold red]the ledger disagrees[/]: {what}")
    well = not disagreements and not any(run.wrong for run in runs)
    if well:
        say("[green]Every act ended as it should, and the systems' own ledger agrees with every claim.[/]")
    return well


def _row(run: ActRun) -> dict[str, object]:
    return {"act": run.act.name, "sagas": run.sagas, "well": not run.wrong, "wrong": run.wrong, **run.facts}


class _Teller:
    """Tells what happens: the operators' screens on stdout, the rest on stderr; all of it where data is printed."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def act(self, number: int, act: Act) -> None:
        """See `Narrator`."""
        say("")
        say(f"[bold]{number}. {act.name[:1].upper()}{act.name[1:]}[/]")
        if not self._quiet:
            console.print(act.says, highlight=False)

    def happens(self, what: str) -> None:
        """See `Narrator`."""
        say(f"[dim]{what}[/]")

    def command(self, words: Sequence[str], output: str) -> None:
        """See `Narrator`."""
        if self._quiet:
            return
        title = Text(f"$ saga {shlex.join(words)}", "bold cyan")
        console.print(Panel(Text.from_ansi(output.rstrip()), title=title, title_align="left", border_style="dim"))

    def ended(self, run: ActRun) -> None:
        """See `Narrator`."""
        for what in run.wrong:
            say(f"[bold red]wrong[/]: {what}")
        if not run.wrong:
            done = " → ".join(run.act.ledger[-1]) or "nothing"
            each = f" for each of {len(run.sagas)} sagas" if len(run.sagas) > len(run.act.ledger) else ""
            say(f"[green]✓ the ledger{each}: {done}[/]")
