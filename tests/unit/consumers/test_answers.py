"""What an HTTP answer says of the action: the table in `answers.py`, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.connectors.answers import Answer, Expectation, Fault, judge, parse, retry_after
from consumers.connectors.guard import Verdict
from consumers.errors import Failed, Rejected, Unknown
from schemas.models import ProcessInvoice, VendorCreated

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ERRORS = {"DUPLICATE_TAX_ID": "rejected", "TRANSIENT_ERROR": "failed", "IN_DOUBT": "unknown"}
WRITE, READ = Expectation(errors=ERRORS), Expectation(errors=ERRORS, reads=True)
UNKEYED = Expectation(errors=ERRORS, keyed=False)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def said(status: int, body: Any = None, expected: Expectation = WRITE, **headers: str) -> Verdict:
    return judge(answer(status, body, **headers), expected, NOW)


def coded(code: str) -> dict[str, str]:
    return {"code": code, "message": "because"}


def is_(verdict: Verdict, kind: type[Exception], code: str, *, again: bool, healthy: bool = True) -> None:
    assert type(verdict.error) is kind
    assert getattr(verdict.error, "code") == code  # noqa: B009
    assert (verdict.again, verdict.healthy) == (again, healthy)


# -- errors where other systems have them ----------------------------------------------------------------------------


def test_an_error_inside_a_success_is_what_its_code_says_or_unknown() -> None:
    told = {"errors": ERRORS, "refused": lambda value: value.get("ok") is False}
    write, read = Expectation(**told), Expectation(**told, reads=True)
    assert said(200, {"ok": True}, write) == Verdict({"ok": True})
    is_(said(200, {"ok": False, **coded("DUPLICATE_TAX_ID")}, write), Rejected, "DUPLICATE_TAX_ID", again=False)
    is_(said(200, {"ok": False, **coded("TRANSIENT_ERROR")}, write), Failed, "TRANSIENT_ERROR", again=True)
    is_(said(200, {"ok": False, **coded("STRANGE")}, write), Unknown, "STRANGE", again=False, healthy=False)
    is_(said(200, {"ok": False}, write), Unknown, "ERROR_IN_SUCCESS", again=False, healthy=False)
    is_(said(200, {"ok": False}, read), Failed, "ERROR_IN_SUCCESS", again=False, healthy=False)


def test_a_status_may_be_mapped_where_the_body_says_nothing_that_is() -> None:
    mapped = Expectation(errors={**ERRORS, "HTTP_409": "unknown", "HTTP_404": "failed"}, missing_ok=True)
    is_(said(409, b"<html>", mapped), Unknown, "HTTP_409", again=True)
    is_(said(409, coded("OTHER"), mapped), Unknown, "OTHER", again=True)
    is_(said(409, coded("DUPLICATE_TAX_ID"), mapped), Rejected, "DUPLICATE_TAX_ID", again=False)
    is_(said(404, b"", mapped), Failed, "HTTP_404", again=True)
    assert said(404, coded("NOT_FOUND"), mapped) == Verdict(None)


def test_code_and_message_stand_where_the_reader_says() -> None:
    verdict = judge(
        answer(422, b"", x_why="taken"), WRITE, NOW, fault=lambda a: Fault("DUPLICATE_TAX_ID", a.headers["x-why"])
    )
    is_(verdict, Rejected, "DUPLICATE_TAX_ID", again=False)
    assert str(verdict.error) == "DUPLICATE_TAX_ID: taken"


# -- done ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", [WRITE, READ])
def test_success_with_json_is_done(expected: Expectation) -> None:
    assert said(200, {"a": 1.10}, expected) == Verdict({"a": Decimal("1.1")})
    assert said(201, [], expected) == Verdict([])
    assert said(204, None, expected) == Verdict({})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"NaN", b'{"a": Infinity}', b"\xff", b"{", b"[" * 100_000, b"[1e99999999999999999999]"],
)
def test_success_with_anything_else_proves_nothing(body: bytes) -> None:
    is_(said(200, body), Unknown, "BAD_RESPONSE", again=True, healthy=False)
    is_(said(200, body, UNKEYED), Unknown, "BAD_RESPONSE", again=False, healthy=False)
    is_(said(200, body, READ), Failed, "BAD_RESPONSE", again=True, healthy=False)


def test_a_success_that_is_too_large_is_not_asked_for_again() -> None:
    large = Answer(200, {}, None)
    is_(judge(large, WRITE, NOW), Unknown, "BAD_RESPONSE", again=False, healthy=False)
    is_(judge(large, READ, NOW), Failed, "BAD_RESPONSE", again=False, healthy=False)
    assert judge(Answer(204, {}, None), WRITE, NOW) == Verdict({})


# -- what the contract names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429, 401])
def test_a_code_of_the_contract_goes_before_the_status(status: int) -> None:
    is_(said(status, coded("DUPLICATE_TAX_ID")), Rejected, "DUPLICATE_TAX_ID", again=False)
    is_(said(status, coded("TRANSIENT_ERROR")), Failed, "TRANSIENT_ERROR", again=True)
    is_(said(status, coded("IN_DOUBT")), Unknown, "IN_DOUBT", again=True)


def test_a_code_of_the_contract_holds_for_5xx_too_and_the_breaker_hears_of_it() -> None:
    is_(said(500, coded("TRANSIENT_ERROR")), Failed, "TRANSIENT_ERROR", again=True, healthy=False)
    is_(said(503, coded("DUPLICATE_TAX_ID")), Rejected, "DUPLICATE_TAX_ID", again=False, healthy=False)


def test_a_rejection_is_proven_where_the_target_binds_it_to_the_key() -> None:
    assert said(409, coded("DUPLICATE_TAX_ID")).proven
    assert not said(409, coded("DUPLICATE_TAX_ID"), UNKEYED).proven
    assert not said(409, coded("SOMETHING_ELSE")).proven


def test_an_unknown_of_the_contract_is_sent_again_only_under_a_key() -> None:
    is_(said(409, coded("IN_DOUBT"), UNKEYED), Unknown, "IN_DOUBT", again=False)


def test_retry_after_counts_for_a_failure_of_the_contract() -> None:
    error = said(429, coded("TRANSIENT_ERROR"), retry_after="7").error
    assert isinstance(error, Failed)
    assert error.retry_after == 7


def test_codes_of_the_key_are_never_a_rejection() -> None:
    is_(said(422, coded("IDEMPOTENCY_KEY_REUSED")), Unknown, "IDEMPOTENCY_KEY_REUSED", again=False)
    is_(said(409, coded("IDEMPOTENCY_IN_PROGRESS")), Unknown, "IDEMPOTENCY_IN_PROGRESS", again=True)


# -- not found -------------------------------------------------------------------------------------------------------


def test_not_found_is_an_answer_only_where_it_is_asked_for_and_says_so_itself() -> None:
    missing = Expectation(missing_ok=True)
    assert said(404, coded("NOT_FOUND"), missing) == Verdict(None)
    is_(said(404, coded("NOT_FOUND")), Rejected, "NOT_FOUND", again=False)
    # A proxy's page, or a wrong path: nothing says that the thing is not there.
    is_(said(404, b"<html>", missing), Rejected, "HTTP_404", again=False)
    is_(said(404, coded("NO_SUCH_ROUTE"), missing), Rejected, "NO_SUCH_ROUTE", again=False)
    assert said(404, b"<html>", Expectation(missing_ok=True, missing_codes=())) == Verdict(None)


# -- the rest of the table -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_may_follow_real_work(status: int) -> None:
    is_(said(status), Unknown, f"HTTP_{status}", again=False, healthy=False)
    is_(said(status, None, READ), Failed, f"HTTP_{status}", again=False, healthy=False)


@pytest.mark.parametrize(
    ("status", "code", "healthy"),
    [(401, "UNAUTHENTICATED", False), (403, "FORBIDDEN", True), (407, "PROXY_UNAUTHENTICATED", False)],
)
@pytest.mark.parametrize("expected", [WRITE, READ])
def test_our_credential_is_not_their_rejection(status: int, code: str, healthy: bool, expected: Expectation) -> None:
    is_(said(status, None, expected), Failed, code, again=False, healthy=healthy)


@pytest.mark.parametrize(
    ("status", "code"), [(408, "REQUEST_TIMEOUT"), (425, "TOO_EARLY"), (429, "RATE_LIMITED"), (503, "HTTP_503")]
)
@pytest.mark.parametrize("expected", [WRITE, READ])
def test_later_means_later(status: int, code: str, expected: Expectation) -> None:
    verdict = said(status, None, expected, retry_after="3")
    is_(verdict, Failed, code, again=True, healthy=status != 503)
    assert isinstance(verdict.error, Failed)
    assert verdict.error.retry_after == 3


def test_a_503_with_a_code_is_the_targets_own_and_one_without_a_proxys() -> None:
    is_(said(503, coded("MAINTENANCE")), Failed, "MAINTENANCE", again=True, healthy=False)
    is_(said(503, b"no upstream"), Unknown, "HTTP_503", again=True, healthy=False)
    is_(said(503, b"no upstream", UNKEYED), Unknown, "HTTP_503", again=False, healthy=False)
    is_(said(503, b"no upstream", READ), Failed, "HTTP_503", again=True, healthy=False)


@pytest.mark.parametrize("status", [400, 405, 409, 410, 418, 422, 451, 499])
@pytest.mark.parametrize("expected", [WRITE, READ])
def test_other_4xx_is_a_rejection(status: int, expected: Expectation) -> None:
    is_(said(status, None, expected), Rejected, f"HTTP_{status}", again=False)
    is_(said(status, coded("WHATEVER"), expected), Rejected, "WHATEVER", again=False)


@pytest.mark.parametrize("status", [500, 501, 502, 504, 599])
def test_other_5xx_may_have_been_done(status: int) -> None:
    is_(said(status), Unknown, f"HTTP_{status}", again=True, healthy=False)
    is_(said(status, None, UNKEYED), Unknown, f"HTTP_{status}", again=False, healthy=False)
    is_(said(status, None, READ), Failed, f"HTTP_{status}", again=True, healthy=False)


def test_no_answer_at_all_is_lost() -> None:
    is_(WRITE.lost("NO_ANSWER", "x"), Unknown, "NO_ANSWER", again=True, healthy=False)
    is_(UNKEYED.lost("NO_ANSWER", "x"), Unknown, "NO_ANSWER", again=False, healthy=False)
    is_(READ.lost("NO_ANSWER", "x"), Failed, "NO_ANSWER", again=True, healthy=False)


@pytest.mark.parametrize("code", ["lower", "", "A", "WITH SPACE", "ÄÖ", "A" * 65, "X\n", 7, None, ["A_B"]])
def test_a_code_of_another_form_is_none(code: Any) -> None:
    is_(said(400, {"code": code}), Rejected, "HTTP_400", again=False)


def test_a_long_message_is_cut() -> None:
    error = said(400, {"code": "TOO_LONG", "message": "x" * 10_000}).error
    assert isinstance(error, Rejected)
    assert len(error.message) == 500


# -- Retry-After -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("1.5", 1.5),
        ("999999999", 86_400),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), 86_400),
        ("Thu, 01 Jan 2026 00:00:10 -0000", 10),
        *(
            (garbage, None)
            for garbage in ("", "soon", "-5", "1e3", "12 s", "NaN", "inf", "Thu, 99 Foo 2026 99:99:99 GMT")
        ),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


def test_a_date_is_read_against_the_targets_own_clock() -> None:
    theirs = NOW + timedelta(hours=5)
    headers = {"date": format_datetime(theirs, usegmt=True)}
    headers["retry-after"] = format_datetime(theirs + timedelta(seconds=20), usegmt=True)
    assert retry_after(headers, NOW) == 20
    assert retry_after({**headers, "date": "yesterday"}, theirs) == 20


@settings(max_examples=400, deadline=None)
@given(
    st.integers(200, 599),
    st.binary(max_size=60) | st.none(),
    st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,4} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ ([+-]\d{1,6}|GMT)"),
    st.sampled_from([WRITE, READ, UNKEYED]),
)
def test_no_answer_breaks_the_judge(status: int, body: bytes | None, later: str, expected: Expectation) -> None:
    verdict = judge(Answer(status, {"retry-after": later, "date": later}, body), expected, NOW)
    assert verdict.error is not None or 200 <= status < 300
    wait = retry_after({"retry-after": later}, NOW)
    assert wait is None or 0 <= wait <= 86_400


# -- parse -----------------------------------------------------------------------------------------------------------


def test_a_completion_is_made_of_the_fields_of_its_names() -> None:
    made = parse(VendorCreated, {"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00+00:00", "more": [1]})
    assert made == VendorCreated(vendor_id="V-1", created_at=NOW)


def test_an_amount_stays_exact() -> None:
    body = (
        b'{"vendor_tax_id":"D","invoice_number":"1","amount":9999999999.99,"currency":"EUR","issued_on":"2026-01-31"}'
    )
    assert parse(ProcessInvoice, said(200, body).value).amount == Decimal("9999999999.99")


@pytest.mark.parametrize(
    "value",
    [{}, [], "vendor_id", 7, None, {"vendor_id": 7, "created_at": "x"}, {"vendor_id": "V", "created_at": "2026-01-01"}],
)
def test_a_success_that_does_not_fit_may_well_be_done(value: Any) -> None:
    with pytest.raises(Unknown, match="BAD_RESPONSE"):
        parse(VendorCreated, value)
