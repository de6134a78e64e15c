"""One suite for every Kafka of ours; then what is special to one of them, and how one is found."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from orchestrator.dev import brokers, maven
from orchestrator.dev.brokers import Broker, CrashableBroker, Kind, find_real_broker, start_kafka
from orchestrator.dev.docker_kafka import DockerKafka, docker_answers
from orchestrator.dev.errors import BadRequest, ChildFailed, MissingTool, NoBroker
from orchestrator.dev.mock_kafka import MockKafka
from orchestrator.dev.native_kafka import NativeKafka, kafka_jars


def _needs(kind: Kind) -> None:
    # Docker is one way of several; the native one may not be skipped.
    if kind == "docker" and not docker_answers():
        pytest.skip("no Docker engine answers")


@pytest.fixture(scope="module", params=[pytest.param(k, marks=pytest.mark.native) for k in get_args(Kind)])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashableBroker]:
    _needs(request.param)
    with start_kafka(request.param, tmp_path_factory.mktemp(request.param), ["orders", "replies"]) as found:
        yield found


@pytest.fixture(params=[pytest.param(k, marks=pytest.mark.native) for k in ("native", "docker")])
def lasting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NativeKafka | DockerKafka]:
    _needs(request.param)
    with start_kafka(request.param, tmp_path, ["orders"]) as found:
        assert isinstance(found, NativeKafka | DockerKafka)
        yield found


def _produce(broker: Broker, topic: str, values: Sequence[bytes], partition: int = 0) -> None:
    failed = []
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "enable.idempotence": True, "log_level": 0})
    for value in values:
        producer.produce(
            topic,
            value=value,
            key=b"saga",
            partition=partition,
            headers=[("ce_id", value), ("empty", b"")],
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
    assert producer.flush(30) == 0
    assert failed == []


def _consume(broker: Broker, topic: str, group: str, count: int, *, commit: int | None = None) -> list[Message]:
    config: dict[str, Any] = {
        "bootstrap.servers": broker.bootstrap_servers,
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "log_level": 0,
        **broker.client_settings,
    }
    consumer = Consumer(config)
    consumer.subscribe([topic])
    found: list[Message] = []
    deadline = time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count}"
        message = consumer.poll(0.2)
        if message is not None:
            assert message.error() is None
            found.append(message)
    if commit is not None:
        offsets = [TopicPartition(topic, 0, commit)]
        consumer.commit(offsets=offsets, asynchronous=False)
        assert [p.offset for p in consumer.committed(offsets, timeout=10)] == [commit]
    consumer.close()
    return found


def test_messages_go_through_a_group_with_their_headers_and_offsets(broker: Broker) -> None:
    group = f"group-{uuid.uuid4()}"
    _produce(broker, "orders", [b"1", b"2", b"3"])
    first = _consume(broker, "orders", group, 3, commit=2)
    assert [m.value() for m in first] == [b"1", b"2", b"3"]
    assert [m.key() for m in first] == [b"saga"] * 3
    assert first[0].headers() == [("ce_id", b"1"), ("empty", b"")]
    # The group goes on where it committed; another one begins at the beginning.
    assert [m.value() for m in _consume(broker, "orders", group, 1)] == [b"3"]
    assert [m.value() for m in _consume(broker, "orders", f"group-{uuid.uuid4()}", 3)] == [b"1", b"2", b"3"]


def test_topics_have_four_partitions_and_making_one_again_changes_nothing(broker: Broker) -> None:
    broker.create_topics(["orders", "later"])
    _produce(broker, "later", [b"kept"], partition=3)
    broker.create_topics(["later"])
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})
    topics = producer.list_topics(timeout=10).topics
    assert {name: len(topics[name].partitions) for name in ("orders", "replies", "later")} == {
        "orders": 4,
        "replies": 4,
        "later": 4,
    }
    assert [m.value() for m in _consume(broker, "later", f"group-{uuid.uuid4()}", 1)] == [b"kept"]


def test_it_cannot_be_started_twice(broker: CrashableBroker) -> None:
    with pytest.raises(BadRequest, match="runs already"):
        broker.start()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_what_was_acknowledged_and_committed_survives(lasting: NativeKafka | DockerKafka, end: str) -> None:
    address = lasting.bootstrap_servers
    _produce(lasting, "orders", [b"1", b"2"])
    _consume(lasting, "orders", "group", 2, commit=1)
    getattr(lasting, end)()
    with pytest.raises(KafkaException):
        Producer({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=1)
    lasting.start()
    assert lasting.bootstrap_servers == address
    assert [m.value() for m in _consume(lasting, "orders", "group", 1)] == [b"2"]


def test_a_paused_broker_does_not_answer_and_goes_on(lasting: NativeKafka | DockerKafka) -> None:
    lasting.pause()
    producer = Producer({"bootstrap.servers": lasting.bootstrap_servers, "log_level": 0})
    with pytest.raises(KafkaException):
        producer.list_topics(timeout=1)
    lasting.resume()
    assert "orders" in producer.list_topics(timeout=10).topics


@pytest.mark.native
def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    kafka = NativeKafka(tmp_path)
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(ChildFailed, match=r"kafka\.log"):
        kafka.start()


def test_the_mock_cluster_can_have_more_brokers_and_forgets(tmp_path: Path) -> None:
    with MockKafka(tmp_path, ["orders"], brokers=2) as broker:
        assert len(broker.bootstrap_servers.split(",")) == 2
        _produce(broker, "orders", [b"1"])
        broker.kill()
        broker.start()
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})
        assert set(producer.list_topics(timeout=10).topics) == {"orders"}


_START = """
import sys, time
from pathlib import Path
from orchestrator.dev.brokers import start_kafka
kafka = start_kafka(sys.argv[1], Path(sys.argv[2]), ["orders"])
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["embedded", pytest.param("native", marks=pytest.mark.native)])
def test_it_does_not_outlive_us(kind: Kind, dies_with_its_parent: Callable[..., int], tmp_path: Path) -> None:
    assert dies_with_its_parent(_START, kind, str(tmp_path)) == 2


@pytest.mark.native
def test_a_container_does_not_outlive_us(dies_with_its_parent: Callable[..., int], tmp_path: Path) -> None:
    _needs("docker")
    import docker

    client = docker.from_env()
    before = {c.id for c in client.containers.list(all=True)}
    assert dies_with_its_parent(_START, "docker", str(tmp_path), gone=30.0) == 2
    assert {c.id for c in client.containers.list(all=True)} <= before
    client.close()


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither Java nor Maven nor Docker nor a broker's address."""
    for name in ("JAVA_HOME", "SAGA_KAFKA_BOOTSTRAP_SERVERS", "SAGA_KAFKA_JARS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("bare_machine")
def test_without_any_way_to_kafka_there_is_an_error_that_names_them_all(tmp_path: Path) -> None:
    with pytest.raises(NoBroker) as caught:
        find_real_broker(tmp_path)
    for way in ("SAGA_KAFKA_BOOTSTRAP_SERVERS", "Java 17", "Maven", "Docker"):
        assert way in str(caught.value)


@pytest.mark.usefixtures("bare_machine")
def test_a_missing_tool_is_named_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match="openjdk"):
        NativeKafka(tmp_path).start()
    with pytest.raises(MissingTool, match="Docker"):
        DockerKafka(tmp_path).start()


@pytest.mark.usefixtures("bare_machine")
def test_without_maven_the_jars_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    with pytest.raises(MissingTool, match="install maven"):
        kafka_jars()
    monkeypatch.setenv("SAGA_KAFKA_JARS", str(tmp_path))
    with pytest.raises(MissingTool, match="SAGA_KAFKA_JARS"):
        kafka_jars()
    (tmp_path / "kafka_2.13-4.1.0.jar").touch()
    assert kafka_jars() == tmp_path


def test_an_address_that_does_not_answer_is_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    with pytest.raises(NoBroker, match=r"127\.0\.0\.1:9"):
        find_real_broker(tmp_path)


@pytest.mark.native
def test_a_given_address_is_used_and_left_alone(
    lasting: NativeKafka | DockerKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGA_KAFKA_BOOTSTRAP_SERVERS", lasting.bootstrap_servers)
    with find_real_broker(tmp_path / "unused", ["orders", "more"]) as broker:
        assert broker.kind == "external"
        _produce(broker, "more", [b"1"])
        broker.stop()
    assert "more" in Producer({"bootstrap.servers": lasting.bootstrap_servers}).list_topics(timeout=10).topics
    assert not (tmp_path / "unused").exists()


def test_docker_is_asked_only_when_java_or_maven_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    asked: list[str] = []
    monkeypatch.setattr(brokers, "docker_answers", lambda: True)
    monkeypatch.setattr(brokers, "start_kafka", lambda kind, *_: asked.append(kind))
    monkeypatch.setattr(brokers, "missing_tools", list)
    find_real_broker(tmp_path)
    monkeypatch.setattr(brokers, "missing_tools", lambda: ["Maven"])
    find_real_broker(tmp_path)
    assert asked == ["native", "docker"]


def test_a_cache_folder_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def breaks(into: Path) -> None:
        (into / "half").touch()
        raise OSError

    with pytest.raises(OSError):
        maven.cached("thing-1", breaks)
    left = tmp_path / "saga-orchestrator" / ".thing-1-killed"
    left.mkdir()
    folder = maven.cached("thing-1", lambda into: (into / "whole").touch())
    assert [entry.name for entry in folder.iterdir()] == ["whole"]
    assert not left.exists()
    assert maven.cached("thing-1", breaks) == folder
    shutil.rmtree(folder)
