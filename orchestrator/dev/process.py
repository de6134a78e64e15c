"""Child processes that are ours: they end when we end, however we end, and in the order we choose.

Each child has a guard (see `_guard.py`) between us and itself, so children may be started from any thread. Both are in
a session of their own: Ctrl-C in the terminal reaches us alone, and we stop the children in order. POSIX only.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.dev.errors import ChildFailed, NotReady

__all__ = ["ChildProcess", "Command", "User", "free_port", "port_open", "run", "spawn", "spawn_ready"]

_GUARD = Path(__file__).with_name("_guard.py")
_START_SECONDS = 30.0
_KILL_SECONDS = 10.0
_SIGNAL_SECONDS = 5.0
_POLL_SECONDS = 0.02
_TAIL_LINES = 20
_TAIL_BYTES = 16_384

# Below what Linux (32768) and macOS (49152) take for outgoing connections: a server that is stopped finds its port
# still free when it starts again.
_PORTS = range(15_000, 32_000)


@dataclass(frozen=True, slots=True)
class User:
    """A user that a child runs as; only root can ask for another than itself."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to start, and how it is to end.

    Attributes:
        name: for people, in error messages.
        argv: program and arguments.
        log: file that gets standard error, and standard output too unless `output` is set; appended to.
        output: file that gets standard output alone; emptied at the start.
        env: the whole environment; None is ours.
        cwd: working directory; None is ours.
        user: whom to run as; None is ourselves.
        orphan_signal: what the child gets first when we are gone; SIGKILL follows.
        orphan_grace: seconds between the two.
        scratch: a folder *made for this child* that is removed if we end without having stopped it.

    """

    name: str
    argv: Sequence[str]
    log: Path
    output: Path | None = None
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: User | None = None
    orphan_signal: int = signal.SIGKILL
    orphan_grace: float = 3.0
    scratch: Path | None = None


class ChildProcess:
    """A running child. Made by `spawn`; all methods may be called from any thread, and again after its end.

    Keep it: a child whose object is collected is ended, as it is when we end.
    """

    def __init__(self, command: Command, guard: subprocess.Popen[bytes], control: socket.socket, log_from: int) -> None:
        self.command = command
        self._guard = guard
        self._control = control
        self._log_from = log_from
        self._lock = threading.Lock()
        self._buffer = b""
        self._reports: dict[str, Any] = {}
        self._ended = False
        self._orders = 0
        self._await(lambda: bool(self._reports), _START_SECONDS)
        if "pid" not in self._reports:
            reason = self._reports.get("error", "its guard did not start")
            self._give_up()
            msg = f"{command.name} could not be started: {reason}{self._tail_text()}"
            raise ChildFailed(msg)
        self.pid: int = self._reports["pid"]

    @property
    def returncode(self) -> int | None:
        """Exit status, the negative signal number if a signal ended it, None while it runs."""
        self._pump(0)
        if not self._ended:
            return None
        # Without a report somebody killed the guard, and the child died with it.
        return int(self._reports.get("exit", -signal.SIGKILL))

    @property
    def running(self) -> bool:
        """Whether it has not ended yet; a paused child runs."""
        return self.returncode is None

    def send_signal(self, number: int) -> None:
        """Send a signal: SIGKILL, SIGSTOP and SIGCONT to the child and all its descendants, others to itself alone.

        Returns when it has been sent, or when there is nobody to send it to.
        """
        with self._lock:
            if self._ended:
                return
            self._orders += 1
            order = self._orders
            with contextlib.suppress(OSError):  # it has just ended, which the caller sees by `returncode`
                self._control.send(bytes([number]))
        self._await(lambda: self._reports.get("sent", 0) >= order, _SIGNAL_SECONDS)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM); does not wait."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL), with all its descendants; waits until it is gone."""
        self.send_signal(signal.SIGKILL)
        if not self.wait(_KILL_SECONDS):
            self._give_up()

    def pause(self) -> None:
        """Freeze it and its descendants (SIGSTOP)."""
        self.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self.send_signal(signal.SIGCONT)

    def wait(self, timeout: float) -> bool:
        """Wait for its end, at most so many seconds; whether it has ended."""
        self._await(lambda: False, timeout)
        return not self.running

    def stop(self, grace: float = 10.0, *, by: int = signal.SIGTERM) -> int | None:
        """Ask it to end, and kill it if it has not after `grace` seconds; its exit status."""
        if self.running:
            self.send_signal(by)
            self.send_signal(signal.SIGCONT)  # one that was paused hears nothing before
            if not self.wait(grace):
                self.kill()
        return self.returncode

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Ask `ready` again and again until it says yes.

        Raises:
            ChildFailed: the child has ended; with the last lines of its log.
            NotReady: it still runs after `timeout` seconds; the same.

        """
        deadline = time.monotonic() + timeout
        while self.running:
            if ready():
                return
            if time.monotonic() > deadline:
                msg = f"{self.command.name} was not ready after {timeout:g} s{self._tail_text()}"
                raise NotReady(msg)
            time.sleep(_POLL_SECONDS)
        msg = f"{self.command.name} ended with status {self.returncode} before it was ready{self._tail_text()}"
        raise ChildFailed(msg)

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines that it has written to its log since it started."""
        try:
            with self.command.log.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_from, end - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError as exc:
            return f"(its log cannot be read: {exc})"
        return "\n".join(text.splitlines()[-lines:])

    def _tail_text(self) -> str:
        tail = self.log_tail()
        return f"; the end of {self.command.log}:\n{tail}" if tail else f"; {self.command.log} is empty"

    def _await(self, reported: Callable[[], bool], seconds: float) -> None:
        """Wait for a report of the guard, for its end, or for so long."""
        deadline = time.monotonic() + seconds
        while not (self._ended or reported()) and (left := deadline - time.monotonic()) > 0:
            self._pump(min(left, 0.1))  # short: it holds the lock

    def _pump(self, seconds: float) -> None:
        """Take in what the guard has reported, waiting at most so long for it."""
        with self._lock:
            if self._ended or not select.select([self._control], [], [], seconds)[0]:
                return
            try:
                data = self._control.recv(4096)
            except ConnectionError:
                data = b""
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            for line in lines:
                self._reports.update(json.loads(line))
            if not data:
                self._ended = True
                self._control.close()
                self._guard.wait()

    def _give_up(self) -> None:
        """Leave it to the guard, which ends when the socket does."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self._control.close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._guard.wait(self.command.orphan_grace + 1)


def spawn(command: Command) -> ChildProcess:
    """Start a child.

    Raises:
        ChildFailed: the program is not there or cannot be executed.

    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    ours, theirs = socket.socketpair()
    spec = {
        "argv": list(command.argv),
        "control": theirs.fileno(),
        "parent": os.getpid(),
        "cwd": str(command.cwd) if command.cwd else None,
        "uid": command.user.uid if command.user else None,
        "gid": command.user.gid if command.user else None,
        "orphan_signal": command.orphan_signal,
        "orphan_grace": command.orphan_grace,
        "scratch": str(command.scratch) if command.scratch else None,
    }
    with theirs, ExitStack() as files:
        log = files.enter_context(command.log.open("ab"))
        output = files.enter_context(command.output.open("wb")) if command.output else log
        log_from = log.tell()
        try:
            guard = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [sys.executable, "-I", "-S", str(_GUARD), json.dumps(spec)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env=dict(command.env) if command.env is not None else None,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    return ChildProcess(command, guard, ours, log_from)


def spawn_ready(command: Command, ready: Callable[[ChildProcess], bool], timeout: float) -> ChildProcess:
    """Start a child and wait until it is ready; one that is not is stopped again.

    Raises:
        ChildFailed: as `spawn` and `ChildProcess.wait_ready`.
        NotReady: as `ChildProcess.wait_ready`.

    """
    child = spawn(command)
    try:
        child.wait_ready(lambda: ready(child), timeout)
    except BaseException:
        child.kill()
        raise
    return child


def run(command: Command, timeout: float) -> None:
    """Run a command to its end.

    Raises:
        ChildFailed: it failed; with the last lines of its log.
        NotReady: it had not ended after `timeout` seconds, and was killed.

    """
    child = spawn(command)
    try:
        ended = child.wait(timeout)
    finally:
        child.kill()
    if not ended:
        msg = f"{command.name} had not ended after {timeout:g} s{child._tail_text()}"  # noqa: SLF001 - same module
        raise NotReady(msg)
    if child.returncode != 0:
        msg = f"{command.name} failed with status {child.returncode}{child._tail_text()}"  # noqa: SLF001
        raise ChildFailed(msg)


_given_ports: set[int] = set()


def free_port() -> int:
    """A TCP port that nothing uses on 127.0.0.1, and that this process has not been given before.

    Raises:
        ChildFailed: none was found.

    """
    for _ in range(1000):
        port = _PORTS[secrets.randbelow(len(_PORTS))]  # not `random`: test tools seed that
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    msg = f"no free port in {_PORTS.start}..{_PORTS.stop - 1}"
    raise ChildFailed(msg)


def port_open(port: int) -> bool:
    """Whether something listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
