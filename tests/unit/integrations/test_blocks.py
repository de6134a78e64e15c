"""Mistakes in the blocks of SOAP, IDocs and GraphQL are shown at their line, before anything is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.integrations.check_wsdl import check_wsdl
from consumers.integrations.load import BadIntegration, read
from consumers.integrations.tools import tools

PROTOCOLS = Path(__file__).parents[2] / "integration/consumers/protocols"
FILES = {
    "soap": PROTOCOLS / "servers/erp_soap/erp.yaml",
    "graphql": PROTOCOLS / "files/erp-graphql.yaml",
    "idoc": PROTOCOLS / "files/suppliers.yaml",
}
PROBE = "      operation: {name: FindVendors, message: {taxId: tax_id}}\n"

# (which file, what is replaced, by what, what is said)
MISTAKES = [
    ("soap", "wsdl: erp.wsdl", "wsdl: none.wsdl", "soap.erp.wsdl: is no file"),
    ("soap", 'soap: {erp: {wsdl: erp.wsdl, path: /erp, version: "1.1"}}', "", "soap: is missing: protocol soap needs it"),
    ("soap", 'version: "1.1"', "version: 1.3", "soap.erp.version: input should be '1.1' or '1.2'"),
    ("soap", "when: \"answer.status && answer.status != 'S'\", ", "", "error_body: needs `when`"),
    ("soap", "missing_codes: [NO_SUCH_VENDOR]", "missing_codes: []", "missing_codes: is empty"),
    ("soap", "name: vendor_name\n", "name: vendor_nam\n", "message.vendor.name: there is no vendor_nam here"),
    ("soap", "{client: \"'100'\"}", '{client: "100"}', "headers.session.client: is no JMESPath expression"),
    ("soap", "{name: Deactivate,", "{name: Deactivate, port: another,", "operation.port: there is no another under `soap`"),
    ("soap", PROBE, "", "actions.create_vendor.probe: needs `operation` (protocol soap)"),
    ("soap", PROBE, f"{PROBE}      request: {{path: /x}}\n", "probe: needs `operation` (protocol soap), and nothing else"),
    ("soap", "    operation: {name: Deactivate,", "    request: {name: Deactivate,", "deactivate_vendor.request"),
    ("soap", "key: none", "key: none\ngraphql: {path: /x}", "graphql: is of no use with protocol soap"),
    ("graphql", "mutation Create(", "subscription Create(", "query.text: the document must be one query or one mutation"),
    ("graphql", "createVendor(name: $name, taxId: $taxId, key: $key) { id createdAt }",
     "a: x { id } b: y { id }", "query.text: a mutation must have one root field"),
    ("graphql", "query Find(", "mutation Find(", "probe.query.text: is a mutation"),
    ("graphql", "key: {body: key}", "key: {body: other}", "query.text: has no variable $other"),
    ("graphql", "variables: {name: vendor_name", "variables: {name: vendor", "query.variables.name: there is no vendor here"),
    ("graphql", "key: none", "auth: {type: ws_security, username: a, password: 'env:P'}", "auth: type ws_security is for SOAP"),
    ("graphql", "key: none", "error_body: {code: answer.code}", "error_body: is of no use with protocol graphql"),
    ("idoc", "within: 5", "within: 50", "actions.approve.timeout: must be above idoc.within (50 s)"),
    ("idoc", "{SNDPRN: \"'SAGA'\"", "{SNDPRN: tax_id", "idoc.control.SNDPRN: there is no tax_id here"),
    ("idoc", "NAME1: vendor_name", "NAME1: vendor", "document.segments.0.E1LFA1M.NAME1: there is no vendor here"),
    ("idoc", "response: {found: true}", "found: found", "found: is of no use with protocol idoc"),
    ("idoc", "    probe:\n", "    probe:\n      operation: {name: X}\n", "probe.operation: is of no use with protocol idoc"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_a_mistake_is_told_at_its_line(file: str, old: str, new: str, said: str, tmp_path: Path) -> None:
    text = FILES[file].read_text()
    assert old in text
    (tmp_path / "erp.wsdl").write_text("")
    path = tmp_path / "x.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadIntegration) as raised:
        read(path, name="x.yaml")
    lines = [line for line in str(raised.value).splitlines() if said in line]
    assert lines, str(raised.value)
    assert int(lines[0].split(":")[1]) > 0


@pytest.mark.parametrize("file", FILES)
def test_the_files_as_they_are(file: str) -> None:
    spec = read(FILES[file])
    assert list(check_wsdl(spec)) == []
    assert [action.reads for action in spec.actions.values()] == [False, False]
    assert tools(spec) == []  # their contracts are in schemas/, and not in the file


# (what is replaced, by what, the place, what is said)
AGAINST_THE_WSDL = [
    ("name: CreateVendor\n", "name: MakeVendor\n", "create_vendor.operation.name", "no operation 'MakeVendor'; it has Calls"),
    ("taxId: tax_id\n", "taxID: tax_id\n", "create_vendor.operation.message.vendor.taxID", "there are name, taxId, terms"),
    ("          taxId: tax_id\n", "", "create_vendor.operation.message.vendor", "lacks taxId"),
    ("name: vendor_name\n", "name: {first: vendor_name}\n", "message.vendor.name", "is no set of fields"),
    ("key: {body: requestId}", "key: {body: request}", "message.request", "is not in the WSDL"),
    ("{session: {client:", "{login: {client:", "headers.login", "there are session"),
    ("{name: FindVendors, message: {taxId: tax_id}}", "{name: FindVendors}", "probe.operation.message", "lacks taxId"),
    ('version: "1.1"', 'version: "1.2"', "soap.erp.wsdl", "no SOAP port of that name and version"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "place", "said"), AGAINST_THE_WSDL, ids=[new for _, new, *_ in AGAINST_THE_WSDL]
)
def test_a_mistake_that_only_the_wsdl_shows(old: str, new: str, place: str, said: str, tmp_path: Path) -> None:
    text = FILES["soap"].read_text()
    assert old in text
    (tmp_path / "erp.wsdl").write_bytes((FILES["soap"].parent / "erp.wsdl").read_bytes())
    path = tmp_path / "x.yaml"
    path.write_text(text.replace(old, new, 1))
    found = [(".".join(map(str, at)), message) for at, message in check_wsdl(read(path))]
    assert any(at.endswith(place) and said in message for at, message in found), found


def test_the_fields_of_a_choice_are_not_wanted_and_attributes_are_known(tmp_path: Path) -> None:
    text = FILES["soap"].read_text().replace("email: primary_contact_email", "phone: primary_contact_email")
    (tmp_path / "erp.wsdl").write_bytes((FILES["soap"].parent / "erp.wsdl").read_bytes())
    path = tmp_path / "x.yaml"
    path.write_text(text)
    assert list(check_wsdl(read(path))) == []
