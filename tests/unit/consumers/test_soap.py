"""What a SOAP answer says of the action: the table in `soap.py`, row by row; WSDLs that are refused; tokens."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from consumers.connectors.answers import Answer, Expectation
from consumers.connectors.guard import Verdict
from consumers.connectors.soap import judge_soap
from consumers.connectors.soap_wsdl import BadWsdl, Operation, Wsdl
from consumers.connectors.wsse import with_token
from consumers.errors import Failed, Rejected, Unknown

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOAP = Path(__file__).parents[2] / "integration/consumers/protocols/servers/soap"
ENV = {"v11": "http://schemas.xmlsoap.org/soap/envelope/", "v12": "http://www.w3.org/2003/05/soap-envelope"}
ERRORS = {"VendorLocked": "failed", "TAX-1": "rejected", "Client.Later": "unknown"}
WRITE, READ = Expectation(errors=ERRORS, keyed=False), Expectation(errors=ERRORS, reads=True)
MISSING = Expectation(errors=ERRORS, missing_ok=True, missing_codes=("NoVendor",))


@pytest.fixture(scope="module", params=["v11", "v12"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def wsdl(version: str) -> Wsdl:
    return Wsdl(SOAP / f"{version}.wsdl")


@pytest.fixture(scope="module")
def create(wsdl: Wsdl) -> Operation:
    return wsdl.operation("CreateVendor")


def said(
    operation: Operation, body: str | bytes | None, expected: Expectation = WRITE, status: int = 200, **headers: str
) -> Verdict:
    """The envelope around a body; bytes go as they are."""
    env = operation.namespace
    data = (
        f'<e:Envelope xmlns:e="{env}"><e:Body>{body}</e:Body></e:Envelope>'.encode() if isinstance(body, str) else body
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge_soap(Answer(status, named, data), expected, operation, lambda: NOW)


def is_(verdict: Verdict, kind: type[Exception], code: str) -> None:
    assert type(verdict.error) is kind
    assert getattr(verdict.error, "code") == code  # noqa: B009


def fault11(code: str, detail: str = "") -> str:
    return f'<e:Fault xmlns:w="urn:w"><faultcode>{code}</faultcode><faultstring>because</faultstring>{detail}</e:Fault>'


def fault12(code: str, subcode: str = "", detail: str = "") -> str:
    inner = f"<e:Subcode><e:Value>{subcode}</e:Value></e:Subcode>" if subcode else ""
    return (
        f"<e:Fault><e:Code><e:Value>{code}</e:Value>{inner}</e:Code>"
        f'<e:Reason><e:Text xml:lang="en">because</e:Text></e:Reason>{detail}</e:Fault>'
    )


def test_the_output_is_done_with_the_names_of_the_wsdl(create: Operation) -> None:
    answer = '<CreateVendorResponse xmlns="urn:vendors"><vendorId>V</vendorId></CreateVendorResponse>'
    assert said(create, answer) == Verdict({"vendorId": "V"})
    more = answer.replace("</vendorId>", "</vendorId><added>1</added>")
    assert said(create, more) == Verdict({"vendorId": "V"})


@pytest.mark.parametrize(
    "body",
    [
        "",
        '<Other xmlns="urn:vendors"/>',
        "<CreateVendorResponse/>",
        b"<html><body>down</body></html>",
        b"<html><br></html>",
        b'{"a": 1}',
        b"",
        b"\xff\xfe",
        b"<e:Envelope xmlns:e='urn:other'><e:Body/></e:Envelope>",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        None,
    ],
)
def test_a_success_that_is_something_else_proves_nothing(create: Operation, body: str | bytes | None) -> None:
    is_(said(create, body), Unknown, "BAD_RESPONSE")
    is_(said(create, body, READ), Failed, "BAD_RESPONSE")


def test_mtom_is_refused(create: Operation) -> None:
    is_(said(create, b"--x", content_type='multipart/related; type="application/xop+xml"'), Unknown, "BAD_RESPONSE")


def test_an_operation_without_output_is_done_by_an_empty_success(wsdl: Wsdl, create: Operation) -> None:
    assert said(wsdl.operation("Notify"), b"", status=202) == Verdict({})
    assert said(wsdl.operation("Notify"), "") == Verdict({})
    is_(said(wsdl.operation("Notify"), fault11("e:Server")), Unknown, "SERVER")


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_class_of_a_fault_whatever_its_status_and_version(create: Operation, status: int) -> None:
    is_(said(create, fault11("e:Client"), status=status), Rejected, "CLIENT")
    is_(said(create, fault11("e:Client.BadName"), status=status), Rejected, "CLIENT_BADNAME")
    is_(said(create, fault11("e:Server"), status=status), Unknown, "SERVER")
    is_(said(create, fault11("e:Server"), READ, status=status), Failed, "SERVER")
    is_(said(create, fault12("e:Sender", "x:BadName"), status=status), Rejected, "BADNAME")
    is_(said(create, fault12("e:Receiver"), status=status), Unknown, "RECEIVER")
    is_(said(create, fault12("e:MustUnderstand"), status=status), Rejected, "MUSTUNDERSTAND")
    is_(said(create, fault11("x:Whatever"), status=status), Unknown, "WHATEVER")
    is_(said(create, "<e:Fault/>", status=status), Unknown, "SOAP_FAULT")


def test_a_mapped_code_counts_wherever_it_stands(create: Operation) -> None:
    code = "<w:VendorFault xmlns:w='urn:w'><w:errorCode>TAX-1</w:errorCode></w:VendorFault>"
    is_(said(create, fault11("e:Server", f"<detail>{code}</detail>")), Rejected, "TAX_1")
    is_(said(create, fault12("e:Receiver", "", f"<e:Detail>{code}</e:Detail>")), Rejected, "TAX_1")
    is_(said(create, fault11("e:Server", "<detail><w:VendorLocked/></detail>")), Failed, "VENDORLOCKED")
    is_(said(create, fault12("e:Sender", "x:VendorLocked")), Failed, "VENDORLOCKED")
    is_(said(create, fault11("e:Client.Later")), Unknown, "CLIENT_LATER")


def test_a_fault_may_say_that_there_is_none(create: Operation) -> None:
    body = fault11("e:Client", "<detail><w:NoVendor/></detail>")
    assert said(create, body, MISSING) == Verdict(None)
    is_(said(create, body), Rejected, "NOVENDOR")


def test_a_token_that_is_refused_is_our_credential(create: Operation) -> None:
    verdict = said(create, fault11("wsse:FailedAuthentication"), status=500)
    is_(verdict, Failed, "FAILEDAUTHENTICATION")
    assert verdict.healthy is False
    is_(said(create, fault12("e:Sender", "wsse:InvalidSecurityToken")), Failed, "INVALIDSECURITYTOKEN")


def test_some_statuses_say_more_than_the_fault(create: Operation) -> None:
    is_(said(create, fault11("e:Server"), status=503, retry_after="3"), Failed, "SERVER")
    is_(said(create, fault11("e:Server"), status=503), Unknown, "SERVER")
    is_(said(create, fault11("e:Client"), status=429), Failed, "CLIENT")
    is_(said(create, fault11("e:Client"), status=401), Failed, "CLIENT")


def test_without_a_fault_the_status_counts(create: Operation) -> None:
    is_(said(create, b"<html>", status=404), Rejected, "HTTP_404")
    is_(said(create, b"<html/>", status=502), Unknown, "HTTP_502")
    is_(said(create, b"", status=302), Unknown, "HTTP_302")


ONE = Wsdl(SOAP / "v11.wsdl").operation("CreateVendor")


@given(st.binary(max_size=100), st.sampled_from([200, 202, 400, 404, 500]))
def test_no_answer_breaks_the_judge(body: bytes, status: int) -> None:
    assert said(ONE, body, status=status).error is not None


# -- WSDLs -----------------------------------------------------------------------------------------------------------


WSDL = (SOAP / "v11.wsdl").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html/>",
        WSDL[:500],
        '<!DOCTYPE a [<!ENTITY x "y">]>' + WSDL.partition("?>")[2],
        WSDL.replace("<types>", '<import namespace="urn:x" location="http://127.0.0.1:1/x.wsdl"/><types>'),
        WSDL.replace("<types>", '<import namespace="urn:x" location="no-such-file.wsdl"/><types>'),
    ],
)
def test_a_wsdl_that_is_broken_or_leads_away_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.wsdl").write_text(text)
    with pytest.raises(BadWsdl, match=r"a\.wsdl"):
        Wsdl(tmp_path / "a.wsdl").operation("CreateVendor")


def test_a_wsdl_that_is_not_there_and_a_port_that_is_not_in_it(tmp_path: Path) -> None:
    with pytest.raises(BadWsdl):
        Wsdl(tmp_path / "none.wsdl")
    with pytest.raises(BadWsdl, match="no SOAP port"):
        Wsdl(SOAP / "v11.wsdl", port="Other")


# -- tokens ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    digest: bool
    username: str = "saga"
    password: str = "secret"


@pytest.mark.parametrize("digest", [False, True])
def test_a_token_is_in_the_copy_alone_and_a_digest_hides_the_password(create: Operation, digest: bool) -> None:
    envelope = create.envelope({"taxId": "D", "name": "A"})
    before = etree.tostring(envelope)
    made = with_token(envelope, Token(digest), NOW, create.namespace, random=lambda size: b"n" * size)
    assert etree.tostring(envelope) == before
    text = {etree.QName(element).localname: element.text for element in made.iter("{*}*")}
    assert (text["Username"], text["Created"]) == ("saga", "2026-01-01T00:00:00Z")
    assert base64.b64decode(str(text["Nonce"])) == b"n" * 16
    expected = base64.b64encode(
        hashlib.new("sha1", b"n" * 16 + b"2026-01-01T00:00:00Zsecret", usedforsecurity=False).digest()
    ).decode()
    assert text["Password"] == (expected if digest else "secret")
    assert [etree.QName(child).localname for child in made] == ["Header", "Body"]
