"""What we would have done, beside what the existing process did."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.integrations.spec import CompareSpec
from consumers.shadow.compare import BadComparison, Recorded, Result, Rule, compared, matched
from consumers.shadow.promotion import weighed

RULE = Rule.of(CompareSpec(key="tax_id", fields={"name": "vendor.name", "amount": "total"}))


def ours(number: int = 1, *, undone: bool = False, **command: Any) -> Recorded:
    values = {"tax_id": "DE1", "name": "Ada", "amount": "12.00", **command}
    return Recorded(UUID(int=number), "s", 1, values, undone)


def theirs(**row: Any) -> dict[str, Any]:
    return {"tax_id": "DE1", "vendor": {"name": "Ada"}, "total": 12, **row}


@pytest.mark.parametrize(
    ("mine", "other", "same"),
    [
        ("12.00", "12", True), ("12.00", 12.0, True), ("12.01", "12", False), ("0012", "12", False), ("0012", "0012", True),
        (None, "", True), (None, "x", False), (" x ", "x", True), ("x", "X", False), (True, "TRUE", True), (False, "true", False),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00", True), ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", False),
        (["a"], ["a"], True), (["a"], ["b"], False), ("NaN", "nan", False), ("1e2", "100", True), ("0", "0.0", True), ("-0", "0", True),
    ],
)  # fmt: skip
def test_two_values_mean_the_same_or_not(mine: Any, other: Any, *, same: bool) -> None:
    rule = Rule.of(CompareSpec(key="tax_id", fields={"amount": "total"}))
    found = compared(rule, ours(amount=mine), theirs(total=other))
    assert found.result is (Result.AGREES if same else Result.DIFFERS)


def test_what_differs_is_named_with_both_values_and_without_what_is_secret() -> None:
    rule = Rule.of(CompareSpec(key="tax_id", fields={"iban": "iban", "mail": "mail", "name": "vendor.name"}))
    found = compared(rule, ours(iban="DE1", mail="ada@a.example"), theirs(iban="DE2", mail="bob@b.example"))
    assert found.result is Result.DIFFERS
    assert found.fields == {
        "iban": ["[redacted]", "[redacted]"],
        "mail": ["[redacted]@a.example", "[redacted]@b.example"],
    }


def test_without_fields_those_of_equal_names_are_compared_and_none_is_no_agreement() -> None:
    rule = Rule.of(None, "tax_id")
    assert compared(rule, ours(), {"tax_id": "DE1", "amount": 12, "other": 1}).result is Result.AGREES
    assert compared(rule, ours(), {"tax_id": "DE1", "amount": 13}).fields == {"amount": ["12.00", 13]}
    with pytest.raises(BadComparison, match="share no field"):
        compared(rule, ours(), {"TAX": "DE1"})
    with pytest.raises(BadComparison, match="say --key"):
        Rule.of(None)


def test_a_field_that_the_row_does_not_have_differs() -> None:
    assert compared(RULE, ours(), {"tax_id": "DE1"}).fields == {"name": ["Ada", None], "amount": ["12.00", None]}


def test_what_we_undid_again_is_as_if_never_done() -> None:
    assert compared(RULE, ours(undone=True), None).result is Result.AGREES
    assert compared(RULE, ours(undone=True), theirs()).result is Result.ONLY_THEIRS
    assert compared(RULE, ours(), None).result is Result.ONLY_OURS


def test_the_partner_of_a_row_is_what_is_still_there() -> None:
    found = matched(RULE, [ours(1, undone=True), ours(2)], [theirs()])
    assert {finding.ours.saga_id.int: finding.result for finding in found if finding.ours} == {
        1: Result.AGREES,
        2: Result.AGREES,
    }


def test_what_they_did_twice_and_we_once_is_theirs_alone() -> None:
    found = matched(RULE, [ours()], [theirs(), theirs(), theirs(tax_id="DE2"), {"vendor": {}}])
    assert Counter(finding.result for finding in found) == {Result.AGREES: 1, Result.ONLY_THEIRS: 2}
    assert sorted(finding.key for finding in found if finding.ours is None) == ["DE1", "DE2"]


def test_a_file_whose_rows_have_no_key_is_refused() -> None:
    with pytest.raises(BadComparison, match="none of the 1 rows has a value for tax_id"):
        matched(RULE, [ours()], [{"id": "DE1"}])
    assert [finding.result for finding in matched(RULE, [ours()], [])] == [Result.ONLY_OURS]


KEYS = st.lists(st.sampled_from(["A", "B", "C"]), max_size=8)


@given(KEYS, KEYS)
def test_everything_of_both_sides_is_found_once(mine: list[str], others: list[str]) -> None:
    recorded = [ours(number, tax_id=key) for number, key in enumerate(mine)]
    found = matched(RULE, recorded, [theirs(tax_id=key) for key in others])
    counts = Counter(finding.result for finding in found)
    pairs = (Counter(mine) & Counter(others)).total()
    assert [f.ours for f in found if f.ours] == recorded
    expected = {
        Result.AGREES: pairs,
        Result.ONLY_OURS: len(mine) - pairs,
        Result.ONLY_THEIRS: len(others) - pairs,
    }
    assert counts == {result: count for result, count in expected.items() if count}


def _row(**changes: Any) -> dict[str, Any]:
    row = {"recorded": 100, "compared": 100, "agreement": 1.0, "only_ours": 0, "only_theirs": 0, "fields": {}}
    return {**row, **changes}


def test_a_promotion_wants_enough_compared_and_enough_that_agrees_of_every_action() -> None:
    assert weighed(["a", "b"], {"a": _row(), "b": _row(agreement=0.99)}, threshold=0.99, minimum=100) == []
    assert weighed(["a"], {"a": _row(compared=99)}, threshold=0.99, minimum=100) == ["a: 99 compared, 100 are needed"]
    (line,) = weighed(["a"], {"a": _row(agreement=0.98, fields={"name": 2})}, threshold=0.99, minimum=100)
    assert line.startswith("a: 98.00% agree, 99.00% are needed")
    assert "name 2" in line
    assert weighed(["a"], {}, threshold=0, minimum=1) == ["a: nothing was recorded"]
    assert weighed([], {}, threshold=0, minimum=1) == ["nothing was recorded"]
