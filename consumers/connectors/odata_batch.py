"""`$batch` with one group of changes that are done all or none. Pure.

v4  JSON (OData JSON 4.01 §19): requests with one `atomicityGroup`. "If any response within an atomicity group
    returns a failure code, all requests within that atomicity group are considered failed, regardless of their
    individual returned status code": SAP CAP answers 201 to what it then rolls back. So one failure is the
    failure of all; but only where the service shows that it knew the group.
v2  multipart/mixed (OData 2.0 "Batch Processing"): a changeset. Its answer is a nested multipart with one answer a
    change, or one answer, of the change that failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import Message
from email.parser import BytesParser
from typing import Any

from consumers.connectors.answers import Answer, Expectation, read_json
from consumers.connectors.guard import Verdict
from consumers.connectors.odata_answers import judge_odata
from consumers.connectors.odata_values import Version

__all__ = ["Change", "batch_of", "judge_batch"]

_GROUP = "saga"
_BATCH, _CHANGESET = "saga-batch", "saga-changeset"
_DEPENDENT = 424


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `path` relative to the service's root, percent-encoded; `content` as JSON, None for none."""

    method: str
    path: str
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def batch_of(changes: Sequence[Change], version: Version) -> tuple[bytes, str, str]:
    """The body of the batch, its content type, and what to accept.

    Raises:
        ValueError: there is no change, or one that is a read.

    """
    if not changes or any(change.method not in {"POST", "PUT", "PATCH", "MERGE", "DELETE"} for change in changes):
        msg = "a batch is of changes only, and of one at least"
        raise ValueError(msg)
    if version == "v4":
        requests = [_request(str(at), change) for at, change in enumerate(changes)]
        return json.dumps({"requests": requests}, allow_nan=False).encode(), "application/json", "application/json"
    return _multipart(changes), f"multipart/mixed; boundary={_BATCH}", "multipart/mixed"


def judge_batch(
    answer: Answer,
    *,
    changes: int,
    expected: Expectation,
    version: Version,
    now: Callable[[], datetime],
) -> Verdict:
    """What the answer to the batch means: the values of all changes in order, or what the failed one says."""
    if not 200 <= answer.status < 300:
        return judge_odata(answer, expected, now(), version)
    if answer.body is None:
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is too large", again=False)
    found = _of_json(answer.body, changes) if version == "v4" else _of_multipart(answer)
    if found is None:
        return expected.lost("BAD_RESPONSE", "the answer to the batch cannot be read, or tells of no group")
    failed = [one for one in found if not 200 <= one.status < 300]
    if failed:
        # What was not tried because of another says nothing of its own.
        cause = next((one for one in failed if one.status != _DEPENDENT), failed[0])
        return judge_odata(cause, expected, now(), version)
    if len(found) != changes:
        return expected.lost("BAD_RESPONSE", f"{len(found)} answers to {changes} changes")
    verdicts = [judge_odata(one, expected, now(), version) for one in found]
    wrong = next((verdict for verdict in verdicts if verdict.error is not None), None)
    return wrong or Verdict([verdict.value for verdict in verdicts])


def _request(name: str, change: Change) -> dict[str, Any]:
    made = {"id": name, "atomicityGroup": _GROUP, "method": change.method, "url": change.path}
    headers = dict(change.headers)
    if change.content is not None:
        headers["content-type"] = "application/json;IEEE754Compatible=true"
    return made | {"headers": headers} | ({} if change.content is None else {"body": change.content})


def _of_json(body: bytes, changes: int) -> list[Answer] | None:
    """The answers in the order of the requests; None where they are not those of one group."""
    value = read_json(body)
    responses = value.get("responses") if isinstance(value, dict) else None
    if not isinstance(responses, list):
        return None
    found: dict[str, Answer] = {}
    for one in responses:
        if not isinstance(one, dict) or not isinstance(one.get("status"), int):
            return None
        if one.get("atomicityGroup") != _GROUP and changes > 1:
            return None
        found[str(one.get("id"))] = Answer(one["status"], _headers(one.get("headers")), _bytes(one.get("body")))
    if len(found) != len(responses) or not set(found) <= {str(at) for at in range(changes)}:
        return None
    return [found[str(at)] for at in range(changes) if str(at) in found]


def _headers(value: Any) -> dict[str, str]:
    return {str(name).lower(): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _bytes(value: Any) -> bytes:
    return b"" if value is None else json.dumps(value, default=str).encode()


def _multipart(changes: Sequence[Change]) -> bytes:
    parts = [_part(at, change) for at, change in enumerate(changes, start=1)]
    inner = b"".join(b"--%s\r\n%s\r\n" % (_CHANGESET.encode(), part) for part in parts)
    head = f"--{_BATCH}\r\nContent-Type: multipart/mixed; boundary={_CHANGESET}\r\n\r\n"
    return head.encode() + inner + f"--{_CHANGESET}--\r\n\r\n--{_BATCH}--\r\n".encode()


def _part(at: int, change: Change) -> bytes:
    content = b"" if change.content is None else json.dumps(change.content, allow_nan=False).encode()
    headers = {"Accept": "application/json", **change.headers, "Content-Length": str(len(content))}
    if content:
        headers["Content-Type"] = "application/json"
    lines = [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: {at}",
        "",
        f"{change.method} {change.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + content


def _of_multipart(answer: Answer) -> list[Answer] | None:
    kind = answer.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/mixed") or answer.body is None:
        return None
    head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    root = BytesParser(policy=policy.compat32).parsebytes(head + answer.body)
    leaves = [part for part in root.walk() if not part.is_multipart()]
    found = [_http(part) for part in leaves]
    # A multipart that was cut has defects, on whichever level.
    if any(part.defects for part in root.walk()) or not found:
        return None
    return None if any(one is None for one in found) else [one for one in found if one is not None]


def _http(part: Message) -> Answer | None:
    """The answer within one part (`application/http`)."""
    payload = part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(payload, bytes):
        return None
    head, _, body = payload.replace(b"\r\n", b"\n").partition(b"\n\n")
    status, *lines = head.decode("latin-1").strip().split("\n")
    words = status.split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():
        return None
    pairs = (line.partition(":") for line in lines)
    return Answer(int(words[1]), {name.strip().lower(): text.strip() for name, _, text in pairs}, body.strip())
