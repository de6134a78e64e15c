"""Dead letters in PostgreSQL: the projection, and the acts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from orchestrator.database import translated
from orchestrator.letters import sql
from orchestrator.letters.errors import NotInTime
from orchestrator.letters.ids import edit_hash
from orchestrator.letters.letter import Letter, Place, State
from orchestrator.letters.wanted import By, Filter
from orchestrator.messaging.message import Headers, TopicPartition

__all__ = ["Act", "GroupRow", "LetterStore", "Projecting", "StatsRow", "StrayRow"]

_WAIT_SECONDS = 0.2
_ENCODE = msgspec.msgpack.Encoder().encode
_HEADERS = msgspec.msgpack.Decoder(Headers)


@dataclass(frozen=True, slots=True)
class Act:
    """One line of what people have done about a letter."""

    kind: str
    at: datetime
    actor: str
    reason: str
    edit: str
    new_saga_id: UUID | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Letters that failed for the same reason in the same system."""

    reason: str
    system: str | None
    count: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class StatsRow:
    """One dead-letter topic. `returned` came back from a replay; `oldest` of those that wait."""

    topic: str
    total: int
    open: int
    edited: int
    replayed: int
    discarded: int
    returned: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class StrayRow:
    """Letters in one topic that no saga speaks of, given up for the same reason."""

    topic: str
    reason: str
    count: int
    oldest: datetime


class LetterStore:
    """The tables `dead_letter`, `dead_letter_offset` and `dead_letter_act`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- projection ------------------------------------------------------------------------------------------------

    @contextmanager
    def projecting(
        self, on_wait: Callable[[], None] = lambda: None, seconds: float | None = None
    ) -> Iterator[Projecting]:
        """Hold the lock of the projection; lock and transactions are of one connection, and go with it together.

        Raises:
            NotInTime: somebody else has held it for so many seconds.

        """
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        with translated(), self._engine.connect() as connection:
            waits = False
            while not _one(connection, sql.LOCK):
                if not waits:
                    on_wait()
                    waits = True
                if time.monotonic() > deadline:
                    msg = "another command is still reading the dead letters"
                    raise NotInTime(msg)
                time.sleep(_WAIT_SECONDS)
            try:
                yield Projecting(connection)
            finally:
                connection.rollback()
                _one(connection, sql.UNLOCK)

    # -- questions -------------------------------------------------------------------------------------------------

    def _read(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        with translated(), self._engine.connect() as connection:
            return connection.exec_driver_sql(statement, dict(parameters)).fetchall()

    def newest(self, wanted: Filter, limit: int) -> list[Letter]:
        """Letters that fit, the newest first, without their bytes and headers."""
        statement = (
            f"{sql.BRIEF} {sql.WHERE} ORDER BY l.failed_at DESC, l.topic, l.partition, l.offset DESC LIMIT %(n)s"
        )
        return [_letter(row) for row in self._read(statement, {**wanted.parameters(), "n": limit})]

    def in_order(self, wanted: Filter, limit: int | None = None) -> list[Place]:
        """Places of letters that fit, in the order of their keys, and of their offsets per key."""
        order = "ORDER BY l.key NULLS FIRST, l.topic, l.partition, l.offset LIMIT %(n)s"
        statement = f"SELECT l.topic, l.partition, l.offset FROM dead_letter l {sql.WHERE} {order}"  # noqa: S608
        return [Place(*row) for row in self._read(statement, {**wanted.parameters(), "n": limit})]

    def at(self, places: Sequence[Place]) -> list[Letter]:
        """The letters at these places, in the order given; a place without one is left out."""
        found = {
            letter.place: letter
            for row in self._read(sql.SELECT + sql.PLACES, _places(places))
            if (letter := _letter(row))
        }
        return [found[place] for place in places if place in found]

    def count(self, wanted: Filter) -> int:
        """How many letters fit."""
        statement = f"SELECT count(*) FROM dead_letter l {sql.WHERE}"  # noqa: S608
        return int(self._read(statement, wanted.parameters())[0][0])

    def groups(self, wanted: Filter) -> list[GroupRow]:
        """Letters that fit by reason and system, the largest group first."""
        return [GroupRow(*row) for row in self._read(sql.GROUPS, wanted.parameters())]

    def strays(self) -> list[StrayRow]:
        """Letters that wait and that no saga speaks of, by topic and reason, the oldest first."""
        return [StrayRow(*row) for row in self._read(sql.STRAYS, {})]

    def stats(self) -> list[StatsRow]:
        """Every dead-letter topic with letters."""
        return [StatsRow(*row) for row in self._read(sql.STATS, {})]

    def acts(self, letter: Letter) -> list[Act]:
        """What has been done about a letter, oldest first."""
        return [Act(*row) for row in self._read(sql.ACTS, {"identity": letter.identity})]

    def imported(self, origins: Collection[str]) -> dict[str, Place]:
        """Where those of these letters lie that have been imported here."""
        return {row[0]: Place(*row[1:]) for row in self._read(sql.ORIGINS, {"origins": list(origins)})}

    def came_back(self, sent: Sequence[tuple[Letter, UUID | None]]) -> set[UUID]:
        """Identities of those replayed letters (each with the saga that it went to) that were given up again."""
        parameters = {
            "identities": [letter.identity for letter, _ in sent],
            "saga_ids": [saga_id for _, saga_id in sent],
            "versions": [
                letter.version if saga_id == letter.saga_id and letter.version is not None else -1
                for letter, saga_id in sent
            ],
        }
        return {row[0] for row in self._read(sql.CAME_BACK, parameters)}

    def applied(self, causes: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Mapping[str, Any]]:
        """Of these (saga, cause), the journal entries that there are."""
        if not causes:
            return {}
        sagas = [saga for saga, _ in causes]
        parameters = {"sagas": sagas, "causes": [c for _, c in causes], "low": min(sagas), "high": max(sagas)}
        return {(row[0], row[1]): row[2] for row in self._read(sql.APPLIED, parameters)}

    # -- acts ------------------------------------------------------------------------------------------------------

    def act(
        self,
        kind: str,
        letters: Sequence[tuple[Letter, UUID | None]],
        by: By,
        edited: bytes | None = None,
        header_edits: Headers = (),
    ) -> None:
        """Write down what is done about letters, each with the saga that it begins, and what they come to by it.

        Of an edit, value or headers alone leave the other as it was edited before.
        """
        parameters = {
            **_places([letter.place for letter, _ in letters]),
            "identities": [letter.identity for letter, _ in letters],
            "edits": [
                edit_hash(letter.edited if edited is None else edited, header_edits or letter.header_edits)
                for letter, _ in letters
            ],
            "new_saga_ids": [saga_id for _, saga_id in letters],
            "editeds": [edited] * len(letters),
            "edited_headers": [_ENCODE(header_edits) if header_edits else None] * len(letters),
            "kind": kind,
            "actor": by.actor,
            "reason": by.reason,
        }
        with translated(), self._engine.begin() as connection:
            connection.exec_driver_sql(sql.ACT, parameters)
            connection.exec_driver_sql(sql.REDO, {"identities": parameters["identities"]})

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


class Projecting:
    """The projection while its lock is held."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def offsets(self) -> dict[TopicPartition, int]:
        """How far each partition has been read."""
        rows = self._connection.exec_driver_sql(sql.OFFSETS).fetchall()
        self._connection.rollback()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def add(self, letters: Sequence[Letter], offsets: Mapping[TopicPartition, int]) -> None:
        """One transaction: rows, what their acts come to, and offsets."""
        run = self._connection.exec_driver_sql
        if letters:
            run(sql.INSERT, _columns(letters))
            run(sql.REDO, {"identities": [letter.identity for letter in letters]})
        places = list(offsets)
        run(
            sql.MOVE,
            {
                "topics": [topic for topic, _ in places],
                "partitions": [partition for _, partition in places],
                "nexts": [offsets[place] for place in places],
            },
        )
        self._connection.commit()

    def clear(self, lows: Mapping[TopicPartition, int]) -> None:
        """Forget how far was read, and every letter but those older than the first that its partition still holds."""
        parameters = {
            "topics": [topic for topic, _ in lows],
            "partitions": [partition for _, partition in lows],
            "lows": list(lows.values()),
        }
        self._connection.exec_driver_sql(sql.CLEAR, parameters)
        self._connection.exec_driver_sql("DELETE FROM dead_letter_offset")
        self._connection.commit()


def _one(connection: Connection, statement: str) -> Any:
    value = connection.exec_driver_sql(statement).scalar_one()
    connection.commit()
    return value


def _places(places: Sequence[Place]) -> dict[str, Any]:
    return {
        "topics": [place.topic for place in places],
        "partitions": [place.partition for place in places],
        "offsets": [place.offset for place in places],
    }


_PLAIN = (
    "identity", "key", "value", "reason", "stage", "original_topic", "failed_at", "message", "attempts", "saga_id",
    "step", "direction", "definition", "system", "version", "origin", "replay_of",
)  # fmt: skip


def _columns(letters: Sequence[Letter]) -> dict[str, list[Any]]:
    plain = {name: [getattr(letter, name) for letter in letters] for name in _PLAIN}
    return {
        **plain,
        "topic": [letter.place.topic for letter in letters],
        "partition": [letter.place.partition for letter in letters],
        "offset": [letter.place.offset for letter in letters],
        "headers": [_ENCODE(letter.headers) for letter in letters],
        "consumer_group": [letter.group for letter in letters],
        "replay_count": [letter.count for letter in letters],
    }


def _letter(row: Any) -> Letter:
    return Letter(
        place=Place(row[0], row[1], row[2]),
        identity=row[3],
        key=row[4],
        value=row[5],
        headers=_HEADERS.decode(row[6]),
        reason=row[7],
        stage=row[8],
        original_topic=row[9],
        failed_at=row[10],
        message=row[11],
        group=row[12],
        attempts=row[13],
        saga_id=row[14],
        step=row[15],
        direction=row[16],
        definition=row[17],
        system=row[18],
        version=row[19],
        origin=row[20],
        replay_of=row[21],
        count=row[22],
        edited=row[23],
        state=State(row[24]),
        replays=row[25],
        repeats=row[26],
        earlier=row[27],
        header_edits=_HEADERS.decode(row[28]) if row[28] is not None else (),
    )
