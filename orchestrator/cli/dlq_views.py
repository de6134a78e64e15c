"""How dead letters are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.cli.output import STYLES, safe, table
from orchestrator.cli.times import age
from orchestrator.letters.header_edits import sent_headers
from orchestrator.letters.letter import Letter, original_headers
from orchestrator.letters.value import Value

if TYPE_CHECKING:
    from orchestrator.cli.privacy import View
    from orchestrator.letters.desk import Desk
    from orchestrator.letters.store import Act
    from orchestrator.store.queries import SagaRow

__all__ = ["brief_json", "headers_json", "line", "rendered", "rows", "shown", "whole_json"]

_HEX = 256


def shown(at: Desk, view: View, letter: Letter) -> tuple[Letter, Value]:
    """A letter and its value as they may be read."""
    from orchestrator.letters.value import read_value  # noqa: PLC0415 - loads the models

    value = read_value(at.codec, letter.value if letter.edited is None else letter.edited)
    return view.letter(letter, value.fields), view.record(value)


def brief_json(letter: Letter) -> dict[str, Any]:
    """One line of a list."""
    return {
        "id": str(letter.place),
        "state": letter.state.value,
        "reason": letter.reason,
        "stage": letter.stage,
        "topic": letter.original_topic,
        "system": letter.system,
        "definition": letter.definition,
        "saga_id": letter.saga_id,
        "step": letter.step,
        "version": letter.version,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at,
        "message": letter.message,
        "replay": letter.way.value,
        "replays": letter.replays,
        "replay_count": letter.count,
    }


def rows(letters: Sequence[Letter]) -> Iterator[list[Any]]:
    """Cells of a list."""
    now = datetime.now(UTC)
    for letter in letters:
        where = letter.system or letter.definition or letter.original_topic
        yield [
            letter.place,
            letter.state.value,
            age(now - letter.failed_at),
            safe(letter.reason),
            safe(where),
            safe(letter.step or ""),
            letter.saga_id or "",
            letter.way.value,
        ]


def line(letter: Letter) -> str:
    """A sample of what is about to be acted on."""
    return safe(f"{letter.place}  {letter.reason}  {letter.step or ''}  {letter.saga_id or ''}")


def whole_json(
    letter: Letter, value: Value, acts: Sequence[Act], saga: SagaRow | None, *, whole: bool
) -> dict[str, Any]:
    """Everything, for `show -o json`. Bytes that nobody can read are there only if it is shown `whole`."""
    hidden = value.fields is not None or not whole
    return {
        **brief_json(letter),
        "group": letter.group,
        "origin": letter.origin,
        "key": _plain(letter.key),
        "headers": [[name, _plain(text)] for name, text in letter.headers],
        "header_edits": headers_json(letter),
        "record": value.record,
        "value": value.fields,
        "undecodable": value.problem,
        "hex": None if hidden else (letter.edited or letter.value or b"").hex(),
        "acts": [
            {
                "kind": act.kind,
                "at": act.at,
                "actor": act.actor,
                "reason": act.reason,
                "new_saga_id": act.new_saga_id,
            }
            for act in acts
        ],
        "saga": _saga_json(saga) if saga else None,
    }


def headers_json(letter: Letter) -> list[list[str | None]]:
    """Which headers were edited; null where one is dropped."""
    return [[name, _plain(value)] for name, value in letter.header_edits]


def _saga_json(saga: SagaRow) -> dict[str, Any]:
    return {
        "status": saga.state.status.value,
        "revision": saga.state.revision,
        "waits_for": [{"step": p.step, "direction": p.direction, "code": p.code} for p in saga.state.parks],
    }


def rendered(
    letter: Letter, value: Value, acts: Sequence[Act], saga: RenderableType | None, *, whole: bool
) -> RenderableType:
    """For people: the letter, its value, what was done about it, and its saga as it stands now."""
    parts: list[RenderableType] = [_head(letter), "", *_value(letter, value, whole=whole), "", _headers(letter)]
    if acts:
        cells = [
            [act.at.isoformat(sep=" ", timespec="seconds"), act.kind, safe(act.actor), safe(act.reason)] for act in acts
        ]
        parts += ["", table("acts", ["when", "what", "who", "why"], cells)]
    if saga is not None:
        parts += ["", Text("the saga now", "bold"), saga]
    elif letter.saga_id is not None:
        parts += ["", f"there is no saga {letter.saga_id}"]
    return Group(*parts)


def _head(letter: Letter) -> Text:
    head = Text()
    head.append(f"{letter.place}  ", "bold")
    head.append(letter.state.value, STYLES["review"] if letter.state.value in {"open", "edited"} else "")
    head.append(f"\nwhy     {_line(letter.reason)}: {_line(letter.message)}", "red")
    head.append(
        f"\nfrom    {letter.original_topic}, given up by {letter.group or 'nobody known'} at stage {letter.stage}"
    )
    head.append(
        f"\nwhen    {letter.failed_at.isoformat(sep=' ', timespec='seconds')}, after {letter.attempts} attempts"
    )
    if letter.saga_id:
        at = f", revision {letter.version}" if letter.version is not None else ""
        head.append(f"\nsaga    {letter.saga_id}{at}{', step ' + letter.step if letter.step else ''}")
    head.append(f"\nreplay  {letter.way.value}" + (f"; came here by {letter.count} replays" if letter.count else ""))
    if letter.origin:
        head.append(f"\norigin  {letter.origin}")
    return head


def _line(text: str) -> str:
    """As `safe`, where no markup is read."""
    return "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in text)


def _value(letter: Letter, value: Value, *, whole: bool) -> list[RenderableType]:
    edited = " (edited)" if letter.edited is not None else ""
    problem = [Text(f"not valid: {value.problem}", "red")] if value.problem else []
    if value.fields is not None:
        text = json.dumps(value.fields, indent=2, ensure_ascii=False, default=str)
        return [Text(f"{value.record}{edited}", "bold"), *problem, Text(text)]
    data = letter.edited if letter.edited is not None else letter.value
    if data is None:
        return [*problem, Text("no value")]
    if not whole:
        return [*problem, Text(f"{len(data)} bytes; --unredacted shows the first of them")]
    more = f" … {len(data)} bytes" if len(data) > _HEX else ""
    return [*problem, Text(data[:_HEX].hex(" ") + more)]


def _headers(letter: Letter) -> RenderableType:
    """As they would be sent, and which of the original ones would not."""
    named = dict(letter.header_edits)
    cells = [
        [safe(name), safe(_plain(value)), "edited" if name in named else ""] for name, value in sent_headers(letter)
    ]
    cells += [
        [safe(name), safe(_plain(value)), "dropped" if named[name] is None else "was"]
        for name, value in original_headers(letter.headers)
        if name in named
    ]
    return table("headers", ["name", "value", ""], cells)


def _plain(data: bytes | None) -> str | None:
    """Text where it is text, else hex."""
    if data is None:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data.hex(" ")
    return text if text.isprintable() else data.hex(" ")
