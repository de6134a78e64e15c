"""vendor-onboarding with SAP CAP for its ERP, behind a real token server: a file, and not a line of code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from consumers.catalogue import SYSTEMS
from consumers.integrations.build import Integration
from consumers.integrations.load import BadIntegration, read
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from orchestrator import Agent
from orchestrator.dev.stack import Stack, StackOptions
from schemas.models import CreateVendor, DeactivateVendor, VendorOnboardingRequested

FILE = Path(__file__).parent / "files" / "erp.yaml"
Make = Callable[[int], VendorOnboardingRequested]


@pytest.fixture(scope="module")
def cap(start_server: Callable[..., str], token_server: str) -> str:
    url = start_server("cap", script="@sap/cds/bin/serve.js", CSRF="1", OAUTH=f"{token_server}/cap")
    return url.replace("127.0.0.1", "localhost")


@pytest.fixture
def spec(token_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IntegrationSpec:
    monkeypatch.setenv("ERP_SECRET", "s3cret")
    path = tmp_path / "erp.yaml"
    path.write_text(FILE.read_text().replace("TOKEN_URL", f"{token_server}/cap/token"))
    return read(path)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Stack]:
    """The other three systems."""
    stack = Stack(StackOptions("embedded", tmp_path))
    stack.start_sandbox()
    yield stack
    stack.close()


@pytest.fixture
def service(cap: str, token_server: str) -> Iterator[Callable[[str], Any]]:
    """What is in the ERP, asked by somebody else."""
    form = {"grant_type": "client_credentials", "client_id": "auditor", "client_secret": "x", "scope": "erp"}
    token = httpx2.post(f"{token_server}/cap/token", data=form).json()["access_token"]
    with httpx2.Client(headers={"authorization": f"Bearer {token}"}) as client:

        def vendors(tax_id: str) -> Any:
            return client.get(f"{cap}/erp/Vendors?$filter=taxId%20eq%20'{tax_id}'").json()["value"]

        yield vendors


async def test_it_completes_and_is_undone(
    engine: Any,
    agent: Agent,
    make_vendor: Make,
    sandbox: Stack,
    spec: IntegrationSpec,
    cap: str,
    service: Callable[[str], Any],
) -> None:
    urls = {name: url for name, url in sandbox.urls.items() if name in SYSTEMS}
    engine.settings.system_urls = urls | {"erp": f"{cap}/erp"}
    engine.factories = dict(SYSTEMS) | {"erp": Integration(spec)}
    tokens = httpx2.get(f"{cap}/tokens").json()["seen"]
    engine.start()
    fine = [make_vendor(number) for number in range(1, 21)]
    bad = [make_vendor(number).model_copy(update={"category": "weapons"}) for number in range(21, 31)]
    for vendor in (*fine, *bad):
        await agent.publish(vendor)
    for vendor in fine:
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "completed"
        (found,) = service(vendor.tax_id)
        assert (found["reference"], found["terms"]) == (str(vendor.saga_id), "NET_30")
    for vendor in bad:
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "compensated"
        assert service(vendor.tax_id) == []
    # One token for all of it, and the one of whoever looked at what is there.
    assert httpx2.get(f"{cap}/tokens").json()["seen"] <= tokens + 2
    # Somebody else's vendor of the same tax id stands in the way, and is not taken away by the undo.
    again = make_vendor(1)
    await agent.publish(again)
    ended = await agent.outcome(again.saga_id, 60)
    assert (ended.status.value, ended.code) == ("compensated", "DUPLICATE_TAX_ID")
    assert [vendor["reference"] for vendor in service(again.tax_id)] == [str(fine[0].saga_id)]


COMMAND = CreateVendor(
    vendor_name="O'Brien & Söhne",
    vendor_type="SUPPLIER",
    tax_id="IE-9.1",
    payment_terms="NET_30",
    primary_contact_email="ada@example.com",
)


async def test_the_same_twice_is_one_vendor_and_two_undos_are_one(
    spec: IntegrationSpec, cap: str, call: Call, service: Callable[[str], Any]
) -> None:
    system = Integration(spec)(SystemConfig(f"{cap}/erp"))
    do, undo = (system.actions[record.contract.name] for record in (CreateVendor, DeactivateVendor))
    assert do.probe is not None
    async with system.lifespan():
        assert await do.probe(COMMAND, call) is None
        first, second = [await do.handler(COMMAND, call) for _ in range(2)]
        assert first == second == await do.probe(COMMAND, call)
        assert len(service("IE-9.1")) == 1
        command = DeactivateVendor(tax_id="IE-9.1")
        found = [(await undo.handler(command, call)).found for _ in range(2)]  # type: ignore[attr-defined]
        assert found == [True, False]
        assert service("IE-9.1") == []


def test_what_is_sent_is_shown_without_sending_it(spec: IntegrationSpec, call: Call) -> None:
    config = SystemConfig("http://nowhere/erp")
    (sent,) = Integration(spec).plan(config, "create_vendor").requests_for(COMMAND, call)
    assert (sent.method, sent.path) == ("PATCH", f"/Vendors(ID={call.saga_id})")
    assert sent.json["name"] == "O'Brien & Söhne"
    assert "if-match" not in sent.headers
    look, delete = (
        Integration(spec).plan(config, "deactivate_vendor").requests_for(DeactivateVendor(tax_id="IE-9.1"), call)
    )
    assert look.path.startswith(f"/Vendors?$filter=reference%20eq%20'{call.saga_id}'%20and%20taxId%20eq%20'IE-9.1'")
    assert (delete.method, delete.path) == ("DELETE", "/Vendors(lookup.ID)")


@pytest.mark.parametrize(("nulls", "sent"), [("false", {}), ("true", {"limit": None})])
def test_a_typed_value_of_nothing_is_nothing(nulls: str, sent: dict[str, Any], call: Call, tmp_path: Path) -> None:
    text = FILE.read_text().replace("TOKEN_URL", "https://tokens.example.com/token")
    fields = "email: primary_contact_email"
    assert fields in text
    path = tmp_path / "erp.yaml"
    typed = "limit: {type: Edm.Decimal, value: 'payment_terms.none'}"
    path.write_text(
        text.replace(fields, typed).replace(
            "      fresh: true\n      key: {ID", f"      fresh: true\n      nulls: {nulls}\n      key: {{ID"
        )
    )
    plan = Integration(read(path)).plan(SystemConfig("http://nowhere/erp"), "create_vendor")
    (shown,) = plan.requests_for(COMMAND, call)
    assert {name: value for name, value in shown.json.items() if name == "limit"} == sent


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("do: delete", "do: erase", "actions.deactivate_vendor.entity.do: input should be"),
        ("      key: {type: Edm.Guid, value: lookup.ID}\n", "", "entity: delete needs the `key` of the entity"),
        ("value: lookup.ID", "value: looked.ID", "entity.key.value: there is no looked here"),
        ("where: {reference: saga_id, taxId: tax_id}}\n      response", "where: {}}\n      response", "probe.entities.where"),
        ("taxId: tax_id\n        vendorType", "taxId: tax_idd\n        vendorType", "fields.taxId: there is no tax_idd"),
        ("odata: {version: v4", "odata: {version: v3", "odata.version: input should be 'v2' or 'v4'"),
        ("key: none\n", "key: none\nerror_body: {code: answer.x}\n", "error_body: is of no use with protocol odata"),
        ("entity:\n      do: delete\n      set: Vendors\n      fresh: true\n      key: {type: Edm.Guid, value: lookup.ID}",
         "request: {method: DELETE, path: /x}", "needs `entity` (protocol odata)"),
    ],
)  # fmt: skip
def test_mistakes_in_a_file_are_told_with_their_line(old: str, new: str, told: str, tmp_path: Path) -> None:
    text = FILE.read_text().replace("TOKEN_URL", "https://tokens.example.com/token")
    assert old in text
    path = tmp_path / "erp.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(BadIntegration) as raised:
        read(path, name="erp.yaml")
    assert told in str(raised.value)
    assert all(line.split(":")[1].isdigit() for line in str(raised.value).splitlines())
