"""The stack as the nemeses find it: workers reach PostgreSQL through a proxy, and who dies is replaced at once."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from orchestrator.dev.errors import NotReady
from orchestrator.dev.process import ChildProcess
from orchestrator.dev.stack import Stack, StackOptions
from orchestrator.testing.chaos.history import History, Type
from orchestrator.testing.chaos.plan import COORDINATOR
from orchestrator.testing.chaos.proxy import Proxy

__all__ = ["ENDED", "Arena", "ChaosStack", "repeatedly"]

ENDED = "ended"
"""What the history calls the end of a worker that nobody had struck."""

_LOOK_SECONDS = 0.2
_VICTIM_SECONDS = 30.0


class ChaosStack(Stack):
    """A stack whose workers reach PostgreSQL through a proxy on `proxy_port`."""

    def __init__(self, options: StackOptions, proxy_port: int) -> None:
        super().__init__(options)
        self.proxy_port = proxy_port

    def environment(self) -> dict[str, str]:
        """See `Stack.environment`."""
        found = super().environment()
        direct = found["SAGA_DATABASE_URL"]
        return {**found, "SAGA_DATABASE_URL": direct.replace(f":{self.postgres.port}/", f":{self.proxy_port}/")}


@dataclass(slots=True)
class Arena:
    """What a nemesis may touch. `taken` are processes that one of them is just dealing with.

    `alone` is for what there is only one of: two nemeses of one kind take their turns.
    """

    stack: ChaosStack
    proxy: Proxy
    history: History
    taken: set[int] = field(default_factory=set)
    alone: Mapping[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def workers(self) -> Mapping[str, list[ChildProcess]]:
        """Coordinators and the consumers of each system."""
        return {COORDINATOR: self.stack.coordinators, **self.stack.consumers}

    async def take(self, target: str, chance: random.Random) -> ChildProcess:
        """A running process of that kind that no other nemesis has; to be given back by `leave`.

        Raises:
            NotReady: there was none for half a minute.

        """
        for _ in range(int(_VICTIM_SECONDS / _LOOK_SECONDS)):
            with self._lock:
                free = [c for c in self.workers()[target] if c.pid not in self.taken and c.running]
                if free:
                    child = chance.choice(free)
                    self.taken.add(child.pid)
                    return child
            await asyncio.sleep(_LOOK_SECONDS)
        msg = f"no {target} was there to be struck"
        raise NotReady(msg)

    def leave(self, child: ChildProcess) -> None:
        """The nemesis is done with it."""
        self.taken.discard(child.pid)

    def replace_ended(self) -> None:
        """Replace workers that ended by themselves, as Kubernetes would; noted, as nothing here should make them."""
        for name, children in self.workers().items():
            for child in list(children):
                with self._lock:
                    if child.running or child.pid in self.taken:
                        continue
                    self.taken.add(child.pid)
                text = f"{child.command.name} (pid {child.pid}) ended by itself with status {child.returncode}"
                tail = child.log_tail(3)
                self.history.write(Type.NOTE, "supervisor", ENDED, str(child.pid), text=text, name=name, log=tail)
                self.stack.replace(child)


@contextmanager
def repeatedly(work: Callable[[], None], seconds: float) -> Iterator[None]:
    """Do that in a thread, again and again after so many seconds, while the block runs; what it raises is raised."""
    stopping = threading.Event()

    def loop() -> None:
        while not stopping.wait(seconds):
            work()

    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(loop)
        try:
            yield
        finally:
            stopping.set()
        running.result()
