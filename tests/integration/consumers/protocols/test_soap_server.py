"""The SOAP client against the server of npm `soap`, in both versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from consumers.connectors.guard import Guard
from consumers.connectors.http import HttpClient, Proof, UsernameToken
from consumers.connectors.soap import SoapClient
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call

from pathlib import Path

WSDL = Path(__file__).with_name("servers") / "soap"


@dataclass
class Proving:
    """Credentials whose passwords follow one another: each refusal brings the next."""

    passwords: list[str]
    digest: bool = False
    reference: str = "test"
    verify: bool = True

    async def proof(self) -> Proof:
        if not self.passwords:
            raise Failed("NO_SECRET", "there is none now")
        return Proof(self.passwords[0], username_token=UsernameToken("saga", self.passwords[0], self.digest))

    async def refused(self, sent: Proof) -> bool:
        if self.passwords[0] == sent.version and len(self.passwords) > 1:
            self.passwords.pop(0)
        return self.passwords[0] != sent.version


@pytest.fixture(scope="session")
def soap_url(start_server: Callable[..., str]) -> str:
    return start_server("soap")


@pytest.fixture(params=["v11", "v12"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(soap_url: str, http: Callable[..., HttpClient], guard: Guard, version: str) -> Callable[..., SoapClient]:
    def made(path: str = "", **options: Any) -> SoapClient:
        options = {"missing_codes": ("NO-SUCH-VENDOR",)} | options
        return SoapClient(http(soap_url), guard, wsdl=WSDL / f"{version}.wsdl", path=f"/{path}{version}", **options)

    return made


@pytest.fixture
async def soap(make: Callable[..., SoapClient]) -> AsyncIterator[SoapClient]:
    async with make() as client:
        yield client


async def test_a_vendor_is_created_and_found(soap: SoapClient, call: Call) -> None:
    tax, name = str(uuid4()), "</name><evil/> & Ä"
    fields = {
        "taxId": tax,
        "name": name,
        "limit": Decimal("1234567890123.45"),
        "site": [{"city": "Köln"}, {"city": "Bonn"}],
    }
    made = await soap.request("CreateVendor", fields, call=call)
    assert set(made) == {"vendorId"}
    found = await soap.look_up("FindVendor", {"taxId": tax}, call=call)
    assert found == {
        "vendorId": made["vendorId"],
        "name": name,
        "limit": Decimal("1234567890123.45"),
        "cities": ["Köln", "Bonn"],
    }
    assert await soap.look_up("FindVendor", {"taxId": "none"}, call=call) is None


async def test_an_operation_without_an_output_is_done_when_it_was_taken(soap: SoapClient, call: Call) -> None:
    assert await soap.request("Notify", {"text": "x"}, call=call) == {}


async def test_a_fault_means_what_its_codes_say_even_inside_200(soap: SoapClient, call: Call) -> None:
    fields = {"taxId": str(uuid4()), "name": "A"}
    await soap.request("CreateVendor", fields, call=call)
    with pytest.raises(Unknown, match="DUPLICATE_7"):
        await soap.request("CreateVendor", fields, call=call)
    with pytest.raises(Rejected, match="DUPLICATE_7: there is one already"):
        await soap.request("CreateVendor", fields, call=call, errors={"DUPLICATE-7": "rejected"})
    with pytest.raises(Rejected, match="no such name"):
        await soap.request("CreateVendor", fields | {"name": "REFUSE"}, call=call)
    with pytest.raises(Unknown, match="something broke"):
        await soap.request("CreateVendor", fields | {"name": "BREAK"}, call=call)


async def test_what_does_not_fit_the_schema_is_not_sent(soap: SoapClient, call: Call) -> None:
    for fields in (
        {"taxId": "x"},
        {"taxId": "x", "name": "A", "extra": 1},
        {"taxId": "x", "name": "A", "site": {"zip": 1}},
    ):
        with pytest.raises(Rejected, match="INVALID_REQUEST"):
            await soap.request("CreateVendor", fields, call=call)
    with pytest.raises(ValueError, match="CreateVendor, FindVendor, Notify"):
        await soap.request("Nothing", {}, call=call)


@pytest.mark.parametrize("digest", [False, True])
async def test_a_token_is_taken_with_a_nonce_of_its_own_each_time(
    make: Callable[..., SoapClient], call: Call, digest: bool
) -> None:
    async with make("guarded-", credentials=Proving(["pässword<&>"], digest)) as soap:
        for _ in range(2):
            assert await soap.request("CreateVendor", {"taxId": str(uuid4()), "name": "A"}, call=call)


async def test_a_wrong_token_and_none_at_all_did_nothing(make: Callable[..., SoapClient], call: Call) -> None:
    fields = {"taxId": str(uuid4()), "name": "A"}
    async with make("guarded-", credentials=Proving(["another"])) as soap:
        with pytest.raises(Failed, match="AUTHENTICATIONFAILURE") as refused:  # this server's own code, and 401
            await soap.request("CreateVendor", fields, call=call)
        assert "another" not in str(refused.value)
    async with make("guarded-", credentials=Proving([])) as soap:
        with pytest.raises(Failed, match="NO_SECRET"):
            await soap.request("CreateVendor", fields, call=call)
    async with make() as soap:
        assert await soap.look_up("FindVendor", {"taxId": fields["taxId"]}, call=call) is None


async def test_a_password_that_was_rotated_is_found_out_within_the_call(
    make: Callable[..., SoapClient], call: Call
) -> None:
    async with make("guarded-", credentials=Proving(["the old one", "pässword<&>"])) as soap:
        assert await soap.request("CreateVendor", {"taxId": str(uuid4()), "name": "A"}, call=call)
