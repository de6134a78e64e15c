"""Files of requests: what is good comes through, and what is not is named with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.importing import RowError, read_requests
from sagas.invoice_processing import invoice_processing
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import ProcessInvoiceRequested, VendorOnboardingRequested

COLUMNS = [
    "vendor_name",
    "vendor_type",
    "tax_id",
    "payment_terms",
    "primary_contact_name",
    "primary_contact_email",
    "category",
]
HEAD = ",".join(COLUMNS)
Read = Callable[..., tuple[list[Any], list[RowError]]]


def vendor(number: int = 1, **changes: Any) -> dict[str, Any]:
    values = {
        "vendor_name": f"Vendor {number}",
        "vendor_type": "SUPPLIER",
        "tax_id": f"DE{number:09d}",
        "payment_terms": "NET_30",
        "primary_contact_name": "Ada",
        "primary_contact_email": "ada@example.com",
        "category": "bearings",
    }
    return {**values, **changes}


def cells(number: int = 1, **changes: Any) -> str:
    return ",".join(str(value) for value in vendor(number, **changes).values())


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads what a file of that name would hold."""

    def read(content: str | bytes, name: str = "vendors.csv", definition: Any = vendor_onboarding) -> Any:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_requests(path, definition)

    return read


def refused(read: Read, *arguments: Any) -> CliError:
    with pytest.raises(CliError) as raised:
        read(*arguments)
    assert raised.value.exit_code is Exit.USAGE
    return raised.value


# -- good files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_table_is_read_from_whatever_wrote_it(end: str, mark: bytes, read: Read) -> None:
    text = end.join([HEAD, cells(1), cells(2), ""])
    requests, errors = read(mark + text.encode())
    assert errors == []
    assert [request.tax_id for request in requests] == ["DE000000001", "DE000000002"]
    assert all(isinstance(request, VendorOnboardingRequested) for request in requests)
    assert len({request.saga_id for request in requests}) == 2


def test_columns_may_stand_in_any_order_and_empty_cells_are_missing_values(read: Read) -> None:
    text = f"country,annual_spend,{HEAD}\nDE,1000.50,{cells(1)}\n,,{cells(2)}\n"
    requests, errors = read(text)
    assert errors == []
    assert [(r.country, r.annual_spend) for r in requests] == [("DE", Decimal("1000.50")), (None, None)]


def test_json_lines_are_read_and_keep_amounts_exact(read: Read) -> None:
    invoice = '{"vendor_tax_id":"D","invoice_number":"%d","amount":%s,"currency":"EUR","issued_on":"2026-01-31"}'
    text = "\n".join([invoice % (1, "9999999999.99"), "", invoice % (2, '"0.10"')])
    for name in ("invoices.jsonl", "invoices.ndjson", "INVOICES.JSONL"):
        requests, errors = read(text, name, invoice_processing)
        assert errors == []
        assert [r.amount for r in requests] == [Decimal("9999999999.99"), Decimal("0.10")]
        assert isinstance(requests[0], ProcessInvoiceRequested)


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(read: Read) -> None:
    name = '"Müller, ""Söhne""\nGmbH"'
    requests, errors = read(f"{HEAD}\n{cells(1, vendor_name=name)}\n{cells(2, category='')}\n")
    assert [request.vendor_name for request in requests] == ['Müller, "Söhne"\nGmbH']
    assert errors == [RowError(4, "category: missing")]


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_line_ends_end_lines(odd: str, read: Read) -> None:
    name = f"Müller{odd}GmbH"
    text = f"{HEAD}\n{cells(1, vendor_name=name)}\n{cells(2, category='')}\n"
    requests, errors = read(text)
    assert [request.vendor_name for request in requests] == [name]
    assert [error.line for error in errors] == [3]


# -- files that cannot be read at all --------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_wrong_encoding_is_named_with_its_line_and_byte(mark: bytes, read: Read) -> None:
    for before in ("", f"{HEAD}\n", f"{HEAD}\n{cells(1)}\n{cells(2)}\n"):
        error = refused(read, mark + before.encode() + "Müller".encode("latin-1"))
        assert error.code == "WRONG_ENCODING"
        assert f"line {before.count(chr(10)) + 1}: " in str(error)
        assert "0xfc" in str(error)


def test_utf_16_is_a_wrong_encoding_too(read: Read) -> None:
    assert refused(read, f"{HEAD}\n{cells(1)}\n".encode("utf-16")).code == "WRONG_ENCODING"


@pytest.mark.parametrize(("content", "found"), [("", "it is empty"), ("a;b;c\n", "it has a;b;c"), ("\n\n", "empty")])
def test_a_missing_column_is_named(content: str, found: str, read: Read) -> None:
    error = refused(read, content)
    assert error.code == "MISSING_COLUMN"
    assert "no column vendor_name, vendor_type, tax_id" in str(error)
    assert found in str(error)


def test_one_missing_column_is_named_alone(read: Read) -> None:
    error = refused(read, HEAD.replace(",tax_id", "") + "\n")
    assert ": no column tax_id; " in str(error)


def test_a_column_that_stands_there_twice_is_named(read: Read) -> None:
    error = refused(read, f"{HEAD},tax_id\n{cells(1)},DE2\n")
    assert error.code == "DOUBLE_COLUMN"
    assert "tax_id" in str(error)


def test_a_file_that_is_not_there_or_of_another_kind_is_named(read: Read, tmp_path: Path) -> None:
    with pytest.raises(CliError, match="none.csv") as raised:
        read_requests(tmp_path / "none.csv", vendor_onboarding)
    assert raised.value.code == "UNREADABLE"
    assert refused(read, "", "vendors.xlsx").code == "UNKNOWN_FORMAT"


def test_a_header_only_and_an_empty_file_of_json_lines_hold_nothing(read: Read) -> None:
    assert read(HEAD) == ([], [])
    assert read("", "vendors.jsonl") == ([], [])
    assert read("\n \n", "vendors.jsonl") == ([], [])


# -- rows ------------------------------------------------------------------------------------------------------------


def test_every_wrong_row_is_named_with_its_line_and_the_good_ones_come_through(read: Read) -> None:
    rows = [
        HEAD,
        cells(1),
        cells(2, primary_contact_email="ada.example.com"),
        cells(1, vendor_name="Again"),
        cells(4, vendor_type="PIRATE"),
        cells(5, tax_id="de-5"),
        cells(6, vendor_name=""),
        cells(7),
    ]
    requests, errors = read("\n".join(rows))
    assert [request.tax_id for request in requests] == ["DE000000001", "DE000000007"]
    assert [error.line for error in errors] == [3, 4, 5, 6, 7]
    texts = {error.line: error.message for error in errors}
    assert texts[3].startswith("primary_contact_email: ")
    assert "'ada.example.com'" in texts[3]
    assert texts[4] == "'DE000000001' stands in line 2 already"
    assert "SUPPLIER" in texts[5]
    assert texts[7] == "vendor_name: missing"
    assert errors[0].as_json() == {"line": 3, "error": texts[3]}


def test_a_key_of_a_wrong_row_is_not_taken(read: Read) -> None:
    requests, errors = read("\n".join([HEAD, cells(1, category=""), cells(1)]))
    assert ([r.tax_id for r in requests], [e.line for e in errors]) == (["DE000000001"], [2])


def test_blank_lines_are_no_rows_and_shift_no_number(read: Read) -> None:
    _, errors = read(f"{HEAD}\n\n{cells(1)}\n\n\n{cells(2, category='')}\n\n{cells(3, category='')}\n")
    assert [error.line for error in errors] == [6, 8]


def test_ragged_rows_are_named(read: Read) -> None:
    requests, errors = read(f"{HEAD}\n{cells(1)},more\n{cells(2).rpartition(',')[0]}\n{cells(3)}\n")
    assert [request.tax_id for request in requests] == ["DE000000003"]
    assert [error.line for error in errors] == [2, 3]
    assert errors[0].message == "more cells than the 7 columns"
    assert errors[1].message == "category: missing"


def test_a_column_that_nobody_knows_is_named_in_each_row(read: Read) -> None:
    _, errors = read(f"{HEAD},colour\n{cells(1)},red\n")
    assert [(error.line, error.message.partition(":")[0]) for error in errors] == [(2, "colour")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_huge_cell_is_an_error_of_its_row_and_not_printed(quote: str, read: Read) -> None:
    huge = quote + "x" * 1_000_000 + quote
    requests, errors = read(f"{HEAD}\n{cells(1, vendor_name=huge)}\n{cells(2)}\n")
    assert [request.tax_id for request in requests] == ["DE000000002"]
    assert [error.line for error in errors] == [2]
    assert len(errors[0].message) < 300


def test_a_quote_that_is_never_closed_is_named_where_it_opens(read: Read) -> None:
    requests, errors = read(f'{HEAD}\n{cells(1)}\n"{cells(2)}\n{cells(3)}\n')
    assert ([r.tax_id for r in requests], [e.line for e in errors]) == (["DE000000001"], [3])


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "[]",
        "7",
        "null",
        '"text"',
        "{",
        "{}{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": ' + "1" * 10_000 + "}",
        '{"vendor_name": "\\ud800"}',
        '{"vendor_name": NaN}',
    ],
)
def test_garbage_among_json_lines_is_named_with_its_line(line: str, read: Read) -> None:
    good = json.dumps(vendor(1)), json.dumps(vendor(2))
    requests, errors = read("\n".join([good[0], line, "", good[1]]), "vendors.jsonl")
    assert [request.tax_id for request in requests] == ["DE000000001", "DE000000002"]
    assert [error.line for error in errors] == [2]
    assert 0 < len(errors[0].message) < 1000
    assert not errors[0].message.startswith(":")


def test_a_huge_value_in_a_json_line_is_not_printed(read: Read) -> None:
    _, errors = read(json.dumps(vendor(1, vendor_name="x" * 1_000_000)), "vendors.jsonl")
    assert "(1000000 characters)" in errors[0].message
    assert len(errors[0].message) < 300


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["x.csv", "x.jsonl"]), headed=st.booleans())
def test_no_file_is_a_crash(content: bytes, name: str, headed: bool, read: Read) -> None:
    lines = content.count(b"\n") + content.count(b"\r") + 2
    try:
        _, errors = read((HEAD + "\n").encode() * headed + content, name)
    except CliError:
        return
    assert all(1 <= error.line <= lines for error in errors)
