"""Rows of the coordinator's tables in memory, with the constraints that the migration puts on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from orchestrator.core.state import TERMINAL, SagaState, Status
from orchestrator.database import BadData
from orchestrator.messaging.message import Outgoing, TopicPartition, pack, unpack
from orchestrator.store.ports import JournalRow
from orchestrator.store.rows import entry_text, request_text, saga_from_row, state_text

__all__ = ["HeldRow", "JournalEntry", "SagaRow", "Tables", "checked_text", "offset_row"]

_INT, _BIGINT = 2**31 - 1, 2**63 - 1


def checked_text(value: str) -> str:
    """What a column `text` takes."""
    if "\x00" in value:
        msg = "a text cannot contain NUL (0x00) bytes"
        raise BadData(msg)
    value.encode()  # half a surrogate pair: a UnicodeEncodeError, which `translated` knows
    return value


def _number(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        msg = f"{value} is not between {least} and {most}"
        raise BadData(msg)
    return value


def offset_row(group: str, place: TopicPartition, offset: int) -> tuple[tuple[str, str, int], int]:
    """Key and value in the table of offsets."""
    topic, partition = place
    key = checked_text(group), checked_text(topic), _number(partition, -_INT - 1, _INT)
    return key, _number(offset, -_BIGINT - 1, _BIGINT)


def _timestamp(value: datetime | None) -> datetime | None:
    return value if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class SagaRow:
    """A row of `saga`; `request` and `document` are JSON texts."""

    definition: str
    version: int
    status: Status
    business_key: str
    agent: str
    request: str
    document: str
    revision: int
    wake_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    _read: list[SagaState] = field(init=False, default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        if (self.ended_at is not None) != (self.status in TERMINAL) or (self.ended_at and self.wake_at):
            msg = "the row contradicts itself: check constraint violated"
            raise BadData(msg)
        _number(self.version, 1, _INT)
        _number(self.revision, 1, _BIGINT)

    @classmethod
    def of(cls, state: SagaState, now: datetime) -> SagaRow:
        """The row of a new saga."""
        return cls(
            checked_text(state.definition),
            state.version,
            state.status,
            checked_text(state.business_key),
            checked_text(state.agent),
            request_text(state),
            state_text(state),
            state.revision,
            _timestamp(state.wake_at),
            now,
            now,
            now if state.terminal else None,
        )

    def changed(self, state: SagaState, now: datetime) -> SagaRow:
        """The row after a message. What a saga began with stays, whatever the state says."""
        return replace(
            self,
            status=state.status,
            document=state_text(state),
            revision=state.revision,
            wake_at=_timestamp(state.wake_at),
            updated_at=now,
            ended_at=(self.ended_at or now) if state.terminal else None,
        )

    def waking(self, at: datetime) -> SagaRow:
        """The row with another deadline."""
        return replace(self, wake_at=at)

    def state(self) -> SagaState:
        """The state as it comes back."""
        if not self._read:
            request, document = msgspec.json.decode(self.request), msgspec.json.decode(self.document)
            names = (self.definition, self.version, self.status.value, self.business_key, self.agent)
            self._read.append(saga_from_row((*names, request, document, self.revision, self.wake_at)))
        return self._read[0]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A row of `journal`."""

    cause_id: UUID
    revision: int
    at: datetime
    entry_text: str
    input: bytes
    outputs: bytes | None

    @classmethod
    def of(cls, row: JournalRow, now: datetime) -> JournalEntry:
        """The row of an entry."""
        outputs = pack(row.outputs) if row.outputs else None
        revision = _number(row.revision, -_BIGINT - 1, _BIGINT)
        return cls(row.cause_id, revision, now, entry_text(row.entry), pack([row.input.again()]), outputs)

    @property
    def entry(self) -> Mapping[str, Any]:
        """Kind, facts and notes."""
        found: Mapping[str, Any] = msgspec.json.decode(self.entry_text)
        return found

    @property
    def received(self) -> Outgoing:
        """What came in."""
        return unpack(self.input)[0]

    @property
    def sent(self) -> Sequence[Outgoing]:
        """What went out."""
        return unpack(self.outputs)


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row of `held_message`."""

    message: bytes
    first_at: datetime
    due_at: datetime

    def due(self, at: datetime) -> HeldRow:
        """The row with another time for its next try."""
        return replace(self, due_at=at)


@dataclass(slots=True)
class Tables:
    """Committed rows, or those that one transaction has written; None marks one that it has deleted."""

    sagas: dict[UUID, SagaRow] = field(default_factory=dict)
    journal: dict[tuple[UUID, UUID], JournalEntry] = field(default_factory=dict)
    offsets: dict[tuple[str, str, int], int] = field(default_factory=dict)
    foreign: dict[tuple[str, str], UUID] = field(default_factory=dict)
    held: dict[tuple[UUID, UUID], HeldRow | None] = field(default_factory=dict)

    def journal_of(self, saga_id: UUID) -> Sequence[JournalEntry]:
        """A saga's entries, oldest first."""
        rows = [row for (owner, _), row in self.journal.items() if owner == saga_id]
        return sorted(rows, key=lambda row: row.revision)

    def take_over(self, own: Tables) -> None:
        """Commit the rows of a transaction."""
        self.sagas |= own.sagas
        self.journal |= own.journal
        self.offsets |= own.offsets
        self.foreign |= own.foreign
        self.held |= own.held
        for key in [key for key, row in own.held.items() if row is None]:
            del self.held[key]
