"""From a file with `protocol: soap` to the server of npm `soap`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from consumers.connectors.soap_wsdl import BadWsdl
from consumers.errors import Failed, Rejected, Unknown
from consumers.integrations.build import BUILDERS, Integration
from consumers.integrations.load import read
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from schemas.models import CreateVendor, DeactivateVendor, VendorCreated, VendorDeactivated

FILE = Path(__file__).with_name("servers") / "erp_soap/erp.yaml"


@pytest.fixture(scope="session")
def erp_url(start_server: Callable[..., str]) -> str:
    return start_server("erp_soap")


def changed(action: str | None = None, /, **changes: Any) -> IntegrationSpec:
    data = yaml.safe_load(FILE.read_text())
    (data["actions"][action] if action else data).update(changes)
    return IntegrationSpec.model_validate(data, context={"folder": FILE.parent})


Run = Callable[..., Any]


@pytest.fixture
def call(call: Call) -> Call:
    """Of an effect of the test's own."""
    return replace(call, idempotency_key=f"key-{uuid4()}")


@pytest.fixture
def run(erp_url: str, call: Call) -> Run:
    async def run(
        command: Any, spec: IntegrationSpec | None = None, *, probe: bool = False, url: str = erp_url, call: Call = call
    ) -> Any:
        system = Integration(spec or read(FILE))(SystemConfig(url))
        async with system.lifespan():
            action = system.actions[command.contract.name]
            return await (action.probe if probe else action.handler)(command, call)  # type: ignore[misc]

    return run


@pytest.fixture
def calls(erp_url: str, call: Call) -> Callable[[str], Any]:
    """What the server was asked about that tax id."""

    async def asked(tax_id: str) -> list[str]:
        system = Integration(read(FILE))
        async with (client := BUILDERS["soap"](system.spec, SystemConfig(erp_url), None).client):
            found = await client.port().request("Calls", {"taxId": tax_id}, call=call, reads=True)
        return list(found["call"])

    return asked


def vendor(**changes: Any) -> CreateVendor:
    return CreateVendor.model_validate(
        {
            "vendor_name": "Müller & <Söhne>",
            "vendor_type": "SUPPLIER",
            "tax_id": f"DE{uuid4().hex[:20].upper()}",
            "payment_terms": "NET_30",
            "primary_contact_email": "ada@example.com",
            **changes,
        }
    )


async def test_a_vendor_is_created_once_for_a_key_found_and_taken_away(
    run: Run, calls: Callable[[str], Any], call: Call
) -> None:
    command, key = vendor(), call.idempotency_key
    made = await run(command)
    assert isinstance(made, VendorCreated)
    assert await run(command) == made
    assert await run(command, probe=True) == made
    assert await run(vendor(), probe=True) is None
    undo = DeactivateVendor(tax_id=command.tax_id, vendor_id=made.vendor_id)
    assert await run(undo) == VendorDeactivated(found=True)
    assert await run(undo) == VendorDeactivated(found=False)
    # The key, the attribute and the block of the SOAP header stood where the file says.
    assert await calls(command.tax_id) == [f"create {key} SUPPLIER 100"] * 2 + ["find", "deactivate", "deactivate"]


async def test_faults_and_errors_inside_a_success_mean_what_the_file_says(run: Run, call: Call) -> None:
    one = vendor()
    await run(one)
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID: there is one already"):
        await run(one, call=replace(call, idempotency_key="another"))
    with pytest.raises(Failed, match="TRANSIENT_ERROR: not now"):
        await run(vendor(vendor_name="LATER"))
    with pytest.raises(Unknown, match="ODD_1"):
        await run(vendor(vendor_name="BREAK"))
    with pytest.raises(Failed, match="TRANSIENT_ERROR: somebody has it open"):
        await run(DeactivateVendor(tax_id="LOCKED"))
    with pytest.raises(Unknown, match="ERROR_IN_SUCCESS: nobody knows"):
        await run(DeactivateVendor(tax_id="BROKEN"))


async def test_an_answer_that_lacks_what_the_completion_needs_is_unknown(run: Run) -> None:
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        await run(vendor(vendor_name="EMPTY"))


@pytest.mark.parametrize(
    "operation",
    [
        {"name": "CreateVendor", "message": {"vendor": {"name": "length(vendor_name.x)"}}},
        {"name": "CreateVendor", "message": {"vendor": {"name": "vendor_name"}}},
        {"name": "CreateVendor", "message": {"vendor": {"name": "vendor_name", "taxId": "tax_id", "extra": "tax_id"}}},
        {"name": "CreateVendor", "message": {"vendor": "vendor_name"}},
        {"name": "CreateVendor", "message": {"vendor": {"name": "'\x01'", "taxId": "tax_id"}}},
    ],
)
async def test_what_does_not_fit_the_wsdl_is_rejected_and_nothing_is_sent(
    operation: Any, run: Run, wire: Any, call: Call
) -> None:
    with pytest.raises(Rejected, match="BAD_REQUEST_MAPPING|INVALID_REQUEST"):
        await run(vendor(), changed("create_vendor", operation=operation), url=wire.url)
    assert wire.requests == []


async def test_html_and_silence_are_unknown_for_a_write_and_a_probe(
    run: Run, wire: Any, answer: Callable[..., bytes]
) -> None:
    wire.say("*", answer(200, b"<html>busy</html>", content_type="text/html"))
    for probe in (False, True):
        with pytest.raises(Unknown, match="BAD_RESPONSE"):
            await run(vendor(), url=wire.url, probe=probe)
    wire.say("*", answer(404))
    with pytest.raises(Unknown, match="HTTP_404"):  # their one URL is wrong: that says nothing of the vendor
        await run(vendor(), url=wire.url, probe=True)
    with pytest.raises(Rejected, match="HTTP_404"):
        await run(DeactivateVendor(tax_id="DE1234"), url=wire.url)


async def test_an_undo_may_look_its_thing_up_first(run: Run, calls: Callable[[str], Any]) -> None:
    spec = changed(
        "deactivate_vendor",
        lookup={"operation": {"name": "FindVendors", "message": {"taxId": "tax_id"}}, "found": "answer.vendor"},
        operation={"name": "Deactivate", "message": {"taxId": "tax_id", "vendorId": "lookup.vendorId"}},
    )
    one = vendor()
    await run(one)
    assert (await run(DeactivateVendor(tax_id=one.tax_id), spec)).found is True
    assert (await run(DeactivateVendor(tax_id=one.tax_id), spec)).found is False
    assert (await calls(one.tax_id))[1:] == ["find", "deactivate", "find"]


async def test_the_password_travels_in_the_message_alone(
    run: Run, wire: Any, answer: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_PASSWORD", "hunter2")
    auth = {"type": "ws_security", "username": "saga", "password": "env:ERP_PASSWORD"}
    wire.say("*", answer(500))
    with pytest.raises(Unknown):
        await run(vendor(), changed(auth=auth), url=wire.url)
    head, _, body = wire.requests[0][1].partition(b"\r\n\r\n")
    assert b"hunter2" not in head
    assert body.count(b">hunter2<") == 1


async def test_a_wsdl_that_cannot_be_used_stops_the_start(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.wsdl").write_text("<!DOCTYPE a><a/>")
    with pytest.raises(BadWsdl, match="bad.wsdl"):
        await run(vendor(), changed(soap={"erp": {"wsdl": str(tmp_path / "bad.wsdl")}}))
    with pytest.raises(BadWsdl, match="no SOAP port"):
        await run(vendor(), changed(soap={"erp": {"wsdl": "erp.wsdl", "version": "1.2"}}))
