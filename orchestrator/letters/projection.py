"""Brings the projection up to date with the topics, or makes it anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import structlog

from orchestrator.letters.errors import TopicsChanged
from orchestrator.letters.feed import Ends, Feed, Read
from orchestrator.letters.letter import SystemOf, read_letter
from orchestrator.letters.store import LetterStore, Projecting
from orchestrator.messaging.message import TopicPartition

__all__ = ["Progress", "bring_up_to_date"]

log = structlog.get_logger(__name__)


Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many messages have been read."""


def bring_up_to_date(
    store: LetterStore,
    feed: Feed,
    *,
    system_of: SystemOf | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
    on_wait: Callable[[], None] = lambda: None,
    seconds: float | None = None,
) -> int:
    """Read from where the last reader stopped to the present end; returns how many messages that were.

    `seconds` is for who would rather know less than wait: about the time that reading may take.

    `rebuild` forgets the letters first and reads all that the topics still hold. What was done about them is kept, and
    so are letters that retention has taken from the topics since.

    Raises:
        TopicsChanged: a partition ends before what was read of it: its topic has been made anew.
        BrokerUnavailable, StoreError: one of the two is away; what was read so far is kept.
        NotInTime: there is more than could be read in so many seconds, or somebody else is reading; likewise.

    """
    with store.projecting(on_wait, seconds) as projecting:
        ends = feed.ends() if seconds is None else feed.ends(seconds)
        if rebuild:
            projecting.clear({place: end.low for place, end in ends.items()})
        starts = _starts(projecting.offsets(), ends)
        reads = feed.read(starts, ends, seconds)
        total = sum(max(0, ends[place].high - start) for place, start in starts.items())
        return _read(projecting, reads, total, system_of, progress)


def _starts(stored: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, Ends]) -> dict[TopicPartition, int]:
    changed = [f"{topic}/{p}" for (topic, p), at in stored.items() if (topic, p) in ends and at > ends[topic, p].high]
    if changed:
        msg = f"{', '.join(sorted(changed)[:5])}: shorter than what was read of it; it is another topic of the name"
        raise TopicsChanged(f"{msg}. Run `saga dlq rebuild`; what was done about letters is kept")
    gone = [f"{topic}/{p}@{at}" for (topic, p), at in stored.items() if (topic, p) in ends and at < ends[topic, p].low]
    if gone:
        # Retention was quicker than we: nothing can be done but say so.
        log.warning("dlq.missed", unread_from=gone)
    return {place: max(stored.get(place, 0), end.low) for place, end in ends.items()}


def _read(
    projecting: Projecting, reads: Iterator[Read], total: int, system_of: SystemOf | None, progress: Progress | None
) -> int:
    done = 0
    for read in reads:
        letters = [read_letter(message, written_at, system_of) for message, written_at in read.messages]
        projecting.add(letters, read.offsets)
        done += len(letters)
        if progress is not None:
            progress(done, total)
    return done
