"""From files with `protocol: graphql` and `protocol: idoc` to Apollo Server and to the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from consumers.connectors.idoc import reference_of
from consumers.connectors.xml import as_data, read_xml
from consumers.errors import Rejected, Unknown
from consumers.integrations.build import Integration
from consumers.integrations.load import read
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from schemas.models import ApproveSupplier, CreateVendor, DeactivateVendor, RevokeSupplier

FILES = Path(__file__).with_name("files")
AT = "2026-01-01T00:00:00Z"


def changed(name: str, action: str | None = None, /, **changes: Any) -> IntegrationSpec:
    data = yaml.safe_load((FILES / f"{name}.yaml").read_text())
    (data["actions"][action] if action else data).update(changes)
    return IntegrationSpec.model_validate(data)


Run = Callable[..., Any]


@pytest.fixture
def call(call: Call) -> Call:
    """Of an effect of the test's own."""
    return replace(call, idempotency_key=f"key-{uuid4()}")


@pytest.fixture
def run(call: Call) -> Run:
    async def run(spec: IntegrationSpec, url: str, command: Any, *, probe: bool = False, call: Call = call) -> Any:
        system = Integration(spec)(SystemConfig(url))
        async with system.lifespan():
            action = system.actions[command.contract.name]
            return await (action.probe if probe else action.handler)(command, call)  # type: ignore[misc]

    return run


# -- GraphQL ---------------------------------------------------------------------------------------------------------


def vendor(**changes: Any) -> CreateVendor:
    return CreateVendor.model_validate(
        {
            "vendor_name": 'Müller") { id } evil: deleteVendor(taxId: "x',
            "vendor_type": "SUPPLIER",
            "tax_id": f"DE{uuid4().hex[:20].upper()}",
            "payment_terms": "NET_30",
            "primary_contact_email": "ada@example.com",
            **changes,
        }
    )


async def test_graphql_creates_once_for_a_key_finds_and_deletes(run: Run, graphql_url: str, call: Call) -> None:
    erp, one = read(FILES / "erp-graphql.yaml"), vendor()
    made = await run(erp, graphql_url, one)
    assert await run(erp, graphql_url, one) == made
    assert await run(erp, graphql_url, one, probe=True) == made
    assert await run(erp, graphql_url, vendor(), probe=True) is None
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await run(erp, graphql_url, one, call=replace(call, idempotency_key="another"))
    with pytest.raises(Unknown, match="something broke"):
        await run(erp, graphql_url, vendor(vendor_name="BREAK"), call=replace(call, idempotency_key="a third"))
    undo = DeactivateVendor(tax_id=one.tax_id)
    assert (await run(erp, graphql_url, undo)).found is True
    assert (await run(erp, graphql_url, undo)).found is False


async def test_graphql_mappings_that_fail(run: Run, graphql_url: str, wire: Any, answer: Callable[..., bytes]) -> None:
    query = yaml.safe_load((FILES / "erp-graphql.yaml").read_text())["actions"]["create_vendor"]["query"]
    bad = {**query, "variables": {"name": "length(vendor_name.x)", "taxId": "tax_id"}}
    with pytest.raises(Rejected, match="BAD_REQUEST_MAPPING"):
        await run(changed("erp-graphql", "create_vendor", query=bad), wire.url, vendor())
    assert wire.requests == []
    with pytest.raises(Rejected, match="BAD_USER_INPUT"):  # left out, and the server does not even run it
        await run(
            changed("erp-graphql", "create_vendor", query={**query, "variables": {"name": "vendor_name"}}),
            graphql_url,
            vendor(),
        )
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await run(
            changed("erp-graphql", "create_vendor", response={"vendor_id": "answer.nothing", "created_at": "answer.x"}),
            graphql_url,
            vendor(),
        )
    wire.say("*", answer(200, b"<html>busy</html>"))
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await run(changed("erp-graphql"), wire.url, vendor())
    wire.say("*", answer(200, json.dumps({"data": None, "errors": [{"message": "no", "extensions": {}}]}).encode()))
    with pytest.raises(Unknown):
        await run(changed("erp-graphql"), wire.url, vendor(), probe=True)


async def test_graphql_may_look_its_thing_up_first(run: Run, graphql_url: str) -> None:
    lookup = {
        "query": {
            "text": "query F($taxId: String!) { vendor(taxId: $taxId) { taxId } }",
            "variables": {"taxId": "tax_id"},
        },
        "found": "answer.vendor && [answer.vendor] || `[]`",
    }
    query = {
        "text": "mutation D($taxId: String!) { deleteVendor(taxId: $taxId) }",
        "variables": {"taxId": "lookup.taxId"},
    }
    spec, one = changed("erp-graphql", "deactivate_vendor", lookup=lookup, query=query), vendor()
    await run(spec, graphql_url, one)
    assert (await run(spec, graphql_url, DeactivateVendor(tax_id=one.tax_id))).found is True
    assert (await run(spec, graphql_url, DeactivateVendor(tax_id=one.tax_id))).found is False


async def test_the_key_may_travel_as_a_header(run: Run, wire: Any, answer: Callable[..., bytes], call: Call) -> None:
    wire.say("*", answer(500))
    with pytest.raises(Unknown):
        await run(changed("erp-graphql", "create_vendor", key={"header": "X-Request-Id"}), wire.url, vendor())
    head, _, body = wire.requests[0][1].partition(b"\r\n\r\n")
    assert f"\r\nX-Request-Id: {call.idempotency_key}".lower().encode() in head.lower()
    assert call.idempotency_key.encode() not in body


# -- IDocs -----------------------------------------------------------------------------------------------------------

APPROVE = ApproveSupplier(vendor_id="V-1", vendor_name="Müller & Söhne", tax_id="DE12345", category="3000")


def status(*codes: str) -> bytes:
    return json.dumps({"value": [{"STATUS": code, "DOCNUM": "4711", "AT": AT} for code in codes]}).encode()


async def test_an_idoc_is_sent_and_its_status_asked_for(
    run: Run, wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    wire.say("/idoc", answer(200))
    wire.say("/status", answer(200, status()), answer(200, status("64")), answer(200, status("53")))
    spec = read(FILES / "suppliers.yaml")
    assert (await run(spec, wire.url, APPROVE)).approval_id == "4711"
    (sent,) = wire.asked("/idoc")
    head, _, body = sent.partition(b"\r\n\r\n")
    idoc = as_data(read_xml(body))["IDOC"]
    control = idoc["EDI_DC40"]
    assert (control["ARCKEY"], control["SNDPRN"], control["MESTYP"]) == (call.idempotency_key, "SAGA", "CREMAS")
    assert idoc["E1LFA1M"]["NAME1"] == "Müller & Söhne"
    assert idoc["E1LFA1M"]["E1LFM1M"] == [{"EKORG": "1000"}, {"EKORG": "3000"}]
    assert all(b"sap-client: 100" in request for _, request in wire.requests)
    assert (await run(spec, wire.url, RevokeSupplier(tax_id="DE12345"))).found is True


@pytest.mark.parametrize(("said", "kind"), [("68", Rejected), ("51", Unknown)])
async def test_an_idoc_ends_as_its_status_says(
    said: str, kind: type[Exception], run: Run, wire: Any, answer: Callable[..., bytes]
) -> None:
    wire.say("/idoc", answer(200))
    wire.say("/status", answer(200, status(said)))
    with pytest.raises(kind):
        await run(changed("suppliers"), wire.url, APPROVE)


async def test_a_probe_asks_for_the_status_by_the_reference(
    run: Run, wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    wire.say("/status", answer(200, status("53")))
    assert (await run(changed("suppliers"), wire.url, APPROVE, probe=True)).approval_id == "4711"
    assert f"GET /status?reference={call.idempotency_key} ".encode() in wire.asked("/status")[0]
    wire.say("/status", answer(200, status()))
    assert await run(changed("suppliers"), wire.url, APPROVE, probe=True) is None
    for nothing in (answer(200, status("64")), answer(200, b"<html>"), answer(500), answer(404)):
        wire.say("/status", nothing)
        with pytest.raises(Unknown):
            await run(changed("suppliers"), wire.url, APPROVE, probe=True)


async def test_a_key_that_sap_would_cut_off_stands_as_its_hash(
    run: Run, wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    key = "k" * 71
    wire.say("/idoc", answer(200))
    wire.say("/status", answer(200, status("53")))
    await run(changed("suppliers"), wire.url, APPROVE, call=replace(call, idempotency_key=key))
    assert len(reference_of(key)) == 64
    assert f"<ARCKEY>{reference_of(key)}</ARCKEY>".encode() in wire.asked("/idoc")[0]
    assert f"reference={reference_of(key)} ".encode() in wire.asked("/status")[0]


@pytest.mark.parametrize(
    "segments",
    [
        [{"E1LFA1M": {"NAME1": "length(tax_id.x)"}}],
        [{"E1LFA1M": {"NAME1": "`true`"}}],
        [{"E1LFA1M": "tax_id"}],
        [{"E1LFA1M": {"E1LFM1M": ["tax_id"]}}],
        [{"E1LFA1M": {"NAME1": "'\x01'"}}],
    ],
)
async def test_an_idoc_that_cannot_be_made_is_rejected_and_nothing_is_sent(segments: Any, run: Run, wire: Any) -> None:
    document = {"type": "CREMAS05", "segments": segments}
    with pytest.raises(Rejected, match="BAD_REQUEST_MAPPING"):
        await run(changed("suppliers", "approve", document=document), wire.url, APPROVE)
    assert wire.requests == []


async def test_a_segment_that_maps_to_a_list_stands_there_as_often(
    run: Run, wire: Any, answer: Callable[..., bytes]
) -> None:
    wire.say("/idoc", answer(200))
    wire.say("/status", answer(200, status("53")))
    segments = [{"E1A": "[{N: tax_id}, {N: category}]"}, {"E1B": {"N": "step.x", "E1C": {"N": "agent.x"}}}]
    document = {"type": "X01", "segments": segments}
    await run(changed("suppliers", "approve", document=document), wire.url, APPROVE)
    idoc = as_data(read_xml(wire.asked("/idoc")[0].partition(b"\r\n\r\n")[2]))["IDOC"]
    assert idoc["E1A"] == [{"N": "DE12345"}, {"N": "3000"}]
    assert "E1B" not in idoc  # nothing in it, nor in what is in it
