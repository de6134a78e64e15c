"""An event loop whose time is virtual, and processes in it that can be frozen and killed.

Nothing waits: when nothing is ready, time jumps to the next timer. Everything that a process runs carries its name in
a context variable, so that the loop can hold it all back, as SIGSTOP does, and let it go on later.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVarTuple

from msgspec import Struct

__all__ = ["Handle", "Process", "StuckError", "VirtualLoop"]

Ts = TypeVarTuple("Ts")

_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class StuckError(Exception):
    """Nothing is ready, and no timer will ever fire."""


class Handle(Struct, eq=False):
    """What asyncio's handles are to their callers, without debugging, names and threads: half the cost of a run."""

    act: Callable[..., object]
    arguments: tuple[Any, ...]
    context: Context
    cancelled: bool = False

    def cancel(self) -> None:
        """Do not do it."""
        self.cancelled = True
        self.act, self.arguments = _nothing, ()


def _nothing() -> None:
    """What is left of a cancelled handle: it holds nothing alive."""


class Process:
    """What can be frozen or killed as one: all tasks, and all that they have asked of the loop."""

    def __init__(self, name: str, loop: VirtualLoop) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self.thaws = 0
        self._loop = loop
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._held: list[Handle] = []

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

    def hold(self, handle: Handle) -> None:
        """The process is frozen: later."""
        self._held.append(handle)

    def freeze(self) -> None:
        """Nothing of it runs from the next step of any of its tasks on."""
        self.frozen = True
        self._loop.frozen.add(self)

    def thaw(self) -> None:
        """Go on, with everything that has become due meanwhile, in order."""
        self.frozen = False
        self._loop.frozen.discard(self)
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

    _ready: deque[Handle]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        # Every future asks for it: `bool` answers in C, and never with yes.
        self.get_debug = bool  # type: ignore[method-assign]
        self.now = 0.0
        self._count = 0
        self.nowrs: list[tuple[float, int, Handle]] = []
        self._outside = Context()
        self.set_task_factory(_make_task)  # type: ignore[arg-type]
        self.frozen: set[Process] = set()
        self.errors: list[str] = []
        self.set_exception_handler(self._on_error)

    def _on_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        self.errors.append(f"{context['message']}: {type(exc).__name__}: {exc}" if exc else context["message"])

    def time(self) -> float:
        """Seconds since the loop was made; so is `now`, for who asks often."""
        return self.now

    def later(self, seconds: float, act: Callable[..., Any], *arguments: Any) -> Handle:
        """Do it then, whatever becomes of the process that asks."""
        return self._at(self.now + seconds, act, arguments, self._outside)

    async def pause(self, seconds: float) -> None:
        """As `asyncio.sleep` does, for short times: a timer whose sleeper was cancelled stays, and finds nobody."""
        future: asyncio.Future[None] = asyncio.Future(loop=self)
        self._at(self.now + seconds, finish, (future,), self._outside)
        await future

    def call_soon(  # type: ignore[override]
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Handle:
        """See `asyncio.AbstractEventLoop`. Without the checks for threads and debugging, which cost as much again."""
        handle = Handle(callback, args, copy_context() if context is None else context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Handle:
        """See `asyncio.AbstractEventLoop`. Of one time, the first that was asked for comes first."""
        return self._at(when, callback, args, copy_context() if context is None else context)

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Handle:
        """See `asyncio.AbstractEventLoop`."""
        return self._at(self.now + delay, callback, args, copy_context() if context is None else context)

    def _at(self, when: float, act: Callable[..., object], arguments: tuple[Any, ...], context: Context) -> Handle:
        timer = Handle(act, arguments, context)
        self._count += 1
        heapq.heappush(self.nowrs, (when, self._count, timer))
        return timer

    def again(self, handles: list[Handle]) -> None:
        """Handles that were held back are ready now."""
        self._ready.extend(handles)

    def _run_once(self) -> None:
        """As often as there is something to do: up to the end of the run, for a single turn costs little but calls."""
        while True:
            self._make_ready()
            self._turn()
            if self._stopping:
                return

    def _turn(self) -> None:
        ready, frozen = self._ready, self.frozen
        for _ in range(len(ready)):
            handle = ready.popleft()
            if frozen and not handle.cancelled:
                process = handle.context.get(_PROCESS)
                if process is not None and process.frozen:
                    process.hold(handle)
                    continue
            try:
                handle.context.run(handle.act, *handle.arguments)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as exc:  # noqa: BLE001 - kept, and shown as what the run did wrong
                self.call_exception_handler({"message": f"in {handle.act!r}", "exception": exc})

    def _make_ready(self) -> None:
        """What is due; where nothing is ready, time jumps to what is due next."""
        ready, timers = self._ready, self.nowrs
        if not ready:
            while timers and timers[0][2].cancelled:
                heapq.heappop(timers)
            if timers:
                self.now = max(self.now, timers[0][0])
            elif not self._stopping:
                raise StuckError
        now = self.now
        while timers and timers[0][0] <= now:
            ready.append(heapq.heappop(timers)[2])

    def _process_events(self, event_list: object) -> None:
        """There is no selector."""

    def _write_to_self(self) -> None:
        """There are no threads to wake it from."""


def finish(future: asyncio.Future[None]) -> None:
    """What was waited for is there, if somebody still waits."""
    if not future.done():
        future.set_result(None)


def _make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    process = context.get(_PROCESS) if context is not None else _PROCESS.get()
    if process is not None:
        process.own(task)
    return task
