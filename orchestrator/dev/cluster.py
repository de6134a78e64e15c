"""What every real Kafka of the dev stack has in common: its settings, being ready, its topics."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from orchestrator.dev.errors import BadRequest, NotReady
from orchestrator.messaging.admin import topic_config

__all__ = ["PARTITIONS", "VERSION", "broker_settings", "cluster_answers", "create_topics"]

VERSION = "4.1.0"
"""Of Apache Kafka: the jars and the image."""

PARTITIONS = 4
"""Of a topic, if nothing else is asked for."""

_REQUEST_SECONDS = 5.0
_TOPIC_SECONDS = 30.0
_RETRY_SECONDS = 0.1


def broker_settings(*, listener: str, advertised: str, controller: str, voter: str) -> dict[str, str]:
    """Settings of a single node that is broker and KRaft controller, without its log folder.

    Args:
        listener: `host:port` where clients are listened for.
        advertised: the same as clients see it.
        controller: `host:port` of the controller's listener.
        voter: the same as the broker, in the same process or container, sees it.

    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://{listener},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{advertised}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@{voter}",
        # After a crash the node waits until its former self counts as gone: nine seconds, if nobody says otherwise.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # A topic that nobody made is a mistake to be seen, in tests as in production.
        "auto.create.topics.enable": "false",
        "num.partitions": str(PARTITIONS),
        "group.initial.rebalance.delay.ms": "0",
        # One node cannot replicate; and fifty partitions of each internal topic only cost time at the start.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }


def cluster_answers(bootstrap_servers: str) -> bool:
    """Whether a broker answers DescribeCluster within five seconds."""
    admin = _admin(bootstrap_servers)  # in a variable: the answer of a client that is collected never comes
    try:
        described = admin.describe_cluster(request_timeout=_REQUEST_SECONDS).result(_REQUEST_SECONDS + 1)
    except (KafkaException, TimeoutError):
        return False
    return bool(described.nodes)


def create_topics(
    bootstrap_servers: str,
    topics: Sequence[str],
    *,
    partitions: int = PARTITIONS,
    config: Mapping[str, str] | None = None,
) -> None:
    """Make topics that can be used at once; those that are there stay as they are.

    Args:
        bootstrap_servers: of the cluster.
        topics: names.
        partitions: of each.
        config: settings of each beside those that a topic of that name has, with Kafka's names.

    Raises:
        BadRequest: Kafka refuses one of them.
        NotReady: it did not answer, or a partition got no leader, within half a minute.

    """
    if not topics:
        return
    admin = _admin(bootstrap_servers)
    deadline = time.monotonic() + _TOPIC_SECONDS
    missing = list(topics)
    while missing := _create(admin, missing, partitions, config):
        _pause(deadline, f"topics {', '.join(missing)} could not be made")
    while leaderless := _without_leader(admin, topics):
        _pause(deadline, f"topics without a leader: {', '.join(leaderless)}")


def _create(admin: AdminClient, topics: Sequence[str], partitions: int, config: Mapping[str, str] | None) -> list[str]:
    """Ask once; the topics to ask for again."""
    wanted = [
        NewTopic(name, num_partitions=partitions, config={**topic_config(name), **(config or {})}) for name in topics
    ]
    futures: dict[str, Future[None]] = admin.create_topics(wanted, request_timeout=_REQUEST_SECONDS)
    again = []
    for name, future in futures.items():
        try:
            future.result(_REQUEST_SECONDS + 1)
        except TimeoutError:
            again.append(name)
        except KafkaException as exc:
            error: KafkaError = exc.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            if not (error.retriable() or error.code() in _FOR_A_WHILE):
                msg = f"topic {name!r}: {error.str()}"
                raise BadRequest(msg) from exc
            again.append(name)
    return again


# A node that has just started has no registered broker yet, and says so by these.
_FOR_A_WHILE = {
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.NOT_CONTROLLER,
    KafkaError._TIMED_OUT,  # noqa: SLF001 - that is its public name
    KafkaError._TRANSPORT,  # noqa: SLF001
}


def _without_leader(admin: AdminClient, topics: Sequence[str]) -> list[str]:
    try:
        found = admin.list_topics(timeout=_REQUEST_SECONDS).topics
    except KafkaException:
        return list(topics)
    return [
        name
        for name in topics
        if name not in found or not found[name].partitions or any(p.leader < 0 for p in found[name].partitions.values())
    ]


def _pause(deadline: float, message: str) -> None:
    if time.monotonic() > deadline:
        msg = f"{message} within {_TOPIC_SECONDS:g} s"
        raise NotReady(msg)
    time.sleep(_RETRY_SECONDS)


def _admin(bootstrap_servers: str) -> AdminClient:
    # A client that is refused says so on standard error, and while a server starts that is no news.
    config: dict[str, Any] = {"bootstrap.servers": bootstrap_servers, "log_level": 0, "error_cb": lambda _: None}
    return AdminClient(config)
