"""A scaffold out of a WSDL is a file that passes, and claims nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import consumers
from consumers.integrations.check_wsdl import check_wsdl
from consumers.integrations.load import read
from consumers.integrations.scaffold import BadDocument
from consumers.integrations.scaffold_wsdl import scaffold_wsdl

SERVERS = Path(__file__).parents[2] / "integration/consumers/protocols/servers"
WSDLS = [
    SERVERS / "erp_soap/erp.wsdl",
    SERVERS / "soap/v12.wsdl",
    *sorted((Path(consumers.__file__).parent / "systems/ready/wsdl").glob("*.wsdl")),
]


@pytest.mark.parametrize("wsdl", WSDLS, ids=lambda path: path.stem)
def test_it_passes_every_check_but_that_of_the_contracts(wsdl: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(scaffold_wsdl(wsdl, "shop"))
    spec = read(path)
    assert list(check_wsdl(spec)) == []
    assert not any(action.verified for action in spec.actions.values())
    assert {action.effect for action in spec.actions.values()} == {"blind"}


def test_nested_fields_are_parameters_and_lists_are_left_out(tmp_path: Path) -> None:
    text = scaffold_wsdl(SERVERS / "erp_soap/erp.wsdl", "shop")
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    spec = read(path)
    create = spec.actions["create_vendor"]
    assert create.command == "ShopCreateVendor"
    assert create.operation is not None
    assert create.operation.message["vendor"] == {
        "name": "name",
        "taxId": "tax_id",
        "terms": "terms",
        "email": "email",
        "phone": "phone",
        "kind": "kind",
    }
    assert create.parameters is not None
    assert {name for name, field in create.parameters.items() if not field.optional} == {"name", "tax_id"}
    assert create.response == {"vendor_id": 'answer."vendorId"', "created_at": 'answer."createdAt"'}
    assert "# left out: FindVendors: vendor of the answer, which is a list" in text


def test_what_is_no_wsdl_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.wsdl").write_text("<html/>")
    with pytest.raises(BadDocument, match="x.wsdl"):
        scaffold_wsdl(tmp_path / "x.wsdl", "shop")
    with pytest.raises(BadDocument, match=r"none\.wsdl"):
        scaffold_wsdl(tmp_path / "none.wsdl", "shop")
