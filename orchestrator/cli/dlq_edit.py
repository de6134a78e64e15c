"""`saga dlq edit` and `saga dlq discard`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import dlq_views as views
from orchestrator.cli.dlq_options import Actor, Output, Reason, Yes, by, chosen, confirm, desk, filtered, find, place_of
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, emit, safe, say
from orchestrator.cli.privacy import record_look, viewing
from orchestrator.letters.errors import Refused
from orchestrator.letters.wanted import Filter
from orchestrator.messaging.message import Headers, Outgoing
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.letters.desk import Desk
    from orchestrator.letters.letter import Letter
    from schemas.models import Record

__all__ = ["register"]

_CHUNK = 500


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command()(edit)
    group.command()(filtered(discard))


def edit(
    place: Annotated[str, typer.Argument(metavar="LETTER", help="topic/partition@offset, as list prints it.")],
    reason: Reason,
    actor: Actor = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field, a.b.0 inside; else $EDITOR.")
    ] = None,
    set_header: Annotated[
        list[str] | None, typer.Option("--set-header", metavar="NAME=VALUE", help="Set a header.")
    ] = None,
    drop_header: Annotated[
        list[str] | None, typer.Option("--drop-header", metavar="NAME", help="Drop a header.")
    ] = None,
    record: Annotated[str | None, typer.Option(help="The record that it shall be, where it cannot be decoded.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """Mend value or headers of a letter; a replay then sends it so, under an id of its own. The original stays."""
    who, where = by(actor, reason), place_of(place)
    with desk() as at:
        letter = find(at, where)
        try:
            headers = _header_edits(letter, set_header or [], drop_header or [])
            only_headers = bool(headers) and not assignments and record is None
            if not assignments and not only_headers:
                # An editor shows all of it.
                record_look(load(), f"saga dlq edit {where}", reason=reason, actor=actor, saga=letter.saga_id)
            value, fields = (None, None) if only_headers else _edited(at, letter, assignments or [], record)
            _check_size(letter, value, headers, at.max_bytes)
        except Refused as exc:
            code = Exit.CONFLICT if exc.code in {"SETTLED", "NOT_EDITABLE"} else Exit.USAGE
            raise CliError(exc.code, str(exc), exit_code=code) from exc
        at.store.act("edited", [(letter, None)], who, value, headers)
        if output is not Format.TEXT:
            after = at.letter(where)
            view = viewing(load(), "saga dlq edit")
            after, _ = views.shown(at, view, after)
            told = {"value": view.value(fields), "header_edits": views.headers_json(after)}
            emit([{**views.brief_json(after), **told}], output)
    say(f"{where} is edited, not sent; send it with: saga dlq replay {where} --reason …")


def _header_edits(letter: Letter, assignments: list[str], drops: list[str]) -> Headers:
    from orchestrator.letters.edit import check_editable  # noqa: PLC0415 - loads the models
    from orchestrator.letters.header_edits import header_edits  # noqa: PLC0415

    if not assignments and not drops:
        return ()
    check_editable(letter)
    return header_edits(letter, assignments, drops)


def _check_size(letter: Letter, value: bytes | None, headers: Headers, most: int) -> None:
    """Kafka counts headers and value together."""
    from orchestrator.letters.header_edits import sent_headers  # noqa: PLC0415 - loads the models

    edited = replace(letter, header_edits=headers or letter.header_edits)
    before = letter.value if letter.edited is None else letter.edited
    size = Outgoing("", None, before if value is None else value, sent_headers(edited)).size
    if headers and size > most:
        raise Refused("TOO_LARGE", f"{size} bytes with its headers are over the limit of {most}")


def _edited(at: Desk, letter: Letter, assignments: list[str], record: str | None) -> tuple[bytes, Any]:
    from orchestrator.letters.edit import check_editable, edited_value, with_fields  # noqa: PLC0415 - loads the models

    check_editable(letter)
    model, fields = _present(at, letter, record)
    if assignments:
        fields = with_fields(fields, assignments)
        return edited_value(at.codec, model, fields, letter, at.max_bytes), fields
    text = json.dumps(fields, indent=2, ensure_ascii=False)
    while True:
        text = _in_editor(text)
        try:
            fields = json.loads(text)
            if not isinstance(fields, dict):
                raise Refused("INVALID", "it is no JSON object")
            return edited_value(at.codec, model, fields, letter, at.max_bytes), fields
        except (Refused, ValueError) as exc:
            say(f"[red]not valid[/]: {safe(exc)}")
            if not typer.confirm("Edit it again?", default=True, err=True):
                raise Refused("INVALID", str(exc)) from exc


def _in_editor(text: str) -> str:
    """The text after a person has edited it."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "letter.json"
        file.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*editor, str(file)], check=True)  # noqa: S603 - the editor is the operator's own
            return file.read_text(encoding="utf-8")
        except (OSError, subprocess.CalledProcessError, UnicodeDecodeError) as exc:
            raise CliError("NO_EDITOR", f"$EDITOR {editor[0]}: {exc}; or use --set field=value") from exc


def _present(at: Desk, letter: Letter, record: str | None) -> tuple[type[Record], Any]:
    """The model and the fields as they stand; nothing where the bytes are no record of ours."""
    from orchestrator.letters.edit import model_named  # noqa: PLC0415 - loads the models
    from orchestrator.letters.value import read_value  # noqa: PLC0415

    value = read_value(at.codec, letter.value if letter.edited is None else letter.edited)
    if record is not None:
        return model_named(record), value.fields or {}
    model = value.model or at.catalogue.requests.get(letter.definition or "")
    if model is None:
        raise Refused("NO_RECORD", f"it cannot be decoded ({value.problem}); --record says what it shall be")
    return model, value.fields or {}


def discard(
    *,
    places: Annotated[list[str] | None, typer.Argument(metavar="[LETTER]…")] = None,
    wanted: Filter,
    reason: Reason,
    actor: Actor = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait, without another choice.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which; do nothing.")] = False,
    yes: Yes = False,
    output: Output = Format.TEXT,
) -> None:
    """Settle letters without a replay. They stay to be found, with who discarded them and why."""
    who = by(actor, reason)
    with desk() as at:
        found = chosen(at, places or [], wanted, everything=everything, limit=limit)
        sample = [views.line(letter) for letter in at.store.at(found[:5])]
        if dry_run:
            for line in sample:
                say(f"  {line}")
            say(f"{len(found)} letters would be discarded")
            return
        if len(found) > 1 or not places:
            confirm(f"Discard {len(found)} letters?", sample, len(found), yes=yes)
        for start in range(0, len(found), _CHUNK):
            letters = at.store.at(found[start : start + _CHUNK])
            at.store.act("discarded", [(letter, None) for letter in letters], who)
    if output is not Format.TEXT:
        emit([{"id": str(place), "result": "discarded"} for place in found], output)
    say(f"{len(found)} letters are discarded")
