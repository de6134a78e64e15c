"""An event loop whose time is virtual, and processes in it that can be frozen and killed.

Nothing waits: when nothing is ready, time jumps to the next timer. Everything that a process runs carries its name in
a context variable, so that the loop can hold it all back, as SIGSTOP does, and let it go on later.
"""

# ruff: noqa: SLF001 - a loop knows the handles of asyncio from the inside

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVarTuple

__all__ = ["Process", "StuckError", "VirtualLoop"]

Ts = TypeVarTuple("Ts")

_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class StuckError(Exception):
    """Nothing is ready, and no timer will ever fire."""


class Process:
    """What can be frozen or killed as one: all tasks, and all that they have asked of the loop."""

    def __init__(self, name: str, loop: VirtualLoop) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self.thaws = 0
        self._loop = loop
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._held: list[asyncio.Handle] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of this process; those that it starts belong to it as well."""
        context = copy_context()
        context.run(_PROCESS.set, self)
        return self._loop.create_task(work, context=context)

    def own(self, task: asyncio.Task[Any]) -> None:
        """Keep a task of this process, for the day that it is killed."""
        self._tasks[task] = None
        if len(self._tasks) > 200:
            self._tasks = {task: None for task in self._tasks if not task.done()}

    def hold(self, handle: asyncio.Handle) -> None:
        """The process is frozen: later."""
        self._held.append(handle)

    def freeze(self) -> None:
        """Nothing of it runs from the next step of any of its tasks on."""
        self.frozen = True

    def thaw(self) -> None:
        """Go on, with everything that has become due meanwhile, in order."""
        self.frozen = False
        self.thaws += 1
        held, self._held = self._held, []
        self._loop.again(held)

    def kill(self) -> None:
        """End it at the awaits where its tasks stand. Its ports are dead, so what it still does has no effect."""
        self.dead = True
        self.thaw()
        for task in list(self._tasks):
            task.cancel()


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without a selector: time passes only by jumping to the next timer."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self._time = 0.0
        self._count = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._outside = Context()
        self.set_task_factory(_make_task)  # type: ignore[arg-type]
        self.errors: list[str] = []
        self.set_exception_handler(self._on_error)

    def _on_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        self.errors.append(f"{context['message']}: {type(exc).__name__}: {exc}" if exc else context["message"])

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._time

    def later(self, seconds: float, act: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        """Do it then, whatever becomes of the process that asks."""
        return self.call_at(self._time + seconds, act, *arguments, context=self._outside)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """See `asyncio.AbstractEventLoop`. Without the checks for threads and debugging, which cost as much again."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See `asyncio.AbstractEventLoop`. Of one time, the first that was asked for comes first."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, timer))
        return timer

    def again(self, handles: list[asyncio.Handle]) -> None:
        """Handles that were held back are ready now."""
        self._ready.extend(handles)

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2]._cancelled:
                heapq.heappop(timers)
            if timers:
                self._time = max(self._time, timers[0][0])
            elif not self._stopping:
                raise StuckError
        while timers and timers[0][0] <= self._time:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process: Process | None = handle._context.get(_PROCESS)  # type: ignore[attr-defined]
            if process is not None and process.frozen:
                process.hold(handle)
                continue
            handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers leave when their time comes."""

    def _process_events(self, event_list: object) -> None:
        """There is no selector."""

    def _write_to_self(self) -> None:
        """There are no threads to wake it from."""


def _make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    process = context.get(_PROCESS) if context is not None else _PROCESS.get()
    if process is not None:
        process.own(task)
    return task
