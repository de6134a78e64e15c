"""What `saga bench` prints for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from orchestrator.cli.output import table

if TYPE_CHECKING:
    from orchestrator.testing.bench.throughput import Measured, Report

__all__ = ["of_calls", "rendered"]


def rendered(report: Report) -> Iterator[RenderableType]:
    """Three tables: speed beside the bare loop, cost by process, and what the servers do for a client alone."""
    sides = [side for side in (report.engine, report.bare) if side]
    names = ["engine", "bare loop", "ratio"] if report.bare else ["engine"]

    def row(what: str, of: Callable[[Measured], float], form: str = ".1f") -> list[str]:
        cells = [f"{median(map(of, side)):{form}}" for side in sides]
        ratio = report.ratio(of)
        return [what, *cells, *([f"{ratio:.2f}"] if ratio is not None else [])]

    rows = [
        row("sagas/s", lambda m: m.sagas_per_second, ".0f"),
        row("messages/s", lambda m: m.messages_per_second, ".0f"),
        *(_latency(row, "one at a time", lambda m: m.one_at_a_time)),
        *(_latency(row, f"open loop, {report.load.rate:g}/s", lambda m: m.open_loop)),
        row("transactions a saga", lambda m: m.database["transactions"], ".3f"),
        row("rows written a saga", lambda m: m.database["rows_written"]),
        row("database bytes a saga", lambda m: m.database["bytes"], ".0f"),
        row("CPU ms a saga, in all", lambda m: sum(m.cpu_ms_per_saga.values()), ".2f"),
    ]
    yield table("medians over the rounds", ["", *names], rows)
    processes = sorted({name for side in sides for m in side for name in m.cpu_ms_per_saga})
    yield table("by process", ["", *_columns(names)], [_process(name, sides) for name in processes])
    found = report.limits
    cells = [[f"{found.produced:,.0f}", f"{found.consumed:,.0f}", f"{found.commits:,.0f}"]]
    yield table("one client that does nothing else", ["produced/s", "consumed/s", "commits/s"], cells)


def _latency(row: Callable[..., list[str]], what: str, of: Callable[[Measured], object]) -> Iterator[list[str]]:
    for name in ("p50", "p95", "p99"):
        yield row(f"{what}, {name} ms", lambda m, name=name: float(getattr(of(m), name)))


def _columns(names: Sequence[str]) -> list[str]:
    return [f"{name}: {what}" for name in names if name != "ratio" for what in ("CPU ms a saga", "RSS MB")]


def _process(name: str, sides: Sequence[Sequence[Measured]]) -> list[str]:
    cells = [name]
    for side in sides:
        for figures, form in ((_cpu, ".2f"), (_rss, ".0f")):
            found = [value for m in side if (value := figures(m, name)) is not None]
            cells.append(f"{median(found):{form}}" if found else "-")
    return cells


def _cpu(measured: Measured, name: str) -> float | None:
    return measured.cpu_ms_per_saga.get(name)


def _rss(measured: Measured, name: str) -> float | None:
    return measured.rss_mb.get(name)


def of_calls(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What a call costs, and what does not reach a system."""
    names = ("bare", "middleware", "audited")
    timed, cpu = found["calls"], found["cpu"]
    rows = [
        [f"{part}, ms", *(f"{timed[name][part]:.2f}" for name in names), f"+{timed['added_ms'][part]:.2f}",
         f"{timed['middleware'][part] / timed['bare'][part]:.2f}"]
        for part in ("p50", "p99")
    ]  # fmt: skip
    shares = [f"{cpu[name]:.1%}" for name in names]
    rows.append([f"of a core at {cpu['rate']:g}/s", *shares, f"+{cpu['added']:.1%}",
                 f"{cpu['middleware'] / cpu['bare']:.2f}"])  # fmt: skip
    yield table("one call", ["", "bare httpx2", "middleware", "and audit written", "middleware adds", "ratio"], rows)
    audit, dead, tokens = found["audit"], found["dead"], found["tokens"]
    waits = f"p50 {audit['ms']['p50']:.1f} ms, p99 {audit['ms']['p99']:.1f} ms, {audit['cpu']:.1%} of a core"
    yield table(
        "\nand",
        ["what", "figure"],
        [
            ["tokens requested", f"{tokens['requested']} for {tokens['calls']} calls"],
            ["sent to a dead system", f"{dead['sent_before']} until the breaker opened, {dead['sent_after']} after it"],
            ["of these allowed", f"{dead['probes_allowed']} probes; {dead['calls']} calls were asked for"],
            ["audit's chain", f"{audit['workers']} workers, {audit['rate']:g} rows/s: {waits}"],
        ],
    )  # fmt: skip
