"""Small pieces of the consumer's loop: how far offsets may move, and many requests as one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from orchestrator.messaging.message import Incoming, TopicPartition

__all__ = ["Grouped", "Watermarks"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Partition:
    """Offsets as they were read, and the messages among them that are being worked on."""

    order: deque[int] = field(default_factory=deque)
    open: dict[int, Incoming] = field(default_factory=dict)


class Watermarks:
    """Which offsets may be committed: up to the lowest message of a partition that is still being worked on."""

    def __init__(self) -> None:
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._next: dict[TopicPartition, int] = {}

    def began(self, message: Incoming) -> None:
        """A message has been read. Messages of one partition come in order."""
        partition = self._partitions.setdefault(message.place, _Partition())
        partition.order.append(message.offset)
        partition.open[message.offset] = message

    def ended(self, message: Incoming) -> None:
        """A message has been dealt with, in any order."""
        partition = self._partitions.get(message.place)
        # This very delivery: the partition may have been taken from us in the meantime, and come back.
        if partition is None or partition.open.get(message.offset) is not message:
            return
        del partition.open[message.offset]
        while partition.order and partition.order[0] not in partition.open:
            self._next[message.place] = partition.order.popleft() + 1

    def forget(self, kept: frozenset[TopicPartition]) -> None:
        """Partitions that are ours no longer."""
        for place in set(self._partitions) - kept:
            del self._partitions[place]
            self._next.pop(place, None)

    def ready(self) -> Mapping[TopicPartition, int]:
        """What may be committed and is not yet."""
        return dict(self._next)

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These are; a partition may have moved on meanwhile."""
        for place, offset in offsets.items():
            if self._next.get(place) == offset:
                del self._next[place]


class Grouped(Generic[T, R]):
    """Turns many single requests into few grouped ones: whatever waits while one group runs is the next group.

    A database commit or a broker's acknowledgement costs about the same for one as for a hundred.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], most: int = 500) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        """Submit one and wait for its result. Errors of the group reach each of its members."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
                try:
                    results = await self._work([item for item, _ in group])
                    answered = list(zip(group, results, strict=True))
                except Exception as exc:  # noqa: BLE001 - handed to everyone who waits for it
                    for _, future in group:
                        if not future.done():
                            future.set_exception(exc)
                    continue
                except asyncio.CancelledError:
                    ending = self._runner is not None and self._runner.cancelling() > 0
                    for _, future in [*group, *self._waiting] if ending else group:
                        future.cancel()
                    if ending:
                        self._waiting.clear()
                        raise
                    continue
                for (_, future), result in answered:
                    if not future.done():
                        future.set_result(result)
        finally:
            self._runner = None
