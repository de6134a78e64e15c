"""Rules of fields, what is known of a call, and spans: hidden wherever they stand."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from orchestrator.redaction import MASK, Redactor, Rules, current, install, kept_fields, redacted, redacted_text, using
from orchestrator.spans import Redacting

RULES = Rules({"tax_id": "last4", "bank.holder": "mask", "note": "drop", "payee": "hash"}, {"contact.name": "mask"})
TAX_ID = "DE-CANARY-4711"


@pytest.mark.parametrize("name", ["tax_id", "taxId", "TaxID", "Tax-Id"])
def test_a_rule_finds_its_field_however_it_is_written_and_wherever_it_stands(name: str) -> None:
    shown = Redactor(RULES).value({"a": [{name: TAX_ID}], name: None})
    assert shown == {"a": [{name: "…4711"}], name: None}


def test_a_path_is_the_end_of_a_place() -> None:
    value = {
        "name": "Acme",
        "contact": {"name": "Ada"},
        "x": {"bank": [{"holder": "Ada", "bic": "X"}]},
        "holder": "Bob",
    }
    shown = Redactor(RULES).value(value)
    assert shown == {
        "name": "Acme", "contact": {"name": MASK}, "x": {"bank": [{"holder": MASK, "bic": "X"}]}, "holder": "Bob",
    }  # fmt: skip


def test_each_way_to_hide() -> None:
    shown = Redactor(RULES).value({"note": "x", "payee": "Ada", "tax_id": "DE1", "iban": "short", "salary": 10})
    assert shown.keys() == {"payee", "tax_id", "iban", "salary"}
    assert shown["tax_id"] == shown["iban"] == shown["salary"] == MASK  # of a short one the end would be too much
    assert shown["payee"].startswith("#")
    assert shown["payee"] == Redactor(RULES).value({"payee": "Ada"})["payee"]
    assert shown["payee"] != Redactor(RULES).value({"payee": "Bob"})["payee"]


def test_hashes_are_alike_where_the_key_is() -> None:
    found = []
    for key in ("one", "other", "one"):
        install(RULES, key)
        found.append(redacted({"payee": "Ada"})["payee"])
    assert found[0] == found[2] != found[1]


def test_the_stricter_rule_holds() -> None:
    assert Redactor(Rules({"a": "mask"}, {"a": "last4"})).value({"a": "123456789"}) == {"a": MASK}
    assert Redactor(Rules({"a": "mask"}, {"b.a": "drop"})).value({"b": {"a": "1"}, "a": "1"}) == {"b": {}, "a": MASK}


@pytest.mark.parametrize(
    "text",
    [
        f"tax id {TAX_ID} exists already", f"/vendors/{TAX_ID}/x", TAX_ID.lower(), f"?q=a%20b&t={TAX_ID}",
        f"<Vendor><n:TaxId x='1'>{TAX_ID}</n:TaxId></Vendor>",
    ],
)  # fmt: skip
def test_what_stands_in_a_hidden_field_is_hidden_in_every_text(text: str) -> None:
    redactor = Redactor(RULES).knowing({"vendor": [{"tax_id": TAX_ID}]})
    assert "CANARY" not in redactor.text(text).upper()
    assert "4711" in redactor.text(text)
    assert "CANARY" not in repr(redactor.value({"said": [text]})).upper()


def test_as_it_is_written_in_a_url_too() -> None:
    redactor = Redactor(Rules({"name": "mask"})).knowing({"name": "Ada & Söhne"})
    for url in ("/v/Ada%20%26%20S%C3%B6hne", "/v?name=Ada+%26+S%C3%B6hne&x=1"):
        assert "Ada" not in redactor.text(url)


def test_short_values_are_no_parts_of_words() -> None:
    redactor = Redactor(Rules({"pay": "mask", "n": "mask"})).knowing({"pay": "1000", "n": "ab"})
    assert redactor.text("10000 and 1000, tab") == f"10000 and {MASK}, tab"


def test_elements_of_xml_are_fields() -> None:
    shown = Redactor(RULES).text("<a><b:TaxId>DE123456789</b:TaxId><Holder>Ada</Holder><Password>p</Password></a>")
    assert shown == f"<a><b:TaxId>…6789</b:TaxId><Holder>{MASK}</Holder><Password>{MASK}</Password></a>"


def test_hiding_twice_is_hiding_once() -> None:
    redactor = Redactor(RULES).knowing({"tax_id": TAX_ID})
    value: Any = {"tax_id": TAX_ID, "said": f"<TaxId>{TAX_ID}</TaxId> {TAX_ID}", "iban": "DE89370400440532013000"}
    once = redactor.value(value)
    assert redactor.value({"said": once["said"]}) == {"said": once["said"]}


def test_it_holds_within_and_not_after() -> None:
    with using(lambda: Redactor(RULES).knowing({"tax_id": TAX_ID})):
        assert TAX_ID not in redacted_text(TAX_ID)
    assert redacted_text(TAX_ID) == TAX_ID


def test_it_is_made_once_where_it_is_asked_for_and_by_what_holds_outside() -> None:
    made: list[Redactor] = []

    def make() -> Redactor:
        made.append(current().knowing({"tax_id": TAX_ID}))
        return made[-1]

    with using(lambda: Redactor(RULES)), using(make):
        assert made == []
        assert TAX_ID not in redacted_text(TAX_ID) + redacted_text(TAX_ID)
    assert len(made) == 1


def test_what_pydantic_was_given_is_not_told() -> None:
    said = redacted_text("1 error [type=int_parsing, input_value='CANARY, [x]', input_type=str]")
    assert "CANARY" not in said


def test_only_what_is_asked_for_is_kept() -> None:
    answer = {"id": 1, "owner": {"id": 2, "name": "Ada"}, "items": [{"id": 3, "name": "Bob"}, 4], "x": {"y": {"z": 1}}}
    kept = kept_fields(answer, ["id", "owner.id", "items.id", "x", "none.at.all"])
    assert kept == {"id": 1, "owner": {"id": 2}, "items": [{"id": 3}, None], "x": {"y": {"z": 1}}}


def test_spans_leave_redacted() -> None:
    install(RULES)
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Redacting(memory)))
    tracer = provider.get_tracer("of somebody else")
    with tracer.start_as_current_span("GET ada@example.com", attributes={"tax_id": TAX_ID, "note": "CANARY"}) as span:
        span.add_event("said", {"text": "Bearer CANARY123456"})
        span.set_attribute("n", 5)
        span.set_status(Status(StatusCode.ERROR, "password=CANARY"))
    with pytest.raises(ValueError, match="CANARY"), tracer.start_as_current_span("broken"):
        raise ValueError("password=CANARY")
    told = [span.to_json() for span in memory.get_finished_spans()]
    assert len(told) == 2
    assert not [text for text in told if "CANARY" in text or "ada@" in text]
    assert '"n": 5' in told[0]
    assert "ValueError" in told[1]
