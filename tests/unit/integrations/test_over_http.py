"""What is sent, and what is made of each answer: over a real socket, with the contracts of the ERP and the list."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
import yaml

from consumers.errors import Failed, Rejected, Unknown
from consumers.folders import folders
from consumers.integrations.build import ContractMissing, Integration
from consumers.integrations.load import files_in
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, System, SystemConfig
from orchestrator.settings import BadSettings
from schemas.models import ApproveSupplier, CreateVendor, DeactivateVendor, RevokeSupplier, VendorDeactivated

SAGA = UUID("01900000-0000-7000-8000-000000000001")
VENDOR = CreateVendor(
    vendor_name="Müller",
    vendor_type="SUPPLIER",
    tax_id="DE12345",
    payment_terms="NET_30",
    primary_contact_email="ada@example.com",
)
CREATED = {"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00Z"}


@dataclass
class Server:
    """Answers one request after the other with what is in `answers`, and the last again and again."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    headers: bytes = b""

    def says(self, status: int, body: Any) -> None:
        self.answers.append((status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    async def serve(self, reader: Any, writer: Any) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        self.requests.append((method, target, headers, body))
        status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(
            b"HTTP/1.1 %d x\r\nconnection: close\r\ncontent-length: %d\r\n%b\r\n" % (status, len(answer), self.headers)
            + answer
        )
        await writer.drain()
        writer.close()

    def asked(self, index: int = -1) -> tuple[str, str, dict[str, str]]:
        method, target, _, _ = self.requests[index]
        parts = urlsplit(target)
        return method, parts.path, dict(parse_qsl(parts.query))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    import asyncio

    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/api"
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def call() -> Call:
    async def renew() -> None:
        """The claim is ours."""

    return Call(SAGA, "vendor", "do", 1, "key-1", renew, agent="buyer")


def changed(name: str, action: str | None = None, /, **changes: Any) -> IntegrationSpec:
    """A shipped file with some fields of it, or of one of its actions, changed."""
    (path,) = [p for p in files_in(folders()[0]) if p.stem == name]
    data = yaml.safe_load(path.read_text())
    (data["actions"][action] if action else data).update(changes)
    data["retries"] = {"attempts": 1}
    return IntegrationSpec.model_validate(data)


Run = Callable[..., Any]


@pytest.fixture
def run(server: Server, call: Call) -> Run:
    async def run(spec: IntegrationSpec, command: Any, *, probe: bool = False, call: Call = call) -> Any:
        system: System = Integration(spec)(SystemConfig(server.url))
        async with system.lifespan():
            action = system.actions[command.contract.name]
            return await (action.probe if probe else action.handler)(command, call)  # type: ignore[misc]

    return run


async def test_what_is_sent(run: Run, server: Server) -> None:
    server.says(201, CREATED)
    spec = changed("erp", api_version={"value": "2026-01", "header": "X-Version"}, headers={"X-Client": "saga"})
    created = await run(spec, VENDOR)
    assert created.vendor_id == "V-1"
    ((method, target, headers, body),) = server.requests
    assert (method, target) == ("POST", "/api/vendors")
    assert json.loads(body) == {**VENDOR.model_dump(mode="json"), "reference": str(SAGA)}
    assert (headers["idempotency-key"], headers["x-version"], headers["x-client"]) == ("key-1", "2026-01", "saga")


@pytest.mark.parametrize("empty", [True, False])
async def test_what_was_made_is_named_by_a_header_alone(empty: bool, run: Run, server: Server) -> None:
    """BambooHR and NetSuite answer so."""
    server.says(201, b"")
    server.headers = b"Location: https://erp.example.com/v1/vendors/V-7\r\n"
    request = {"method": "POST", "path": "/vendors", "body": {"name": "vendor_name"}, "empty": empty}
    response = {"vendor_id": "split(headers.location, '/')[-1]", "created_at": "'2026-01-01T00:00:00Z'"}
    spec = changed("erp", "create_vendor", request=request, response=response)
    if empty:
        assert (await run(spec, VENDOR)).vendor_id == "V-7"
        return
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await run(spec, VENDOR)


@pytest.mark.parametrize(
    ("key", "where"),
    [({"header": "X-Request-Id"}, "header"), ({"body": "external_id"}, "body"), ("none", None)],
)
async def test_where_the_key_goes(key: Any, where: str | None, run: Run, server: Server) -> None:
    server.says(201, CREATED)
    await run(changed("erp", key=key), VENDOR)
    (_, _, headers, body) = server.requests[0]
    assert "idempotency-key" not in headers
    assert headers.get("x-request-id") == ("key-1" if where == "header" else None)
    assert json.loads(body).get("external_id") == ("key-1" if where == "body" else None)


async def test_a_form_has_brackets_for_what_is_nested(run: Run, server: Server) -> None:
    server.says(201, CREATED)
    body = {"name": "vendor_name", "metadata": {"saga": "saga_id"}, "lines": [{"n": 1, "on": True}]}
    request = {"method": "POST", "path": "/v1/vendors/{tax_id}", "body": body}
    await run(changed("erp", "create_vendor", request=request).model_copy(update={"protocol": "form"}), VENDOR)
    (_, target, headers, sent) = server.requests[0]
    assert target == "/api/v1/vendors/DE12345"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(sent.decode())) == {
        "name": "Müller",
        "metadata[saga]": str(SAGA),
        "lines[0][n]": "1",
        "lines[0][on]": "true",
    }


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST", "path": "/vendors/{missing.x}"},
        {"method": "POST", "path": "/vendors", "body": {"n": "length(`1`)"}},
        {"method": "POST", "path": "/vendors", "query": {"q": "[tax_id]"}},
        {"method": "POST", "path": "/vendors", "headers": {"X-Name": "vendor_name"}},
        {"method": "POST", "path": "/vendors/{to_number(`null`)}"},
    ],
)
async def test_a_command_that_cannot_be_mapped_is_rejected_and_nothing_is_sent(
    request_: Any, run: Run, server: Server
) -> None:
    server.says(201, CREATED)
    with pytest.raises(Rejected, match="BAD_REQUEST_MAPPING"):
        await run(changed("erp", "create_vendor", request=request_), VENDOR)
    assert server.requests == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vendor_id": "V-1"},
        {"vendor_id": 7, "created_at": "2026-01-01T00:00:00Z"},
        {"vendor_id": None, "created_at": "2026-01-01T00:00:00Z"},
        {"vendor_id": "V-1", "created_at": "soon"},
        [],
        "done",
        b"<html>done</html>",
        b"",
        b"\xff\xfe",
    ],
)
async def test_an_answer_that_says_nothing_usable_leaves_it_unknown(body: Any, run: Run, server: Server) -> None:
    server.says(200, body)
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await run(changed("erp"), VENDOR)
    assert len(server.requests) == 1


async def test_a_mapping_of_a_wrong_type_leaves_it_unknown(run: Run, server: Server) -> None:
    server.says(200, CREATED)
    response = {"vendor_id": "length(answer)", "created_at": "join('', answer.vendor_id)"}
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await run(changed("erp", "create_vendor", response=response), VENDOR)


async def test_an_error_inside_a_success(run: Run, server: Server) -> None:
    error_body = {"code": "answer.error.type", "message": "answer.error.text", "when": "answer.error"}
    spec = changed("erp", error_body=error_body)
    for code, kind in (("duplicate_tax_id", Rejected), ("transient-error", Failed), ("strange", Unknown)):
        server.answers.clear()
        server.says(200, {"error": {"type": code, "text": "because"}})
        with pytest.raises(kind, match="because"):
            await run(spec, VENDOR)
    server.answers.clear()
    server.says(200, CREATED)
    assert (await run(spec, VENDOR)).vendor_id == "V-1"


async def test_codes_stand_where_the_file_says(run: Run, server: Server) -> None:
    spec = changed("erp", error_body={"code": "answer.errors[0].code", "message": "join(', ', answer.errors[].text)"})
    server.says(422, {"errors": [{"code": "invalid-payment-terms", "text": "a"}, {"code": 2, "text": "b"}]})
    with pytest.raises(Rejected, match="INVALID_PAYMENT_TERMS: a, b"):
        await run(spec, VENDOR)
    server.says(500, b"<html>")
    server.answers.pop(0)
    with pytest.raises(Unknown, match="HTTP_500: HTTP 500"):
        await run(spec, VENDOR)


async def test_not_found_is_success_for_an_undo_only_where_the_body_says_so(run: Run, server: Server) -> None:
    undo = DeactivateVendor(tax_id="DE12345")
    server.says(404, {"code": "NOT_FOUND", "message": "no such vendor"})
    assert await run(changed("erp"), undo) == VendorDeactivated(found=False)
    assert server.asked() == ("DELETE", "/api/vendors", {"tax_id": "DE12345", "reference": str(SAGA)})
    server.answers = [(404, b"<html>")]
    with pytest.raises(Rejected):
        await run(changed("erp"), undo)
    assert await run(changed("erp", missing_codes=[]), undo) == VendorDeactivated(found=False)


# -- who we are ------------------------------------------------------------------------------------------------------


async def test_the_auth_block_proves_who_we_are(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_TOKEN", "hunter2")
    auth = {"type": "api_key", "header": "Authorization", "prefix": "Bearer", "key": "env:ERP_TOKEN"}
    server.says(201, CREATED)
    await run(changed("erp", auth=auth), VENDOR)
    assert server.requests[0][2]["authorization"] == "Bearer hunter2"


async def test_a_secret_that_vanished_failed_and_nothing_was_sent(run: Run, server: Server) -> None:
    auth = {"type": "basic", "username": "ada", "password": "env:NO_SUCH_VARIABLE"}
    server.says(201, CREATED)
    with pytest.raises(Failed, match="SECRET_UNAVAILABLE"):
        await run(changed("erp", auth=auth), VENDOR)
    assert server.requests == []


# -- questions -------------------------------------------------------------------------------------------------------

APPROVE = ApproveSupplier(vendor_id="V-1", vendor_name="Müller", tax_id="DE12345", category="bearings")
APPROVED = {"approval_id": "A-1", "approved_at": "2026-01-01T00:00:00Z"}


async def test_a_probe_finds_or_finds_nothing(run: Run, server: Server) -> None:
    server.says(200, {"items": [APPROVED]})
    assert (await run(changed("suppliers"), APPROVE, probe=True)).approval_id == "A-1"
    assert server.asked() == ("GET", "/api/suppliers", {"tax_id": "DE12345", "reference": str(SAGA)})
    server.answers = [(200, b'{"items": []}')]
    assert await run(changed("suppliers"), APPROVE, probe=True) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {}), (200, {"items": None}), (200, {"items": "A-1"}), (200, {"items": {}}), (200, []), (200, b"<html>"),
     (404, b"<html>"), (401, b""), (429, b""), (500, b""), (302, b""), (200, {"items": [{"approval_id": 1}]}),
     (200, {"items": ["A-1"]})],
)  # fmt: skip
async def test_a_probe_that_could_not_ask_never_says_not_done(status: int, body: Any, run: Run, server: Server) -> None:
    server.says(status, body)
    with pytest.raises(Unknown):
        await run(changed("suppliers"), APPROVE, probe=True)


async def test_a_probe_may_search_by_post_and_say_true_or_false(run: Run, server: Server) -> None:
    probe = {
        "request": {"method": "POST", "path": "/search", "body": {"reference": "saga_id"}},
        "found": "answer.total > `0`",
        "response": {"approval_id": "answer.results[0].id", "approved_at": "answer.results[0].at"},
    }
    spec = changed("suppliers", "approve", probe=probe)
    server.says(200, {"total": 1, "results": [{"id": "A-1", "at": "2026-01-01T00:00:00Z"}]})
    assert (await run(spec, APPROVE, probe=True)).approval_id == "A-1"
    assert "idempotency-key" not in server.requests[0][2]
    server.answers = [(200, b'{"total": 0, "results": []}')]
    assert await run(spec, APPROVE, probe=True) is None
    server.answers = [(200, b'{"total": "many"}')]
    with pytest.raises(Unknown):
        await run(spec, APPROVE, probe=True)


LOOKUP = {
    "lookup": {"request": {"path": "/suppliers", "query": {"reference": "saga_id"}}, "found": "answer.items"},
    "request": {"method": "DELETE", "path": "/suppliers/{lookup.approval_id}"},
}


async def test_an_undo_may_look_its_thing_up_first(run: Run, server: Server) -> None:
    spec, undo = changed("suppliers", "revoke", **LOOKUP), RevokeSupplier(tax_id="DE12345")
    server.says(200, {"items": [APPROVED]})
    server.says(204, b"")
    assert (await run(spec, undo)).found is True
    assert server.asked() == ("DELETE", "/api/suppliers/A-1", {})
    server.answers = [(200, b'{"items": []}')]
    server.requests.clear()
    assert (await run(spec, undo)).found is False
    assert [request[0] for request in server.requests] == ["GET"]


@pytest.mark.parametrize("answer", [(200, b"{}"), (500, b""), (200, b"<html>")])
async def test_a_lookup_that_could_not_ask_failed_and_nothing_was_done(answer: Any, run: Run, server: Server) -> None:
    server.answers = [answer]
    with pytest.raises(Failed):
        await run(changed("suppliers", "revoke", **LOOKUP), RevokeSupplier(tax_id="DE12345"))
    assert [request[0] for request in server.requests] == ["GET"]


# -- what the file and the code agree on -----------------------------------------------------------------------------


async def handle(command: Any, call: Call, client: Any) -> VendorDeactivated:
    found = await client.request("GET", f"/by-hand/{command.tax_id}", call=call)
    return VendorDeactivated(found=found["there"])


async def test_a_handler_may_replace_an_action(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("erp_by_hand")
    module.handle = handle  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "erp_by_hand", module)
    server.says(200, {"there": True})
    by_hand = {"request": None, "found": None, "handler": "erp_by_hand:handle"}
    assert (await run(changed("erp", "deactivate_vendor", **by_hand), DeactivateVendor(tax_id="DE1234"))).found is True
    assert server.asked()[1] == "/api/by-hand/DE1234"
    with pytest.raises(ValueError, match="handler erp_by_hand:gone"):
        Integration(changed("erp", "deactivate_vendor", **{**by_hand, "handler": "erp_by_hand:gone"}))(
            SystemConfig("x")
        )


@pytest.mark.parametrize(
    "change", [{"effect": "queryable"}, {"errors": {}}, {"command": "CreateVendors"}, {"command": "DeactivateVendor"}]
)
def test_a_file_whose_contract_is_another_is_not_run(change: dict[str, Any]) -> None:
    with pytest.raises(ContractMissing):
        Integration(changed("erp", "create_vendor", **change))(SystemConfig("http://x"))


async def test_no_key_no_second_send(run: Run, server: Server, call: Call) -> None:
    server.says(500, b"")
    spec = changed("suppliers").model_copy(
        update={"retries": changed("erp").retries.model_copy(update={"attempts": 3})}
    )
    with pytest.raises(Unknown):
        await run(spec, APPROVE, call=replace(call, keyed=False))
    assert len(server.requests) == 1
    with pytest.raises(Unknown):
        await run(spec, APPROVE)
    assert len(server.requests) == 4


@pytest.mark.parametrize("url", ["https://login.example.com/tenant-1/token", None])
def test_the_token_url_of_a_tenant_is_an_option(url: str | None) -> None:
    (text,) = [path.read_text() for path in files_in(folders()[0]) if path.stem == "erp"]
    seen: list[Any] = []
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": "https://login.example.com/TENANT/token",
        "client_id": "saga",
        "secret": "env:S",
    }
    spec = IntegrationSpec.model_validate({**yaml.safe_load(text), "auth": auth})
    made = Integration(spec, lambda block, _: seen.append(block))  # type: ignore[arg-type, return-value]
    made(SystemConfig("http://127.0.0.1:1", {} if url is None else {"token_url": url}))
    assert seen[0].token_url == (url or auth["token_url"])
    with pytest.raises(BadSettings, match="SAGA_SYSTEM_OPTIONS__ERP__TOKEN_URL: .*must be https"):
        made(SystemConfig("http://127.0.0.1:1", {"token_url": "http://login.example.com/token"}))
