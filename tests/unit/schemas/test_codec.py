"""What is on the wire, what is refused, and what an older writer left."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.catalogue import load, parse
from schemas.codec import Codec, from_json, to_json
from schemas.errors import (
    InvalidRecord,
    RegistryUnavailable,
    SchemaError,
    Undecodable,
    UnknownRecord,
    UnknownSchemaId,
)
from schemas.models import CreateVendor, ProcessInvoiceRequested, SagaEnded, VendorCreated, VendorOnboardingRequested
from schemas.registry import FixedIds

MADE = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NAIVE = MADE.replace(tzinfo=None)
INVOICE: Mapping[str, Any] = {
    "vendor_tax_id": "DE1",
    "invoice_number": "1",
    "amount": Decimal("10.50"),
    "currency": "EUR",
    "issued_on": date(2026, 1, 1),
}
VENDOR: Mapping[str, Any] = {
    "vendor_name": "Müller",
    "vendor_type": "SUPPLIER",
    "tax_id": "DE123456789",
    "payment_terms": "NET_30",
    "primary_contact_name": "Ada",
    "primary_contact_email": "ada@example.com",
    "category": "bearings",
}


@pytest.fixture
def codec() -> Codec:
    return Codec(FixedIds())


class Elsewhere:
    """A registry of another time: our own ids, and one foreign schema under id 1000."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def id_of(self, name: str) -> int:
        return 1000

    def writer_schema(self, schema_id: int) -> Any:
        return parse(self._schema) if isinstance(self._schema, dict) else self._schema


def altered(name: str, *, without: tuple[str, ...] = (), plus: tuple[Mapping[str, Any], ...] = ()) -> dict[str, Any]:
    """That contract as another version of the code has it."""
    schema = dict(load()[name])
    schema["fields"] = [f for f in schema["fields"] if f["name"] not in without] + list(plus)
    return schema


def written_by(schema: dict[str, Any], values: Mapping[str, Any]) -> bytes:
    """As another writer puts it on the wire."""
    from io import BytesIO

    from fastavro import schemaless_writer

    out = BytesIO()
    out.write(struct.pack(">bI", 0, 1000))
    schemaless_writer(out, parse(schema), dict(values))
    return out.getvalue()


# -- the wire --------------------------------------------------------------------------------------------------------


def test_a_record_is_a_zero_byte_four_bytes_of_id_and_its_body(codec: Codec) -> None:
    data = codec.encode(VendorCreated(vendor_id="V-1", created_at=MADE))
    assert data[0] == 0
    assert struct.unpack(">I", data[1:5])[0] == FixedIds().id_of("saga.erp.VendorCreated")
    assert data[5:9] == b"\x06V-1"


def test_the_source_is_asked_once_per_schema() -> None:
    asked = []

    class Counting(FixedIds):
        def id_of(self, name: str) -> int:
            asked.append(name)
            return super().id_of(name)

        def writer_schema(self, schema_id: int) -> Any:
            asked.append(str(schema_id))
            return super().writer_schema(schema_id)

    codec = Codec(Counting())
    for _ in range(3):
        codec.decode(codec.encode(VendorCreated(vendor_id="V-1", created_at=MADE)))
    assert len(asked) == 2


def test_a_registry_that_is_away_is_asked_again_and_nothing_is_remembered_of_it(codec: Codec) -> None:
    class Flaky(FixedIds):
        away = True

        def writer_schema(self, schema_id: int) -> Any:
            if self.away:
                raise RegistryUnavailable("away")
            return super().writer_schema(schema_id)

    source = Flaky()
    flaky = Codec(source)
    data = codec.encode(VendorCreated(vendor_id="V-1", created_at=MADE))
    with pytest.raises(RegistryUnavailable):
        flaky.decode(data)
    source.away = False
    assert flaky.decode(data) == VendorCreated(vendor_id="V-1", created_at=MADE)


# -- garbage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x00", b'{"json": 1}', b"\x01\x00\x00\x00\x01x"])
def test_bytes_of_another_format_are_undecodable(data: bytes, codec: Codec) -> None:
    with pytest.raises(Undecodable):
        codec.decode(data)


def test_a_body_that_is_cut_short_is_undecodable(codec: Codec) -> None:
    data = codec.encode(VendorCreated(vendor_id="V-1", created_at=MADE))
    for end in range(5, len(data)):
        with pytest.raises(Undecodable):
            codec.decode(data[:end])


def test_bytes_left_over_are_undecodable(codec: Codec) -> None:
    with pytest.raises(Undecodable, match="1 bytes left over"):
        codec.decode(codec.encode(VendorCreated(vendor_id="V-1", created_at=MADE)) + b"x")


def test_an_id_that_no_schema_has_is_named(codec: Codec) -> None:
    with pytest.raises(UnknownSchemaId, match="4294967295"):
        codec.decode(b"\x00\xff\xff\xff\xff")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "record", "name": "Order", "namespace": "other", "fields": []},
        {"type": "enum", "name": "Colour", "symbols": ["RED"]},
        "string",
        ["null", "string"],
    ],
)
def test_a_schema_of_somebody_else_is_an_unknown_record(schema: Any) -> None:
    with pytest.raises(UnknownRecord):
        Codec(Elsewhere(schema)).decode(b"\x00\x00\x00\x03\xe8")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(1, 30))
def test_no_garbage_raises_anything_but_our_errors(body: bytes, schema_id: int) -> None:
    codec = Codec(FixedIds())
    for data in (body, struct.pack(">bI", 0, schema_id) + body):
        try:
            codec.decode(data)
        except SchemaError:
            pass


def test_a_value_that_breaks_its_contract_is_invalid_and_names_the_field() -> None:
    schema = altered("saga.invoice.ProcessInvoiceRequested")
    with pytest.raises(InvalidRecord, match=r"ProcessInvoiceRequested: currency: .*pattern"):
        Codec(Elsewhere(schema)).decode(written_by(schema, {**INVOICE, "currency": "euro"}))


def test_garbage_in_json_is_invalid() -> None:
    for text in ("", "[]", "null", '{"vendor_id": 1}', "{", '{"vendor_id": "\\ud800", "created_at": "x"}'):
        with pytest.raises(InvalidRecord, match=r"saga\.erp\.VendorCreated"):
            from_json(VendorCreated, text)


# -- what a record refuses -------------------------------------------------------------------------------------------


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        VendorCreated(vendor_id="V-1", created_at=NAIVE)
    with pytest.raises(InvalidRecord, match="timezone"):
        from_json(VendorCreated, '{"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00"}')


@pytest.mark.parametrize("amount", ["10000000000.00", "1E+10", "0.001", "NaN", "Infinity", "-Infinity"])
def test_an_amount_that_does_not_fit_its_precision_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        ProcessInvoiceRequested.model_validate({**INVOICE, "amount": Decimal(amount)})


@pytest.mark.parametrize("amount", ["9999999999.99", "-9999999999.99", "1E+3", "0"])
def test_an_amount_at_its_limit_is_taken(amount: str, codec: Codec) -> None:
    record = ProcessInvoiceRequested.model_validate({**INVOICE, "amount": Decimal(amount)})
    again = codec.decode(codec.encode(record))
    assert isinstance(again, ProcessInvoiceRequested)
    assert again.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", NAIVE),
        ("created_at", "2026-01-01T00:00:00Z"),
        ("created_at", None),
        ("vendor_id", None),
        ("vendor_id", b"V"),
    ],
)
def test_a_record_that_was_never_validated_is_refused_by_the_codec(field: str, value: Any, codec: Codec) -> None:
    values = {"vendor_id": "V-1", "created_at": MADE, field: value}
    with pytest.raises(InvalidRecord, match=r"saga\.erp\.VendorCreated"):
        codec.encode(VendorCreated.model_construct(**values))


@pytest.mark.parametrize("amount", [Decimal("1e12"), Decimal("0.001"), Decimal("NaN"), "10.50", 10.5, None])
def test_an_amount_that_was_never_validated_is_refused_by_the_codec(amount: Any, codec: Codec) -> None:
    values = {**INVOICE, "amount": amount, "due_on": None}
    with pytest.raises(InvalidRecord):
        codec.encode(ProcessInvoiceRequested.model_construct(**values))


def test_a_copy_that_was_never_validated_is_refused_by_the_codec(codec: Codec) -> None:
    record = VendorCreated(vendor_id="V-1", created_at=MADE)
    with pytest.raises(InvalidRecord, match="created_at"):
        codec.encode(record.model_copy(update={"created_at": NAIVE}))


def test_a_missing_field_is_refused_by_the_codec(codec: Codec) -> None:
    with pytest.raises(InvalidRecord):
        codec.encode(VendorCreated.model_construct(vendor_id="V-1"))


def test_unknown_fields_and_changes_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        VendorCreated.model_validate({"vendor_id": "V", "created_at": MADE, "more": 1})
    record = VendorCreated(vendor_id="V", created_at=MADE)
    with pytest.raises(ValidationError, match="frozen"):
        record.vendor_id = "W"


# -- other versions --------------------------------------------------------------------------------------------------


def test_what_an_older_version_wrote_is_read_with_todays_defaults() -> None:
    older = altered("saga.vendor.VendorOnboardingRequested", without=("country", "annual_spend", "valid_from"))
    record = Codec(Elsewhere(older)).decode(written_by(older, VENDOR))
    assert record.model_dump() == VendorOnboardingRequested.model_validate(VENDOR).model_dump()


def test_what_a_newer_version_wrote_is_read_without_its_new_fields() -> None:
    newer = altered(
        "saga.erp.CreateVendor", plus=({"name": "language", "doc": "x", "type": ["null", "string"], "default": None},)
    )
    values = {key: VENDOR[key] for key in CreateVendor.model_fields}
    record = Codec(Elsewhere(newer)).decode(written_by(newer, {**values, "language": "de"}))
    assert record == CreateVendor.model_validate(values)


def test_a_field_that_is_missing_and_has_no_default_is_undecodable() -> None:
    older = altered("saga.erp.VendorCreated", without=("created_at",))
    with pytest.raises(Undecodable, match="created_at"):
        Codec(Elsewhere(older)).decode(written_by(older, {"vendor_id": "V"}))


def test_json_of_another_version_is_read_too() -> None:
    newer = to_json(VendorCreated(vendor_id="V", created_at=MADE))[:-1] + ',"more":[1]}'
    assert from_json(VendorCreated, newer) == VendorCreated(vendor_id="V", created_at=MADE)
    older = '{"definition":"d","version":1,"status":"completed","business_key":"k"}'
    assert from_json(SagaEnded, older).residue == []
