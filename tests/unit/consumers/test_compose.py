"""Mails: text of strangers adds no header, every language arrives, and one effect has one Message-ID."""

from __future__ import annotations

from email import message_from_bytes, message_from_string
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.connectors.smtp import Mail, SmtpClient, SmtpTimeouts, compose, message_id
from consumers.errors import Rejected

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Tag"]
SENDER = "suppliers@buyer.example"


def mail(**changes: Any) -> Mail:
    values: dict[str, Any] = {
        "recipient": "ada@example.com",
        "recipient_name": "Ada Müller",
        "subject": "Welcome",
        "text": "Dear Ada,\n\nwelcome.\n",
        "tags": {"Tag": "send_welcome_email"},
    }
    return Mail(**{**values, **changes})


def received(message: EmailMessage) -> EmailMessage:
    """As a reader sees what went over the wire."""
    again = message_from_bytes(message.as_bytes(), policy=default)
    assert isinstance(again, EmailMessage)
    return again


def ours(message: EmailMessage) -> list[str]:
    body = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    return [name for name in message if name not in body]


def test_a_mail_arrives_as_it_was_meant() -> None:
    got = received(compose(mail(), "key-1", SENDER))
    assert got["From"].addresses[0].addr_spec == SENDER
    assert (got["To"].addresses[0].display_name, got["To"].addresses[0].addr_spec) == ("Ada Müller", "ada@example.com")
    assert (got["Subject"], got["X-Tag"], got["Auto-Submitted"]) == ("Welcome", "send_welcome_email", "auto-generated")
    assert got.get_content().replace("\r\n", "\n") == "Dear Ada,\n\nwelcome.\n"
    assert ours(got) == HEADERS


def test_an_answer_names_what_it_answers() -> None:
    got = received(compose(mail(in_reply_to="<1@buyer.example>"), "key-1", SENDER))
    assert (got["In-Reply-To"], got["References"]) == ("<1@buyer.example>", "<1@buyer.example>")


# -- identity --------------------------------------------------------------------------------------------------------


def test_every_attempt_of_one_effect_has_one_message_id() -> None:
    first, second = compose(mail(), "key-1", SENDER), compose(mail(subject="Other"), "key-1", SENDER)
    other = compose(mail(), "key-2", SENDER)
    assert first["Message-ID"] == second["Message-ID"] == message_id("key-1", "buyer.example")
    assert first["Message-ID"] != other["Message-ID"]


@given(st.text(max_size=300))
def test_a_message_id_is_one_short_line_whatever_the_key(key: str) -> None:
    made = message_id(key, "buyer.example")
    assert made == message_id(key, "buyer.example")
    assert made.isascii()
    assert made.startswith("<")
    assert made.endswith("@buyer.example>")
    assert len(made) < 78


# -- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x00"])
def test_names_and_subjects_add_no_header(end: str) -> None:
    evil = f"Ada{end}Bcc: everybody@example.com{end}{end}and a body"
    got = received(compose(mail(recipient_name=evil, subject=evil), "key-1", SENDER))
    assert ours(got) == HEADERS
    assert got["Subject"] == "Ada Bcc: everybody@example.com and a body"
    assert [address.addr_spec for address in got["To"].addresses] == ["ada@example.com"]


@pytest.mark.parametrize(
    "name", ['Ada" <other@example.com>', "Ada, other@example.com", "<other@example.com>", "=?utf-8?q?Ada?=", "a" * 2000]
)
def test_a_name_is_no_second_recipient(name: str) -> None:
    got = received(compose(mail(recipient_name=name), "key-1", SENDER))
    assert [address.addr_spec for address in got["To"].addresses] == ["ada@example.com"]


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example.com\r\nBcc: x@example.com",
        "ada@example.com\n",
        "ada@example.com> SIZE=1",
        "ada@example.com, other@example.com",
        "<ada@example.com>",
        "ada@example.com\x00",
        "ada@example.com\udc80",
        "ü@example.com\r\nBcc: x@example.com",
        "ü@example.com> SIZE=1",
        "ü@example.com,x@example.com",
        "<ü@example.com>",
        "ü ü@example.com",
        "ü@x@example.com",
        "ü",
        "ü@",
    ],
)
def test_what_is_no_address_is_rejected(recipient: str) -> None:
    with pytest.raises(Rejected) as raised:
        compose(mail(recipient=recipient), "key-1", SENDER)
    assert raised.value.code == "INVALID_MESSAGE"


@pytest.mark.parametrize(
    "changes",
    [
        {"in_reply_to": "<1@b.example>\r\nBcc: x@example.com"},
        {"tags": {"Tag": "x\r\nBcc: x@example.com"}},
        {"tags": {"Tag\r\nBcc": "x@example.com"}},
        {"tags": {"Tag: x\r\nBcc": "x@example.com"}},
        {"tags": {"Tag ": "x"}},
        {"tags": {"": "x"}},
        {"tags": {"Täg": "x"}},
    ],
)
def test_other_headers_take_no_line_ends(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="INVALID_MESSAGE"):
        compose(mail(**changes), "key-1", SENDER)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=200))
def test_no_text_of_a_stranger_changes_the_shape_of_a_mail(name: str, subject: str, text: str) -> None:
    got = received(compose(mail(recipient_name=name, subject=subject, text=text), "key-1", SENDER))
    assert ours(got) == HEADERS
    assert [address.addr_spec for address in got["To"].addresses] == ["ada@example.com"]
    assert got.get_content_type() == "text/plain"
    assert not got.is_multipart()


# -- languages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Müller & Söhne", "日本語の件名", "Ελληνικά", "👩‍👩‍👧 family", "مرحبا"])
def test_every_language_arrives_over_seven_bits(text: str) -> None:
    made = compose(mail(recipient_name=text, subject=text, text=text), "key-1", SENDER)
    assert made.as_bytes().isascii()
    got = received(made)
    assert got["Subject"].replace(" ", "") == "".join(c for c in text if c.isprintable()).replace(" ", "")
    assert got.get_content().strip() == text


@pytest.mark.parametrize("recipient", ["ada@exämple.org", "ü@example.com", "用户@例子.广告", "ü.x+tag@exämple.org"])
def test_an_international_address_is_written_as_it_is(recipient: str) -> None:
    made = compose(mail(recipient=recipient), "key-1", SENDER)
    assert f"<{recipient}>".encode() in made.as_bytes()
    # From text: Python's own reader of bytes knows no UTF-8 headers (RFC 6532).
    got = message_from_string(made.as_bytes().decode(), policy=default)
    assert [address.addr_spec for address in got["To"].addresses] == [recipient]


def test_text_that_is_no_unicode_is_rejected() -> None:
    with pytest.raises(Rejected, match="INVALID_MESSAGE"):
        compose(mail(text="\udc80"), "key-1", SENDER)


# -- the client ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://mail.example", "mail.example:25", "smtp://", "", "smtp:///x"])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an SMTP URL"):
        SmtpClient(url, sender=SENDER, timeouts=SmtpTimeouts(1, 1))


def test_a_wrong_url_does_not_tell_its_password() -> None:
    with pytest.raises(ValueError) as raised:
        SmtpClient("ftp://user:secret@mail.example", sender=SENDER, timeouts=SmtpTimeouts(1, 1))
    assert "secret" not in str(raised.value)
