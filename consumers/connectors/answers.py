"""What an HTTP answer, or none, says of the action (design §6). Pure.

    answer                                            write                         read (GET, HEAD)
    2xx with JSON, or 204                             done                          done
    2xx with anything else                            Unknown  BAD_RESPONSE         Failed
    an error body whose code is in `errors`           as `errors` says              the same
    2xx with an error inside (`refused`)              as `errors` says, or Unknown  the same, or Failed
    404, NOT_FOUND in its body, `missing_ok`          None                          None
    status as `HTTP_409` in `errors`                  as `errors` says              the same
    3xx (never followed; 303 may follow real work)    Unknown                       Failed
    401, 403, 407: our credential, not their fault    Failed, not in place          the same
    408, 425, 429                                     Failed with retry_after       the same
    503 that says so itself (Retry-After or a code)   Failed with retry_after       the same
    503 without: a proxy's, after sending perhaps     Unknown                       Failed
    other 4xx                                         Rejected                      Rejected
    other 5xx                                         Unknown                       Failed
    nothing sent: refused, no route, no free place    Failed                        Failed
    cut, silent or garbled after sending began        Unknown                       Failed

Where the code and the message stand in an error body is each protocol's own: it passes its reader as `fault`. A code
is compared as the system writes it (`SY/530`) and in the form of ours (`SY_530`), which is the one that is raised.

Codes of an idempotency key are never a rejection: KEY_REUSED and IN_PROGRESS both mean that something was, or is
being, done under the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from consumers.connectors.guard import Verdict
from consumers.errors import ActionError, Failed, Rejected, Unknown
from schemas.models import Record

__all__ = [
    "Answer",
    "Expectation",
    "Fault",
    "Reply",
    "code_of",
    "json_fault",
    "judge",
    "judge_fault",
    "parse",
    "read_json",
    "retry_after",
]

R = TypeVar("R", bound=Record)

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}\Z")
_NOT_IN_A_CODE = re.compile(r"[^A-Z0-9]+")
_LONGEST_CODE = 64
_LONGEST_MESSAGE = 500
_LONGEST_WAIT = 86_400.0
_CREDENTIAL = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 407: "PROXY_UNAUTHENTICATED"}
_LATER = {408: "REQUEST_TIMEOUT", 425: "TOO_EARLY", 429: "RATE_LIMITED"}
_OF_THE_KEY = {"IDEMPOTENCY_KEY_REUSED": False, "IDEMPOTENCY_IN_PROGRESS": True}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response: names of headers in lower case; `body` is None where it was larger than allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its headers, names in lower case: some systems say in `Location` alone what they have made."""

    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller knows beforehand.

    Attributes:
        errors: the target's codes to rejected | failed | unknown; the contract's, and the system's own. `HTTP_409`
            stands for a status whose body has no code that is here.
        reads: the request changes nothing (GET, HEAD).
        keyed: the target honours the idempotency key, so an unknown may be sent again.
        missing_ok: a 404 is an answer: there is no such thing.
        missing_codes: codes by which a 404 says that of the thing and not of the URL; empty takes any 404.
        refused: whether what a 2xx brought is an error after all; None for a target that does no such thing.
        empty: a success may have no body, which is then `{}`.

    """

    errors: Mapping[str, str] = field(default_factory=dict)
    reads: bool = False
    keyed: bool = True
    missing_ok: bool = False
    missing_codes: Collection[str] = ("NOT_FOUND",)
    refused: Callable[[Any], bool] | None = None
    empty: bool = False

    def lost(self, code: str, message: str, *, again: bool = True) -> Verdict:
        """No usable answer came, after sending began."""
        if self.reads:
            return Verdict(error=Failed(code, message), again=again, healthy=False)
        return Verdict(error=Unknown(code, message), again=again and self.keyed, healthy=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error body says.

    Attributes:
        code: in the form of ours, `[A-Z][A-Z0-9_]*`; None where the body has none.
        message: for people; empty where the body has none.
        raw: every code in the body as the system writes it, the most exact first.

    """

    code: str | None = None
    message: str = ""
    raw: tuple[str, ...] = ()

    def mapped(self, errors: Mapping[str, str]) -> tuple[str, str] | None:
        """The first code that `errors` knows, in the form of ours, and its outcome."""
        for name in (*self.raw, *filter(None, (self.code,))):
            code = code_of(name)
            outcome = errors.get(name) or errors.get(code or "")
            if outcome is not None and code is not None:
                return code, outcome
        return None


def code_of(text: object) -> str | None:
    """A system's code in the form of ours: `/IWBEP/CM_MGW_RT/021` is `IWBEP_CM_MGW_RT_021`, `404` is `E_404`."""
    if not isinstance(text, str | int) or isinstance(text, bool):
        return None
    code = _NOT_IN_A_CODE.sub("_", str(text).upper()).strip("_")[:_LONGEST_CODE]
    code = f"E_{code}"[:_LONGEST_CODE] if code[:1].isdigit() else code
    return code if _CODE.match(code) else None


def judge(
    answer: Answer,
    expected: Expectation,
    now: datetime,
    *,
    fault: Callable[[Answer], Fault] | None = None,
    value: Callable[[bytes], Any] | None = None,
) -> Verdict:
    """What the answer means; `now` is aware and only used for a `Retry-After` that is a date.

    Args:
        fault: reads an error body; by default `{"code", "message"}` of JSON.
        value: reads the body of a success; None of it says that it is not what was asked for. By default JSON.

    """
    if 200 <= answer.status < 300:
        verdict = _success(answer, expected, value or read_json)
        if verdict.error is not None or expected.refused is None or not expected.refused(verdict.value):
            return verdict
        return _refused(answer, expected, now, (fault or json_fault)(answer))
    return judge_fault(answer, expected, now, (fault or json_fault)(answer))


def judge_fault(answer: Answer, expected: Expectation, now: datetime, fault: Fault) -> Verdict:
    """What an answer that is no success means, by its status and by what its body says."""
    status, code, message = answer.status, fault.code, fault.message[:_LONGEST_MESSAGE] or f"HTTP {answer.status}"
    if (mapped := fault.mapped(expected.errors)) is not None:
        return _mapped(mapped[1], mapped[0], message, answer, expected, now)
    if code in _OF_THE_KEY:
        return Verdict(error=Unknown(code, message), again=expected.keyed and _OF_THE_KEY[code])
    if status == 404 and expected.missing_ok and _says_missing(fault, expected.missing_codes):
        return Verdict(None)
    name = code or f"HTTP_{status}"
    if (outcome := expected.errors.get(f"HTTP_{status}")) is not None:
        return _mapped(outcome, name, message, answer, expected, now)
    if status in _CREDENTIAL:
        # 403 may be about this one thing; a wrong credential fails everything, and the breaker then spares the sagas.
        return Verdict(error=Failed(code or _CREDENTIAL[status], message), healthy=status == 403)
    if status in _LATER:
        wait = retry_after(answer.headers, now)
        return Verdict(error=Failed(code or _LATER[status], message, retry_after=wait), again=True)
    if status == 503 and (code is not None or "retry-after" in answer.headers):
        wait = retry_after(answer.headers, now)
        return Verdict(error=Failed(name, message, retry_after=wait), again=True, healthy=False)
    if 400 <= status < 500:
        return Verdict(error=Rejected(name, message))
    return expected.lost(name, message, again=status >= 500)


def _refused(answer: Answer, expected: Expectation, now: datetime, fault: Fault) -> Verdict:
    message = fault.message[:_LONGEST_MESSAGE] or f"HTTP {answer.status} with an error inside"
    if (mapped := fault.mapped(expected.errors)) is not None:
        return _mapped(mapped[1], mapped[0], message, answer, expected, now)
    return expected.lost(fault.code or "ERROR_IN_SUCCESS", message, again=False)


def _says_missing(fault: Fault, codes: Collection[str]) -> bool:
    return not codes or fault.code in codes or any(raw in codes for raw in fault.raw)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or an HTTP date (RFC 9110 §10.2.3); None without a usable one.

    A date is read against the answer's own `Date` where there is one: the target's clock may not be ours.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text):
        return min(float(text), _LONGEST_WAIT)
    until = _date(text)
    if until is None:
        return None
    base = _date(headers.get("date", "")) or now
    return min(max((until - base).total_seconds(), 0.0), _LONGEST_WAIT)


def parse(record: type[R], answer: Any) -> R:
    """The completion from an answer's fields of the same names; other fields of the answer are left alone.

    Raises:
        Unknown: the answer does not fit; the target said success, so the work may well be done.

    """
    try:
        return record.model_validate({name: answer[name] for name in record.model_fields if name in answer})
    except (ValidationError, TypeError) as exc:
        msg = f"the answer is no {record.__name__}: {exc}"
        raise Unknown("BAD_RESPONSE", msg[:_LONGEST_MESSAGE]) from exc


def _success(answer: Answer, expected: Expectation, read: Callable[[bytes], Any]) -> Verdict:
    if answer.status == 204 or (expected.empty and answer.body == b""):
        return Verdict({})
    if answer.body is None:
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is too large", again=False)
    value = read(answer.body)
    if value is None:
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is not what was asked for")
    return Verdict(value)


def _mapped(outcome: str, code: str, message: str, answer: Answer, expected: Expectation, now: datetime) -> Verdict:
    healthy = answer.status < 500
    if outcome == "failed":
        wait = retry_after(answer.headers, now)
        return Verdict(error=Failed(code, message, retry_after=wait), again=True, healthy=healthy)
    if outcome == "rejected":
        return Verdict(error=Rejected(code, message), healthy=healthy, proven=expected.keyed)
    error: ActionError = Unknown(code, message)
    return Verdict(error=error, again=expected.keyed, healthy=healthy)


def json_fault(answer: Answer) -> Fault:
    """`{"code": "…", "message": "…"}`."""
    body = read_json(answer.body or b"")
    fields = body if isinstance(body, dict) else {}
    code, message = fields.get("code"), fields.get("message")
    return Fault(
        code if isinstance(code, str) and _CODE.match(code) else None, message if isinstance(message, str) else ""
    )


def read_json(body: bytes) -> Any:
    """The value; None for anything that is not JSON, and for `null`, which answers nothing."""
    try:
        return json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is not JSON"
    raise ValueError(msg)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
