"""Children: they end when we end, in every way that we can end, and say why when they fail."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.dev.errors import ChildFailed, NotReady
from orchestrator.dev.process import ChildProcess, Command, free_port, port_open, run, spawn, spawn_ready

_POLITE = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\nprint('up', flush=True)\n"
_STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\n"
_SLEEP = "time.sleep(600)\n"


class Nursery:
    """Starts Python programs, and stops what the test has left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "child.log"
        self.children: list[ChildProcess] = []

    def command(self, program: str, *arguments: str) -> Command:
        return Command("the child", [sys.executable, "-c", program, *arguments], self.log)

    def spawn(self, program: str, *arguments: str) -> ChildProcess:
        child = spawn(self.command(program, *arguments))
        self.children.append(child)
        child.wait_ready(lambda: "up" in child.log_tail(), 10)
        return child


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    found = Nursery(tmp_path)
    yield found
    for child in found.children:
        child.kill()


def _eventually(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_stop_lets_the_child_end_in_its_own_way(nursery: Nursery) -> None:
    child = nursery.spawn(_POLITE + _SLEEP)
    assert child.running
    assert child.stop(10) == 3
    assert not child.running
    assert not _exists(child.pid)


def test_a_stop_kills_a_child_that_does_not_end(nursery: Nursery) -> None:
    child = nursery.spawn(_STUBBORN + _SLEEP)
    assert child.stop(0.2) == -signal.SIGKILL
    assert not _exists(child.pid)


def test_everything_may_be_called_again_after_the_end(nursery: Nursery) -> None:
    child = nursery.spawn("print('up')")
    assert child.wait(10)
    child.terminate()
    child.pause()
    child.resume()
    child.kill()
    assert child.stop() == 0
    assert child.wait(0)


def test_a_paused_child_stands_still_and_can_be_stopped_in_order(nursery: Nursery) -> None:
    count = nursery.folder / "count"
    program = _POLITE + f"while True:\n    open({str(count)!r}, 'a').write('x')\n    time.sleep(0.01)\n"
    child = nursery.spawn(program)
    _eventually(lambda: count.exists())
    child.pause()
    time.sleep(0.1)
    before = count.stat().st_size
    time.sleep(0.2)
    assert count.stat().st_size == before
    assert child.running
    child.resume()
    _eventually(lambda: count.stat().st_size > before)
    child.pause()
    assert child.stop(10) == 3


def test_a_child_that_dies_early_is_reported_with_the_end_of_its_log(nursery: Nursery) -> None:
    program = "for i in range(100): print('line', i)\nraise SystemExit('no such configuration')"
    with pytest.raises(ChildFailed, match="ended with status 1 before it was ready") as caught:
        spawn_ready(nursery.command(program), lambda _: False, 30)
    assert "no such configuration" in str(caught.value)
    assert "line 99" in str(caught.value)
    assert "line 5\n" not in str(caught.value)
    assert str(nursery.log) in str(caught.value)


def test_the_log_of_an_earlier_run_is_not_taken_for_this_one(nursery: Nursery) -> None:
    nursery.log.write_text("a very old error\n")
    with pytest.raises(ChildFailed) as caught:
        spawn_ready(nursery.command("raise SystemExit('a new error')"), lambda _: False, 30)
    assert "a new error" in str(caught.value)
    assert "old" not in str(caught.value)


def test_a_child_that_never_gets_ready_is_reported_and_stopped(nursery: Nursery) -> None:
    seen: list[ChildProcess] = []

    def never(child: ChildProcess) -> bool:
        seen.append(child)
        return False

    with pytest.raises(NotReady, match=r"not ready after 0.3 s"):
        spawn_ready(nursery.command(_STUBBORN + _SLEEP), never, 0.3)
    assert not seen[0].running


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no-such-program"):
        spawn(Command("it", ["/no-such-program"], tmp_path / "log"))


def test_run_waits_for_the_end_and_reports_a_failure(nursery: Nursery) -> None:
    run(nursery.command("print('fine')"), 30)
    with pytest.raises(ChildFailed, match="status 7"):
        run(nursery.command("raise SystemExit(7)"), 30)
    with pytest.raises(NotReady, match="had not ended"):
        run(nursery.command("import time; time.sleep(60)"), 0.3)


def test_standard_output_can_be_kept_apart(tmp_path: Path) -> None:
    program = "import sys; print('data'); print('talk', file=sys.stderr)"
    argv = [sys.executable, "-c", program]
    run(Command("it", argv, tmp_path / "log", output=tmp_path / "out", env={"PATH": ""}, cwd=tmp_path), 30)
    assert (tmp_path / "out").read_text() == "data\n"
    assert (tmp_path / "log").read_text() == "talk\n"


def test_a_kill_takes_the_descendants_with_it(nursery: Nursery) -> None:
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print('up', child.pid, flush=True)\ntime.sleep(600)\n"
    )
    child = nursery.spawn(program)
    grandchild = int(child.log_tail().split()[1])
    assert _exists(grandchild)
    child.kill()
    assert not _exists(grandchild)


def test_what_a_child_leaves_behind_is_ended(nursery: Nursery) -> None:
    program = (
        "import subprocess\nprint('up', subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
    )
    child = nursery.spawn(program)
    grandchild = int(child.log_tail().split()[1])
    assert child.wait(10)
    assert not _exists(grandchild)


def test_a_child_outlives_the_thread_that_started_it(nursery: Nursery) -> None:
    thread = threading.Thread(target=nursery.spawn, args=[_POLITE + _SLEEP])
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert nursery.children[0].running


def test_the_terminal_does_not_reach_a_child(nursery: Nursery) -> None:
    child = nursery.spawn(_POLITE + _SLEEP)
    assert os.getsid(child.pid) != os.getsid(0)


def test_a_child_does_not_outlive_its_guard(nursery: Nursery) -> None:
    child = nursery.spawn(_STUBBORN + _SLEEP)
    guard = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(guard, signal.SIGKILL)
    assert child.wait(10)
    assert child.returncode == -signal.SIGKILL
    _eventually(lambda: not _exists(child.pid))


_START = """
import os, sys, time
from pathlib import Path
from orchestrator.dev.process import Command, spawn
child = spawn(Command("it", ["sleep", "600"], Path(sys.argv[1]) / "log", scratch=Path(sys.argv[1]) / "scratch"))
"""


def test_a_child_does_not_outlive_us(dies_with_its_parent: Callable[..., int], tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "more").mkdir(parents=True)
    assert dies_with_its_parent(_START + "print('ready', flush=True); time.sleep(600)", str(tmp_path)) == 2
    assert not scratch.exists()


def test_a_fork_of_ours_does_not_keep_a_child_alive(tmp_path: Path, nursery: Nursery) -> None:
    # The fork holds our end of the socket, so its end never comes.
    program = _START + "print('up', child.pid, flush=True)\nos.fork()\ntime.sleep(600)\n"
    parent = nursery.spawn(program, str(tmp_path))
    child = int(parent.log_tail().split()[1])
    os.kill(parent.pid, signal.SIGKILL)
    _eventually(lambda: not _exists(child))


def test_free_ports_are_free_and_not_given_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert not any(port_open(port) for port in ports)
    assert max(ports) < 32_768  # above, an outgoing connection may take it between two starts of a server
