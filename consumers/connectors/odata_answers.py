"""OData's answers: bodies of both versions, and errors in JSON or XML. Pure; the table is in `odata.py`.

v4: `{"error": {"code", "message", "details": [{"code", "message"}]}}` (OData JSON 4.01 §21).
v2: `{"error": {"code", "message": {"lang", "value"}, "innererror": {"errordetails": [{"code", "message"}]}}}`, or the
same as XML (`<error><code/><message/></error>`), which SAP Gateway sends whatever was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from consumers.connectors.answers import Answer, Expectation, Fault, code_of, judge_fault, read_json
from consumers.connectors.guard import Verdict
from consumers.connectors.odata_values import Version, plain
from consumers.connectors.xml import BadXml, local, read_xml, text_at
from consumers.errors import Failed, Rejected

__all__ = ["judge_odata", "odata_fault"]


def judge_odata(
    answer: Answer, expected: Expectation, now: datetime, version: Version, *, fresh: bool = False
) -> Verdict:
    """What an answer to one request means; `fresh`: its ETag was read right before."""
    if answer.status == 204:
        return Verdict({})
    if 200 <= answer.status < 300:
        return _success(answer, expected, now, version)
    if answer.status == 403 and answer.headers.get("x-csrf-token", "").lower() == "required":
        return Verdict(error=Failed("CSRF_REQUIRED", "the CSRF token is missing or has ended"))
    fault = odata_fault(answer)
    # 428 (RFC 6585): what was not there when we looked is there now, and wants its ETag named.
    if answer.status in ({412, 428} if fresh else {412}) and fault.mapped(expected.errors) is None:
        message = fault.message or "it has changed since its ETag was read"
        kind = Failed if fresh else Rejected
        return Verdict(error=kind("PRECONDITION_FAILED", message))
    return judge_fault(answer, expected, now, fault)


def odata_fault(answer: Answer) -> Fault:
    """What an error body of either version says; the codes within before the one outside, which is often general."""
    body = read_json(answer.body or b"")
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return _xml_fault(answer.body or b"")
    raw = [code for code in (_text(one.get("code")) for one in (*_details(error), error)) if code]
    return Fault(code_of(error.get("code")), _message(error.get("message")), tuple(raw))


def _success(answer: Answer, expected: Expectation, now: datetime, version: Version) -> Verdict:
    if answer.body is None:
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is too large", again=False)
    body = read_json(answer.body)
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        fault = odata_fault(answer)
        if fault.mapped(expected.errors) is not None:
            return judge_fault(answer, expected, now, fault)
        return expected.lost(fault.code or "BAD_RESPONSE", f"an error inside {answer.status}: {fault.message}")
    if not isinstance(body, dict) or (version == "v2" and "d" not in body):
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is not OData {version}")
    return Verdict(_unwrapped(body["d"]) if version == "v2" else body)


def _unwrapped(value: Any) -> Any:
    """`d` of v2; a collection keeps `results` and `__next`, and early services send it as a bare list."""
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        return {**value, "results": plain(value["results"])}
    return plain(value)


def _details(error: dict[str, Any]) -> Iterator[dict[str, Any]]:
    inner = error.get("innererror")
    listed = inner.get("errordetails") if isinstance(inner, dict) else None
    for details in (error.get("details"), listed):
        yield from (one for one in details if isinstance(one, dict)) if isinstance(details, list) else ()


def _xml_fault(body: bytes) -> Fault:
    try:
        root = read_xml(body)
    except BadXml:
        return Fault()
    if local(root) != "error":
        return Fault()
    code = text_at(root, "code")
    return Fault(code_of(code), text_at(root, "message") or "", (code,) if code else ())


def _message(message: Any) -> str:
    found = message.get("value") if isinstance(message, dict) else message
    return found if isinstance(found, str) else ""


def _text(code: Any) -> str:
    return str(code) if isinstance(code, str | int) else ""
