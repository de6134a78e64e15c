"""A dead letter as data: what its headers say, and which of the three ways to go on it is (design §6).

Anybody may write to a dead-letter topic, so nothing here raises: what a letter does not say is absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from orchestrator.letters.ids import content_hash, edit_hash, identity_of
from orchestrator.messaging.message import Headers, Incoming
from orchestrator.messaging.topics import CONTROL

__all__ = [
    "COUNT_HEADER",
    "LETTER_HEADER",
    "OPEN_STATES",
    "ORIGIN_HEADER",
    "Letter",
    "Place",
    "State",
    "SystemOf",
    "Way",
    "original_headers",
    "read_letter",
]

COUNT_HEADER = "saga-replay-count"
LETTER_HEADER = "saga-replay-letter"
ORIGIN_HEADER = "saga-dlq-imported-from"

_FIRST = "__dlq.errors.topic"
_REPLAY = "saga-replay-"
_OURS = ("__dlq.", "saga-dlq-")
_SUFFIX = ".dlq"
_LARGEST = 2**62

SystemOf: TypeAlias = Callable[[str, str], str | None]


class State(StrEnum):
    """What has been done about a letter. Open and edited ones wait for somebody."""

    OPEN = "open"
    EDITED = "edited"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


OPEN_STATES = (State.OPEN, State.EDITED)


class Way(StrEnum):
    """What a replay does: the last column of the table in design §6."""

    AGAIN = "publish again"
    NEW_SAGA = "new saga"
    RETRY = "continue saga"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a letter lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read `topic/partition@offset`.

        Raises:
            ValueError: it has another form.

        """
        found = _PLACE.fullmatch(text)
        if found is None:
            msg = f"{text!r} is no place of a letter: topic/partition@offset"
            raise ValueError(msg)
        return cls(found[1], int(found[2]), int(found[3]))


_PLACE = re.compile(r"([A-Za-z0-9._-]+)/(\d{1,9})@(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `identity` is the same for two copies of it, which a crash may leave.

    `headers` are all of them as they were read; `version` is the saga's revision when it was given up. `origin` is its
    place on the cluster that it was imported from, `replay_of` the letter whose replay came back as this one, and
    `count` how many replays led here. `edited` is the value in place of the original one, `header_edits` are headers
    that are set or, without a value, dropped. `repeats` counts replayed letters of the same saga and step before it.
    """

    place: Place
    identity: UUID
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    stage: str
    original_topic: str
    failed_at: datetime
    message: str = ""
    group: str = ""
    attempts: int = 1
    saga_id: UUID | None = None
    step: str | None = None
    direction: str | None = None
    definition: str | None = None
    system: str | None = None
    version: int | None = None
    origin: str | None = None
    replay_of: UUID | None = None
    count: int = 0
    edited: bytes | None = None
    state: State = State.OPEN
    replays: int = 0
    repeats: int = 0
    header_edits: Headers = ()
    earlier: UUID | None = field(default=None, compare=False)
    """The id of the new saga that an earlier replay of this letter began, as it stands."""

    @property
    def way(self) -> Way:
        """What a replay does."""
        if self.stage != "saga":
            return Way.AGAIN
        if self.original_topic.endswith(".requests"):
            return Way.NEW_SAGA
        return Way.RETRY if self.original_topic == CONTROL or self.original_topic.endswith(".commands") else Way.AGAIN

    @property
    def edit(self) -> str:
        """What tells one edit of it from another; empty where it is as it was written."""
        return edit_hash(self.edited, self.header_edits)

    @property
    def generation(self) -> int:
        """How many replays have led to this letter: more than a few is a loop."""
        return max(self.count, self.repeats)


def original_headers(headers: Headers) -> Headers:
    """The headers that the message had before it was buried, without marks of earlier burials and replays."""
    return tuple(pair for pair in _before(headers) if not pair[0].startswith((*_OURS, _REPLAY)))


def _before(headers: Headers) -> Headers:
    begin = _begin(headers)
    return headers if begin is None else headers[:begin]


def _begin(headers: Headers) -> int | None:
    """Where `bury` began to add its own: what a producer wrote under the same names stands before."""
    return next((i for i in reversed(range(len(headers))) if headers[i][0] == _FIRST), None)


def read_letter(incoming: Incoming, written_at: datetime, system_of: SystemOf | None = None) -> Letter:
    """What the message says. `system_of` names the system of a definition's step."""
    begin = _begin(incoming.headers)
    # Without that mark it is somebody else's letter, which may use our names all the same.
    said = _texts(incoming.headers[begin or 0 :])
    sent = _texts(_before(incoming.headers))
    place = Place(incoming.topic, incoming.partition, incoming.offset)
    topic = said.get(_FIRST) or incoming.topic.removesuffix(_SUFFIX)
    definition = topic.removesuffix(".requests") if topic.endswith(".requests") else None
    step, saga_id = said.get("saga-dlq-step"), _uuid(said.get("saga-dlq-sagaid") or sent.get("ce_sagaid"))
    stage = said.get("saga-dlq-stage", "read")
    return Letter(
        place=place,
        identity=identity_of([*_identity(place, said, sent, stage), content_hash(incoming.key, incoming.value)]),
        key=incoming.key,
        value=incoming.value,
        headers=incoming.headers,
        reason=said.get("saga-dlq-reason", "unmarked"),
        stage=stage,
        original_topic=topic,
        failed_at=_time(said.get("saga-dlq-failed-at")) or written_at,
        message=said.get("__dlq.errors.message", ""),
        group=said.get("__dlq.errors.group", ""),
        attempts=_number(said.get("saga-dlq-attempts")) or 1,
        saga_id=saga_id,
        # The message that a saga was parked by may be about another effect than the one that waits.
        step=step or (None if stage == "saga" else sent.get("ce_step")),
        direction=sent.get("ce_direction") if topic.endswith(".commands") else None,
        definition=definition,
        system=_system(topic, definition, step, system_of),
        version=_number(said.get("saga-dlq-version")),
        origin=said.get(ORIGIN_HEADER),
        replay_of=_uuid(sent.get(LETTER_HEADER)),
        count=_number(sent.get(COUNT_HEADER)) or 0,
    )


def _identity(place: Place, said: Mapping[str, str], sent: Mapping[str, str], stage: str) -> Sequence[str]:
    """What two copies of one letter have in common.

    A coordinator that crashed before its outputs were acknowledged writes them again: the same bytes at another
    offset. What was read and given up twice has the place where it was read in common.
    """
    names: tuple[str, ...]
    cluster = said.get(ORIGIN_HEADER, "").rpartition("/")[0].rpartition("/")[0]
    if stage == "saga" and "saga-dlq-sagaid" in said:
        names = ("saga-dlq-sagaid", "saga-dlq-version", "saga-dlq-step", "saga-dlq-reason", _FIRST)
        return [cluster, "saga", *(said.get(name, "") for name in names), sent.get("ce_id", "")]
    if "__dlq.errors.offset" in said:
        names = (_FIRST, "__dlq.errors.partition", "__dlq.errors.offset", "__dlq.errors.group")
        return [cluster, "read", *(said.get(name, "") for name in names), sent.get("ce_id", "")]
    if "ce_id" in sent and "ce_source" in sent:
        names = (_FIRST, "saga-dlq-reason")
        return [cluster, "sent", sent["ce_source"], sent["ce_id"], *(said.get(name, "") for name in names)]
    return [cluster, "place", said.get(ORIGIN_HEADER) or str(place)]


def _system(topic: str, definition: str | None, step: str | None, system_of: SystemOf | None) -> str | None:
    for suffix in (".commands", ".completions"):
        if topic.endswith(suffix):
            return topic.removesuffix(suffix)
    return system_of(definition, step) if system_of and definition and step else None


def _texts(headers: Headers) -> dict[str, str]:
    """Names and texts; a column takes no NUL, and half a character is no reason to lose the letter."""
    return {
        _clean(name.encode(errors="replace")): _clean(value)[:_LONGEST] for name, value in headers if value is not None
    }


_LONGEST = 2000


def _clean(value: bytes) -> str:
    return value.decode(errors="replace").replace("\x00", "\ufffd")


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return min(int(text), _LARGEST)


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
