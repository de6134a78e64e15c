"""Stands between us and one child process, so that the child cannot outlive us.

Run as a file by a bare interpreter (`python -I -S _guard.py SPEC`), so it may import the standard library only.

Why a process of its own, and not just Linux' PR_SET_PDEATHSIG in the child: that signal comes when the *thread* that
forked ends, it is lost on a change of user, and it does not exist elsewhere. The guard has one thread, so it can use it
for the child; and it learns of our end by the end of a socket, or, when a fork of ours still holds that socket, by
getting another parent.

Downwards comes one byte per signal to send; upwards go lines of JSON: {"pid": …} or {"error": …}, {"sent": …} with the
number of signals sent so far, at last {"exit": …}.
Sending signals here has a second reason: the guard alone reaps the child, so the pid cannot have been given to another
process in between.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_WHOLE_FAMILY = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT}
_PARENT_CHECK_SECONDS = 1.0


class _Ended(Exception):
    """Nobody wants the child any more."""


def _prctl() -> Callable[[int, int], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def call(option: int, value: int) -> None:
        libc.prctl(option, value, 0, 0, 0)

    return call


def _start(spec: dict[str, Any], prctl: Callable[[int, int], None] | None) -> subprocess.Popen[bytes]:
    guard = os.getpid()

    def before_exec() -> None:  # after the change of user, which would take the setting away again
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)

    who: dict[str, Any] = {}
    if spec["uid"] is not None:
        who = {"user": spec["uid"], "group": spec["gid"], "extra_groups": []}
    return subprocess.Popen(  # noqa: S603 - the caller's own argv
        spec["argv"],
        cwd=spec["cwd"],
        process_group=0,
        preexec_fn=before_exec,  # noqa: PLW1509 - this process has one thread
        **who,
    )


def _family(root: int) -> list[int]:
    """Everything below `root`; empty where there is no /proc. PostgreSQL's leave the process group."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name, in brackets, may hold anything; the fields after it are state and parent.
            parent = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _send(child: subprocess.Popen[bytes], number: int) -> None:
    if child.poll() is not None:
        return
    if number not in _WHOLE_FAMILY:
        child.send_signal(number)
        return
    below = _family(child.pid)  # before its death, which moves them elsewhere
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
    for pid in below:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)


def _end(child: subprocess.Popen[bytes], spec: dict[str, Any]) -> None:
    _send(child, spec["orphan_signal"])
    _send(child, signal.SIGCONT)  # one that was paused hears nothing before
    _wait(child, spec["orphan_grace"])
    _send(child, signal.SIGKILL)
    child.wait()


def _sweep() -> None:
    """End what the child left behind. It has come to us, as the subreaper."""
    me = os.getpid()
    for _ in range(100):
        left = _family(me)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(0.01)


def _watch(child: subprocess.Popen[bytes], control: socket.socket, wake: socket.socket, parent: int) -> None:
    carried_out = 0
    while child.poll() is None:
        ready, _, _ = select.select([control, wake], [], [], _PARENT_CHECK_SECONDS)
        if wake in ready:
            wake.recv(512)
        if control in ready:
            orders = control.recv(512)
            if not orders:
                raise _Ended
            for number in orders:
                _send(child, number)
            carried_out += len(orders)
            _report(control, sent=carried_out)
        if os.getppid() != parent:
            raise _Ended


def _report(control: socket.socket, **line: int | str) -> None:
    with contextlib.suppress(OSError):
        control.sendall(json.dumps(line).encode() + b"\n")


def _asked_to_end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a handler
    raise _Ended


def main() -> None:
    """Start the child that the specification in argv names, and stay until it has ended."""
    spec = json.loads(sys.argv[1])
    control = socket.socket(fileno=spec["control"])
    wake, wake_writer = socket.socketpair()
    wake.setblocking(False)
    wake_writer.setblocking(False)
    signal.set_wakeup_fd(wake_writer.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    prctl = _prctl()
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        child = _start(spec, prctl)
    except (OSError, subprocess.SubprocessError) as exc:
        _report(control, error=str(exc))
        return
    orphaned = False
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _asked_to_end)
        _report(control, pid=child.pid)
        _watch(child, control, wake, spec["parent"])
    except (_Ended, ConnectionError):
        orphaned = True
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _end(child, spec)
    _sweep()
    _report(control, exit=child.returncode)
    if orphaned and spec["scratch"] is not None:
        shutil.rmtree(spec["scratch"], ignore_errors=True)


if __name__ == "__main__":
    main()
