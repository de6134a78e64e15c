"""A real Apache Kafka without Docker: the released jars, one KRaft node, as a supervised child."""

from __future__ import annotations

import os
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from orchestrator.dev.cluster import VERSION, broker_settings, cluster_answers, create_topics
from orchestrator.dev.errors import BadRequest, MissingTool
from orchestrator.dev.maven import cached, copy_dependencies, has_java, has_maven, java
from orchestrator.dev.process import ChildProcess, Command, free_port, port_open, run, spawn_ready

__all__ = ["JARS_VARIABLE", "NativeKafka", "kafka_jars", "missing_tools"]

JARS_VARIABLE = "SAGA_KAFKA_JARS"
"""Environment variable: a folder with the jars, where Maven cannot or shall not fetch them."""

# Kafka brings log4j's core, and no bridge from slf4j to it: without one the server says nothing at all.
_ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
_LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %m (%c)%n
"""
_SHORT_RUN = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_FORMAT_SECONDS = 60.0
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0


class NativeKafka:
    """One Kafka node on free ports of 127.0.0.1. Its data is in `folder` and outlives `stop` and `kill`.

    Args:
        folder: for data, settings and log; made if it is not there.
        topics: made at the first start, of four partitions each.

    """

    kind: Literal["native"] = "native"
    client_settings: Mapping[str, str] = {}

    def __init__(self, folder: Path, topics: Sequence[str] = ()) -> None:
        self._folder = folder.absolute()
        self._topics = list(topics)
        self._port = free_port()
        self._controller_port = free_port()
        self._child: ChildProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:PORT`; the same through stops and starts."""
        return f"127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._folder / "kafka.log"

    @property
    def process(self) -> ChildProcess:
        """The running server.

        Raises:
            BadRequest: it was not started.

        """
        if self._child is None:
            msg = "Kafka was not started"
            raise BadRequest(msg)
        return self._child

    def start(self) -> None:
        """Start the node and wait until it answers; again after `stop` or `kill` on the same port and data.

        Raises:
            MissingTool: Java is missing, or Maven and the jars.
            FetchFailed: the jars could not be fetched.
            ChildFailed: the server ended; with the end of its log.
            NotReady: it did not answer within 90 seconds.
            BadRequest: it runs already.

        """
        if self._running():
            msg = f"Kafka runs already, at {self.bootstrap_servers}"
            raise BadRequest(msg)
        base = [java(), "-cp", f"{kafka_jars()}/*", f"-Dlog4j2.configurationFile={self._folder}/log4j2.properties"]
        properties = self._write_settings()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(base, properties)
        argv = [
            *(base[0], "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:-UsePerfData"),
            *("-Djava.awt.headless=true", *base[1:], "kafka.Kafka", str(properties)),
        ]
        self._child = spawn_ready(self._command("Kafka", argv), lambda _: self._answers(), _START_SECONDS)
        self.create_topics(self._topics)

    def stop(self) -> None:
        """Stop the node in order. Does nothing when it does not run."""
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

    def close(self) -> None:
        """As `stop`; the data is the folder's owner's to remove."""
        self.stop()

    def create_topics(self, topics: Sequence[str]) -> None:
        """Make further topics (see `cluster.create_topics`)."""
        create_topics(self.bootstrap_servers, topics)

    def __enter__(self) -> Self:
        try:
            if not self._running():
                self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> bool:
        return self._child is not None and self._child.running

    def _answers(self) -> bool:
        return port_open(self._port) and cluster_answers(self.bootstrap_servers)

    def _write_settings(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = broker_settings(
            listener=self.bootstrap_servers,
            advertised=self.bootstrap_servers,
            controller=f"127.0.0.1:{self._controller_port}",
            voter=f"127.0.0.1:{self._controller_port}",
        )
        settings["log.dirs"] = str(self._folder / "data").replace("\\", "\\\\")
        (self._folder / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")
        properties = self._folder / "server.properties"
        properties.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), encoding="utf-8")
        return properties

    def _format(self, base: Sequence[str], properties: Path) -> None:
        arguments = ["format", "--cluster-id", _cluster_id(), "--config", str(properties), "--ignore-formatted"]
        argv = [base[0], *_SHORT_RUN, *base[1:], "kafka.tools.StorageTool", *arguments]
        run(self._command("Kafka's StorageTool", argv), _FORMAT_SECONDS)

    def _command(self, name: str, argv: Sequence[str]) -> Command:
        # Kept apart from the tuning that somebody's shell has for another Java program.
        env = {k: v for k, v in os.environ.items() if k not in {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"}}
        return Command(name=name, argv=argv, log=self.log, env=env, cwd=self._folder)


def kafka_jars() -> Path:
    """The folder with Kafka's jars: SAGA_KAFKA_JARS, else our cache, filled at the first call (40 MB).

    Raises:
        MissingTool: SAGA_KAFKA_JARS names a folder without Kafka, or Maven is needed and missing.
        FetchFailed: Maven failed.

    """
    given = os.environ.get(JARS_VARIABLE)
    if given:
        if not any(Path(given).glob("kafka_2.13-*.jar")):
            msg = f"{JARS_VARIABLE}: there is no kafka_2.13-….jar in {given}"
            raise MissingTool(msg)
        return Path(given).absolute()
    return cached(f"kafka-{VERSION}", lambda into: copy_dependencies(_ARTIFACTS, into))


def missing_tools() -> list[str]:
    """What a native Kafka needs and this machine lacks."""
    needed = [] if has_java() else ["Java 17"]
    return needed if has_maven() or os.environ.get(JARS_VARIABLE) else [*needed, "Maven"]


def _cluster_id() -> str:
    # As Kafka's own Uuid.randomUuid: base64 of 16 bytes, and no dash in front, which would read as an option.
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()).startswith("-"):
        pass
    return text
