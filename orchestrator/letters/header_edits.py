"""Mending a letter's headers: some set, some dropped. The original stays, and who the message is stays what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from orchestrator.letters.errors import Refused
from orchestrator.letters.letter import Letter, Way, original_headers
from orchestrator.messaging.message import Headers
from orchestrator.messaging.reader import HELD_HEADER

__all__ = ["check_header", "header_edits", "sent_headers", "with_header_edits"]

_LONGEST_NAME = 200

_IDENTITY = "it is part of what the message is told from others by; an edited letter gets its own"
_EFFECT = "which effect is meant hangs on it, and so whether a thing is done twice"
_DECISION = "only a person's decision about the saga may say so: retry or resolve it"
_OURS = "the engine writes it, and says by it where the message has been"
_FRESH = "a new saga gets its own"

_REFUSED = {
    **dict.fromkeys(("ce_id", "ce_source", "ce_sagaid"), _IDENTITY),
    **dict.fromkeys(
        ("ce_step", "ce_direction", "ce_round", "ce_attempt", "ce_idempotencykey", "ce_unclaimed"), _EFFECT
    ),
    **dict.fromkeys(("ce_mode", "ce_shadow"), _EFFECT),
    **dict.fromkeys(("ce_byoperator", "ce_resolved"), _DECISION),
    **dict.fromkeys((HELD_HEADER, "ce_sequence"), _OURS),
}
_REFUSED_PREFIXES = ("saga-replay-", "saga-dlq-", "__dlq.")
_REFUSED_OF_NEW_SAGA = frozenset({"ce_time", "ce_causationid", "traceparent", "tracestate"})


def check_header(name: str, way: Way) -> None:
    """Whether a header of that name may be edited in a letter that goes on that way.

    Raises:
        Refused: it may not, and why.

    """
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise Refused("USAGE", f"a header's name is 1 to {_LONGEST_NAME} printable characters, not {name[:50]!r}")
    why = _OURS if name.startswith(_REFUSED_PREFIXES) else _REFUSED.get(name)
    if way is Way.NEW_SAGA and name in _REFUSED_OF_NEW_SAGA:
        why = _FRESH
    if why is not None:
        raise Refused("NOT_EDITABLE", f"header {name}: {why}")


def with_header_edits(headers: Headers, edits: Headers) -> Headers:
    """The headers with some set, each once and at the end, and those dropped that have no value in `edits`."""
    named = {name for name, _ in edits}
    return (
        *(pair for pair in headers if pair[0] not in named),
        *((name, value) for name, value in edits if value is not None),
    )


def sent_headers(letter: Letter) -> Headers:
    """What the message had before it was buried, as it has been edited since."""
    return with_header_edits(original_headers(letter.headers), letter.header_edits)


def header_edits(letter: Letter, assignments: Sequence[str], drops: Sequence[str]) -> Headers:
    """All that differs from the original after these edits and earlier ones, by name: the same edits, the same bytes.

    Raises:
        Refused: one is no `name=value`, may not be edited, or is both set and dropped; or nothing changes.

    """
    changes: dict[str, bytes | None] = {}
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator:
            raise Refused("USAGE", f"--set-header {assignment!r} is not name=value")
        try:
            value = text.encode()
        except UnicodeEncodeError as exc:
            raise Refused("USAGE", f"--set-header {name}: the value is no text") from exc
        if changes.setdefault(name, value) != value:
            raise Refused("USAGE", f"--set-header {name} stands there twice")
    for name in drops:
        if changes.setdefault(name, None) is not None:
            raise Refused("USAGE", f"header {name} is set and dropped")
    for name in changes:
        check_header(name, letter.way)
    merged = tuple(sorted({**dict(letter.header_edits), **changes}.items()))
    if Counter(with_header_edits(original_headers(letter.headers), merged)) == Counter(sent_headers(letter)):
        raise Refused("UNCHANGED", "nothing changes in the headers")
    return merged
