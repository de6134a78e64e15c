"""What answers say of limits, in every dialect, and garbage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from consumers.connectors.answers import Answer
from consumers.connectors.limits import LimitReader
from consumers.limit import Advice

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
# The system's clock is an hour ahead of ours.
THEIRS = {"date": "Tue, 24 Nov 2026 13:00:00 GMT"}


def read(headers: dict[str, str], status: int = 200) -> Advice | None:
    return LimitReader("erp", now=lambda: NOW).read(Answer(status, headers, b""))


def custom(limit: object, remaining: object, reset: object, prefix: str = "x-ratelimit") -> dict[str, str]:
    return {f"{prefix}-limit": str(limit), f"{prefix}-remaining": str(remaining), f"{prefix}-reset": str(reset)}


@pytest.mark.parametrize(
    ("headers", "advice"),
    [
        (custom(100, 10, 20), Advice(0.5, 20)),
        (custom(100, 10, EPOCH + 20), Advice(0.5, 20)),
        (custom(100, 10, f"{EPOCH + 20}000"), Advice(0.5, 20)),
        (custom(100, 10, EPOCH + 3620) | THEIRS, Advice(0.5, 20)),
        (custom(100, 10, 20, "x-rate-limit"), Advice(0.5, 20)),
        (custom("100, 100;w=60", 10, 20, "ratelimit"), Advice(0.5, 20)),
        (custom(100, 0, 20), Advice(0, 20)),
        (custom(0, 10, 20), Advice(0, 20)),
        (custom(100, 0, 10**9 - 1), Advice(0, 3600)),
        (custom(100, 0, EPOCH - 5), None),
        (custom(100, 0, 0), None),
        (custom(100, 50, 20), None),  # half of it is left
        ({"x-ratelimit-remaining": "0"}, Advice(0, 1)),
        ({"x-ratelimit-remaining": "10"}, None),
        ({"ratelimit": "limit=100, remaining=10, reset=20"}, Advice(0.5, 20)),
        ({"ratelimit": '"default";r=10;t=20'}, Advice(0.5, 20)),
        ({"ratelimit": '"default";r=0;t=20'}, Advice(0, 20)),
        ({"ratelimit": '"d";r=10', "ratelimit-policy": '"d";q=100;w=20'}, Advice(0.5, 20)),
        ({"ratelimit": '"d";r=90;t=20', "ratelimit-policy": '"d";q=100;w=20'}, None),
        ({"ratelimit": '"day";r=10;t=20, "hour";r=1;t=100;pk=:abc=:'}, Advice(0.01, 100)),
        ({"ratelimit": '"day";r=10;t=20, "hour";r=0;t=7'}, Advice(0, 7)),
        ({"content-type": "application/json"}, None),
        ({"retry-after": "5"}, None),  # of a 200: it says when to ask again, not how often
    ],
)
def test_every_dialect_is_read(headers: dict[str, str], advice: Advice | None) -> None:
    assert read(headers) == advice


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:07 GMT"}, 7),
        ({"retry-after": "Tue, 24 Nov 2026 13:00:07 GMT"} | THEIRS, 7),
        ({"retry-after": "999999999"}, 3600),
        ({"retry-after": "7"} | custom(100, 0, 20), 20),
        ({"retry-after": "30"} | custom(100, 0, 20), 30),
    ],
)
def test_a_system_that_says_when_is_left_alone_until_then(status: int, headers: dict[str, str], seconds: int) -> None:
    assert read(headers, status) == Advice(0, seconds)


@pytest.mark.parametrize(
    "headers",
    [
        custom("ten", -1, "soon"),
        custom("1e3", "nan", "inf"),
        custom("", "", ""),
        {"ratelimit": '"unclosed;r=0'},
        {"ratelimit": "\x00,,;;==", "ratelimit-policy": "]"},
        {"ratelimit": ";r=0;t=5"},
    ],
)
def test_garbage_is_ignored_and_told_once(headers: dict[str, str]) -> None:
    reader = LimitReader("erp", now=lambda: NOW)
    with capture_logs() as logs:
        assert [reader.read(Answer(200, headers, b"")) for _ in range(3)] == [None] * 3
    told = [entry["header"] for entry in logs if entry["event"] == "limits.unreadable"]
    assert told
    assert len(told) == len(set(told))


def test_garbage_of_a_retry_after_is_told_too() -> None:
    with capture_logs() as logs:
        assert read({"retry-after": "tomorrow"}, 429) is None
    assert [entry["header"] for entry in logs] == ["retry-after"]


NAMES = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
]


@given(headers=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30) | st.from_regex(r'"?a"?[;=]r=\d+;t=\d+')))
def test_nothing_that_is_sent_makes_it_fail_or_wait_longer_than_an_hour(headers: dict[str, Any]) -> None:
    advice = read(headers, 429)
    assert advice is None or (advice.rate >= 0 and 0 < advice.seconds <= 3600)
