"""Every value that a contract allows comes back from the wire, from JSON and from a saga's stored state as it was."""

from __future__ import annotations


from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.payload import Payload
from orchestrator.core.state import SagaState, Status, StepState, state_from_json, state_to_json
from schemas.catalogue import load
from schemas.codec import Codec, from_json, to_json
from schemas.models import BY_NAME, Record
from schemas.registry import FixedIds

TEXT = st.text(max_size=40) | st.sampled_from(
    ["", "Müller & Söhne", "日本", "👩‍👩‍👧", "a\x00b", '"', "\\", "\u2028", "null"]
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Two centuries before and after 1970, in any zone.
MOMENTS = st.integers(-6_000_000_000_000_000, 6_000_000_000_000_000).flatmap(
    lambda micros: ZONES.map(lambda zone: (EPOCH + timedelta(microseconds=micros)).astimezone(zone))
)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
EMAILS = st.sampled_from(["ada@example.com", "ü.x+1@sub.exämple.org", "a" * 240 + "@b.example"])


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    cents = st.integers(-most, most).map(lambda n: Decimal(n).scaleb(-scale))
    return cents | cents.map(Decimal.normalize) | st.sampled_from([Decimal("-0.00"), Decimal("1E+3"), Decimal(0)])


def values(kind: Any, field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What the contract allows in a field."""
    if isinstance(kind, list):
        inner = next(branch for branch in kind if branch != "null")
        return st.none() | values(inner, field)
    if field.get("format") == "email":
        return EMAILS
    if "pattern" in field:
        return st.from_regex(field["pattern"].replace("$", r"\Z"), fullmatch=True)
    if isinstance(kind, dict):
        name = kind.get("logicalType", kind["type"])
        return {
            "decimal": lambda: decimals(kind["precision"], kind["scale"]),
            "date": lambda: DAYS,
            "timestamp-micros": lambda: MOMENTS,
            "enum": lambda: st.sampled_from(kind["symbols"]),
            "array": lambda: st.lists(values(kind["items"], {}), max_size=3),
            "map": lambda: st.dictionaries(TEXT, values(kind["values"], {}), max_size=3),
        }[name]()
    low, high = field.get("minLength", 0), field.get("maxLength", 1000)
    return {
        "string": TEXT.filter(lambda text: low <= len(text) <= high),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "double": st.floats(allow_nan=False),
        "boolean": st.booleans(),
    }[kind]


def records(name: str) -> st.SearchStrategy[Record]:
    fields = {field["name"]: values(field["type"], field) for field in load()[name]["fields"]}
    return st.fixed_dictionaries(fields).map(BY_NAME[name].model_validate)


def everything_values() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "text": TEXT,
            "raw": st.binary(max_size=50),
            "maybe_raw": st.none() | st.binary(max_size=50),
            "small": st.integers(-(2**31), 2**31 - 1),
            "large": st.integers(-(2**63), 2**63 - 1),
            "ratio": st.floats(allow_nan=False),
            "amount": decimals(12, 2),
            "day": DAYS,
            "at": MOMENTS,
            "token": st.uuids(),
            "grade": st.sampled_from(["A", "B"]),
            "tags": st.lists(TEXT, max_size=3),
            "labels": st.dictionaries(TEXT, TEXT, max_size=3),
            "parts": st.lists(st.fixed_dictionaries({"x": TEXT}), max_size=2),
        }
    )


def same(one: Record, other: Record) -> bool:
    """All fields; the saga's id, which a request carries beside them, travels in the headers."""
    return type(one) is type(other) and one.model_dump() == other.model_dump()


def survives(record: Record, codec: Codec) -> None:
    model = type(record)
    assert same(codec.decode(codec.encode(record)), record)
    assert same(from_json(model, to_json(record)), record)
    stored = msgspec.json.decode(msgspec.json.encode(Payload.of(record).json))  # as the store does
    assert same(Payload(model.contract.name, value=stored).record, record)
    assert Payload(model.contract.name, value=stored) == Payload.of(record)
    state = SagaState("d", 1, Payload.of(record), Status.RUNNING, steps={"s": StepState(output=Payload.of(record))})
    columns = {"definition": "d", "version": 1, "request": Payload.of(record), "status": Status.RUNNING}
    again = state_from_json(msgspec.json.decode(msgspec.json.encode(state_to_json(state))), columns)
    assert again == state
    assert again.steps["s"].output is not None
    assert same(again.steps["s"].output.record, record)


@pytest.mark.parametrize("name", sorted(BY_NAME))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_record_of_every_contract_survives(name: str, data: st.DataObject) -> None:
    survives(data.draw(records(name)), Codec(FixedIds()))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=everything_values())
def test_every_type_survives(fields: dict[str, Any], everything: type[Record], made_up_source: Any) -> None:
    survives(everything.model_validate(fields), Codec(made_up_source))


@pytest.mark.parametrize("inner", [None, {"x": "deep"}])
def test_a_record_in_a_nullable_field_survives(inner: Any, wrapped: type[Record], made_up_source: Any) -> None:
    survives(wrapped.model_validate({"inner": inner}), Codec(made_up_source))


def test_money_and_time_keep_their_types(everything: type[Record], made_up_source: Any) -> None:
    moment = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-5)))
    record = everything.model_validate(
        {
            "text": "",
            "raw": b"\x00\xff",
            "small": 0,
            "large": 0,
            "ratio": 0.1,
            "amount": "0.10",
            "day": "2026-02-28",
            "at": moment,
            "token": "0190c9a2-7d3b-7000-8000-000000000001",
            "grade": "A",
        }
    )
    codec = Codec(made_up_source)
    for again in (codec.decode(codec.encode(record)), from_json(everything, to_json(record))):
        values = again.model_dump()
        assert (values["amount"], type(values["amount"])) == (Decimal("0.10"), Decimal)
        assert (values["day"], values["raw"], values["maybe_raw"]) == (date(2026, 2, 28), b"\x00\xff", None)
        assert values["at"] == moment
        assert values["at"].tzinfo is not None
        assert values["at"].astimezone(UTC).microsecond == 999_999
