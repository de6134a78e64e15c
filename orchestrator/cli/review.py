"""What needs a person: `saga attention`, and `saga review list|show` with what each decision would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Group, RenderableType

from orchestrator import bootstrap
from orchestrator.cli import review_claim
from orchestrator.cli import show as views
from orchestrator.cli.claims import claim_json, holder, open_claims
from orchestrator.cli.deciding import choose
from orchestrator.cli.output import STYLES, Format, console, emit, safe, say, table
from orchestrator.cli.privacy import Unredacted, View, Why, viewing
from orchestrator.cli.sagas import open_queries
from orchestrator.cli.strays import stray_json, stray_table, strays
from orchestrator.cli.times import age
from orchestrator.cli.undo_plan import undo_plan
from orchestrator.core.definition import Saga
from orchestrator.core.messages import Control, ControlCommand, Direction
from orchestrator.core.sample import sample
from orchestrator.core.state import Park, SagaState, Status
from orchestrator.settings import Settings, load

if TYPE_CHECKING:
    from orchestrator.operators import Prediction
    from orchestrator.store.claims import Claim
    from orchestrator.store.queries import SagaRow

__all__ = ["attention", "register"]

Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]

# The timer fires within a second; a deadline that passed longer ago says that nobody works.
_OVERDUE_SECONDS = 60.0
_MOST = 200

_review = typer.Typer(help="What waits for a person.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(attention)
    review_claim.register(_review)
    app.add_typer(_review, name="review")


def attention(unredacted: Unredacted = False, reason: Why = None, output: Output = Format.TEXT) -> None:
    """What needs a person: sagas in review, paused or stuck ones, and dead letters that no saga speaks of."""
    settings = load()
    view = viewing(settings, "saga attention", unredacted=unredacted, reason=reason)
    queries = open_queries(settings)
    rows = _longest_first(queries, queries.attention(_OVERDUE_SECONDS, _MOST), view)
    if output is Format.TEXT:
        counts = queries.counts()
        told = ", ".join(f"[{style}]{counts[name]} {name}[/]" for name, style in STYLES.items() if counts.get(name))
        say(told or "no sagas yet")
    _tell(settings, rows, output, lambda row, since: {**_waiting(row, since), "why": _why(row)})
    if rows and output is Format.TEXT:
        say("[bold]saga review show ID[/] says what can be done about one")
        say("[bold]saga retry --where …[/] does it for many")


@_review.command("list")
def review_list(unredacted: Unredacted = False, reason: Why = None, output: Output = Format.TEXT) -> None:
    """List what waits for a person, longest first."""
    settings = load()
    view = viewing(settings, "saga review list", unredacted=unredacted, reason=reason)
    queries = open_queries(settings)
    rows = queries.attention(_OVERDUE_SECONDS, _MOST, [Status.REVIEW.value])
    _tell(settings, _longest_first(queries, rows, view), output, _waiting)


def _longest_first(queries: Any, rows: Sequence[SagaRow], view: View) -> list[tuple[SagaRow, datetime]]:
    """Each with the time since when it has waited. Nothing tells that of a paused saga but its last change."""
    since = queries.waits_since([row.id for row in rows if _in_review(row)])
    shown = ((view.saga(row), since.get(row.id, row.updated_at)) for row in rows)
    return sorted(shown, key=lambda pair: pair[1])


def _tell(
    settings: Settings,
    rows: Sequence[tuple[SagaRow, datetime]],
    output: Format,
    as_json: Callable[[SagaRow, datetime], dict[str, Any]],
) -> None:
    """These sagas, and beside them what waits in the dead-letter topics without a saga that would say so."""
    held = _held(settings, [row for row, _ in rows])
    letters = strays(settings)
    if output is not Format.TEXT:
        sagas = [{"kind": "saga", **as_json(*pair), "claim": claim_json(held.get(pair[0].id))} for pair in rows]
        emit([*sagas, *map(stray_json, letters)], output)
    else:
        if rows:
            _table(rows, held)
        if letters:
            console.print(stray_table(letters))
        if not rows and not letters:
            say("[green]nothing waits for a person[/]")
    if len(rows) == _MOST:
        say(f"[yellow]the first {_MOST}; all of them with[/] saga list --status review --limit …")


@_review.command("show")
def review_show(
    saga_id: Annotated[str, typer.Argument(metavar="ID")],
    unredacted: Unredacted = False,
    reason: Why = None,
    output: Output = Format.TEXT,
) -> None:
    """Show one saga that waits: what was done, what was not, and what each decision would do now."""
    settings = load()
    queries = open_queries(settings)
    (row,) = choose(queries, [saga_id], (), 1)
    definition = bootstrap.load_catalogue(settings).get(row.state.definition, row.state.version)
    view = viewing(settings, "saga review show", unredacted=unredacted, reason=reason, saga=row.id)
    ((shown, since),) = _longest_first(queries, [row], view)
    options = list(_options(definition, row.state)) if definition else []
    undo = undo_plan(definition, row.state) if definition else []
    claim = _held(settings, [row]).get(row.id)
    if output is not Format.TEXT:
        told = {"undo_plan": [asdict(line) for line in undo], "options": [_option_json(*option) for option in options]}
        emit([{**_waiting(shown, since), "claim": claim_json(claim), **told}], Format.JSONL)
        return
    parts: list[RenderableType] = [
        views.rendered(shown, view.of_saga(row).timeline(queries.timeline(row.id)), definition)
    ]
    if _in_review(row):
        waits = f"{since.isoformat(sep=' ', timespec='seconds')}, {age(datetime.now(UTC) - since)}"
        parts += ["", f"[bold]waits since[/] {waits}; asked for by {safe(shown.state.agent or 'nobody known')}"]
    if claim is not None:
        parts += ["", f"[bold]claimed by[/] {holder(claim)}"]
    if undo:
        cells = [[line.turn, line.step, line.action or "-", safe(line.text)] for line in undo]
        parts += ["", table("what going back would undo, in this order", ["turn", "step", "by", "now"], cells)]
    if options:
        cells = [
            [f"saga {words} {row.id}", _STATUS(seen), ", ".join(seen.commands)]
            for words, seen in options
            if not seen.refused
        ]
        parts += ["", table("what can be decided now (each needs a --reason)", ["decision", "then", "sends"], cells)]
    elif _in_review(row):
        parts += ["", "its definition is not known here, so nobody can say what a decision would do"]
    console.print(Group(*parts))


def _STATUS(seen: Prediction) -> str:  # noqa: N802 - reads as a column
    return f"[{STYLES[seen.status.value]}]{seen.status.value}[/]"


def _held(settings: Settings, rows: Sequence[SagaRow]) -> Mapping[UUID, Claim]:
    found: Mapping[UUID, Claim] = open_claims(settings).held([row.id for row in rows])
    return found


def _in_review(row: SagaRow) -> bool:
    return row.state.status is Status.REVIEW


def _table(rows: Sequence[tuple[SagaRow, datetime]], held: Mapping[UUID, Claim]) -> None:
    now = datetime.now(UTC)
    cells = []
    for row, since in rows:
        status = row.state.status.value
        by = holder(held[row.id]) if row.id in held else "-"
        state = f"[{STYLES[status]}]{status}[/]"
        cells.append([row.id, state, safe(row.state.business_key), age(now - since), by, safe(_why(row))])
    console.print(table("", ["id", "status", "key", "since", "claimed by", "why"], cells, fold=False))


def _why(row: SagaRow) -> str:
    state = row.state
    if state.parks:
        return "; ".join(views.park_text(park) for park in state.parks)
    if state.paused:
        return "paused by an operator"
    return "its deadline has passed: is a coordinator running?"


def _waiting(row: SagaRow, since: datetime) -> dict[str, Any]:
    parks = [{"step": p.step, "direction": p.direction, "code": p.code, "message": p.message} for p in row.state.parks]
    return {**views.brief_json(row), "waits_for": parks, "waits_since": since}


# -- what each decision would do -----------------------------------------------------------------------------------


def _options(definition: Saga, state: SagaState) -> Iterator[tuple[str, Prediction]]:
    """The words of each decision that applies to what waits, and what `decide` says of it."""
    from orchestrator.operators import predict  # noqa: PLC0415 - loads the drivers

    now = datetime.now(UTC)
    for park in state.parks:
        for words, control in _controls(definition, park, several=len(state.parks) > 1):
            yield words, predict(definition, state, control, now)
    for command in (ControlCommand.COMPENSATE, ControlCommand.CANCEL):
        yield command.value, predict(definition, state, Control(command), now)


def _controls(definition: Saga, park: Park, *, several: bool) -> Iterator[tuple[str, Control]]:
    step, direction = park.step, park.direction
    words = f" --step {step}" if several and step else ""
    words += " --undo" if several and direction is Direction.UNDO else ""
    yield f"retry{words}", Control(ControlCommand.RETRY, step=step, direction=direction)
    yield f"retry{words} --not-done", Control(ControlCommand.RETRY, step=step, direction=direction, resolved="not-done")
    if step is None or direction is None or not definition.has_step(step):
        return
    # The answer that the person would type is made up here: what follows does not depend on its values.
    completion = definition.step(step).contract.completion if direction is Direction.DO else None
    output = sample(completion, full=True) if completion else None
    result = " --result JSON" if output else ""
    resolve = {"step": step, "direction": direction}
    yield (
        f"resolve --done{words}{result}",
        Control(ControlCommand.RESOLVE, **resolve, resolved="done", output=output),  # type: ignore[arg-type]
    )
    yield f"resolve --not-done{words}", Control(ControlCommand.RESOLVE, **resolve, resolved="not-done")  # type: ignore[arg-type]
    yield f"skip{words}{result}", Control(ControlCommand.SKIP, **resolve, output=output)  # type: ignore[arg-type]


def _option_json(words: str, seen: Prediction) -> dict[str, Any]:
    return {"decision": words, "becomes": seen.status.value, "sends": list(seen.commands), "refused": seen.refused}
