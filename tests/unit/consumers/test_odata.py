"""OData's values, answers and batches, in both versions."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.connectors.answers import Answer, Expectation
from consumers.connectors.guard import Verdict
from consumers.connectors.odata_answers import judge_odata, odata_fault
from consumers.connectors.odata_batch import Change, batch_of, judge_batch
from consumers.connectors.odata_values import body_value, filter_of, key_path, literal, plain
from consumers.errors import Failed, Rejected, Unknown

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ERRORS = {"SY/530": "rejected", "LOCKED": "failed"}
WRITE, READ = Expectation(errors=ERRORS, keyed=False), Expectation(errors=ERRORS, reads=True)
SOME_ID = UUID("01234567-89ab-cdef-0123-456789abcdef")
AT = datetime(2026, 1, 31, 12, 0, tzinfo=timezone(timedelta(hours=2)))


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def is_(verdict: Verdict, kind: type[Exception], code: str) -> None:
    assert type(verdict.error) is kind
    assert getattr(verdict.error, "code") == code  # noqa: B009


# -- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "v2", "v4"),
    [
        ("O'Reilly", "'O''Reilly'", "'O''Reilly'"),
        ("", "''", "''"),
        (7, "7", "7"),
        (True, "true", "true"),
        (None, "null", "null"),
        (SOME_ID, f"guid'{SOME_ID}'", str(SOME_ID)),
        (Decimal("1E+2"), "100M", "100"),
        (date(2026, 1, 31), "datetime'2026-01-31T00:00:00'", "2026-01-31"),
        ({"type": "Edm.Guid", "value": str(SOME_ID)}, f"guid'{SOME_ID}'", str(SOME_ID)),
        ({"type": "Edm.Int64", "value": "42"}, "42L", "42"),
        ({"type": "Edm.String", "value": 7}, "'7'", "'7'"),
        ({"type": "Edm.DateTime", "value": AT}, "datetime'2026-01-31T10:00:00'", "2026-01-31T10:00:00"),
    ],
)
def test_a_literal_has_the_form_of_its_version(value: Any, v2: str, v4: str) -> None:
    assert (literal(value, "v2"), literal(value, "v4")) == (v2, v4)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Edm.Guid", "value": "x' or 'a' eq 'a"},
        {"type": "Edm.Int64", "value": "1) or (1 eq 1"},
        {"type": "Edm.Decimal", "value": ""},
        AT.replace(tzinfo=None),
        b"bytes",
        [1],
    ],
)
def test_what_has_no_literal_is_refused_and_never_put_into_a_url(value: Any) -> None:
    with pytest.raises(ValueError):
        literal(value, "v4")


@given(st.text())
def test_no_text_leaves_its_quotes(text: str) -> None:
    made = literal(text, "v4")
    assert re.fullmatch(r"'(?:[^']|'')*'", made, re.DOTALL)
    assert made[1:-1].replace("''", "'") == text


def test_keys_are_encoded_and_names_are_names() -> None:
    assert key_path("Vendors", "a/b'c d", "v4") == "/Vendors('a%2Fb''c%20d')"
    assert key_path("Items", {"Order": "1", "Line": 2}, "v2") == "/Items(Order='1',Line=2)"
    assert filter_of({"taxId": "D'1", "active": True}, "v4") == "taxId eq 'D''1' and active eq true"
    for name in ("", "a b", "a'", "a?b", "1a", "a/../b"):
        with pytest.raises(ValueError):
            key_path(name, 1, "v4")
        with pytest.raises(ValueError):
            filter_of({name: 1}, "v4")


def test_a_body_has_the_dates_of_its_version_and_exact_numbers() -> None:
    value = {"n": Decimal("1.50"), "d": date(2026, 1, 31), "t": AT, "id": SOME_ID, "sites": [{"t": AT}]}
    ms = int(AT.timestamp() * 1000)
    assert body_value(value, "v4") == {
        "n": "1.50",
        "d": "2026-01-31",
        "t": "2026-01-31T12:00:00+02:00",
        "id": str(SOME_ID),
        "sites": [{"t": "2026-01-31T12:00:00+02:00"}],
    }
    made = body_value(value, "v2")
    assert (made["n"], made["d"]) == ("1.50", "/Date(1769817600000)/")
    assert made["t"] == made["sites"][0]["t"] == f"/Date({ms})/"
    assert body_value({"type": "Edm.DateTime", "value": "2026-01-31"}, "v2") == "/Date(1769817600000)/"


def test_an_answer_of_v2_loses_what_only_v2_has() -> None:
    value = {
        "a": "/Date(1769817600000)/",
        "b": "/Date(1769817600000+0060)/",
        "before": "/Date(-1)/",
        "never": "/Date(9999999999999999)/",
        "text": "/Date(x)/",
        "sites": {"results": [{"c": 1}]},
        "later": {"__deferred": {"uri": "…"}},
    }
    assert plain(value) == {
        "a": "2026-01-31T00:00:00Z",
        "b": "2026-01-31T01:00:00+01:00",
        "before": "1969-12-31T23:59:59.999000Z",
        "never": "/Date(9999999999999999)/",
        "text": "/Date(x)/",
        "sites": [{"c": 1}],
    }


# -- answers ---------------------------------------------------------------------------------------------------------


V4_ERROR = {"error": {"code": "E1", "message": "because", "details": [{"code": "SY/530", "message": "x"}]}}
V2_ERROR = {
    "error": {
        "code": "E1",
        "message": {"lang": "en", "value": "because"},
        "innererror": {"errordetails": [{"code": "SY/530", "message": "x"}]},
    }
}
XML_ERROR = (
    b'<?xml version="1.0" encoding="utf-8"?><error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
    b'<code>SY/530</code><message xml:lang="en">because</message></error>'
)


@pytest.mark.parametrize("body", [V4_ERROR, V2_ERROR, XML_ERROR])
def test_the_codes_within_an_error_count_before_the_one_outside(body: Any) -> None:
    verdict = judge_odata(answer(400, body), WRITE, NOW, "v2")
    is_(verdict, Rejected, "SY_530")
    assert getattr(verdict.error, "message") == "because"  # noqa: B009


@pytest.mark.parametrize("body", [b"<html>", b"", {"error": "text"}, {"error": {"code": [], "message": 7}}, b"<a/>"])
def test_an_error_of_another_form_is_judged_by_its_status(body: Any) -> None:
    assert odata_fault(answer(500, body)).code is None
    is_(judge_odata(answer(500, body), WRITE, NOW, "v4"), Unknown, "HTTP_500")
    is_(judge_odata(answer(400, body), WRITE, NOW, "v4"), Rejected, "HTTP_400")


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"null", b"\xff", None])
@pytest.mark.parametrize("version", ["v2", "v4"])
def test_a_success_that_is_not_odata_proves_nothing(body: Any, version: Any) -> None:
    is_(judge_odata(answer(200, body), WRITE, NOW, version), Unknown, "BAD_RESPONSE")
    is_(judge_odata(answer(201, body), READ, NOW, version), Failed, "BAD_RESPONSE")


def test_an_error_inside_a_success_counts_as_its_code_is_mapped() -> None:
    is_(judge_odata(answer(200, V4_ERROR), WRITE, NOW, "v4"), Rejected, "SY_530")
    other = {"error": {"code": "OTHER", "message": "x"}}
    is_(judge_odata(answer(200, other), WRITE, NOW, "v4"), Unknown, "OTHER")
    is_(judge_odata(answer(200, other), READ, NOW, "v4"), Failed, "OTHER")


def test_a_success_without_d_is_not_v2() -> None:
    is_(judge_odata(answer(201, {"ID": 1}), WRITE, NOW, "v2"), Unknown, "BAD_RESPONSE")
    assert judge_odata(answer(201, {"d": {"ID": 1}}), WRITE, NOW, "v2") == Verdict({"ID": 1})
    assert judge_odata(answer(204), WRITE, NOW, "v2") == Verdict({})


def test_whose_etag_it_was_says_what_a_412_is() -> None:
    is_(judge_odata(answer(412), WRITE, NOW, "v4"), Rejected, "PRECONDITION_FAILED")
    is_(judge_odata(answer(412), WRITE, NOW, "v4", fresh=True), Failed, "PRECONDITION_FAILED")
    is_(judge_odata(answer(412, {"error": {"code": "LOCKED"}}), WRITE, NOW, "v4"), Failed, "LOCKED")


def test_a_403_that_wants_a_token_is_not_forbidden() -> None:
    is_(judge_odata(answer(403, x_csrf_token="Required"), WRITE, NOW, "v4"), Failed, "CSRF_REQUIRED")
    is_(judge_odata(answer(403), WRITE, NOW, "v4"), Failed, "FORBIDDEN")


# -- batches ---------------------------------------------------------------------------------------------------------


def batch(responses: Any, changes: int = 2, expected: Expectation = WRITE) -> Verdict:
    made = answer(200, {"responses": responses}, content_type="application/json")
    return judge_batch(made, changes=changes, expected=expected, version="v4", now=lambda: NOW)


def one(at: int, status: int, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"id": str(at), "status": status, "body": body, "atomicityGroup": "saga", **more}


def test_all_of_a_batch_in_the_order_of_the_changes() -> None:
    assert batch([one(1, 201, {"b": 1}), one(0, 204)]) == Verdict([{}, {"b": 1}])


def test_one_failure_of_a_group_is_the_failure_of_all() -> None:
    is_(batch([one(0, 201, {"a": 1}), one(1, 400, V4_ERROR)]), Rejected, "SY_530")
    is_(batch([one(0, 424), one(1, 409, {"error": {"code": "LOCKED"}})]), Failed, "LOCKED")
    is_(batch([one(1, 409, V4_ERROR)]), Rejected, "SY_530")


@pytest.mark.parametrize(
    "responses",
    [
        [],
        [one(0, 201, {})],
        [one(0, 201, {}), one(0, 201, {})],
        [one(0, 201, {}), one(7, 201, {})],
        [one(0, 201, {}, atomicityGroup=None), one(1, 400, V4_ERROR, atomicityGroup=None)],
        [one(0, 201, {}), one(1, 201, [])],
        [one(0, 201, {}), {"id": "1"}],
        "text",
        [None],
    ],
)
def test_a_batch_that_does_not_tell_of_every_change_of_one_group_is_unknown(responses: Any) -> None:
    assert isinstance(batch(responses).error, Unknown)


MULTIPART = (
    b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    b"--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{"d": {"a": 1}}\r\n'
    b"--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"HTTP/1.1 204 No Content\r\n\r\n\r\n--c--\r\n--b--\r\n"
)


def multipart(body: bytes, kind: str = "multipart/mixed; boundary=b") -> Verdict:
    made = answer(202, body, content_type=kind)
    return judge_batch(made, changes=2, expected=WRITE, version="v2", now=lambda: NOW)


def test_a_multipart_answer_is_read_part_by_part() -> None:
    assert multipart(MULTIPART) == Verdict([{"a": 1}, {}])
    failed = (
        b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n"
        + json.dumps(V2_ERROR).encode()
        + b"\r\n--b--\r\n"
    )
    is_(multipart(failed), Rejected, "SY_530")


@pytest.mark.parametrize("cut", [0, 20, 60, 150, 250, len(MULTIPART) - 20])
def test_a_multipart_answer_that_was_cut_is_unknown(cut: int) -> None:
    assert isinstance(multipart(MULTIPART[:cut]).error, Unknown)


def test_a_multipart_answer_that_is_none_is_unknown() -> None:
    for body, kind in ((b"<html>", "text/html"), (b"x", "multipart/mixed"), (b"--b--", "multipart/mixed; boundary=b")):
        is_(multipart(body, kind), Unknown, "BAD_RESPONSE")


@given(st.binary(max_size=200))
def test_no_answer_breaks_the_batch(body: bytes) -> None:
    assert isinstance(multipart(body).error, Unknown | Rejected | Failed)
    assert isinstance(multipart(b"--b\r\n" + body + b"\r\n--b--\r\n").error, Unknown | Rejected | Failed)


def test_a_batch_is_of_changes() -> None:
    for changes in ([], [Change("GET", "Vendors")]):
        with pytest.raises(ValueError):
            batch_of(changes, "v4")
