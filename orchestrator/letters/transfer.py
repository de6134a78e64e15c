"""Letters as lines of JSON, from one cluster to another. Bytes are base64; a letter keeps the place it first had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from orchestrator.letters.errors import Refused
from orchestrator.letters.header_edits import check_header
from orchestrator.letters.letter import ORIGIN_HEADER, Letter, Place, State, Way
from orchestrator.letters.wanted import By
from orchestrator.messaging.message import Headers, Outgoing

if TYPE_CHECKING:
    from orchestrator.letters.desk import Desk

__all__ = ["BadLine", "Imported", "Line", "export_lines", "import_letters", "read_lines"]

_CHUNK = 200
_BEGINNING = 20
_BY_HEADER = "saga-dlq-imported-by"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One exported letter. What a person reads first stands first; an import takes no notice of it."""

    id: str
    reason: str
    state: str
    saga_id: str | None = None
    cluster: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    edited: bytes | None = None
    header_edits: Headers = ()

    @property
    def origin(self) -> str:
        """Where the letter first lay, on whatever cluster."""
        before = next((value for name, value in reversed(self.headers) if name == ORIGIN_HEADER), None)
        return before.decode(errors="replace") if before else f"{self.cluster}/{self.place}"

    @property
    def place(self) -> Place:
        """Where it lay on the cluster that it was exported from."""
        return Place(self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class BadLine:
    """What is wrong with one line. `line` counts from 1."""

    line: int
    message: str


@dataclass(slots=True)
class Imported:
    """What became of the lines: how many were sent, how many were here already, and what could not be sent."""

    sent: int = 0
    known: int = 0
    bad: list[BadLine] = field(default_factory=list)


_ENCODE = msgspec.json.Encoder()
_DECODE = msgspec.json.Decoder(Line)


def export_lines(desk: Desk, places: Sequence[Place]) -> Iterator[bytes]:
    """The letters at these places, one line each."""
    cluster, _ = desk.feed.topics()
    for start in range(0, len(places), _CHUNK):
        for letter in desk.store.at(places[start : start + _CHUNK]):
            yield _ENCODE.encode(_line(letter, cluster)) + b"\n"


def _line(letter: Letter, cluster: str) -> Line:
    return Line(
        id=str(letter.place),
        reason=letter.reason,
        state=letter.state.value,
        saga_id=str(letter.saga_id) if letter.saga_id else None,
        cluster=cluster,
        topic=letter.place.topic,
        partition=letter.place.partition,
        offset=letter.place.offset,
        key=letter.key,
        value=letter.value,
        headers=letter.headers,
        edited=letter.edited,
        header_edits=letter.header_edits,
    )


def read_lines(data: bytes) -> tuple[list[tuple[int, Line]], list[BadLine]]:
    """The letters of an export, and the lines that are none."""
    lines, bad = [], []
    for number, text in enumerate(data.split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            if b'"redacted": true' in text[:_BEGINNING]:
                raise ValueError("it was exported redacted, to be read: export it --unredacted")
            line = _DECODE.decode(text)
            if Place.parse(str(line.place)) != line.place or not line.topic.endswith(".dlq"):
                raise ValueError(f"{line.topic} is no dead-letter topic")
            for name, _ in line.header_edits:
                check_header(name, Way.AGAIN)
        except (msgspec.MsgspecError, ValueError, Refused) as exc:
            bad.append(BadLine(number, str(exc)))
        else:
            lines.append((number, line))
    return lines, bad


async def import_letters(desk: Desk, lines: Sequence[tuple[int, Line]], by: By) -> Imported:
    """Publish letters to the dead-letter topics of this cluster, those that are not here already.

    The projection has to be up to date, and is so again afterwards. Importing twice adds nothing.

    Raises:
        BrokerUnavailable, StoreError: some were sent; import again.

    """
    cluster, topics = desk.feed.topics()
    report = Imported()
    taken: set[str] = set()
    for start in range(0, len(lines), _CHUNK):
        chunk = lines[start : start + _CHUNK]
        here = desk.store.imported([line.origin for _, line in chunk])
        ours = {f"{cluster}/{x.place}" for x in desk.store.at([line.place for _, line in chunk])}
        fresh: dict[int, Line] = {}
        for number, line in chunk:
            if line.origin in here or line.origin in ours or line.origin in taken:
                report.known += 1
            elif line.topic not in topics:
                report.bad.append(BadLine(number, f"there is no topic {line.topic} here"))
            else:
                taken.add(line.origin)
                fresh[number] = line
        await _send(desk, fresh, by, report)
    desk.refresh()
    _edit_again(desk, [line for _, line in lines], by)
    return report


async def _send(desk: Desk, lines: Mapping[int, Line], by: By, report: Imported) -> None:
    messages = {number: _message(line, by) for number, line in lines.items()}
    receipt = await desk.outbox.send(list(messages.values()))
    refused = {id(refusal.message): refusal.code for refusal in receipt.refused}
    for number, message in messages.items():
        if id(message) in refused:
            report.bad.append(BadLine(number, f"the broker refuses it: {refused[id(message)]}"))
        else:
            report.sent += 1


def _message(line: Line, by: By) -> Outgoing:
    added: Headers = ((ORIGIN_HEADER, line.origin.encode()), (_BY_HEADER, by.actor.encode()))
    kept = tuple(pair for pair in line.headers if pair[0] not in {ORIGIN_HEADER, _BY_HEADER})
    return Outgoing(line.topic, line.key, line.value, (*kept, *added))


def _edit_again(desk: Desk, lines: Sequence[Line], by: By) -> None:
    """What was mended over there is mended here, unless somebody has dealt with it here."""
    edited = {line.origin: line for line in lines if line.edited is not None or line.header_edits}
    for origin, place in desk.store.imported(edited).items():
        letter = desk.letter(place)
        if letter.state is State.OPEN:
            desk.store.act("edited", [(letter, None)], by, edited[origin].edited, edited[origin].header_edits)
