"""A scaffold out of the $metadata that SAP CAP makes, in both versions, is a file that passes, and that CAP understands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from consumers.integrations.load import read
from consumers.integrations.over_odata import ODataTransport
from consumers.integrations.scaffold import BadDocument
from consumers.integrations.scaffold_odata import scaffold_odata
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig

PATHS = {"v4": "/erp", "v2": "/odata/v2/erp"}
# What SAP Gateway says beside OData's own.
SAP = """<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>
<Schema Namespace="API" xmlns="http://schemas.microsoft.com/ado/2008/09/edm" xmlns:sap="http://www.sap.com/Protocols/SAPData">
<EntityType Name="InvoiceType"><Key><PropertyRef Name="Invoice"/><PropertyRef Name="Year"/></Key>
<Property Name="Invoice" Type="Edm.String" MaxLength="10" Nullable="false" sap:creatable="false"/>
<Property Name="Year" Type="Edm.String" MaxLength="4" Nullable="false" sap:creatable="false"/>
<Property Name="PostingDate" Type="Edm.DateTime" sap:display-format="Date" sap:label="Posting Date"/>
<Property Name="Amount" Type="Edm.Decimal" Precision="14" Scale="3" Nullable="false"/>
<Property Name="Address" Type="API.Address"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="A_Invoice" EntityType="API.InvoiceType" sap:updatable="false"/>
<FunctionImport Name="Cancel"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""


def scaffolded(document: str, folder: Path) -> tuple[str, IntegrationSpec]:
    text = scaffold_odata(document, "shop")
    path = folder / "shop.yaml"
    path.write_text(text)
    return text, read(path)


@pytest.mark.parametrize("version", ["v4", "v2"])
async def test_what_comes_of_caps_metadata_is_understood_by_cap(
    version: str, cap_url: str, tmp_path: Path, call: Call
) -> None:
    document = httpx2.get(f"{cap_url}{PATHS[version]}/$metadata").text
    text, spec = scaffolded(document, tmp_path)
    assert spec.odata.version == version
    assert {"create_vendors", "update_vendors", "delete_vendors", "create_countries"} <= spec.actions.keys()
    assert {action.effect for action in spec.actions.values()} == {"blind"}
    assert not any(action.verified for action in spec.actions.values())
    assert "# left out: block: " in text
    create = spec.actions["create_vendors"].parameters
    assert create is not None
    assert (create["tax_id"].max, create["limit"].precision, create["limit"].scale) == (40, 15, 2)
    spec = spec.model_copy(update={"odata": spec.odata.model_copy(update={"csrf": True})})
    transport = ODataTransport(spec, SystemConfig(cap_url + PATHS[version]), None)
    row = {"id": str(uuid4()), "tax_id": uuid4().hex, "name": "A", "limit": "12.50", "founded_on": "2001-02-03"}
    call = replace(call, keyed=False)
    async with transport.client:
        for name, errors in (("create_vendors", {}), ("create_countries", {})):
            asking = transport._asking(spec.actions[name])
            fields = row if name == "create_vendors" else {"code": uuid4().hex, "name": "x"}
            known = dict.fromkeys(spec.actions[name].parameters or {}) | fields
            assert await asking.send(asking.fill(known), call=call, errors=errors) is not None
        (found,) = await transport.client.look_up("Vendors", {"taxId": row["tax_id"]}, call=call)
    assert (found["ID"], found["foundedOn"][:10]) == (row["id"], "2001-02-03")


def test_what_sap_says_cannot_be_done_is_left_out(tmp_path: Path) -> None:
    text, spec = scaffolded(SAP, tmp_path)
    assert list(spec.actions) == ["create_a_invoice", "delete_a_invoice"]
    create = spec.actions["create_a_invoice"]
    assert create.command == "ShopCreateAInvoice"
    assert create.parameters is not None
    assert {name: (field.type, field.optional) for name, field in create.parameters.items()} == {
        "posting_date": ("date", True),
        "amount": ("decimal", False),
    }
    assert create.response == {"invoice": 'answer."Invoice"', "year": 'answer."Year"'}
    delete = spec.actions["delete_a_invoice"].entity
    assert delete is not None
    assert delete.key == {"Invoice": "invoice", "Year": "year"}
    assert "# left out: Cancel: FunctionImport\n" in text
    assert "# left out: A_Invoice: Address, which is no simple value (API.Address)\n" in text


@pytest.mark.parametrize(
    "document", ["", "<html/>", "{}", '<!DOCTYPE x><Edmx Version="4.0"/>', '<Edmx Version="4.0"/>']
)
def test_what_is_no_metadata_is_told(document: str) -> None:
    with pytest.raises(BadDocument):
        scaffold_odata(document, "shop")
