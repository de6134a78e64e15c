"""A real Apache Kafka in a container, through testcontainers (a development dependency; needs a Docker engine).

testcontainers has its own reaper, Ryuk, for containers whose maker was killed, in an image that is not to be had
everywhere. Ours is a watcher: a supervised child that removes the container when it is asked to end or we are gone.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from orchestrator.dev.cluster import VERSION, broker_settings, cluster_answers, create_topics
from orchestrator.dev.errors import BadRequest, ChildFailed, MissingTool
from orchestrator.dev.process import ChildProcess, Command, free_port, spawn_ready

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

__all__ = ["IMAGE", "DockerKafka", "docker_answers", "main"]

IMAGE = f"apache/kafka:{VERSION}"

_LISTENER_PORT = 9092
_CONTROLLER_PORT = 9093
_START_SECONDS = 120.0
_STOP_SECONDS = 20
_REMOVE_SECONDS = 30.0
_TAIL_LINES = 20


class DockerKafka:
    """One Kafka node in a container, on a fixed free port of the Docker host. Its data outlives `stop` and `kill`.

    The Docker host is where DOCKER_HOST says, or this machine; from inside a container that only shares the engine's
    socket, give the way back by TESTCONTAINERS_HOST_OVERRIDE.

    Args:
        folder: for the watcher's log; made if it is not there.
        topics: made at the first start, of four partitions each.
        image: with the interface of `apache/kafka`.

    """

    kind: Literal["docker"] = "docker"
    client_settings: Mapping[str, str] = {}

    def __init__(self, folder: Path, topics: Sequence[str] = (), *, image: str = IMAGE) -> None:
        self._folder = folder.absolute()
        self._topics = list(topics)
        self._image = image
        self._port = free_port()
        self._host = ""
        self._wrapper: DockerContainer | None = None
        self._watcher: ChildProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`HOST:PORT`; the same through stops and starts.

        Raises:
            BadRequest: it was not started.

        """
        if not self._host:
            raise BadRequest(_NOT_STARTED)
        return f"{self._host}:{self._port}"

    @property
    def container(self) -> Any:
        """The container, a `docker.models.containers.Container`: the library has no types.

        Raises:
            BadRequest: it was not started.

        """
        if self._wrapper is None:
            raise BadRequest(_NOT_STARTED)
        return self._wrapper.get_wrapped_container()

    @property
    def running(self) -> bool:
        """Whether the container runs; a paused one does."""
        if self._wrapper is None:
            return False
        self.container.reload()
        return self.container.status in {"running", "paused"}

    def start(self) -> None:
        """Start the node and wait until it answers; again after `stop` or `kill` on the same port and data.

        Raises:
            MissingTool: testcontainers is not installed, or no engine answers.
            ChildFailed: the image is not there, or the container ended; with the end of its log.
            NotReady: it did not answer within two minutes.
            BadRequest: it runs already.

        """
        _require()
        from docker.errors import DockerException  # type: ignore[import-untyped]  # noqa: PLC0415 - a development dependency

        if self.running:
            msg = f"Kafka runs already, at {self.bootstrap_servers}"
            raise BadRequest(msg)
        try:
            if self._wrapper is None:
                self._create()
            else:
                self.container.start()
        except DockerException as exc:
            msg = f"the container {self._image} could not be started: {exc}"
            raise ChildFailed(msg) from exc
        self._wait_ready()
        self.create_topics(self._topics)

    def stop(self) -> None:
        """Stop the node in order; the container stays. Does nothing when it does not run."""
        if self.running:
            self.container.stop(timeout=_STOP_SECONDS)

    def kill(self) -> None:
        """End it with SIGKILL; the container stays."""
        if self.running:
            self.container.kill()
            self.container.wait()

    def pause(self) -> None:
        """Freeze it: connections stay and nothing answers."""
        self.container.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self.container.unpause()

    def close(self) -> None:
        """Remove the container and its data."""
        if self._watcher is not None:
            if self._watcher.stop(_REMOVE_SECONDS) != 0:  # it was killed, or the engine did not listen to it
                self.container.remove(force=True, v=True)
            self._watcher = None
        if self._wrapper is not None:
            self._wrapper.get_docker_client().client.close()
            self._wrapper = None

    def create_topics(self, topics: Sequence[str]) -> None:
        """Make further topics (see `cluster.create_topics`)."""
        create_topics(self.bootstrap_servers, topics)

    def __enter__(self) -> Self:
        try:
            if not self.running:
                self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self) -> None:
        from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 - a development dependency
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415

        wrapper = DockerContainer(self._image)
        host = wrapper.get_docker_client().host()
        local = host in {"localhost", "127.0.0.1"}
        self._host = "127.0.0.1" if local else host
        settings = broker_settings(
            listener=f"0.0.0.0:{_LISTENER_PORT}",
            advertised=self.bootstrap_servers,
            controller=f"0.0.0.0:{_CONTROLLER_PORT}",
            voter=f"localhost:{_CONTROLLER_PORT}",
        )
        for name, value in settings.items():
            wrapper.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
        # The port is ours and not the engine's choice: that would be another one after each start.
        ports: dict[str, Any] = wrapper.ports
        ports[f"{_LISTENER_PORT}/tcp"] = ("127.0.0.1", self._port) if local else self._port
        try:
            # The watcher does what testcontainers' own reaper is for, and needs no image of its own.
            testcontainers_config.ryuk_disabled, before = True, testcontainers_config.ryuk_disabled
            try:
                wrapper.start()
            finally:
                testcontainers_config.ryuk_disabled = before
            self._watch(wrapper.get_container_id())
        except BaseException:
            wrapper.stop()
            raise
        self._wrapper = wrapper

    def _watch(self, container: str) -> None:
        ready = self._folder / "watcher.out"
        path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = Command(
            name="the watcher of the Kafka container",
            argv=[sys.executable, "-m", __name__, container],
            log=self._folder / "watcher.log",
            output=ready,
            env={**os.environ, "PYTHONPATH": path},
            orphan_signal=signal.SIGTERM,
            orphan_grace=_REMOVE_SECONDS,
        )
        self._watcher = spawn_ready(command, lambda _: ready.read_text().endswith("\n"), _REMOVE_SECONDS)

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if self.running:
                return cluster_answers(self.bootstrap_servers)
            tail = self.container.logs(tail=_TAIL_LINES).decode(errors="replace")
            msg = f"Kafka's container ended before it was ready; the end of its log:\n{tail}"
            raise ChildFailed(msg)

        self._watcher_runs().wait_ready(ready, _START_SECONDS)

    def _watcher_runs(self) -> ChildProcess:
        if self._watcher is None:
            raise BadRequest(_NOT_STARTED)
        return self._watcher


_NOT_STARTED = "Kafka's container was not started"


def docker_answers() -> bool:
    """Whether testcontainers is installed and a Docker engine answers."""
    try:
        _require()
    except MissingTool:
        return False
    return True


def _require() -> None:
    if importlib.util.find_spec("testcontainers") is None:
        msg = "testcontainers is not installed: pip install testcontainers"
        raise MissingTool(msg)
    import docker  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with testcontainers

    _require_socket()
    try:
        with closing(docker.from_env()) as client:
            client.ping()
    except docker.errors.DockerException as exc:
        msg = f"no Docker engine answers; install Docker and start it: {exc}"
        raise MissingTool(msg) from exc


def _require_socket() -> None:
    """The client forgets to close a Unix socket that it could not connect; so one of ours tries first."""
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not address.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5.0)
        try:
            probe.connect(address.removeprefix("unix://"))
        except OSError as exc:
            msg = f"no Docker engine answers at {address}; install Docker and start it: {exc.strerror or exc}"
            raise MissingTool(msg) from exc


def main() -> None:
    """Be the watcher: wait for SIGTERM, then remove the container that argv names."""
    import docker  # noqa: PLC0415 - comes with testcontainers

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with closing(docker.from_env()) as client:
        container = client.containers.get(sys.argv[1])
        print("watching", flush=True)  # noqa: T201 - tells the parent that the signal will be heard
        ended.wait()
        with suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)


if __name__ == "__main__":
    main()
