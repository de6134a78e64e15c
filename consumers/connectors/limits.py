"""What an answer says of how often its system may be called.

    X-RateLimit-Limit, -Remaining, -Reset      by custom; also as X-Rate-Limit-…. Reset in seconds, or as a time in
                                               seconds or milliseconds since 1970
    RateLimit-Limit, -Remaining, -Reset        draft-ietf-httpapi-ratelimit-headers up to 06; Reset in seconds
    RateLimit: limit=100, remaining=5, reset=9   the same, 07
    RateLimit: "day";r=5;t=9                   the same, 08 and later; several policies: the tightest holds
    RateLimit-Policy: "day";q=100;w=86400      its quota and its window in seconds
    Retry-After                                with 429 and 503 (RFC 9110 §10.2.3)

Times are read against the answer's own `Date`: the system's clock may not be ours. As long as more than half of a
quota is left, calls go as fast as our own limit allows; then what remains is spread until the reset, and where nothing
remains nothing is called before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog

from consumers.connectors.answers import Answer, retry_after
from consumers.limit import Advice

__all__ = ["LimitReader"]

log = structlog.get_logger(__name__)

# No window is longer by custom, and a system that is wrong about its clock must not be waited for for ever.
_LONGEST_SECONDS = 3600.0
# Nothing remains, and there is no word of when that ends.
_UNSAID_SECONDS = 1.0
_LARGEST = 1e15
_MILLISECONDS = 1e11
_SINCE_1970 = 1e9
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?\Z")
_FAMILIES = ("x-ratelimit", "x-rate-limit", "ratelimit")
_STRUCTURED = ("ratelimit", "ratelimit-policy")
# A list of items with parameters, or of names with a value (RFC 9651 §3), as far as these fields need it.
_MEMBER = re.compile(r"""\s*("[^"\\]*"|[A-Za-z0-9_.*/:-]+)\s*((?:[;=][^,"]*(?:"[^"]*")?)*)\s*(?:,|\Z)""")
_LATER = frozenset({429, 503})


class LimitReader:
    """Reads the answers of one system. What makes no sense is ignored, and told once.

    Args:
        system: what it is called in the log.
        now: aware; for times in answers without a `Date`.

    """

    def __init__(self, system: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._system = system
        self._now = now
        self._complained: set[str] = set()

    def read(self, answer: Answer) -> Advice | None:
        """How often it may be called from now on; None where the answer says nothing of it."""
        headers = answer.headers
        found: list[Advice] = []
        if answer.status in _LATER and "retry-after" in headers:
            seconds = retry_after(headers, self._now())
            if seconds is None:
                self._complain("retry-after", headers["retry-after"])
            elif seconds > 0:
                found.append(Advice(0.0, min(seconds, _LONGEST_SECONDS)))
        # Nearly all answers have none of them, and this is on the way of every call.
        if any("rate" in name for name in headers):
            found += self._by_custom(headers)
            found += self._structured(headers)
        if not found:
            return None
        pauses = [advice for advice in found if advice.rate == 0]
        return max(pauses, key=lambda a: a.seconds) if pauses else min(found, key=lambda a: a.rate)

    def _by_custom(self, headers: Mapping[str, str]) -> Iterator[Advice]:
        for family in _FAMILIES:
            quota = self._number(headers, f"{family}-limit")
            remaining = self._number(headers, f"{family}-remaining")
            reset = self._number(headers, f"{family}-reset")
            if quota == 0:
                remaining = 0.0  # a limit of zero: nothing is allowed now, whatever is said to remain
            if remaining is not None:
                yield from _advice(quota, remaining, None if reset is None else self._until(headers, reset))

    def _structured(self, headers: Mapping[str, str]) -> Iterator[Advice]:
        members = {name: self._members(name, headers[name]) for name in _STRUCTURED if name in headers}
        policies = dict(members.get("ratelimit-policy", []))
        plain: dict[str, float] = {}
        for name, values in members.get("ratelimit", []):
            if "" in values:
                plain[name] = values[""]
            elif "r" in values:
                policy = policies.get(name, {})
                yield from _advice(policy.get("q"), values["r"], values.get("t", policy.get("w")))
        if "remaining" in plain:
            yield from _advice(plain.get("limit"), plain["remaining"], plain.get("reset"))

    def _members(self, header: str, text: str) -> list[tuple[str, dict[str, float]]]:
        """The members of a list with what numbers they have; the value of `name=5` is that of the empty name."""
        found, place = [], 0
        while place < len(text):
            match = _MEMBER.match(text, place)
            if match is None:
                self._complain(header, text)
                return []
            values = {}
            for part in re.findall(r"[;=][^;=]*(?:=[^;]*)?", match[2]):
                name, _, value = part[1:].partition("=") if part[0] == ";" else ("", "", part[1:])
                if _NUMBER.match(value.strip()):
                    values[name.strip()] = float(value)
            found.append((match[1].strip('"'), values))
            place = match.end()
        return found

    def _number(self, headers: Mapping[str, str], name: str) -> float | None:
        text = headers.get(name)
        if text is None:
            return None
        # `RateLimit-Limit: 100, 100;w=60` has its policies behind the number.
        first = text.split(",")[0].split(";")[0].strip()
        if _NUMBER.match(first) and math.isfinite(float(first)) and float(first) <= _LARGEST:
            return float(first)
        self._complain(name, text)
        return None

    def _until(self, headers: Mapping[str, str], reset: float) -> float:
        """Seconds until a reset that is a number of seconds, or a time since 1970."""
        if reset < _SINCE_1970:
            return reset
        moment = reset / 1000 if reset > _MILLISECONDS else reset
        return max(0.0, moment - self._date(headers).timestamp())

    def _date(self, headers: Mapping[str, str]) -> datetime:
        try:
            found = parsedate_to_datetime(headers.get("date", ""))
        except (ValueError, IndexError, OverflowError):
            return self._now()
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def _complain(self, header: str, text: str) -> None:
        if header not in self._complained:
            self._complained.add(header)
            log.warning("limits.unreadable", system=self._system, header=header, value=text[:100])


def _advice(quota: float | None, remaining: float, seconds: float | None) -> Iterator[Advice]:
    if remaining < 1:
        wait = _UNSAID_SECONDS if seconds is None else min(seconds, _LONGEST_SECONDS)
        if wait > 0:
            yield Advice(0.0, wait)
    elif seconds and (quota is None or remaining < quota / 2):
        yield Advice(remaining / seconds, min(seconds, _LONGEST_SECONDS))
