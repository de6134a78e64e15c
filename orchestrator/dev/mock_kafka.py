"""librdkafka's mock cluster in a process of its own, for a first look: all in memory, nothing kept, nothing fast.

As a program it is the cluster itself: `python -m orchestrator.dev.mock_kafka --brokers 1 --topics a,b` prints one line
of JSON, `{"bootstrap_servers": "127.0.0.1:…"}`, when it is ready, and stays until SIGTERM, SIGINT or its parent's end.
What it does not do: CreateTopics, transactions on more than one broker, retention, anything after a restart. Never
measure on it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from confluent_kafka import KafkaException, Producer

from orchestrator.dev.errors import BadRequest, NotReady
from orchestrator.dev.process import ChildProcess, Command, spawn_ready

__all__ = ["CLIENT_SETTINGS", "PARTITIONS", "MockKafka", "main"]

PARTITIONS = 4
"""Of each topic; librdkafka's own number, it cannot be set from here."""

CLIENT_SETTINGS: Mapping[str, str] = {
    "fetch.wait.max.ms": "20",
    "session.timeout.ms": "4000",
    "heartbeat.interval.ms": "1000",
}
"""What a consumer needs to be quick here.

The cluster answers a fetch only when its wait is over. And whenever a member joins or leaves a group, it waits for the
session timeout less one second before it assigns anything, also to a group that is empty by now: that is 44 seconds
with librdkafka's default (rdkafka_mock_cgrp.c, `rd_kafka_mock_cgrp_classic_rebalance`).
"""

_START_SECONDS = 30.0
_REQUEST_SECONDS = 10.0
_PARENT_CHECK_SECONDS = 1.0


class MockKafka:
    """The mock cluster as a supervised child.

    Args:
        folder: for its log; made if it is not there.
        topics: that exist from the start.
        brokers: number of brokers.

    """

    kind: Literal["embedded"] = "embedded"
    client_settings: Mapping[str, str] = CLIENT_SETTINGS

    def __init__(self, folder: Path, topics: Sequence[str] = (), *, brokers: int = 1) -> None:
        self._folder = folder
        self._topics = list(topics)
        self._brokers = brokers
        self._child: ChildProcess | None = None
        self._bootstrap_servers = ""

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:PORT`, one per broker, separated by commas; a new one after each `start`.

        Raises:
            BadRequest: it was not started.

        """
        if not self._bootstrap_servers:
            msg = "the mock cluster was not started"
            raise BadRequest(msg)
        return self._bootstrap_servers

    @property
    def process(self) -> ChildProcess:
        """The process that holds the cluster.

        Raises:
            BadRequest: it was not started.

        """
        if self._child is None:
            msg = "the mock cluster was not started"
            raise BadRequest(msg)
        return self._child

    def start(self) -> None:
        """Start an empty cluster.

        Raises:
            ChildFailed: it could not be started.
            NotReady: it did not say its address within half a minute.
            BadRequest: it runs already.

        """
        if self._child is not None and self._child.running:
            msg = "the mock cluster runs already"
            raise BadRequest(msg)
        output = self._folder / "mock-kafka.json"
        topics = ",".join(self._topics)
        argv = [sys.executable, "-m", __name__, "--brokers", str(self._brokers), "--topics", topics]
        # The child must find this very package, whatever its working directory.
        path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = Command(
            name="the mock Kafka cluster",
            argv=argv,
            log=self._folder / "mock-kafka.log",
            output=output,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._child = spawn_ready(command, lambda _: output.read_text().endswith("\n"), _START_SECONDS)
        self._bootstrap_servers = json.loads(output.read_text())["bootstrap_servers"]

    def stop(self) -> None:
        """End it, and with it all topics, messages and offsets. Does nothing when it does not run."""
        if self._child is not None:
            self._child.stop(2.0)

    def kill(self) -> None:
        """End it with SIGKILL; nothing is lost that `stop` would keep."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """As `stop`."""
        self.stop()

    def create_topics(self, topics: Sequence[str]) -> None:
        """Make further topics, of `PARTITIONS` partitions each; those that are there stay as they are.

        Raises:
            NotReady: the cluster does not answer.

        """
        _make_topics(Producer({"bootstrap.servers": self.bootstrap_servers, "log_level": 0}), topics)

    def __enter__(self) -> Self:
        if self._child is None or not self._child.running:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_topics(producer: Producer, topics: Sequence[str]) -> None:
    # The cluster knows no CreateTopics; to be asked for a topic's metadata by a producer is what makes it exist.
    for topic in topics:
        try:
            producer.list_topics(topic, timeout=_REQUEST_SECONDS)
        except KafkaException as exc:
            msg = f"the mock cluster did not answer about topic {topic!r}: {exc}"
            raise NotReady(msg) from exc


def main(argv: Sequence[str] | None = None) -> None:
    """Be the cluster (see the module)."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.dev.mock_kafka", description=__doc__)
    parser.add_argument("--brokers", type=int, default=1)
    parser.add_argument("--topics", default="", help="names, separated by commas")
    given = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    parent = os.getppid()

    # The cluster lives in this producer; other processes learn its ports from the metadata.
    producer = Producer({"test.mock.num.brokers": given.brokers, "log_level": 3})
    _make_topics(producer, [name for name in given.topics.split(",") if name])
    brokers = producer.list_topics(timeout=_REQUEST_SECONDS).brokers
    addresses = ",".join(f"{b.host}:{b.port}" for _, b in sorted(brokers.items()))
    print(json.dumps({"bootstrap_servers": addresses}), flush=True)  # noqa: T201 - that line is the interface
    while not ended.wait(_PARENT_CHECK_SECONDS) and os.getppid() == parent:
        pass


if __name__ == "__main__":
    main()
