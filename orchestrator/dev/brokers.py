"""One way to every Kafka that the dev stack and the tests can have."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, Self

from orchestrator.dev.cluster import cluster_answers, create_topics
from orchestrator.dev.docker_kafka import DockerKafka, docker_answers
from orchestrator.dev.errors import NoBroker
from orchestrator.dev.mock_kafka import MockKafka
from orchestrator.dev.native_kafka import JARS_VARIABLE, NativeKafka, missing_tools

__all__ = [
    "BOOTSTRAP_VARIABLE",
    "Broker",
    "CrashableBroker",
    "ExternalKafka",
    "Kind",
    "find_real_broker",
    "real_kind",
    "start_kafka",
]

BOOTSTRAP_VARIABLE = "SAGA_KAFKA_BOOTSTRAP_SERVERS"
"""Environment variable: a Kafka that somebody else runs."""

Kind = Literal["embedded", "native", "docker"]


class Broker(Protocol):
    """A Kafka that runs. As a context manager it is closed at the end."""

    @property
    def kind(self) -> Literal["embedded", "native", "docker", "external"]:
        """How it is run."""

    @property
    def bootstrap_servers(self) -> str:
        """`host:port`, separated by commas."""

    @property
    def client_settings(self) -> Mapping[str, str]:
        """Settings of librdkafka that consumers should take on this broker."""

    def create_topics(self, topics: Sequence[str]) -> None:
        """Make topics that can be used at once; those that are there stay as they are.

        Raises:
            BadRequest: Kafka refuses one of them.
            NotReady: it does not answer.

        """

    def stop(self) -> None:
        """Stop it in order."""

    def close(self) -> None:
        """Stop it and remove what only it could use."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class CrashableBroker(Broker, Protocol):
    """A broker of ours, which a test may treat badly. The embedded one forgets everything when it ends."""

    def start(self) -> None:
        """Start it again, on the same port and data; the embedded one empty on another port."""

    def kill(self) -> None:
        """End it with SIGKILL."""


class ExternalKafka:
    """A Kafka that somebody else runs; it is neither started nor stopped here."""

    kind: Literal["external"] = "external"
    client_settings: Mapping[str, str] = {}

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def create_topics(self, topics: Sequence[str]) -> None:
        """See `Broker.create_topics`."""
        create_topics(self.bootstrap_servers, topics)

    def stop(self) -> None:
        """Does nothing: it is not ours."""

    def close(self) -> None:
        """Does nothing: it is not ours."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_kafka(kind: Kind, folder: Path, topics: Sequence[str] = ()) -> CrashableBroker:
    """Start a Kafka with these topics, of four partitions each.

    Args:
        kind: `embedded` is librdkafka's mock cluster, `native` the released jars, `docker` a container.
        folder: for data and logs; made if it is not there.
        topics: names.

    Raises:
        DevError: as the `start` of each kind.

    """
    broker: CrashableBroker
    match kind:
        case "embedded":
            broker = MockKafka(folder, topics)
        case "native":
            broker = NativeKafka(folder, topics)
        case "docker":
            broker = DockerKafka(folder, topics)
    try:
        broker.start()
    except BaseException:
        broker.close()
        raise
    return broker


def find_real_broker(folder: Path, topics: Sequence[str] = ()) -> Broker:
    """A real Kafka, by the first way that there is: SAGA_KAFKA_BOOTSTRAP_SERVERS, Java with Maven, Docker.

    Args:
        folder: for data and logs, should one be started.
        topics: made if they are not there.

    Raises:
        NoBroker: there is no way, or the broker of the environment variable does not answer. Tests do not skip then.
        DevError: as `start_kafka`.

    """
    given = os.environ.get(BOOTSTRAP_VARIABLE)
    if given:
        if not cluster_answers(given):
            msg = f"{BOOTSTRAP_VARIABLE}: no Kafka answers at {given}"
            raise NoBroker(msg)
        external = ExternalKafka(given)
        external.create_topics(topics)
        return external
    return start_kafka(real_kind(), folder, topics)


def real_kind() -> Literal["native", "docker"]:
    """Which real Kafka can be started here.

    Raises:
        NoBroker: none.

    """
    missing = missing_tools()
    if not missing:
        return "native"
    if docker_answers():
        return "docker"
    msg = (
        f"there is no real Kafka: set {BOOTSTRAP_VARIABLE} to one that runs; or install {' and '.join(missing)} "
        f"(Debian: apt-get install openjdk-17-jre-headless maven; {JARS_VARIABLE} spares Maven); or start Docker"
    )
    raise NoBroker(msg)
