"""What must not be read by whoever reads logs, traces and the audit: one place for all of them.

Two rules: fields whose name says that they hold a credential or a number of a person's money are masked whole; and
texts, wherever they stand, lose what has the form of one. A form that has a check digit is tested by it (ISO/IEC 7812
for cards, ISO 13616 for IBANs), so that an order number is not taken for a card.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

__all__ = ["MASK", "redact_event", "redacted", "redacted_text"]

MASK = "[redacted]"

# Of a name in lower case, without separators: whole names, and what they end with.
_NAMES = frozenset(
    {
        "authorization", "proxyauthorization", "cookie", "setcookie", "pin", "cvv", "cvc", "iban", "ssn", "cardnumber",
        "accountnumber", "bankaccount", "routingnumber", "assertion", "clientassertion", "credentials", "passphrase",
        "dateofbirth", "salary", "nationalid", "passportnumber",
    }
)  # fmt: skip
_ENDINGS = ("password", "passwd", "secret", "token", "apikey", "privatekey", "accesskey")
_DEEPEST = 12


def _always(_: str) -> bool:
    return True


def _is_card(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    if not 14 <= len(digits) <= 19:
        return False
    doubled = [sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


_FORMS: Sequence[tuple[re.Pattern[str], str, Callable[[str], bool]]] = (
    (re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"), MASK, _always),
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), MASK, _always),  # JWT
    (re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}"), MASK, _always),
    (re.compile(r"\b(?:sk|rk|whsec)_\w{8,}|\bAKIA[A-Z0-9]{16}\b|\bxox[abp]-[\w-]{8,}"), MASK, _always),  # of vendors
    (re.compile(r"(?<=://)[^/@\s]+@"), f"{MASK}@", _always),  # user:password in a URL
    (re.compile(r"(?i)\b(?:password|secret|token|api[_-]?key)(?:\"?\s*[=:]\s*\"?)[^\s\"&,;]{3,}"), MASK, _always),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), MASK, _is_iban),
    (re.compile(r"(?<![\w-])\d(?:[ -]?\d){13,18}(?![\w-])"), MASK, _is_card),
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), MASK, _always),  # a social security number of the United States
    # Who; the domain may be read. The local part has 64 characters at most (RFC 5321 §4.5.3.1.1): without that limit a
    # long text without any address takes hours.
    (re.compile(r"\b[\w.+-]{1,64}@(?=[\w-]{1,63}\.\w)"), f"{MASK}@", _always),
)


def redacted_text(text: str) -> str:
    """The text without what has the form of a secret, of a card or an account, or of a person's address."""
    for form, mask, fits in _FORMS:
        text = form.sub(lambda found, mask=mask, fits=fits: mask if fits(found[0]) else found[0], text)  # type: ignore[misc]
    return text


def redacted(value: Any, deep: int = 0) -> Any:
    """The same as plain data: mappings and sequences to any depth, texts by `redacted_text`."""
    if isinstance(value, str):
        return redacted_text(value)
    if deep >= _DEEPEST:
        return MASK
    if isinstance(value, Mapping):
        return {k: MASK if _is_secret(str(k)) and v is not None else redacted(v, deep + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redacted(item, deep + 1) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    return value


def _is_secret(name: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain in _NAMES or plain.endswith(_ENDINGS)


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog, after which an event may be written."""
    for name, value in event.items():
        if name != "timestamp":
            event[name] = MASK if _is_secret(name) else redacted(value)
    return event
