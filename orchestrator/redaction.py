"""What must not be read by whoever reads logs, traces, the audit and the command line: one place for all of them.

Three rules. Fields whose name says that they hold a credential or a number of a person's money are hidden, and those
that a system's integration file names (`redact`). Texts, wherever they stand, lose what has the form of a secret; a
form that has a check digit is tested by it (ISO/IEC 7812 for cards, ISO 13616 for IBANs), so that an order number is
not taken for a card. And what stands in a hidden field is hidden in the texts beside it too: a system that refuses a
tax id repeats it in its message.

What is stored to be worked with (states, journals, messages, dead letters) is never changed: this is for views.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import quote, quote_plus

__all__ = [
    "MASK",
    "How",
    "Redactor",
    "Rules",
    "current",
    "install",
    "kept_fields",
    "redact_event",
    "redacted",
    "redacted_text",
    "using",
]

MASK = "[redacted]"

How: TypeAlias = Literal["last4", "hash", "mask", "drop"]
"""What becomes of a field, the strictest last: its last four characters stay; a keyed hash by which equal values are
recognised; nothing; not even the field."""
_HOW: Final[Sequence[How]] = get_args(How)

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
# Shorter ones stand in too many texts by chance, and these only count as words of their own.
_SHORTEST, _SHORT = 4, 6
_SHORTEST_LAST4 = 8
_HIDDEN = re.compile(r"\[redacted\]|\N{HORIZONTAL ELLIPSIS}.{4}|#[0-9a-f]{12}")
_ELEMENT = re.compile(r"<((?:[\w.-]{1,100}:)?([\w.-]{1,100}))((?:\s[^<>]*)?)>([^<>]+)</")


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
    (re.compile(r"(?<=input_value=)(?!\[redacted\]).*?(?=, input_type=)"), MASK, _always),  # pydantic tells what it got
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), MASK, _always),  # a social security number of the United States
    # Who; the domain may be read. The local part has 64 characters at most (RFC 5321 §4.5.3.1.1): without that limit a
    # long text without any address takes hours.
    (re.compile(r"\b[\w.+-]{1,64}@(?=[\w-]{1,63}\.\w)"), f"{MASK}@", _always),
)


class Rules:
    """Which fields are hidden, and how. A path matches where it is the end of a value's: `iban` everywhere, `bank.iban`
    only within `bank`; places of lists do not count, nor do case and separators. The stricter of two rules holds.
    """

    __slots__ = ("_ends",)

    def __init__(self, *fields: Mapping[str, How]) -> None:
        ends: dict[str, dict[tuple[str, ...], How]] = {}
        for path, how in (pair for found in fields for pair in found.items()):
            parts = tuple(map(_plain, path.split(".")))
            before = ends.setdefault(parts[-1], {})
            before[parts] = max(before.get(parts, how), how, key=_HOW.index)
        self._ends = ends

    def how(self, path: Sequence[str]) -> How | None:
        """What becomes of the field at that path of plain names; None where it may be seen."""
        last = path[-1]
        found = [how for end, how in self._ends.get(last, {}).items() if tuple(path[-len(end) :]) == end]
        if found:
            return max(found, key=_HOW.index)
        return "mask" if _is_secret(last) else None

    def anywhere(self, last: str) -> How | None:
        """The same where only a field's own name is known: as if it stood where it is hidden most."""
        found = self._ends.get(last)
        return max(found.values(), key=_HOW.index) if found else "mask" if _is_secret(last) else None


class Redactor:
    """Hides by rules, by forms, and what is known to be hidden.

    Args:
        rules: of fields.
        known: values, and what stands in their place.
        keep: paths of an answer that are kept at all, from its root; None keeps all. See `kept_fields`.

    """

    __slots__ = ("_known", "_rules", "keep")

    def __init__(
        self,
        rules: Rules | None = None,
        known: Collection[tuple[str, str]] = (),
        *,
        keep: Collection[str] | None = None,
    ) -> None:
        self._rules = rules or Rules()
        # The longest first: a value that is a part of another must not leave the rest of it.
        self._known = sorted(set(known), key=lambda pair: -len(pair[0]))
        self.keep = keep

    def knowing(self, *values: Any, keep: Collection[str] | None = None) -> Redactor:
        """The same, hiding in every text what stands in hidden fields of these values."""
        found = [pair for value in values for pair in self._hidden_in(value, (), None, 0)]
        return Redactor(self._rules, [*self._known, *found], keep=keep)

    def text(self, text: str) -> str:
        """The text without what is known, and without what has the form of a secret, an account or an address."""
        if "</" in text:
            text = _ELEMENT.sub(self._element, text)
        if self._known:
            text = self._without_known(text)
        for form, mask, fits in _FORMS:
            text = form.sub(lambda found, mask=mask, fits=fits: mask if fits(found[0]) else found[0], text)  # type: ignore[misc]
        return text

    def value(self, value: Any) -> Any:
        """The same as plain data: mappings and sequences to any depth, texts by `text`."""
        return self._value(value, (), 0)

    def event(self, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """An event of structlog, after which it may be written."""
        for name, value in list(event.items()):
            if name == "timestamp":
                continue
            how = self._rules.how((_plain(name),))
            if how == "drop":
                del event[name]
            else:
                event[name] = self.value(value) if how is None or value is None else _hidden(value, how)
        return event

    def _value(self, value: Any, path: tuple[str, ...], deep: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if deep >= _DEEPEST:
            return MASK
        if isinstance(value, Mapping):
            found = {}
            for name, inner in value.items():
                here = (*path, _plain(str(name)))
                how = None if inner is None else self._rules.how(here)
                if how != "drop":
                    found[name] = self._value(inner, here, deep + 1) if how is None else _hidden(inner, how)
            return found
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._value(item, path, deep + 1) for item in value]
        if isinstance(value, (bytes, bytearray)):
            return f"<{len(value)} bytes>"
        return value

    def _hidden_in(self, value: Any, path: tuple[str, ...], how: How | None, deep: int) -> Iterator[tuple[str, str]]:
        if value is None or deep >= _DEEPEST:
            return
        if isinstance(value, Mapping):
            for name, inner in value.items():
                here = (*path, _plain(str(name)))
                yield from self._hidden_in(inner, here, how or self._rules.how(here), deep + 1)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                yield from self._hidden_in(inner, path, how, deep + 1)
        elif how and isinstance(value, (str, int, float, Decimal, date)) and not isinstance(value, bool):
            text = str(value)
            if len(text) >= _SHORTEST:
                yield text, _hidden(value, how)

    def _without_known(self, text: str) -> str:
        folded = text.casefold()
        coded = "%" in text or "+" in text
        for value, mask in self._known:
            forms = {value, quote(value, safe=""), quote(value), quote_plus(value)} if coded else {value}
            for form in forms:
                if form.casefold() in folded:
                    whole = re.escape(form)
                    whole = whole if len(value) >= _SHORT else rf"(?<!\w){whole}(?!\w)"
                    text = re.sub(whole, lambda _, mask=mask: mask, text, flags=re.IGNORECASE)  # type: ignore[misc]
        return text

    def _element(self, found: re.Match[str]) -> str:
        """One element of XML, whose name alone is known here."""
        how = self._rules.anywhere(_plain(found[2]))
        return found[0] if how is None else f"<{found[1]}{found[3]}>{_hidden(found[4], how)}</"


def kept_fields(value: Any, paths: Collection[str]) -> Any:
    """Of plain data only what stands at one of these dotted paths; places of lists do not count."""
    return _kept(value, [path.split(".") for path in paths])


def _kept(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [_kept(item, paths) for item in value]
    if not isinstance(value, Mapping):
        return None
    wanted = {path[0] for path in paths}
    return {
        name: _kept(inner, [path[1:] for path in paths if path[0] == name])
        for name, inner in value.items()
        if name in wanted
    }


_key = secrets.token_bytes(32)
_process = Redactor()
_current: ContextVar[_Later | None] = ContextVar("redactor", default=None)


def install(rules: Rules, key: str | None = None) -> None:
    """What holds in this process from now on. `key` makes hashes the same in every process that has it."""
    global _process, _key  # noqa: PLW0603 - logs and traces of a process know nothing but the process
    _process = Redactor(rules)
    if key is not None:
        _key = key.encode()


class _Later:
    """A redactor that is made when it is asked for, from what holds outside: most work writes nothing to be hidden."""

    __slots__ = ("_found", "_make", "_outside")

    def __init__(self, make: Callable[[], Redactor]) -> None:
        self._make = make
        self._outside = _current.get()
        self._found: Redactor | None = None

    def get(self) -> Redactor:
        if self._found is None:
            token = _current.set(self._outside)
            try:
                self._found = self._make()
            finally:
                _current.reset(token)
        return self._found


def current() -> Redactor:
    """What holds here: that of the call that is being made, else that of the process."""
    later = _current.get()
    return _process if later is None else later.get()


@contextmanager
def using(make: Callable[[], Redactor]) -> Iterator[None]:
    """What holds within this task for a while: in its logs, spans and audit, whoever writes them.

    `make` is called once at most, and what holds outside is `current` for it.
    """
    token = _current.set(_Later(make))
    try:
        yield
    finally:
        _current.reset(token)


def redacted_text(text: str) -> str:
    """See `Redactor.text`."""
    return current().text(text)


def redacted(value: Any) -> Any:
    """See `Redactor.value`."""
    return current().value(value)


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog, after which an event may be written."""
    return current().event(event)


def _hidden(value: Any, how: How) -> str:
    """What stands in a value's place. Of a short one the last four characters would be too much."""
    if isinstance(value, (Mapping, list, tuple, set, frozenset, bytes, bytearray, bool)):
        return MASK
    text = str(value)
    if _HIDDEN.fullmatch(text):
        return text
    if how == "last4" and len(text) >= _SHORTEST_LAST4:
        return f"\N{HORIZONTAL ELLIPSIS}{text[-4:]}"
    if how == "hash":
        return "#" + hmac.new(_key, text.encode(errors="replace"), hashlib.sha256).hexdigest()[:12]
    return MASK


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@lru_cache(maxsize=4096)
def _is_secret(plain: str) -> bool:
    return plain in _NAMES or plain.endswith(_ENDINGS)
