"""What must hold of replayed dead letters: judged by what lies in the topics and in the journals.

One letter, gone on with in one way, is one message, however often, and by however many, it is replayed. A message that
continues a parked saga changes it where it stood, or not at all. Nothing of the original is lost on the way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from orchestrator.messaging import topics
from orchestrator.messaging.message import Headers, Incoming
from orchestrator.messaging.reader import HELD_HEADER
from orchestrator.testing.evidence import Evidence, Replay, Row, header

__all__ = ["check_replays"]

Found: TypeAlias = Iterator[tuple[str, str]]

_OURS = ("__dlq.", "saga-dlq-", "saga-replay-")
# What makes a message another one, or another saga of a request.
_IDENTITY = ("ce_id", "ce_source", "ce_agent", "ce_sagaid")
_NEW_SAGA = (*_IDENTITY, "ce_time", "ce_causationid", "traceparent", "tracestate")


def check_replays(evidence: Evidence) -> Found:
    """What does not hold, as (saga or "", what)."""
    yield from _buried(evidence)
    letters: dict[tuple[str, ...], dict[str, list[Replay]]] = defaultdict(lambda: defaultdict(list))
    for replay in evidence.replays:
        letters[_name(replay.letter)][replay.decision].append(replay)
        yield from _intact(replay)
    entries: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for case in evidence.cases:
        for row in case.journal:
            entries[row.cause].append((case.id, row))
    for decisions in letters.values():
        yield from _once(decisions)
        yield from _applied(decisions, entries)


def _name(letter: Incoming) -> tuple[str, ...]:
    """What tells letters apart; the copies that a crash leaves are one."""
    names: tuple[str, ...]
    if _parked(letter) or _given_up(letter):
        names = ("ce_id", "saga-dlq-sagaid", "saga-dlq-version", "saga-dlq-step", "saga-dlq-reason")
    elif header(letter.headers, "__dlq.errors.offset"):
        names = ("__dlq.errors.partition", "__dlq.errors.offset", "__dlq.errors.group")
    else:
        names = ("ce_source", "ce_id", "saga-dlq-reason")
    return letter.topic, *(header(letter.headers, name) for name in names)


def _of_saga(letter: Incoming) -> bool:
    return header(letter.headers, "saga-dlq-stage") == "saga"


def _given_up(letter: Incoming) -> bool:
    """Whether it is the request of a saga that failed."""
    return _of_saga(letter) and letter.topic.endswith(".requests.dlq")


def _parked(letter: Incoming) -> bool:
    """Whether its saga waits for a person."""
    return _of_saga(letter) and not letter.topic.endswith(".requests.dlq")


def _before(headers: Headers) -> Headers:
    """The headers of the message that was given up."""
    return tuple(pair for pair in headers if not pair[0].startswith(_OURS))


# -- one letter ----------------------------------------------------------------------------------------------------


def _once(decisions: Mapping[str, Sequence[Replay]]) -> Found:
    """One message for each way to go on with a letter, and another for each other way."""
    names = set()
    for replays in decisions.values():
        sent = {(replay.message.topic, replay.message.key, replay.cause, _content(replay)) for replay in replays}
        if len(sent) > 1:
            yield _saga(replays[0]), f"one dead letter of {replays[0].letter.topic} became {len(sent)} messages"
        names |= {replay.cause for replay in replays}
    if len(names) < len(decisions):
        (first, *_), *_ = decisions.values()
        yield _saga(first), "two edits of one dead letter became one message"


def _content(replay: Replay) -> bytes | None:
    """The value; a decision about a parked saga names whoever took it."""
    return None if _parked(replay.letter) else replay.message.value


def _applied(decisions: Mapping[str, Sequence[Replay]], entries: Mapping[str, Sequence[tuple[str, Row]]]) -> Found:
    """A parked saga goes on by one decision at most, from where its letter left it; a message changes one saga once."""
    effective: list[tuple[str, Row]] = []
    for replays in decisions.values():
        rows = entries.get(replays[0].cause, ())
        if len(rows) > 1:
            yield _saga(replays[0]), f"the replay of one dead letter is {len(rows)} times in the journal"
        for saga, row in rows if _parked(replays[0].letter) else ():
            if "refused" not in row.entry:
                effective.append((saga, row))
            elif any(output.topic.endswith(".commands") for output in row.outputs):
                yield saga, "a replay that the saga refused has sent commands"
    if len(effective) > 1:
        yield effective[0][0], f"one dead letter continued its saga {len(effective)} times"
    (first, *_), *_ = decisions.values()
    for saga, row in effective:
        if str(row.revision - 1) != header(first.letter.headers, "saga-dlq-version"):
            yield saga, "a dead letter continued a saga that had moved on"


# -- one replay ----------------------------------------------------------------------------------------------------


def _saga(replay: Replay) -> str:
    return header(replay.letter.headers, "saga-dlq-sagaid")


def _intact(replay: Replay) -> Found:
    letter, message = replay.letter, replay.message
    if _parked(letter):
        if message.topic != topics.CONTROL or header(message.headers, "ce_sagaid") != _saga(replay):
            yield _saga(replay), "the replay of a parked saga's letter is no decision about that saga"
        return
    if message.topic != header(letter.headers, "__dlq.errors.topic"):
        yield _saga(replay), f"a letter of {letter.topic} went to {message.topic}"
    if message.value != letter.value and not replay.edited:
        yield _saga(replay), f"the value of a letter of {letter.topic} is not what it was"
    may_differ: tuple[str, ...] = ()
    if _given_up(letter):
        may_differ = (*_NEW_SAGA, *replay.mended)
        yield from _linked(replay)
    elif replay.edited:
        may_differ = (*_IDENTITY, *replay.mended)
        if header(message.headers, "ce_id") == header(letter.headers, "ce_id"):
            yield _saga(replay), f"an edited letter of {letter.topic} has the id of the original"
    elif message.key != letter.key:
        yield _saga(replay), f"the key of a letter of {letter.topic} is not what it was"
    kept = [pair for pair in _before(letter.headers) if pair[0] not in may_differ]
    if lost := [name for name, value in kept if (name, value) not in message.headers]:
        yield _saga(replay), f"a letter of {letter.topic} was replayed without its headers {', '.join(lost)}"


def _linked(replay: Replay) -> Found:
    """A new saga, which names the old one."""
    old, message = _saga(replay), replay.message
    new = header(message.headers, "ce_sagaid")
    if new == old or message.key != new.encode():
        yield old, "a failed saga's request was replayed, and not as a saga of its own"
    if header(message.headers, "ce_causationid") != old:
        yield old, "the saga that a replay began does not name the old one"


# -- what was read and given up ------------------------------------------------------------------------------------


def _buried(evidence: Evidence) -> Found:
    """Key, value and headers of a dead letter are those of the message where it was read."""
    for letter, message in evidence.buried:
        saga = header(letter.headers, "saga-dlq-sagaid")
        if (letter.key, letter.value) != (message.key, message.value):
            yield saga, f"a dead letter of {message.topic} is not what was read"
        # That a message was held for a while is the engine's own mark.
        sent = tuple(pair for pair in message.headers if pair[0] != HELD_HEADER)
        if letter.headers[: len(sent)] != sent:
            yield saga, f"a dead letter of {message.topic} has lost headers"
