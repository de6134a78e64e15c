"""What `saga systems call --dry-run` shows of SOAP, GraphQL and IDocs: the request, and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from consumers.connectors.auth.spec import WsSecurity
from consumers.errors import Rejected
from consumers.integrations.build import Integration
from consumers.integrations.desk import _shown
from consumers.integrations.load import read
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from schemas.models import ApproveSupplier, CreateVendor, DeactivateVendor

PROTOCOLS = Path(__file__).parents[2] / "integration/consumers/protocols"
VENDOR = CreateVendor(
    vendor_name="Müller & Söhne",
    vendor_type="SUPPLIER",
    tax_id="DE12345",
    payment_terms="NET_30",
    primary_contact_email="ada@example.com",
)


def shown(spec: IntegrationSpec, action: str, command: Any) -> list[dict[str, Any]]:
    async def renew() -> None:
        """The claim is ours."""

    call = Call(UUID(int=1), "vendor", "do", 1, "key-1", renew)
    steps = Integration(spec).plan(SystemConfig("http://user:hidden@erp/api"), action).requests_for(command, call)
    return [_shown(step, "http://user:hidden@erp/api", spec.auth) for step in steps]


def test_soap_is_shown_as_its_envelope_with_the_reference_of_the_password() -> None:
    auth = {"type": "ws_security", "username": "saga", "password": "env:ERP_PASSWORD"}
    spec = read(PROTOCOLS / "servers/erp_soap/erp.yaml").model_copy(update={"auth": WsSecurity.model_validate(auth)})
    (request,) = shown(spec, "create_vendor", VENDOR)
    assert (request["method"], request["url"]) == ("POST", "http://erp/api/erp")
    assert request["headers"]["soapaction"] == '"urn:erp#CreateVendor"'
    assert request["xml"] is True
    assert "&lt;env:ERP_PASSWORD&gt;</" in request["body"]
    assert "requestId>key-1</" in request["body"]
    assert "Müller &amp; Söhne</" in request["body"]


def test_soap_that_does_not_fit_is_told_and_not_shown() -> None:
    spec = read(PROTOCOLS / "servers/erp_soap/erp.yaml")
    action = spec.actions["create_vendor"]
    assert action.operation is not None
    operation = action.operation.model_copy(update={"message": {"vendor": {"name": "vendor_name"}}})
    wrong = {**spec.actions, "create_vendor": action.model_copy(update={"operation": operation})}
    with pytest.raises(Rejected, match="INVALID_REQUEST"):
        shown(spec.model_copy(update={"actions": wrong}), "create_vendor", VENDOR)


def test_graphql_is_shown_as_text_and_variables() -> None:
    spec = read(PROTOCOLS / "files/erp-graphql.yaml")
    (request,) = shown(spec, "create_vendor", VENDOR)
    assert request["url"] == "http://erp/api/"
    assert request["body"]["variables"] == {"name": "Müller & Söhne", "taxId": "DE12345", "key": "key-1"}
    (request,) = shown(spec, "deactivate_vendor", DeactivateVendor(tax_id="DE12345"))
    assert request["body"]["query"].startswith("mutation Delete(")


def test_an_idoc_is_shown_with_its_reference() -> None:
    spec = read(PROTOCOLS / "files/suppliers.yaml")
    command = ApproveSupplier(vendor_id="V-1", vendor_name="Müller", tax_id="DE12345", category="x")
    (request,) = shown(spec, "approve", command)
    assert request["url"] == "http://erp/api/idoc"
    assert "<ARCKEY>key-1</ARCKEY>" in request["body"]
