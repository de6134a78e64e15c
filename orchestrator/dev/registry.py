"""A schema registry without Docker: Apicurio's released runner, in memory, as a supervised child."""

from __future__ import annotations

import os
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from orchestrator.dev.errors import BadRequest, FetchFailed
from orchestrator.dev.maven import cached, copy_artifact, java
from orchestrator.dev.process import ChildProcess, Command, free_port, port_open, spawn_ready

__all__ = ["NativeRegistry"]

_VERSION = "3.0.9"
_ARTIFACT = f"io.apicurio:apicurio-registry-app:{_VERSION}:tar.gz:all"
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
_REQUEST_SECONDS = 10.0


class NativeRegistry:
    """One Apicurio registry on a free port of 127.0.0.1. What is registered is gone when it stops.

    Args:
        folder: for its log and temporary files; made if it is not there.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._port = free_port()
        self._child: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Of the interface that Confluent's clients speak; the same through stops and starts."""
        return f"http://127.0.0.1:{self._port}/apis/ccompat/v7"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._folder / "registry.log"

    @property
    def process(self) -> ChildProcess:
        """The running server.

        Raises:
            BadRequest: it was not started.

        """
        if self._child is None:
            msg = "the registry was not started"
            raise BadRequest(msg)
        return self._child

    def start(self) -> None:
        """Start an empty registry and wait until it answers.

        Raises:
            MissingTool: Java or Maven is missing.
            FetchFailed: the program could not be fetched.
            ChildFailed: it ended; with the end of its log.
            NotReady: it did not answer within two minutes.
            BadRequest: it runs already.

        """
        if self._child is not None and self._child.running:
            msg = f"the registry runs already, at {self.url}"
            raise BadRequest(msg)
        runner = _runner()
        temporary = self._folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        argv = [
            *(java(), "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
            *(f"-Djava.io.tmpdir={temporary}", "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self._port}"),
            *("-Dquarkus.log.level=WARN", "-Dquarkus.log.console.level=WARN"),
            *("-Dquarkus.banner.enabled=false", "-jar", str(runner)),
        ]
        # Its settings come from the environment too, under many names: it gets none of ours.
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME") if name in os.environ}
        command = Command(name="the schema registry", argv=argv, log=self.log, env=env, cwd=self._folder)
        self._child = spawn_ready(command, lambda _: self._answers(), _START_SECONDS)

    def stop(self) -> None:
        """Stop it; what was registered is gone. Does nothing when it does not run."""
        if self._child is not None:
            self._child.stop(_STOP_SECONDS)

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it is gone."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self.process.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        if not port_open(self._port):
            return False
        # No proxy of ours stands between us and ourselves.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/subjects", timeout=_REQUEST_SECONDS) as response:
                return bool(response.status == 200)
        except urllib.error.HTTPError as exc:
            exc.close()
            return False
        except OSError:
            return False


def _runner() -> Path:
    folder = cached(f"apicurio-registry-{_VERSION}", _fetch)
    found = next(folder.glob("*-runner.jar"), None)
    if found is None:
        msg = f"{_ARTIFACT} holds no runner; remove {folder} to fetch it again"
        raise FetchFailed(msg)
    return found


def _fetch(into: Path) -> None:
    copy_artifact(_ARTIFACT, into)
    archive = next(into.glob("*.tar.gz"), None)
    if archive is None:
        msg = f"Maven gave no archive for {_ARTIFACT}"
        raise FetchFailed(msg)
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    archive.unlink()
