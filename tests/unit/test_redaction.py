"""Nothing secret or personal passes; nothing else is lost."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from orchestrator import bootstrap
from orchestrator.redaction import MASK, redacted, redacted_text
from orchestrator.settings import load

CANARIES = {
    "a token": "Bearer abcDEF123.456-789_~",
    "a login": "basic dXNlcjpwYXNzd29yZA==",
    "a JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "a key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nxyz\n-----END RSA PRIVATE KEY-----",
    "half a key": "-----BEGIN PRIVATE KEY-----\nMIIEow",
    "a vendor's key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "an AWS key": "AKIAIOSFODNN7EXAMPLE",
    "a password in a text": "password=hunter2hunter2",
    "a password in JSON": '{"password": "hunter2hunter2"}',
    "a card": "4111 1111 1111 1111",
    "a card in one": "5555555555554444",
    "an account": "DE89 3704 0044 0532 0130 00",
    "an account in one": "GB82WEST12345698765432",
    "a security number": "078-05-1120",
}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_what_is_secret_is_masked_wherever_it_stands(canary: str) -> None:
    for text in (canary, f"said: {canary}.", f"({canary})"):
        assert canary not in redacted_text(text)
        assert MASK in redacted_text(text)
    told = repr(redacted({"a": [{"note": f"x {canary}"}], "b": (canary,)}))
    assert canary not in told


def test_of_an_address_only_the_domain_is_left() -> None:
    assert redacted_text("to ada.l+x@example.com now") == f"to {MASK}@example.com now"
    assert redacted_text("https://ada:pw123@erp.example/x") == f"https://{MASK}@erp.example/x"


@pytest.mark.parametrize(
    "name",
    ["password", "Authorization", "client_secret", "accessToken", "X-Api-Key", "card-number", "IBAN", "Set-Cookie"],
)
def test_a_field_with_such_a_name_is_masked_whatever_it_holds(name: str) -> None:
    for value in ("x", 7, ["x"], {"y": 1}):
        assert redacted({name: value}) == {name: MASK}
    assert redacted({name: None}) == {name: None}


@pytest.mark.parametrize(
    "text",
    [
        "vendor V-00012345 exists", "order 1234567890123456", "2026-11-24T15:18:31.123456+00:00", "DE123456789", "10.0.0.1:8080",
        "erp-vendor/do/1/1", "SQLSTATE 23505", "HTTP 409", "AB12 3456 7890 1234 5678", "a@b", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redacted_text(text) == text


@given(st.integers(min_value=0, max_value=2**128 - 1))
def test_ids_stay(number: int) -> None:
    from uuid import UUID  # noqa: PLC0415

    for made in (UUID(int=number), uuid4(), uuid7()):
        assert redacted_text(str(made)) == str(made)
        assert redacted_text(f"{made}:erp-vendor:do:1") == f"{made}:erp-vendor:do:1"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_data_is_taken(value: Any) -> None:
    assert redacted(redacted(value)) == redacted(value)


def test_what_is_too_deep_to_look_at_is_masked() -> None:
    value: Any = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    for _ in range(50):
        value = [value]
    assert "sk_live" not in repr(redacted(value))


def test_logs_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        bootstrap.configure_logs(load(log_format="json", log_level=logging.getLevelName(logging.INFO)))
        structlog.get_logger("t").info(
            "called", error=f"refused {CANARIES['a token']}", token="abc", saga_id=str(uuid7())
        )
        try:
            raise ValueError(CANARIES["a vendor's key"])
        except ValueError:
            structlog.get_logger("t").exception("broke")
    finally:
        structlog.configure(**before)
    told = capsys.readouterr().err
    assert told.count("called") == 1
    assert not [name for name, canary in CANARIES.items() if canary in told]
    assert '"token": "[redacted]"' in told


def test_a_long_text_does_not_take_for_ever() -> None:
    """A pattern that looks again from every place would need hours for this one, and hold up the loop meanwhile."""
    for part in ("a.", "a-", "aaaa", "1 2", "AB12 ", "eyJ-"):
        text = part * 100_000
        assert len(redacted_text(text)) > 0
