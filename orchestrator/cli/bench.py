"""`saga bench`: how fast it is, beside a bare loop and beside others; what it does under a limit, and beside poison."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator import bootstrap
from orchestrator.cli.bench_report import of_calls, rendered
from orchestrator.cli.dev import ended_by_signals, folder_of
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, say, table
from orchestrator.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from orchestrator.dev.stack import StackOptions

__all__ = ["register"]

Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]
Keep = Annotated[Path | None, typer.Option(help="Keep data and logs in this folder.")]

Sagas = Annotated[int, typer.Option(min=10, help="How many sagas are published at once.")]
Steps = Annotated[int, typer.Option(min=1, max=20, help="Steps of a saga.")]
Rounds = Annotated[int, typer.Option(min=1, help="How often, in turn.")]
Singles = Annotated[int, typer.Option(min=2, help="Sagas one at a time, for the latency.")]
Json = Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")]

_group = typer.Typer(
    help="Measure on a stack of its own, with a real broker (Java and Maven). Wrong counts fail, slow machines do not.",
    invoke_without_command=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="bench")


@_group.callback()
def throughput(
    context: typer.Context,
    sagas: Sagas = 20_000,
    steps: Steps = 4,
    coordinators: Annotated[int, typer.Option(min=1, max=8, help="Replicas of the coordinator.")] = 1,
    compensating: Annotated[float, typer.Option(min=0, max=1, help="Share of sagas that are undone.")] = 0.0,
    history: Annotated[int, typer.Option(min=0, help="Finished sagas that are there before, 5 KB each.")] = 0,
    rate: Annotated[float, typer.Option(min=1, help="Sagas a second of the open loop.")] = 100.0,
    singles: Singles = 200,
    rounds: Rounds = 2,
    bare: Annotated[bool, typer.Option(help="Measure the bare loop beside it.")] = True,
    json: Json = False,
    keep: Keep = None,
) -> None:
    """Measure sagas a second, latency and cost: of the engine, and of a bare loop that does the same I/O.

    Kafka and PostgreSQL are those of SAGA_KAFKA_BOOTSTRAP_SERVERS and SAGA_DATABASE_URL, else some of its own.
    The systems do nothing; their effects are recorded. The ratio of the two is what says something: both meet whatever
    else goes on on this machine.
    """
    if context.invoked_subcommand is not None:
        return
    from orchestrator.testing.bench.throughput import Load, measure  # noqa: PLC0415 - loads the drivers

    load = Load(
        sagas=sagas, steps=steps, coordinators=coordinators, compensating=compensating,
        singles=singles, rate=rate, rounds=rounds, bare=bare, history=history,
    )  # fmt: skip
    with ended_by_signals(), folder_of(keep) as folder:
        report = measure(load, folder, _telling())
    if not json:
        for part in rendered(report):
            console.print(part)
    _judge(report.wrong)
    if json:
        emit([report.as_json()], Format.JSONL)


@_group.command()
def compare(
    sagas: Sagas = 10_000,
    steps: Steps = 4,
    peer_sagas: Annotated[int, typer.Option(min=10, help="Workflows of the other engine.")] = 1000,
    singles: Singles = 100,
    rounds: Rounds = 2,
    json: Json = False,
    keep: Keep = None,
) -> None:
    """Run the same steps on DBOS and on the engine, on the same PostgreSQL, in turn (uv sync --group peers)."""
    from orchestrator.testing.bench.compare import compare as run  # noqa: PLC0415 - loads the drivers
    from orchestrator.testing.bench.throughput import Load  # noqa: PLC0415

    load = Load(sagas=sagas, steps=steps, singles=singles, rounds=rounds, open_seconds=1)
    with ended_by_signals(), folder_of(keep) as folder:
        found = run(load, peer_sagas, folder, _telling())
    told = found.as_json()
    if not json:
        names = ("engine", "dbos", "ratio")
        rows = [
            ["sagas/s", *(f"{told[name]['sagas_per_second']:.1f}" for name in names)],
            ["one at a time, p50 ms", *(f"{told[name].get('p50_ms', told[name].get('p50')):.2f}" for name in names)],
        ]
        console.print(table("", ["", "engine", "DBOS", "ratio"], rows))
    _judge(found.wrong)
    if json:
        emit([told], Format.JSONL)


@_group.command()
def drain(
    system: Annotated[str, typer.Option(help="The system that goes away.")] = "portal",
    sagas: Annotated[int, typer.Option(min=2, help="How many wait for it.")] = 500,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Its limit, calls a second.")] = 50,
    workers: Annotated[int, typer.Option(min=1, max=8, help="Workers that share the limit.")] = 2,
    output: Output = Format.TEXT,
    keep: Keep = None,
) -> None:
    """Take a system away, let sagas wait, bring it back with a limit, and measure how fast the backlog drains."""
    from orchestrator.dev.stack import Stack  # noqa: PLC0415 - loads the drivers
    from orchestrator.testing.bench import outages  # noqa: PLC0415

    _known(system, bootstrap.load_systems(load()))
    limit = {f"SAGA_SYSTEM_OPTIONS__{system.upper().replace('-', '_')}__RATE": f"{rate:g}"}
    with ended_by_signals(), folder_of(keep) as folder, Stack(_options(folder, limit), _starting()) as stack:
        found = outages.drain(stack, system, sagas, rate, workers, say)
    if output is Format.TEXT:
        columns = ["sagas", "workers", "limit/s", "calls", "seconds", "calls/s", "of the limit", "most attempts"]
        cells = [found.sagas, found.workers, f"{found.limit:g}", found.calls, f"{found.seconds:.2f}"]
        cells += [f"{found.rate:.2f}", f"{found.ratio:.3f}", found.highest_attempt]
        console.print(table("", columns, [cells]))
    else:
        emit([found.as_json()], output)
    _judge(found.wrong)


@_group.command()
def poison(
    topic: Annotated[
        str, typer.Option(help="Where the unreadable message goes: a topic of requests or commands.")
    ] = "vendor-onboarding.requests",
    messages: Annotated[int, typer.Option(min=10, help="In each round, that message among them.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds with it, and as many without.")] = 3,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second.")] = 50,
    output: Output = Format.TEXT,
    keep: Keep = None,
) -> None:
    """Send requests with and without one unreadable message in the middle, and compare how long their sagas take.

    The systems answer at once, so that nothing but the engine is measured.
    """
    from orchestrator.dev.stack import Stack  # noqa: PLC0415 - loads the drivers
    from orchestrator.testing.bench import outages  # noqa: PLC0415

    _known(topic, bootstrap.topic_names(load()))
    quick = {"SAGA_SYSTEMS": "consumers.nothing:SYSTEMS"}
    with ended_by_signals(), folder_of(keep) as folder, Stack(_options(folder, quick), _starting()) as stack:
        found = outages.poison(stack, topic, messages, rounds, rate, say)
    if output is Format.TEXT:
        parts = found.as_json()
        cells = [
            [name, *(f"{parts[part][name]:.1f}" for part in ("clean", "poisoned")), f"{parts['ratio'][name]:.3f}"]
            for name in ("p50", "p99")
        ]
        console.print(table("", ["", "without, ms", "with it, ms", "ratio"], cells))
    else:
        emit([found.as_json()], output)
    _judge(found.wrong)


@_group.command()
def calls(
    calls: Annotated[int, typer.Option(min=100, help="Calls of each kind, one at a time.")] = 2000,
    rate: Annotated[float, typer.Option(min=1, max=10_000, help="Calls a second for the CPU and the audit.")] = 500,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Workers that share the audit's chain.")] = 4,
    output: Output = Format.TEXT,
    keep: Keep = None,
) -> None:
    """Measure what the middleware adds to a call: beside bare httpx2, in the same run, against a local server."""
    from orchestrator.testing.bench.calls import calls as measure  # noqa: PLC0415 - loads the drivers

    with ended_by_signals(), folder_of(keep) as folder:
        found = measure(load(), calls, rate, workers, folder, _telling())
    if output is Format.TEXT:
        for part in of_calls(found):
            console.print(part)
    else:
        emit([found], output)


def _known(name: str, names: Collection[str]) -> None:
    if name not in names:
        raise CliError("UNKNOWN", f"there is no {name}; there are {', '.join(sorted(names))}", exit_code=Exit.USAGE)


def _options(folder: Path, settings: Mapping[str, str]) -> StackOptions:
    from orchestrator.dev.stack import StackOptions  # noqa: PLC0415 - loads the drivers

    return StackOptions("native", folder, settings={"SAGA_LOG_FORMAT": "json", **settings})


def _telling() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda what: say(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}")


def _starting() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda what: say(f"[dim]{time.monotonic() - began:5.1f} s[/]  starting {what}")


def _judge(wrong: Sequence[str]) -> None:
    for what in wrong:
        say(f"[bold red]wrong[/]: {what}")
    if wrong:
        raise typer.Exit(Exit.FAILED)
    say("[green]Nothing was lost, and nothing was done twice.[/]")
