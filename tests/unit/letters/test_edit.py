"""Fields set by name, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from orchestrator.letters.edit import check_editable, edited_value, with_fields
from orchestrator.letters.errors import Refused
from orchestrator.letters.letter import State
from orchestrator.letters.value import read_value
from schemas.codec import Codec
from schemas.models import VendorOnboardingRequested


def test_a_path_leads_into_records_and_lists() -> None:
    fields = {"a": {"b": [1, {"c": 2}]}, "n": None}
    changed = with_fields(fields, ["a.b.1.c=3", "a.b.0=[4]", "n.x=text", 'q="5"', "u=a=b"])
    assert changed == {"a": {"b": [[4], {"c": 3}]}, "n": {"x": "text"}, "q": "5", "u": "a=b"}
    assert fields == {"a": {"b": [1, {"c": 2}]}, "n": None}


@pytest.mark.parametrize("text", ["a", "=1", "a.b.7=1", "a.b.x=1", "t.u=1", "t.u.v=1"])
def test_a_path_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="--set"):
        with_fields({"a": {"b": [1]}, "t": "text"}, [text])


def test_the_model_judges_an_edit(make_letter: Any, codec: Codec, vendor: VendorOnboardingRequested) -> None:
    letter = make_letter("vendor-onboarding.requests", vendor)
    value = read_value(codec, letter.value)
    assert value.model is VendorOnboardingRequested
    assert value.fields is not None

    def edit(*assignments: str, most: int = 10_000) -> bytes:
        return edited_value(
            codec, VendorOnboardingRequested, with_fields(value.fields or {}, assignments), letter, most
        )

    assert codec.decode(edit("vendor_name=B")).model_dump()["vendor_name"] == "B"
    with pytest.raises(Refused, match="tax_id"):
        edit("tax_id=??")
    with pytest.raises(Refused, match="colour"):
        edit("colour=red")
    with pytest.raises(Refused, match="nothing changes"):
        edit("vendor_name=ACME")
    with pytest.raises(Refused, match="limit"):
        edit("vendor_name=B", most=10)


def test_a_value_that_breaks_its_contract_is_read_field_by_field(
    codec: Codec, vendor: VendorOnboardingRequested
) -> None:
    bad = codec.encode(vendor.model_copy(update={"tax_id": "??"}))
    value = read_value(codec, bad)
    assert value.fields is not None
    assert (value.fields["tax_id"], value.model) == ("??", VendorOnboardingRequested)
    assert "tax_id" in (value.problem or "")
    assert read_value(codec, b"\x00garbage").fields is None
    assert read_value(codec, None).problem == "no value"


def test_what_is_settled_or_parked_is_not_edited(make_letter: Any, saga_id: UUID) -> None:
    check_editable(make_letter("erp.completions", b"v"))
    with pytest.raises(Refused, match="discarded already"):
        check_editable(replace(make_letter("erp.completions", b"v"), state=State.DISCARDED))
    with pytest.raises(Refused, match="parked"):
        check_editable(make_letter("erp.commands", b"v", stage="saga", saga_id=saga_id))
