"""How a saga is shown: its state, and its history with every attempt, error and command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.output import STYLES, safe, table
from orchestrator.core.definition import Saga
from orchestrator.core.endings import Ending, endings
from orchestrator.core.messages import GONE, Direction
from orchestrator.core.state import Effect, EffectStatus, Park, SagaState, StepState
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.event import read_event
from orchestrator.messaging.message import Outgoing

if TYPE_CHECKING:
    from orchestrator.store.queries import SagaRow, TimelineRow

__all__ = ["as_json", "brief_json", "entry_text", "rendered", "summary_json", "timeline_json"]


def step_names(state: SagaState, definition: Saga | None) -> list[str]:
    """Steps in the order of the definition; those that have started, where the definition is not known here."""
    return [step.name for step in definition] if definition else list(state.steps)


def brief_json(row: SagaRow) -> dict[str, Any]:
    """One line of a list."""
    state = row.state
    return {
        "id": row.id,
        "definition": state.definition,
        "version": state.version,
        "status": state.status.value,
        "business_key": state.business_key,
        "agent": state.agent,
        "revision": state.revision,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "error": state.code or (state.parks[0].code if state.parks else None),
        "shadow": state.shadow,
    }


def summary_json(row: SagaRow, definition: Saga | None) -> dict[str, Any]:
    """What `saga demo --json` prints for a saga."""
    state = row.state
    undone = [(s.undo.order, name) for name, s in state.steps.items() if s.undo and s.undo.status is EffectStatus.DONE]
    steps = []
    for name in step_names(state, definition):
        do = state.steps[name].do if name in state.steps else None
        status = do.status.value if do else "not_started"
        shadow = {"shadow": True} if do and do.shadow else {}
        steps.append({"name": name, "status": status, "attempts": do.attempt if do else 0, **shadow})
    return {
        "id": str(row.id),
        "business_key": state.business_key,
        "status": state.status.value,
        "steps": steps,
        "compensations": [name for _, name in sorted(undone)],
    }


def as_json(row: SagaRow, timeline: Sequence[TimelineRow], definition: Saga | None) -> dict[str, Any]:
    """Everything, for `saga show -o json`."""
    state = row.state
    return {
        **brief_json(row),
        **summary_json(row, definition),
        "paused": state.paused,
        "request": dict(state.request.json),
        "outputs": {name: dict(s.output.json) for name, s in state.steps.items() if s.output},
        "endings": {name: ending.value for name, ending in endings(definition, state).items()} if definition else {},
        "waits_for": [
            {"step": p.step, "direction": p.direction, "code": p.code, "message": p.message} for p in state.parks
        ],
        "message": state.message,
        "timeline": timeline_json(timeline),
    }


def timeline_json(timeline: Sequence[TimelineRow]) -> list[dict[str, Any]]:
    """The history as data."""
    return [
        {"revision": row.revision, "at": row.at, **row.entry, "sent": [_sent(message) for message in row.outputs]}
        for row in timeline
    ]


def _sent(message: Outgoing) -> dict[str, Any]:
    found: dict[str, Any] = {"topic": message.topic}
    try:
        event = read_event(message.headers)
    except BadMessage:
        return found  # the dead letter of a message whose own headers could not be read
    found["type"] = event.type
    if event.step and not message.topic.endswith(".dlq"):
        found |= {"step": event.step, "direction": event.direction, "attempt": event.attempt}
    return found


def rendered(row: SagaRow, timeline: Sequence[TimelineRow], definition: Saga | None) -> RenderableType:
    """For people."""
    return Group(_head(row), "", _steps(row.state, definition), "", _timeline(row, timeline))


def _head(row: SagaRow) -> Text:
    state = row.state
    head = Text()
    head.append(f"{state.definition} v{state.version}  ", "bold")
    head.append(state.status.value + (" (paused)" if state.paused else ""), STYLES[state.status.value])
    if state.shadow:
        head.append("  SHADOW: steps were only recorded", "bold magenta")
    head.append(f"\nid    {row.id}   revision {state.revision}")
    head.append(f"\nkey   {state.business_key or '-'}   asked by {state.agent or '-'}")
    took = (row.ended_at or row.updated_at) - row.created_at
    head.append(f"\nfrom  {_second(row.created_at)}   {'ended after' if row.ended_at else 'last change after'} {took}")
    if state.failed_step:
        head.append(f"\nwhy   {state.failed_step}: {state.code} {state.message or ''}", "red")
    for park in state.parks:
        head.append(f"\nWAITS FOR A PERSON  {park_text(park)}", STYLES["review"])
    return head


def park_text(park: Park) -> str:
    """What waits for a person, and where."""
    effect = f"{park.direction} of {park.step}: " if park.direction else f"{park.step}: "
    return f"{effect if park.step else ''}{park.code} {park.message}".rstrip()


def _steps(state: SagaState, definition: Saga | None) -> RenderableType:
    rows = []
    ends = endings(definition, state) if definition else {}
    for name in step_names(state, definition):
        step = state.steps.get(name, StepState())
        answer = safe(", ".join(f"{k}={v}" for k, v in step.output.json.items()) if step.output else "")
        round_ = f" (round {step.round})" if step.round > 1 else ""
        ending = f"[{_ENDS[ends[name]]}]{ends[name].value}[/]" if name in ends else ""
        rows.append([name + round_, _effect(step.do), _undone(step), ending, answer])
    columns = ["step", "done", "undone", "ends", "answered"]
    if not ends:
        columns.remove("ends")
        rows = [[*row[:3], *row[4:]] for row in rows]
    return table("", columns, rows)


_ENDS = {Ending.CLEAN: "green", Ending.OFFSET: "green", Ending.RESIDUAL: "bold red", Ending.UNKNOWN: "bold magenta"}


def _undone(step: StepState) -> str:
    if step.undo is None:
        return ""
    return _effect(step.undo) + (f", {_LOOKED[step.probe.status]}" if step.probe else "")


_LOOKED = {
    EffectStatus.IN_FLIGHT: "being verified",
    EffectStatus.WAITING: "verified again soon",
    EffectStatus.DONE: "verified",
    EffectStatus.NOT_DONE: "STILL THERE",
    EffectStatus.UNKNOWN: "NOT VERIFIED",
    EffectStatus.SKIPPED: "not verified",
}


_WORDS = {
    EffectStatus.IN_FLIGHT: "asked",
    EffectStatus.WAITING: "will retry",
    EffectStatus.DONE: "done",
    EffectStatus.NOT_DONE: "not done",
    EffectStatus.UNKNOWN: "UNKNOWN",
    EffectStatus.SKIPPED: "skipped",
}


def _effect(effect: Effect | None) -> str:
    if effect is None:
        return "-"
    tries = f" after {effect.attempt} attempts" if effect.attempt > 1 else ""
    why = f" ({safe(effect.code)})" if effect.code else ""
    shadow = ", in shadow" if effect.shadow else ""
    return f"{_WORDS[effect.status]}{tries}{why}{shadow}"


def _timeline(row: SagaRow, timeline: Sequence[TimelineRow]) -> RenderableType:
    rows: list[list[str]] = []
    for entry in timeline:
        lines = list(_lines(entry))
        rows.append([f"+{(entry.at - row.created_at).total_seconds():.3f} s", safe(lines[0])])
        rows.extend(["", safe(line)] for line in lines[1:])
    return table("history", ["when", "what"], rows)


def entry_text(row: TimelineRow) -> str:
    """One journal entry, as the history shows it."""
    return "\n".join(_lines(row))


def _lines(row: TimelineRow) -> Iterator[str]:
    entry = row.entry
    yield _what(entry)
    for note in entry.get("notes", ()):
        yield f"  note: {note}"
    for message in row.outputs:
        sent = _sent(message)
        if message.topic.endswith(".dlq"):
            yield f"  ✝ dead letter in {message.topic}"
        elif "step" in sent:
            again = f", attempt {sent['attempt']}" if sent["attempt"] > 1 else ""
            yield f"  → {sent['direction']} {sent['step']}: {sent['type'].rsplit('.', 1)[-1]} to {message.topic}{again}"
        else:
            yield f"  → {sent['type'].rsplit('.', 1)[-1]} to {message.topic}"


def _what(entry: Any) -> str:
    match entry["kind"]:
        case "request":
            return f"requested by {entry.get('agent') or 'an unknown agent'}"
        case "completion":
            round_ = f", round {entry['round']}" if entry.get("round", 1) > 1 else ""
            shadow = ", in shadow" if entry.get("shadow") else ""
            which = f"{entry['direction']} of {entry['step']}{round_}, attempt {entry['attempt']}{shadow}"
            if entry["outcome"] == "succeeded":
                found = ": it is still there" if entry["direction"] == Direction.PROBE else ""
                return f"{'✗' if found else '✓'} {which}{found}"
            if entry["direction"] == Direction.PROBE and entry["code"] == GONE:
                return f"✓ {which}: it is gone"
            return f"✗ {which}: {entry['outcome']}, {entry['code']} {entry['message']}".rstrip()
        case "control":
            refused = " (refused)" if "refused" in entry else ""
            by = entry["actor"] or "the engine"
            changed = (
                f" with {', '.join(f'{k}={v}' for k, v in entry['request'].items())}" if "request" in entry else ""
            )
            return f"{entry['command']} by {by}{refused}: {entry['reason']}{changed}"
        case _:
            return "the timer fired"


def _second(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="seconds")
