"""The registry adapter against a real registry, and against servers that answer as registries do on a bad day."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from orchestrator.core.sample import sample
from orchestrator.dev.process import free_port
from orchestrator.dev.registry import NativeRegistry
from schemas.catalogue import load
from schemas.codec import Codec
from schemas.errors import RegistryUnavailable, SchemaRefused, UnknownRecord, UnknownSchemaId
from schemas.models import BY_NAME, ProcessInvoiceRequested, VendorCreated
from schemas.registry import ConfluentRegistry, compatibility_level

pytestmark = pytest.mark.native

MADE = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
VENDOR = VendorCreated(vendor_id="V-1", created_at=MADE)


@pytest.fixture(scope="module")
def registered(registry_url: str) -> Mapping[str, int]:
    return ConfluentRegistry(registry_url).register_all()


@pytest.fixture
def client(registry_url: str) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": registry_url}) as made:
        yield made


@pytest.fixture
def codec(registry_url: str, registered: Mapping[str, int]) -> Codec:
    return Codec(ConfluentRegistry(registry_url))


@pytest.fixture
def answers() -> Iterator[Callable[[int, bytes], str]]:
    """A server that gives one answer to everything; its URL."""
    servers = []

    def serve(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def with_field(contract: str, **field: Any) -> Schema:
    schema = deepcopy(dict(load()[contract]))
    schema["fields"].append({"doc": "new", **field})
    return Schema(json.dumps(schema), "AVRO")


# -- registering -----------------------------------------------------------------------------------------------------


def test_everything_is_registered_under_its_full_name_and_again_is_the_same(
    registry_url: str, registered: Mapping[str, int], client: SchemaRegistryClient
) -> None:
    assert set(registered) == set(BY_NAME)
    assert len(set(registered.values())) == len(registered)
    versions = {name: client.get_versions(name) for name in registered}
    assert ConfluentRegistry(registry_url).register_all() == registered
    assert {name: client.get_versions(name) for name in registered} == versions
    assert set(client.get_subjects()) >= set(BY_NAME)


def test_an_id_is_looked_up_and_not_made(registry_url: str, registered: Mapping[str, int]) -> None:
    registry = ConfluentRegistry(registry_url)
    assert {name: registry.id_of(name) for name in registered} == registered


def test_each_contract_has_the_level_of_its_kind(registered: Mapping[str, int], client: SchemaRegistryClient) -> None:
    levels = {name: client.get_compatibility(name) for name in registered}
    assert levels == {name: compatibility_level(load()[name]["kind"]) for name in registered}


@pytest.mark.parametrize("name", ["saga.vendor.VendorOnboardingRequested", "saga.erp.CreateVendor"])
def test_the_registry_refuses_what_old_sagas_would_not_survive(
    name: str, registered: Mapping[str, int], client: SchemaRegistryClient
) -> None:
    with pytest.raises(SchemaRegistryError):
        client.register_schema(name, with_field(name, name="must", type="string"))
    assert client.test_compatibility(name, with_field(name, name="may", type="string", default=""))


def test_a_command_may_not_lose_a_field_and_a_request_may(
    registered: Mapping[str, int], client: SchemaRegistryClient
) -> None:
    def without_its_first(name: str) -> Schema:
        schema = deepcopy(dict(load()[name]))
        del schema["fields"][0]
        return Schema(json.dumps(schema), "AVRO")

    command, request = "saga.erp.CreateVendor", "saga.vendor.VendorOnboardingRequested"
    assert not client.test_compatibility(command, without_its_first(command))
    assert client.test_compatibility(request, without_its_first(request))


def test_a_contract_that_the_registry_refuses_is_named(tmp_path: Path) -> None:
    name = "saga.erp.VendorCreated"
    other = {"type": "record", "name": "VendorCreated", "namespace": "saga.erp", "fields": []}
    with NativeRegistry(tmp_path) as registry, SchemaRegistryClient({"url": registry.url}) as client:
        client.register_schema(name, Schema(json.dumps(other), "AVRO"))
        with pytest.raises(SchemaRefused, match=r"saga\.erp\.VendorCreated refused"):
            ConfluentRegistry(registry.url).register_all()
        with pytest.raises(UnknownSchemaId, match="not registered as it is here"):
            ConfluentRegistry(registry.url).id_of(name)


# -- end to end ------------------------------------------------------------------------------------------------------


def test_another_process_reads_what_this_one_wrote(registry_url: str, codec: Codec) -> None:
    reader = Codec(ConfluentRegistry(registry_url))
    for model in BY_NAME.values():
        if model.contract.kind in ("completion", "engine"):
            record = sample(model, full=True)
            assert reader.decode(codec.encode(record)) == record


def test_any_avro_client_reads_what_we_wrote(codec: Codec, client: SchemaRegistryClient) -> None:
    read = AvroDeserializer(client)
    context = SerializationContext("invoice-processing.requests", MessageField.VALUE)
    invoice = ProcessInvoiceRequested.model_validate(
        {
            "vendor_tax_id": "DE1",
            "invoice_number": "Ä-1",
            "amount": "10.50",
            "currency": "EUR",
            "issued_on": "2026-01-31",
        }
    )
    assert read(codec.encode(VENDOR), context) == {"vendor_id": "V-1", "created_at": MADE}
    found = read(codec.encode(invoice), context)
    assert found == invoice.model_dump()
    assert isinstance(found["amount"], Decimal)


def test_we_read_what_any_avro_client_wrote(codec: Codec, client: SchemaRegistryClient) -> None:
    write = AvroSerializer(
        client,
        json.dumps(load()["saga.erp.VendorCreated"]),
        conf={"auto.register.schemas": False, "subject.name.strategy": lambda context, record: record},
    )
    context = SerializationContext("erp.completions", MessageField.VALUE)
    data = write({"vendor_id": "V-1", "created_at": MADE}, context)
    assert data is not None
    assert codec.decode(data) == VENDOR


def test_what_a_newer_writer_wrote_is_read_without_its_new_field(codec: Codec, client: SchemaRegistryClient) -> None:
    newer = with_field("saga.erp.VendorDeactivated", name="by", type="string", default="")
    number = client.register_schema("saga.erp.VendorDeactivated", newer)
    record = codec.decode(b"\x00" + number.to_bytes(4, "big") + b"\x01" + b"\x06ada")
    assert record.model_dump() == {"found": True}


# -- bad days --------------------------------------------------------------------------------------------------------


def test_an_id_that_the_registry_does_not_know_is_unknown(codec: Codec) -> None:
    with pytest.raises(UnknownSchemaId, match="123456789"):
        codec.decode(b"\x00" + (123456789).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("subject", "schema"),
    [
        ("foreign.Order", Schema('{"type":"record","name":"Order","namespace":"foreign","fields":[]}', "AVRO")),
        ("foreign.proto", Schema('syntax = "proto3"; message A { string b = 1; }', "PROTOBUF")),
        ("foreign.json", Schema('{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}', "JSON")),
    ],
)
def test_a_foreign_schema_is_an_unknown_record(
    subject: str, schema: Schema, codec: Codec, client: SchemaRegistryClient
) -> None:
    number = client.register_schema(subject, schema)
    with pytest.raises(UnknownRecord):
        codec.decode(b"\x00" + number.to_bytes(4, "big"))


def test_a_registry_that_is_down_says_nothing_about_the_schema() -> None:
    registry = ConfluentRegistry(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RegistryUnavailable):
        registry.writer_schema(1)
    with pytest.raises(RegistryUnavailable):
        registry.id_of("saga.erp.VendorCreated")
    with pytest.raises(RegistryUnavailable):
        registry.register_all()


def test_a_registry_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    with NativeRegistry(tmp_path) as registry:
        ConfluentRegistry(registry.url).register_all()
        codec = Codec(ConfluentRegistry(registry.url))
        registry.stop()
        with pytest.raises(RegistryUnavailable):
            codec.encode(VENDOR)
        registry.start()
        ConfluentRegistry(registry.url).register_all()
        data = codec.encode(VENDOR)
        registry.stop()
        # Known by now, so nobody has to be asked.
        assert codec.encode(VENDOR) == data


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"error_code": 40101, "message": "Unauthorized"}'),
        (403, b'{"error_code": 40301, "message": "Forbidden"}'),
        (429, b'{"error_code": 42901, "message": "Too many requests"}'),
        (429, b"slow down"),
        (500, b'{"error_code": 50001, "message": "Error in the backend data store"}'),
        (503, b""),
        (404, b"<html>no such page</html>"),
        (404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}'),
        (200, b"<html>please sign in</html>"),
        (200, b"[]"),
        (200, b""),
    ],
)
def test_an_answer_that_is_about_us_says_nothing_about_the_schema(
    status: int, body: bytes, answers: Callable[[int, bytes], str]
) -> None:
    registry = ConfluentRegistry(answers(status, body))
    with pytest.raises(RegistryUnavailable):
        registry.writer_schema(1)
    with pytest.raises(RegistryUnavailable):
        registry.id_of("saga.erp.VendorCreated")
    with pytest.raises(RegistryUnavailable):
        registry.register_all()


def test_confluents_own_not_found_says_that_there_is_none(answers: Callable[[int, bytes], str]) -> None:
    registry = ConfluentRegistry(answers(404, b'{"error_code": 40403, "message": "Schema not found"}'))
    with pytest.raises(UnknownSchemaId):
        registry.writer_schema(1)
