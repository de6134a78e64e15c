"""Faults of SOAP 1.1 and 1.2, by their elements and not by the envelope: stacks mix the two. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consumers.connectors.answers import Fault, code_of
from consumers.connectors.xml import local, text_at

__all__ = ["SoapFault", "fault_in", "refuses_token"]

# Named like a code in somebody's detail: errorCode, ErrorCode, code, faultCode, Error_Code.
_CODE = re.compile(r"(error|fault|message)?_?(code|number)", re.IGNORECASE)
_LONGEST = 500
# OASIS WSS SOAP Message Security 1.1 §12, and MessageExpired of §10.
_TOKEN = frozenset(
    {
        "FailedAuthentication",
        "FailedCheck",
        "InvalidSecurity",
        "InvalidSecurityToken",
        "MessageExpired",
        "SecurityTokenUnavailable",
        "UnsupportedSecurityToken",
    }
)


@dataclass(frozen=True, slots=True)
class SoapFault:
    """What a fault says; `kind` is its code without what some stacks put behind a dot (`Client.Invalid`)."""

    kind: str
    said: Fault


def fault_in(root: Any) -> SoapFault | None:
    """The fault in an envelope; None where there is none."""
    body = next((child for child in root if local(child) == "Body"), None) if local(root) == "Envelope" else None
    fault = next((child for child in body if local(child) == "Fault"), None) if body is not None else None
    if fault is None:
        return None
    if (first := text_at(fault, "faultcode")) is not None:  # SOAP 1.1
        codes, reason = [first], text_at(fault, "faultstring")
    else:
        codes = list(_codes(next((child for child in fault if local(child) == "Code"), None)))
        reason = text_at(fault, "Reason", "Text")
    names = [name.rpartition(":")[2] for name in codes]
    detail = next((child for child in fault if local(child).lower() == "detail"), None)
    raw = tuple(dict.fromkeys(filter(None, (*_detailed(detail), *reversed(names)))))
    code = next((found for found in map(code_of, raw) if found), None)
    return SoapFault((names[0] if names else "").partition(".")[0], Fault(code, (reason or "")[:_LONGEST], raw))


def refuses_token(fault: SoapFault) -> bool:
    """Whether it is about who we are."""
    return any(code in _TOKEN for code in fault.said.raw)


def _codes(element: Any) -> Iterator[str]:
    """The value of a code, and of the subcodes in it, outermost first."""
    while element is not None:
        yield text_at(element, "Value") or ""
        element = next((child for child in element if local(child) == "Subcode"), None)


def _detailed(detail: Any) -> Iterator[str]:
    if detail is None:
        return
    for element in detail.iter("{*}*"):
        if len(element) == 0 and _CODE.fullmatch(local(element)):
            yield (element.text or "").strip()[:100]
    yield from (local(child) for child in detail)
