"""`redact`, `keep` and `select` of an integration file: in its shape, in what is sent, and in what is told of a call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from consumers.audit.entry import Exchange
from consumers.errors import ActionError
from consumers.folders import ready_folder
from consumers.integrations.build import Integration
from consumers.integrations.load import BadIntegration, files_in, read
from consumers.integrations.mapping import Template
from consumers.integrations.spec import IntegrationSpec, ReadSpec
from consumers.privacy import rules
from consumers.system import Call, SystemConfig
from orchestrator.redaction import using
from orchestrator.settings import BadSettings
from schemas.models import CreateVendor

SHIPPED = [*files_in(ready_folder().parent), *files_in(ready_folder())]
VENDOR = CreateVendor(
    vendor_name="Ada Canary",
    vendor_type="SUPPLIER",
    tax_id="DE-CANARY-4711",
    payment_terms="NET_30",
    primary_contact_email="ada.canary@example.com",
)


@pytest.mark.parametrize(("redact", "line"), [("{tax_id: hide}", "redact.tax_id"), ("{'a b': mask}", "redact.a b")])
def test_a_wrong_rule_is_told_at_its_place(tmp_path: Path, redact: str, line: str) -> None:
    text = SHIPPED[0].read_text(encoding="utf-8").replace("protocol: rest\n", f"protocol: rest\nredact: {redact}\n", 1)
    text = text.replace("\nredact:\n", "\nold:\n", 1)
    file = tmp_path / "erp.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadIntegration) as caught:
        read(file)
    assert any(problem.field.startswith(line) for problem in caught.value.problems)


@pytest.mark.parametrize("text", ["name: x\nredact: {a: hide}\n", "name: [", "redact: {}", "- 1", None])
def test_where_nobody_knows_what_to_hide_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    folder = tmp_path / "more"
    if text is not None:
        folder.mkdir()
        (folder / "x.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SAGA_SYSTEM_FOLDERS", str(folder))
    with pytest.raises(BadSettings, match=r"more|x\.yaml"):
        rules()


def test_the_rules_are_those_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_READY_SYSTEMS", "stripe")
    found = rules()
    run = [*files_in(ready_folder().parent), ready_folder() / "stripe.yaml"]
    assert found == {spec.name: spec.redact for spec in map(read, run)}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_hides_what_is_personal(path: Path) -> None:
    """A parameter of a command with such a name is hidden; the next file shall not forget it."""
    spec = read(path)
    personal = ("email", "tax_id", "iban", "first_name", "last_name", "recipient", "salary", "phone")
    for action in spec.actions.values():
        for name in {*(action.parameters or {}), *(action.returns or {})}:
            if any(part in name for part in personal):
                assert name in spec.redact, f"{path.stem}: {name}"


def test_an_answer_is_asked_to_hold_only_what_is_selected() -> None:
    spec = read(SHIPPED[0])
    request = ReadSpec(path="/v", query={"top": 1}, select={"$select": ["id", "bank/iban"], "fields": ["a"]})
    sent = Template.of(spec, request, None).fill({})
    assert sent.query == {"top": "1", "$select": "id,bank/iban", "fields": "a"}


@dataclass
class Server:
    """Answers every request the same."""

    url: str = ""
    answer: bytes = b""
    requests: list[bytes] = field(default_factory=list)

    def says(self, status: int, body: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {len(content)}\r\n\r\n"
        self.answer = head.encode() + content

    async def serve(self, reader: Any, writer: Any) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def told() -> list[Exchange]:
    return []


@pytest.fixture
def call(told: list[Exchange]) -> Call:
    async def renew() -> None:
        """The claim is ours."""

    return Call(UUID(int=1), "s", "do", 1, "key", renew, told=told.append)


@pytest.mark.parametrize(
    ("status", "answer", "kept"),
    [
        (201, {"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00Z", "owner": "Bob Canary", "tax_id": "DE-CANARY-4711"},
         '{"vendor_id":"V-1","created_at":"2026-01-01T00:00:00Z"}'),
        (409, {"code": "DUPLICATE_TAX_ID", "message": "DE-CANARY-4711 is Ada Canary's"}, '{"code":"DUPLICATE_TAX_ID"}'),
        (409, b"<p>DE-CANARY-4711</p>", "<21 bytes>"),
    ],
)  # fmt: skip
async def test_the_audit_of_a_call_has_what_is_kept_and_nothing_hidden(
    server: Server, call: Call, told: list[Exchange], status: int, answer: Any, kept: str
) -> None:
    server.says(status, answer)
    spec = read(next(path for path in SHIPPED if path.stem == "erp"))
    system = Integration(spec)(SystemConfig(server.url))
    action = system.actions[CreateVendor.contract.name]
    said = ""
    async with system.lifespan():
        with using(lambda: action.hiding(VENDOR)):
            try:
                await action.handler(VENDOR, call)
            except ActionError as exc:
                said = exc.code
    assert (said == "") == (status == 201)
    (exchange,) = told
    assert exchange.response == kept
    assert "CANARY" not in repr(exchange).upper()
    assert "4711" in exchange.request  # last4
    assert b"DE-CANARY-4711" in server.requests[-1], "the system gets all of it"


async def test_a_value_in_the_path_is_hidden_in_the_endpoint(server: Server, call: Call, told: list[Exchange]) -> None:
    raw = yaml.safe_load(next(path for path in SHIPPED if path.stem == "erp").read_text(encoding="utf-8"))
    raw["actions"]["create_vendor"]["request"]["path"] = "/vendors/{tax_id}/{vendor_name}"
    server.says(201, {"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00Z"})
    system = Integration(IntegrationSpec.model_validate(raw))(SystemConfig(server.url))
    action = system.actions[CreateVendor.contract.name]
    async with system.lifespan():
        with using(lambda: action.hiding(VENDOR)):
            await action.handler(VENDOR, call)
    assert "CANARY" in server.requests[-1].decode().upper()
    assert "CANARY" not in repr(told).upper()
