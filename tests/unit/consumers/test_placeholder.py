"""Made-up outputs: every contract takes them, and they are the same each time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field

from consumers.shadow.placeholder import NoPlaceholder, placeholder
from schemas.models import BY_NAME, Contract, Record

RECORDS = [record for record in BY_NAME.values() if record.contract.kind in ("completion", "command", "request")]
MAIL = r"^[^@\s<>,;:\"]+@[^@\s<>,;:\".]+(\.[^@\s<>,;:\".]+)+$"


@given(st.sampled_from(RECORDS), st.uuids(), st.text(max_size=20), st.integers(1, 9))
def test_every_contract_takes_what_is_made_up_for_it(record: type[Record], saga: UUID, step: str, round_: int) -> None:
    key = f"{saga}:{step}:do:{round_}"
    made = placeholder(record, key)
    assert record.model_validate_json(made.model_dump_json()).model_dump() == made.model_dump()
    assert placeholder(record, key).model_dump() == made.model_dump()


def _record(annotation: object) -> type[Record]:
    contract = Contract("saga.t.Made", "t", "completion")
    return type(
        "Made",
        (Record,),
        {
            "__annotations__": {"contract": ClassVar[Contract], "value": annotation},
            "contract": contract,
            "__module__": __name__,
        },
    )


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{3}$", r"^[a-z]{3}$", MAIL, r"^[A-Z0-9][A-Z0-9.\-]{3,31}$", r"^(cus|pi)_[A-Za-z0-9]{14,}$", r"^\d{4}-\d{2}$",
        r"^V-\d{6}$", r"^[^\W_]+(?:-\w+)*$", r"^https://[a-z.]+/\S*$", r"^[0-9A-F]{8}$", r"^\+?[1-9]\d{6,14}$", r"x.y",
    ],
)  # fmt: skip
@given(saga=st.uuids())
def test_a_pattern_is_met(pattern: str, saga: UUID) -> None:
    record = _record(Annotated[str, Field(pattern=pattern)])
    made = placeholder(record, f"{saga}:s:do:1")
    assert record.model_validate(made.model_dump()) == made


@given(st.integers(0, 60), st.integers(0, 60), st.uuids())
def test_a_length_is_met(one: int, other: int, saga: UUID) -> None:
    least, most = sorted((one, other))
    record = _record(Annotated[str, Field(min_length=least, max_length=most)])
    assert least <= len(placeholder(record, f"{saga}:s:do:1").value) <= most  # type: ignore[attr-defined]


class _Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    "annotation",
    [
        int, float, bool, bytes, UUID, AwareDatetime, _Colour, list[str], dict[str, int], str | None,
        Annotated[Decimal, Field(max_digits=12, decimal_places=2)], Annotated[Decimal, Field(max_digits=2, decimal_places=2)],
        list[_Colour] | None,
    ],
)  # fmt: skip
def test_every_type_of_a_contract_has_something(annotation: object) -> None:
    made = placeholder(_record(annotation), "saga:s:do:1")
    assert made.value is not None  # type: ignore[attr-defined]


def test_people_see_that_it_is_made_up() -> None:
    record = BY_NAME["saga.erp.VendorCreated"]
    made = placeholder(record, "saga:erp-vendor:do:1").model_dump()
    assert made["vendor_id"].startswith("shadow-")
    assert made["created_at"] < datetime.fromisoformat("1971-01-01T00:00:00+00:00")
    assert placeholder(record, "another:erp-vendor:do:1").model_dump()["vendor_id"] != made["vendor_id"]
    undone = placeholder(BY_NAME["saga.erp.VendorDeactivated"], "saga:erp-vendor:undo:1").model_dump()
    assert undone == {"found": False}


def test_what_cannot_be_made_up_is_named() -> None:
    record = _record(Annotated[str, Field(pattern=r"^a$", min_length=5)])
    with pytest.raises(NoPlaceholder, match="value"):
        placeholder(record, "saga:s:do:1")
