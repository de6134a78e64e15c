"""`saga simulate`: the engine's own code over a simulated world with faults, thousands of times."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.settings import load, load_attribute

if TYPE_CHECKING:
    from orchestrator.testing.simulation.plan import Fault
    from orchestrator.testing.simulation.runner import Outcome, Report

__all__ = ["register"]

_MOST_TOLD = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="simulate")(_simulate)


def _simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many runs.")] = 1000,
    first_seed: Annotated[int, typer.Option(min=0, help="The seed of the first.")] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="Play this one again, and tell its story.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after so long, whatever is left.")] = None,
    without: Annotated[str, typer.Option(help="Faults to leave out, separated by commas.")] = "",
    sagas: Annotated[int | None, typer.Option(min=1, help="With --seed: at most so many sagas.")] = None,
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
) -> None:
    """Run the real engine over a simulated broker, database, clock and systems, with faults, from seeds.

    The same seed is the same run. What really happened is checked against the systems' own ledger. A run that fails is
    made small and told; one in which some fault or message never occurred proves nothing, and fails as invalid.
    """
    from orchestrator.testing.simulation.runner import simulate  # noqa: PLC0415 - loads the drivers

    kit = load_attribute("SAGA_SIMULATION", load().simulation)
    left_out = _faults(without)
    if seed is not None:
        _one(seed, left_out, sagas, kit, output)
        return
    until = None if minutes is None else time.monotonic() + minutes * 60
    report = simulate(
        itertools.islice(itertools.count(first_seed), seeds), kit, until=until, without=left_out, told=_progress
    )
    small = [_shrunk(outcome, kit) for outcome in report.failed[:_MOST_TOLD]]
    if output is Format.TEXT:
        _print(report)
        for outcome in small:
            _tell(outcome)
    else:
        emit([_as_json(report, small)], output)
    for why in report.invalid:
        say(f"[bold red]invalid[/]: {why}")
    if report.failed:
        numbers = ", ".join(str(outcome.plan.seed) for outcome in report.failed[:20])
        say(f"[bold red]{len(report.failed)} of {report.seeds} seeds failed[/]: {numbers}")
    if report.failed or report.invalid:
        raise typer.Exit(Exit.FAILED)
    say("[green]Every run ended well: nothing was lost, and nothing was done twice.[/]")


def _faults(text: str) -> frozenset[Fault]:
    from orchestrator.testing.simulation.plan import Fault  # noqa: PLC0415 - as above

    names = [name for part in text.split(",") if (name := part.strip())]
    known = {fault.value for fault in Fault}
    unknown = [name for name in names if name not in known]
    if unknown:
        what = f"no fault {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        raise CliError("UNKNOWN", what, exit_code=Exit.USAGE)
    return frozenset(Fault(name) for name in names)


def _one(seed: int, without: frozenset[Fault], sagas: int | None, kit: Any, output: Format) -> None:
    from orchestrator.testing.simulation.plan import Plan  # noqa: PLC0415 - as above
    from orchestrator.testing.simulation.runner import quietly  # noqa: PLC0415 - as above

    outcome = quietly(Plan.of(seed, without, sagas), kit)
    if output is Format.TEXT:
        _tell(outcome)
    else:
        emit([_outcome_as_json(outcome)], output)
    if outcome.wrong:
        raise typer.Exit(Exit.FAILED)


def _shrunk(outcome: Outcome, kit: Any) -> Outcome:
    from orchestrator.testing.simulation.runner import shrink  # noqa: PLC0415 - as above

    return shrink(outcome, kit)


def _progress(report: Report) -> None:
    if report.seeds % 200 == 0:
        failed = ", ".join(str(outcome.plan.seed) for outcome in report.failed[-5:])
        say(f"[dim]{report.seeds} seeds, {report.rate:.1f}/s, {len(report.failed)} failed {failed}[/]")


def _print(report: Report) -> None:
    console.print(
        f"{report.seeds} seeds in {report.seconds:.1f} s: {report.rate:.1f} seeds/s, "
        f"{report.rate_of_core:.1f} a second of one core, "
        f"{report.messages:.0f} messages a seed, {report.twice} played twice",
        highlight=False,
    )
    ended = ", ".join(f"{count} {status.value}" for status, count in sorted(report.ended.items()))
    console.print(f"sagas: {ended}", highlight=False)
    console.print(
        f"blind systems did a thing once too often {report.excess} times after a freeze, "
        f"{report.unnoticed} sagas of it unnoticed (seeds {report.unnoticed_in[:20]})",
        highlight=False,
    )
    rows = [[fault.value, count] for fault, count in report.fired.most_common()]
    console.print(table("", ["fault", "times"], rows))


def _tell(outcome: Outcome) -> None:
    plan = outcome.plan
    console.print(
        f"\nseed {plan.seed}, {plan.sagas} sagas, faults: {', '.join(f.value for f in plan.faults) or 'none'}; "
        f"{outcome.delivered} messages, trace {outcome.digest}",
        highlight=False,
    )
    for line in outcome.story:
        console.print(safe(line), highlight=False, soft_wrap=True)
    for saga, what in outcome.wrong:
        console.print(f"[bold red]wrong[/]: {safe(saga)} {safe(what)}", highlight=False, soft_wrap=True)


def _as_json(report: Report, small: list[Outcome]) -> dict[str, object]:
    return {
        "seeds": report.seeds,
        "seconds": report.seconds,
        "seeds_per_second": report.rate,
        "seeds_per_core_second": report.rate_of_core,
        "messages_per_seed": report.messages,
        "played_twice": report.twice,
        "faults": {fault.value: count for fault, count in report.fired.most_common()},
        "messages": dict(report.kinds.most_common()),
        "sagas": {status.value: count for status, count in sorted(report.ended.items())},
        "excess": report.excess,
        "excess_unnoticed": report.unnoticed,
        "excess_unnoticed_in": report.unnoticed_in,
        "invalid": report.invalid,
        "failed": [outcome.plan.seed for outcome in report.failed],
        "told": [_outcome_as_json(outcome) for outcome in small],
    }


def _outcome_as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "seed": outcome.plan.seed,
        "sagas": outcome.plan.sagas,
        "faults": [fault.value for fault in outcome.plan.faults],
        "messages": outcome.delivered,
        "trace": outcome.digest,
        "wrong": [{"saga": saga, "what": what} for saga, what in outcome.wrong],
        "story": list(outcome.story),
    }
