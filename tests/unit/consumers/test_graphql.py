"""What a GraphQL answer says of the action: the table in `graphql.py`, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.connectors.answers import Answer, Expectation, judge
from consumers.connectors.graphql import _fault, judge_graphql, operation_of
from consumers.connectors.guard import Verdict
from consumers.connectors.paths import within
from consumers.errors import Failed, Rejected, Unknown

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ERRORS = {"DUPLICATE_TAX_ID": "rejected", "TRY_LATER": "failed", "IN_DOUBT": "unknown"}
WRITE, READ = Expectation(errors=ERRORS), Expectation(errors=ERRORS, reads=True)
MISSING = Expectation(errors=ERRORS, reads=True, missing_ok=True)


def said(body: Any, expected: Expectation = WRITE, status: int = 200, problems: str | None = None) -> Verdict:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    answer = Answer(status, {}, data)
    return judge_graphql(answer, expected, lambda: judge(answer, expected, NOW, fault=_fault), problems)


def error(code: str | None = None, *path: str) -> dict[str, Any]:
    made: dict[str, Any] = {"message": "because"}
    if code:
        made["extensions"] = {"code": code}
    return made | ({"path": list(path)} if path else {})


def is_(verdict: Verdict, kind: type[Exception], code: str) -> None:
    assert type(verdict.error) is kind
    assert getattr(verdict.error, "code") == code  # noqa: B009


def test_data_without_errors_is_done_and_amounts_stay_exact() -> None:
    body = b'{"data": {"createVendor": {"limit": 1.10}}, "errors": []}'
    assert said(body) == Verdict({"createVendor": {"limit": Decimal("1.10")}})


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", {"data": None}, {}, {"data": []}, b"\xff", None])
def test_a_200_that_is_no_answer_proves_nothing(body: Any) -> None:
    is_(said(body), Unknown, "BAD_RESPONSE")
    is_(said(body, READ), Failed, "BAD_RESPONSE")


@pytest.mark.parametrize(
    ("code", "kind"), [("DUPLICATE_TAX_ID", Rejected), ("TRY_LATER", Failed), ("IN_DOUBT", Unknown)]
)
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {"createVendor": None}}])
def test_a_mapped_code_of_the_root_field_counts(code: str, kind: type[Exception], data: dict[str, Any]) -> None:
    for path in ([], ["createVendor"]):
        is_(said(data | {"errors": [error(code, *path)]}), kind, code)


def test_a_mapped_code_beside_something_done_is_unknown() -> None:
    partial = {"data": {"createVendor": {"id": "V", "rating": None}}, "errors": [error("DUPLICATE_TAX_ID")]}
    is_(said(partial), Unknown, "DUPLICATE_TAX_ID")
    is_(said(partial, READ), Rejected, "DUPLICATE_TAX_ID")


def test_an_error_below_the_root_comes_after_its_work_even_where_it_nulled_everything() -> None:
    body = {"data": None, "errors": [error("FORBIDDEN", "createVendor", "bankAccount")]}
    is_(said(body), Unknown, "FORBIDDEN")
    is_(said({"data": None, "errors": [error("DUPLICATE_TAX_ID", "createVendor", "x")]}), Unknown, "DUPLICATE_TAX_ID")
    is_(said({"data": None, "errors": [error("FORBIDDEN", "createVendor")]}), Failed, "FORBIDDEN")


def test_every_error_must_be_mapped_and_the_worst_counts() -> None:
    def of(*codes: str) -> Verdict:
        return said({"data": None, "errors": [error(code) for code in codes]})

    is_(of("DUPLICATE_TAX_ID", "TRY_LATER"), Failed, "TRY_LATER")
    is_(of("DUPLICATE_TAX_ID", "IN_DOUBT", "TRY_LATER"), Unknown, "IN_DOUBT")
    is_(of("DUPLICATE_TAX_ID", "OTHER"), Unknown, "DUPLICATE_TAX_ID")


def test_before_execution_nothing_was_done_and_only_without_data() -> None:
    is_(said({"errors": [error("GRAPHQL_VALIDATION_FAILED")]}), Rejected, "GRAPHQL_VALIDATION_FAILED")
    is_(said({"data": None, "errors": [error("BAD_USER_INPUT")]}), Unknown, "BAD_USER_INPUT")
    is_(said({"errors": [error("INTERNAL_SERVER_ERROR")]}), Unknown, "INTERNAL_SERVER_ERROR")
    is_(said({"errors": [error()]}), Unknown, "GRAPHQL_ERROR")
    is_(said({"errors": [error()]}, READ), Failed, "GRAPHQL_ERROR")


@pytest.mark.parametrize("errors", ["text", {"a": 1}, [7], [None], [{"message": 7, "extensions": []}], True])
def test_errors_of_another_form_are_unknown(errors: Any) -> None:
    is_(said({"errors": errors}), Unknown, "PARTIAL_ANSWER" if not isinstance(errors, list) else "GRAPHQL_ERROR")


@pytest.mark.parametrize("code", ["RATE_LIMITED", "THROTTLED"])
def test_later_means_later_and_may_be_sent_again(code: str) -> None:
    verdict = said({"errors": [error(code)]})
    is_(verdict, Failed, code)
    assert verdict.again


def test_our_credential_is_not_their_rejection() -> None:
    is_(said({"errors": [error("UNAUTHENTICATED")]}), Failed, "UNAUTHENTICATED")


def test_not_found_is_an_answer_where_it_is_asked_for() -> None:
    missing = {"data": {"vendor": None}, "errors": [error("NOT_FOUND", "vendor")]}
    assert said(missing, MISSING) == Verdict(None)
    is_(said(missing, READ), Failed, "NOT_FOUND")


def test_problems_within_data_are_errors_inside_a_success() -> None:
    def of(found: Any) -> Verdict:
        return said({"data": {"vendorCreate": {"userErrors": found}}}, problems="vendorCreate.userErrors")

    assert of([]).error is None
    is_(of([{"code": "TAKEN", "message": "x"}]), Rejected, "TAKEN")
    is_(of([{"message": "x"}]), Rejected, "REFUSED")
    is_(of([{"code": "TAKEN"}, {"code": "IN_DOUBT"}]), Unknown, "IN_DOUBT")
    is_(said({"data": {"vendorCreate": {}}}, problems="vendorCreate.userErrors"), Unknown, "BAD_RESPONSE")


def test_another_status_is_judged_by_it_and_by_the_first_code() -> None:
    is_(said({"errors": [error("GRAPHQL_PARSE_FAILED")]}, status=400), Rejected, "GRAPHQL_PARSE_FAILED")
    is_(said({"errors": [error("TRY_LATER")]}, status=500), Failed, "TRY_LATER")
    is_(said({"errors": [error()]}, status=500), Unknown, "HTTP_500")
    is_(said(b"<html>", status=502), Unknown, "HTTP_502")
    is_(said(b"<html>", status=401), Failed, "UNAUTHENTICATED")


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["data", "errors", "message", "extensions", "code", "path", "a"]), inner)
        ),
    ),
    st.sampled_from([WRITE, READ]),
)
def test_no_answer_breaks_the_judge_and_only_clean_data_is_done(body: Any, expected: Expectation) -> None:
    verdict = said(body, expected)
    if verdict.error is None:
        assert isinstance(body["data"], dict)
        assert not body.get("errors")


# -- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ("{ vendor { id } }", "query"),
        ("query Q($id: ID!) { vendor(id: $id) { id } other { ...F } } fragment F on Vendor { id }", "query"),
        ("# mutation { a b }\nquery { a }", "query"),
        ("mutation { createVendor(input: {a: 1, b: [2]}) { id name } }", "mutation"),
        (
            'mutation M($i: In = {a: 1}) @x(y: 1) { new: createVendor(i: $i, s: "} { b") @skip(if: false) { id } }',
            "mutation",
        ),
        ('mutation { a(text: """ } b { " """) { x y } }', "mutation"),
    ],
)
def test_a_document_is_one_query_or_one_mutation_with_one_root_field(document: str, kind: str) -> None:
    assert operation_of(document) == kind


@pytest.mark.parametrize(
    "document",
    [
        "",
        "subscription { a }",
        "mutation { a b }",
        "mutation { a { x } b { y } }",
        "mutation { x: a y: b }",
        "mutation { ...F } fragment F on Mutation { a b }",
        "query A { a } mutation B { b }",
        "{ a } mutation { b }",
        "mutation { a",
        "fragment F on V { a }",
    ],
)
def test_any_other_document_is_refused(document: str) -> None:
    with pytest.raises(ValueError):
        operation_of(document)


def test_a_path_leads_into_lists_and_ends_at_null() -> None:
    value = {"a": [{"b": 1}], "n": None}
    assert within(value, "a.0.b") == 1
    assert within(value, "a.7.b") is None
    assert within(value, "n.x") is None
    for wrong in ("x", "a.0.x", "a.0.b.c"):
        with pytest.raises(LookupError):
            within(value, wrong)
