"""The OData client against SAP CAP, in both versions: what holds for one holds for the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from consumers.connectors.guard import Guard
from consumers.connectors.http import HttpClient
from consumers.connectors.odata import ODataClient
from consumers.connectors.rest import RestClient, Timeouts
from consumers.errors import ClaimLost, Failed, Rejected, Unknown
from consumers.system import Call

PATHS = {"v4": "/erp", "v2": "/odata/v2/erp"}
ERRORS = {"DUPLICATE_TAX_ID": "rejected", "ERR_SQLITE_ERROR": "rejected"}


@pytest.fixture(params=["v4", "v2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(cap_url: str, http: Callable[..., HttpClient], guard: Guard, version: str) -> Callable[..., ODataClient]:
    def made(**options: Any) -> ODataClient:
        options = {"csrf": True, "errors": ERRORS, "missing_codes": ("404",)} | options
        return ODataClient(http(cap_url + PATHS[version]), guard, version=version, **options)

    return made


@pytest.fixture
async def odata(make: Callable[..., ODataClient]) -> AsyncIterator[ODataClient]:
    async with make() as client:
        yield client


@pytest.fixture
async def csrf(cap_url: str) -> AsyncIterator[RestClient]:
    """The token's issuer."""
    timeouts = Timeouts(connect=5, read=30, write=5, pool=5)
    async with RestClient(cap_url + "/csrf", timeouts=timeouts) as made:
        yield made


def vendor(**fields: Any) -> dict[str, Any]:
    return {"ID": uuid4(), "taxId": str(uuid4()), "name": "A", **fields}


def guid(value: Any) -> dict[str, str]:
    return {"type": "Edm.Guid", "value": str(value)}


async def etag_of(odata: ODataClient, key: Any, call: Call) -> str:
    found = await odata.read("Vendors", guid(key), call=call)
    return str(found.get("@odata.etag") or found["__metadata"]["etag"])


async def test_a_vendor_with_its_sites_is_created_found_and_deleted(odata: ODataClient, call: Call) -> None:
    sites = [{"ID": uuid4(), "city": "Köln"}, {"ID": uuid4(), "city": "Bonn"}]
    tax = "D'1 + 2 & 3" + uuid4().hex[:20]
    sent = vendor(taxId=tax, limit=Decimal("1234567890123.45"), foundedOn=date(2001, 2, 3), sites=sites)
    created = await odata.create("Vendors", sent, call=call)
    assert created["ID"] == str(sent["ID"])
    (found,) = await odata.look_up("Vendors", {"taxId": tax, "name": "A"}, call=call)
    assert Decimal(found["limit"]) == sent["limit"]
    assert found["foundedOn"][:10] == "2001-02-03"
    whole = await odata.read("Vendors", guid(sent["ID"]), call=call, query={"$expand": "sites"})
    assert sorted(site["city"] for site in whole["sites"]) == ["Bonn", "Köln"]
    etag = await etag_of(odata, sent["ID"], call)
    assert await odata.delete("Vendors", guid(sent["ID"]), call=call, etag=etag) == {}
    assert await odata.look_up("Vendors", {"taxId": tax}, call=call) == []


async def test_a_key_that_needs_quoting_is_one_key(odata: ODataClient, call: Call) -> None:
    code = f"a/b'c?d#{uuid4().hex[:8]}"
    await odata.create("Countries", {"code": code, "name": "x"}, call=call)
    assert (await odata.read("Countries", code, call=call))["name"] == "x"
    await odata.update("Countries", code, {"name": "y"}, call=call, upsert=True)
    assert (await odata.read("Countries", {"code": code}, call=call))["name"] == "y"
    assert await odata.delete("Countries", code, call=call) == {}
    assert await odata.delete("Countries", code, call=call) is None
    assert await odata.read("Countries", code, call=call, missing_ok=True) is None


async def test_the_services_own_codes_say_what_a_refusal_is(odata: ODataClient, call: Call) -> None:
    sent = vendor()
    await odata.create("Vendors", sent, call=call)
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await odata.create("Vendors", sent | {"ID": uuid4()}, call=call)
    with pytest.raises(Rejected, match="ASSERT_MANDATORY"):
        await odata.create("Vendors", {"ID": uuid4(), "taxId": "x"}, call=call)
    with pytest.raises(Unknown, match="something broke"):
        await odata.create("Vendors", vendor(name="BREAK"), call=call)


async def test_a_change_is_refused_where_the_thing_has_changed_since(odata: ODataClient, call: Call) -> None:
    sent = vendor()
    await odata.create("Vendors", sent, call=call)
    old = await etag_of(odata, sent["ID"], call)
    await asyncio.sleep(0.01)
    await odata.update("Vendors", guid(sent["ID"]), {"name": "B"}, call=call, etag=old)
    with pytest.raises(Rejected, match="PRECONDITION_FAILED"):
        await odata.update("Vendors", guid(sent["ID"]), {"name": "C"}, call=call, etag=old)
    await odata.update("Vendors", guid(sent["ID"]), {"name": "D"}, call=call, fresh=True)
    assert (await odata.read("Vendors", guid(sent["ID"]), call=call))["name"] == "D"


async def test_an_update_never_creates_what_is_not_there(odata: ODataClient, call: Call) -> None:
    key = uuid4()
    with pytest.raises(Rejected):
        await odata.update("Vendors", guid(key), {"name": "B"}, call=call)
    assert await odata.look_up("Vendors", {"ID": key}, call=call) == []


async def test_a_batch_is_done_as_a_whole_or_not_at_all(odata: ODataClient, call: Call) -> None:
    def countries(*codes: str) -> list[dict[str, Any]]:
        return [{"method": "POST", "entity_set": "Countries", "fields": {"code": code}} for code in codes]

    one, two, three = (uuid4().hex for _ in range(3))
    made = await odata.batch(countries(one, two), call=call)
    assert [entity["code"] for entity in made] == [one, two]
    # CAP answers 201 for the first of them, which it then rolls back.
    with pytest.raises(Rejected, match="ERR_SQLITE_ERROR"):
        await odata.batch(countries(three, one), call=call)
    assert await odata.look_up("Countries", {"code": three}, call=call) == []
    removal = [{"method": "DELETE", "entity_set": "Countries", "key": code} for code in (one, two)]
    assert await odata.batch(removal, call=call) == [{}, {}]
    assert await odata.look_up("Countries", {"code": one}, call=call) == []


async def test_pages_are_read_to_the_end_and_not_beyond_the_limit(odata: ODataClient, call: Call) -> None:
    name = uuid4().hex
    for at in range(5):  # the service gives two a page
        await odata.create("Countries", {"code": f"{name}{at}", "name": name}, call=call)
    found = await odata.look_up("Countries", {"name": name}, call=call)
    assert sorted(entity["code"] for entity in found) == [f"{name}{at}" for at in range(5)]
    with pytest.raises(Rejected, match="TOO_MANY_PAGES"):
        _ = [item async for item in odata.pages("Countries", call=call, most=2)]


async def test_a_link_to_another_host_is_not_followed_even_if_it_is_another_name_of_the_same(
    cap_url: str, http: Callable[..., HttpClient], guard: Guard, call: Call
) -> None:
    base = cap_url.replace("localhost", "127.0.0.1") + PATHS["v2"]
    async with ODataClient(http(base), guard, version="v2", csrf=True) as odata:
        for _ in range(3):
            await odata.create("Countries", {"code": uuid4().hex}, call=call)
        with pytest.raises(Failed, match="FOREIGN_LINK"):
            _ = [item async for item in odata.pages("Countries", call=call)]


async def test_a_wrong_path_does_not_read_as_not_done(odata: ODataClient, call: Call) -> None:
    with pytest.raises(Unknown, match="the probe failed"):
        await odata.look_up("Vendorz", {"taxId": "x"}, call=call)


# -- CSRF ------------------------------------------------------------------------------------------------------------


async def fetched(csrf: RestClient, call: Call) -> int:
    return int((await csrf.request("GET", "/fetched", call=call))["fetched"])


async def test_many_writes_at_once_fetch_one_token_and_a_session_that_ended_one_more(
    odata: ODataClient, csrf: RestClient, call: Call
) -> None:
    before = await fetched(csrf, call)

    async def writes() -> None:
        await asyncio.gather(*(odata.create("Vendors", vendor(), call=call) for _ in range(8)))

    await writes()
    assert await fetched(csrf, call) == before + 1
    await csrf.request("POST", "/forget", call=call)
    await writes()
    assert await fetched(csrf, call) == before + 2


async def test_without_a_token_a_write_is_failed_and_nothing_was_done(
    make: Callable[..., ODataClient], call: Call
) -> None:
    sent = vendor()
    async with make(csrf=False) as odata:
        with pytest.raises(Failed, match="CSRF_REQUIRED"):
            await odata.create("Vendors", sent, call=call)
        assert await odata.look_up("Vendors", {"ID": sent["ID"]}, call=call) == []


async def test_a_claim_that_is_lost_while_the_token_was_fetched_sends_nothing(odata: ODataClient, call: Call) -> None:
    renewals = 0

    async def renew() -> None:
        nonlocal renewals
        renewals += 1
        if renewals == 2:
            raise ClaimLost

    sent = vendor()
    with pytest.raises(ClaimLost):
        await odata.create("Vendors", sent, call=replace(call, renew=renew))
    assert await odata.look_up("Vendors", {"ID": sent["ID"]}, call=call) == []
