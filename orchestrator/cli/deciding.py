"""How a decision of an operator is carried out: which sagas, what about them, are you sure, send, what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.progress import Progress

from orchestrator import bootstrap, telemetry
from orchestrator.cli import show as views
from orchestrator.cli.actor import actor_name
from orchestrator.cli.claims import warn_of_others
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import STYLES, Format, console, emit, safe, say, stderr, table
from orchestrator.cli.privacy import View
from orchestrator.cli.sagas import open_queries
from orchestrator.cli.times import moment
from orchestrator.core.messages import Control, ControlCommand, Direction
from orchestrator.core.state import Status
from orchestrator.redaction import current
from orchestrator.settings import Settings, load

if TYPE_CHECKING:
    from orchestrator.catalogue import Catalogue
    from orchestrator.operators import Answered, Decision
    from orchestrator.store.queries import Filter, SagaRow
    from schemas.models import Record

__all__ = ["Order", "carry_out", "choose", "parse_where"]

_SAMPLE = 10
_CHUNK = 200
# These stop or undo work that goes on; the others let a saga go on that waits for somebody.
_DESTRUCTIVE = frozenset({ControlCommand.CANCEL, ControlCommand.COMPENSATE, ControlCommand.SKIP, ControlCommand.RERUN})
# These are about the saga as it was seen.
_PINNED = frozenset({ControlCommand.RETRY, ControlCommand.RESOLVE, ControlCommand.SKIP, ControlCommand.RERUN})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be decided, and how carefully."""

    command: ControlCommand
    reason: str
    actor: str | None
    step: str | None = None
    undo: bool = False
    resolved: str | None = None
    result: str | None = None
    if_version: int | None = None
    dry_run: bool = False
    yes: bool = False
    rate: float | None = None
    canary: int = 0
    timeout: float = 30.0
    output: Format = Format.TEXT
    changes: tuple[str, ...] = ()


# -- which sagas ---------------------------------------------------------------------------------------------------


def choose(queries: Any, ids: Sequence[str], where: Sequence[str], limit: int) -> list[SagaRow]:
    """The sagas that are meant, oldest first.

    Raises:
        CliError: neither or both ways were used, or one of the ids is none.

    """
    if bool(ids) == bool(where):
        raise CliError("USAGE", "name sagas by their ids, or say which by --where", exit_code=Exit.USAGE)
    if where:
        return list(reversed(queries.list(parse_where(where, limit))))
    wanted = []
    for text in ids:
        try:
            wanted.append(UUID(text))
        except ValueError as exc:
            raise CliError("USAGE", f"{text!r} is no saga id", exit_code=Exit.USAGE) from exc
    rows: list[SagaRow] = list(queries.some(wanted))
    missing = [str(saga_id) for saga_id in wanted if saga_id not in {row.id for row in rows}]
    if missing:
        text = f"there is no saga {', '.join(missing)} (yet)"
        raise CliError("NOT_FOUND", text, exit_code=Exit.NOT_FOUND, retryable=True)
    return rows


def parse_where(where: Sequence[str], limit: int) -> Filter:
    """`KEY=VALUE` texts as a filter.

    Raises:
        CliError: a key or value that there is not.

    """
    from orchestrator.store.queries import Filter  # noqa: PLC0415 - loads the driver

    found: dict[str, Any] = {"limit": limit}
    for text in where:
        key, separator, value = text.partition("=")
        if not separator or key not in _WHERE:
            raise CliError("USAGE", f"--where {text!r}: {', '.join(_WHERE)} with =VALUE", exit_code=Exit.USAGE)
        try:
            found[key] = _WHERE[key](value)
        except ValueError as exc:
            raise CliError("USAGE", f"--where {text!r}: {exc}", exit_code=Exit.USAGE) from exc
    return Filter(**found)


def _yes_or_no(text: str) -> bool:
    if text not in {"true", "false"}:
        msg = "true or false"
        raise ValueError(msg)
    return text == "true"


_WHERE: dict[str, Callable[[str], Any]] = {
    "status": lambda text: [Status(part).value for part in text.split(",")],
    "definition": str,
    "agent": str,
    "key": str,
    "error": str,
    "step": str,
    "since": lambda text: moment(text, "--where since"),
    "paused": _yes_or_no,
}


# -- what about them -----------------------------------------------------------------------------------------------


def carry_out(order: Order, ids: Sequence[str], where: Sequence[str], limit: int) -> None:
    """Do it, or with `--dry-run` say what would be done.

    Raises:
        CliError, typer.Exit: it did not apply, or not to all.

    """
    settings = load()
    bootstrap.configure_logs(settings)
    telemetry.configure("saga-cli")
    if not order.reason.strip():
        raise CliError("USAGE", "--reason is empty: whoever reads the journal will ask why", exit_code=Exit.USAGE)
    queries, catalogue = open_queries(settings), bootstrap.load_catalogue(settings)
    rows = choose(queries, ids, where, limit)
    if not rows:
        say("no saga fits; nothing to do")
        return
    warn_of_others(settings, rows, actor_name(order.actor))
    decisions = [_decision(order, row, catalogue) for row in rows]
    if order.dry_run:
        _rehearse(order, rows, decisions, catalogue)
        return
    _confirm(order, rows)
    answers = asyncio.run(_send(order, settings, queries, decisions))
    _report(order, queries, answers, len(decisions))


def _decision(order: Order, row: SagaRow, catalogue: Catalogue) -> Decision:
    from orchestrator.operators import Decision  # noqa: PLC0415 - loads the drivers

    pinned = order.command in _PINNED
    control = Control(
        command=order.command,
        actor=actor_name(order.actor),
        reason=order.reason,
        step=order.step,
        direction=Direction.UNDO if order.undo else None,
        # What waits for a person does not move by itself: whoever decided first has decided. And a rerun that is
        # pressed again after the saga went on would do it all once more.
        if_revision=row.state.revision if order.if_version is None and pinned else order.if_version,
        resolved=order.resolved,
        output=_result(order, row, catalogue),
        request=_changed_request(order, row) if order.changes else None,
    )
    return Decision(row.id, control, row.state.revision)


def _result(order: Order, row: SagaRow, catalogue: Catalogue) -> Record | None:
    """The output that the person typed, by the schema of the step that is meant."""
    if order.result is None or not row.state.parks:
        return None  # where nothing waits, the engine refuses whatever the answer is
    definition = catalogue.get(row.state.definition, row.state.version)
    names = {order.step} if order.step else {park.step for park in row.state.parks}
    if definition is None or len(names) != 1 or not (name := next(iter(names))) or not definition.has_step(name):
        raise CliError("USAGE", "--result: say by --step which step it is of", exit_code=Exit.USAGE)
    model = definition.step(name).contract.completion
    assert model is not None
    text = order.result
    try:
        text = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        return model.model_validate_json(text)
    except (OSError, UnicodeDecodeError) as exc:
        raise CliError("UNREADABLE", f"--result {order.result}: {exc}", exit_code=Exit.USAGE) from exc
    except ValidationError as exc:
        text = f"{name} answers with {model.__name__}: {_problems(exc)}"
        raise CliError("BAD_RESULT", text, exit_code=Exit.USAGE) from exc


def _changed_request(order: Order, row: SagaRow) -> Record:
    """The request with some fields set, by its schema."""
    from orchestrator.letters.edit import with_fields  # noqa: PLC0415 - loads the drivers
    from orchestrator.letters.errors import Refused  # noqa: PLC0415

    effects = row.state.steps.get(order.step or "")
    before = effects.request if effects and effects.request else row.state.request
    try:
        changed = with_fields(before.json, order.changes)
        return type(before.record).model_validate_json(json.dumps(changed))
    except Refused as exc:
        raise CliError("USAGE", str(exc), exit_code=Exit.USAGE) from exc
    except ValidationError as exc:
        raise CliError("BAD_REQUEST", f"--set: {_problems(exc)}", exit_code=Exit.USAGE) from exc


def _problems(exc: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'JSON'}: {e['msg']}" for e in exc.errors())


def _rehearse(order: Order, rows: Sequence[SagaRow], decisions: Sequence[Decision], catalogue: Catalogue) -> None:
    from orchestrator.operators import predict  # noqa: PLC0415 - loads the drivers

    found = []
    view = View(current())
    for row, decision in zip(rows, decisions, strict=True):
        definition = catalogue.get(row.state.definition, row.state.version)
        key = view.saga(row).state.business_key
        line: dict[str, Any] = {"id": row.id, "business_key": key, "status": row.state.status.value}
        if definition is None:
            line |= {"becomes": None, "sends": [], "refused": "its definition is not known here"}
        else:
            seen = predict(definition, row.state, decision.control, datetime.now(UTC))
            line |= {"becomes": seen.status.value, "sends": list(seen.commands), "refused": seen.refused}
        found.append(line)
    if order.output is not Format.TEXT:
        emit(found, order.output)
        return
    cells = [
        [line["id"], safe(line["business_key"]), line["status"], line["becomes"] or "", ", ".join(line["sends"]),
         safe(line["refused"] or "")]
        for line in found
    ]  # fmt: skip
    columns = ["id", "key", "is", "would be", "would send", "would be refused"]
    console.print(table(f"{order.command} would do this; nothing was sent", columns, cells))


def _confirm(order: Order, rows: Sequence[SagaRow]) -> None:
    """Bulk or destructive: show how many and a sample, and ask."""
    if order.yes or (len(rows) == 1 and order.command not in _DESTRUCTIVE):
        return
    view = View(current())
    sample = [
        [row.id, _colour(row), safe(row.state.business_key), safe(views.brief_json(row)["error"] or "")]
        for row in map(view.saga, rows[:_SAMPLE])
    ]
    title = f"{order.command} {len(rows)} saga{'s' if len(rows) > 1 else ''}, for one:"
    stderr.print(table(title, ["id", "status", "key", "error"], sample, fold=False))
    if len(rows) > _SAMPLE:
        say(f"… and {len(rows) - _SAMPLE} more")
    if not sys.stdin.isatty():
        raise CliError("UNCONFIRMED", "say --yes where nobody can be asked", exit_code=Exit.UNCONFIRMED)
    if not typer.confirm("Go on?", err=True):
        raise CliError("UNCONFIRMED", "nothing was sent", exit_code=Exit.UNCONFIRMED)


def _colour(row: SagaRow) -> str:
    status = row.state.status.value
    return f"[{STYLES[status]}]{status}[/]"


# -- sending -------------------------------------------------------------------------------------------------------


async def _send(order: Order, settings: Settings, queries: Any, decisions: Sequence[Decision]) -> list[Answered]:
    """Canary first, then the rest at the rate; stops where the canary shows that it does not help."""
    from orchestrator.operators import Operator  # noqa: PLC0415 - loads the drivers

    answers: list[Answered] = []
    bulk = len(decisions) > 1
    async with Operator(settings, queries) as operator:
        with Progress(console=stderr, transient=True, disable=not bulk) as progress:
            task = progress.add_task(order.command.value, total=len(decisions))
            canaries = decisions[: order.canary] if bulk else ()
            if canaries:
                answers += await operator.decide(canaries, order.timeout)
                progress.advance(task, len(canaries))
                again = await _waits_again(queries, answers, order.timeout)
                if again:
                    say(f"[bold red]stopped after the canary[/]: {again} of {len(canaries)} did not get through")
                    return answers
            for chunk in _chunks(decisions[len(canaries) :], order.rate):
                began = time.monotonic()
                answers += await operator.decide(chunk, order.timeout)
                progress.advance(task, len(chunk))
                if order.rate is not None and len(answers) < len(decisions):
                    await asyncio.sleep(max(0.0, len(chunk) / order.rate - (time.monotonic() - began)))
    return answers


def _chunks(decisions: Sequence[Decision], rate: float | None) -> Iterator[Sequence[Decision]]:
    size = _CHUNK if rate is None else max(1, min(_CHUNK, round(rate)))
    for start in range(0, len(decisions), size):
        yield decisions[start : start + size]


async def _waits_again(queries: Any, answers: Sequence[Answered], timeout: float) -> int:
    """How many of the canaries were refused, had no answer, or wait for a person again when they have come to rest."""
    lost = sum(answered.entry is None or answered.refused is not None for answered in answers)
    ids = [answered.decision.saga_id for answered in answers if answered.entry is not None and not answered.refused]
    deadline = time.monotonic() + timeout
    while True:
        rows = await asyncio.to_thread(queries.some, ids)
        busy = [row for row in rows if not (row.state.terminal or row.state.status is Status.REVIEW)]
        if not busy or time.monotonic() > deadline:
            return lost + len(busy) + sum(row.state.status is Status.REVIEW for row in rows)
        await asyncio.sleep(0.2)


# -- what came of it -----------------------------------------------------------------------------------------------


def _report(order: Order, queries: Any, answers: Sequence[Answered], asked: int) -> None:
    ids = [answered.decision.saga_id for answered in answers]
    rows = {row.id: row for row in queries.some(ids)}
    lines = [_line(answered, rows) for answered in answers]
    failed = [line for line in lines if line["result"] != "applied"]
    if order.output is not Format.TEXT:
        emit(lines, order.output)
    elif asked == 1:
        (answered,) = answers
        if answered.entry is not None:
            row = rows[answered.decision.saga_id]
            (entry,) = View(current()).of_saga(row).timeline([answered.entry])
            console.print(views.entry_text(entry), highlight=False, markup=False, soft_wrap=True)
            console.print(f"now {_colour(row)}, revision {row.state.revision}", highlight=False)
    elif failed:
        cells = [[line["id"], line["result"], line["status"], safe(line["why"] or "")] for line in failed]
        console.print(table("what did not apply", ["id", "result", "now", "why"], cells))
    if asked > 1:
        say(f"{len(lines) - len(failed)} of {asked} applied")
    _exit(lines, failed, asked)


def _line(answered: Answered, rows: dict[UUID, SagaRow]) -> dict[str, Any]:
    row = rows[answered.decision.saga_id]
    result = "queued" if answered.entry is None else "refused" if answered.refused else "applied"
    return {
        "id": answered.decision.saga_id,
        "result": result,
        "why": answered.refused or ("no answer yet: is a coordinator running?" if result == "queued" else None),
        "revision": answered.entry.revision if answered.entry else None,
        "status": row.state.status.value,
    }


def _exit(lines: Sequence[dict[str, Any]], failed: Sequence[dict[str, Any]], asked: int) -> None:
    if not failed and len(lines) == asked:
        return
    if asked > 1:
        raise typer.Exit(Exit.PARTIAL)
    (line,) = failed
    if line["result"] == "queued":
        raise CliError("QUEUED", line["why"], retryable=True)
    raise CliError("REFUSED", f"{line['why']}; the saga is {line['status']}", exit_code=Exit.CONFLICT)
