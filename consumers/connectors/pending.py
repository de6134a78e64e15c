"""Work that a system takes on and does later: 202 and a place to ask, or a receipt and a status of its own.

    asked where the work stands                       then
    202, or a status that `outcomes` does not know    asked again, until `within` is over
    done                                              its result
    rejected                                          Rejected
    failed                                            Failed
    unknown: it stands still until a person acts      Unknown, at once
    303 to the result, on the same host               the result is read
    a read that failed, 503, 429, no answer           asked again, not before `Retry-After`
    any other refusal of the question                 Unknown: it was taken on, and cannot be asked
    not finished `within`                             Unknown  STILL_RUNNING

(RFC 9110 §15.3.3 for 202; the place is `Location`, `Operation-Location` or `Azure-AsyncOperation`.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumers.connectors.answers import Answer, code_of, judge, read_json, retry_after
from consumers.connectors.connector import Connector
from consumers.connectors.guard import Verdict
from consumers.connectors.paging import same_host
from consumers.connectors.paths import within as at_path
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call

__all__ = ["Accepted", "Pending", "accepted", "settled"]

_PLACES = ("operation-location", "azure-asyncoperation", "location")
_OUTCOMES = frozenset({"done", "rejected", "failed", "unknown"})


@dataclass(frozen=True, slots=True)
class Pending:
    """How a system tells how far the work is.

    Attributes:
        status: path of the status in the answer, `a.b.0`; empty where any 2xx but 202 is the end.
        outcomes: statuses to done | rejected | failed | unknown; any other one is still running.
        result: path of the result in the answer; empty is the whole answer.
        every, within: seconds between two questions, and until it is given up.

    """

    status: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    every: float = 1.0
    within: float = 30.0

    def __post_init__(self) -> None:
        if self.every <= 0 or self.within < 0 or not set(self.outcomes.values()) <= _OUTCOMES:
            msg = f"polling out of range: {self}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A 202: where to ask, None where it does not say; and the seconds that it asks to wait."""

    place: str | None
    wait: float | None


def accepted(answer: Answer, now: Any) -> Accepted:
    """What a 202 says."""
    place = next((answer.headers[name] for name in _PLACES if name in answer.headers), None)
    return Accepted(place, retry_after(answer.headers, now))


async def settled(
    client: Connector,
    pending: Pending,
    place: str,
    *,
    call: Call,
    params: Mapping[str, str] | None = None,
    wait: float | None = None,
    read: Callable[[bytes], Any] = read_json,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Any:
    """Ask until the work is done; its result.

    Args:
        place: path below the base URL, or a link out of an answer.
        params: of the question.
        wait: seconds before the first question, as the system asked for.
        read: reads the answer's body.
        clock: monotonic.

    Raises:
        Rejected, Failed, Unknown: see the top of the file.
        ClaimLost: another worker owns the effect.

    """
    deadline, last = clock() + pending.within, "not asked yet"
    while True:
        delay = max(pending.every, wait or 0.0)
        if clock() + delay > deadline:
            raise Unknown("STILL_RUNNING", f"not finished within {pending.within:g} s: {last}")
        await sleep(delay)
        try:
            found = await _ask(client, place, call, params, read)
        except Failed as exc:
            last, wait = str(exc), exc.retry_after
            continue
        except Rejected as exc:
            raise Unknown(exc.code, f"taken on, and cannot be asked for: {exc.message}", detail=exc.detail) from exc
        if isinstance(found, Accepted):
            if found.place is None:
                last, wait = "still running", found.wait
                continue
            # A 303: the result stands there, and whatever it is, it is the end.
            place, params, pending, wait = _here(client, found.place), None, _without_status(pending), None
            continue
        ended, last = _ended(found, pending)
        if ended is not None:
            return _result(ended.value, pending)
        wait = None


@dataclass(frozen=True, slots=True)
class _Done:
    value: Any


def _ended(found: Any, pending: Pending) -> tuple[_Done | None, str]:
    """The end, or what is still to be waited for.

    Raises:
        Rejected, Failed, Unknown: the status says so.

    """
    if not pending.status:
        return _Done(found), ""
    try:
        status = str(at_path(found, pending.status))
    except LookupError:
        return None, "the answer has no status"
    outcome = pending.outcomes.get(status)
    if outcome is None:
        return None, f"status {status[:100]}"
    if outcome == "done":
        return _Done(found), ""
    code, message = code_of(status) or "ENDED", f"status {status[:100]}"
    raise {"rejected": Rejected, "failed": Failed, "unknown": Unknown}[outcome](code, message)


def _result(found: Any, pending: Pending) -> Any:
    if not pending.result:
        return found
    try:
        return at_path(found, pending.result)
    except LookupError as exc:
        raise Unknown("BAD_RESPONSE", f"done, but the answer has no {pending.result!r}") from exc


def _without_status(pending: Pending) -> Pending:
    return Pending(result=pending.result, every=pending.every, within=pending.within)


def _here(client: Connector, place: str) -> str:
    """The URL of a link; `Unknown` where it leads away: the work was taken on."""
    try:
        return same_host(client.http.base_url, place)
    except Failed as exc:
        raise Unknown(exc.code, exc.message) from exc


async def _ask(
    client: Connector, place: str, call: Call, params: Mapping[str, str] | None, read: Callable[[bytes], Any]
) -> Any:
    expected = client.expectation(call, reads=True)

    def judged(answer: Answer) -> Verdict:
        if answer.status == 202:
            return Verdict(Accepted(None, retry_after(answer.headers, client.now())))
        if answer.status == 303 and "location" in answer.headers:
            return Verdict(Accepted(answer.headers["location"], None))
        return judge(answer, expected, client.now(), value=read)

    async def once() -> Verdict:
        return await client.send("GET", place, call=call, expected=expected, judge=judged, params=params)

    return await client.guard.run(call, once)
