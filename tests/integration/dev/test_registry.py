"""The native schema registry, as the project's own client sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from orchestrator.dev.registry import NativeRegistry

pytestmark = pytest.mark.native


def _schema(*fields: str) -> Schema:
    record = {"type": "record", "name": "Ordered", "fields": [{"name": f, "type": "string"} for f in fields]}
    return Schema(json.dumps(record), "AVRO")


def test_it_keeps_schemas_and_checks_them(tmp_path: Path) -> None:
    with NativeRegistry(tmp_path) as registry:
        with SchemaRegistryClient({"url": registry.url}) as client:
            first = client.register_schema("Ordered", _schema("id"))
            assert client.register_schema("Ordered", _schema("id")) == first
            client.set_compatibility("Ordered", "BACKWARD_TRANSITIVE")
            assert not client.test_compatibility("Ordered", _schema("id", "without_default"))
            with pytest.raises(SchemaRegistryError):
                client.register_schema("Ordered", _schema("id", "without_default"))
        url = registry.url
        registry.stop()
        registry.start()
        assert registry.url == url
        with SchemaRegistryClient({"url": url}) as client:
            assert client.get_subjects() == []


def test_it_does_not_outlive_us(dies_with_its_parent: Callable[..., int], tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from orchestrator.dev.registry import NativeRegistry
registry = NativeRegistry(Path(sys.argv[1]))
registry.start()
print("ready", flush=True)
time.sleep(600)
"""
    assert dies_with_its_parent(program, str(tmp_path)) == 2
