"""What the client of every protocol over HTTP is made of: the exchange, the guard, and the system's own codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from consumers.connectors.answers import Answer, Expectation
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import Body, HttpClient
from consumers.errors import ActionError, Unknown
from consumers.system import Call

__all__ = ["Connector", "probing"]


class Connector:
    """Calls one system. Connects while it is entered, never before.

    Args:
        http: the exchange; entered and left with this client.
        guard: claim, breaker and short retries.
        errors: codes of the system that hold for all its actions, to rejected | failed | unknown.
        missing_codes: codes that say that there is no such thing.
        refused: see `Expectation`.
        key_header: where writes carry their idempotency key; None for a system that takes none there.
        now: aware; for `Retry-After` that is a date.

    """

    def __init__(
        self,
        http: HttpClient,
        guard: Guard,
        *,
        errors: Mapping[str, str] | None = None,
        missing_codes: Collection[str] = ("NOT_FOUND",),
        refused: Callable[[Any], bool] | None = None,
        key_header: str | None = "idempotency-key",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.guard = guard
        self.http = http
        self._errors = dict(errors or {})
        self._missing_codes = missing_codes
        self._refused = refused
        self._key_header = key_header
        self.now = now

    async def __aenter__(self) -> Self:
        """Open the pool; connections follow with the first calls."""
        await self.http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self.http.__aexit__(kind, exc, trace)

    def expectation(
        self,
        call: Call,
        errors: Mapping[str, str] | None = None,
        *,
        reads: bool = False,
        keyed: bool = True,
        missing_ok: bool = False,
        empty: bool = False,
    ) -> Expectation:
        """What is known before the send; the action's `errors` go before the system's."""
        return Expectation(
            errors={**self._errors, **(errors or {})},
            reads=reads,
            keyed=keyed and call.keyed,
            missing_ok=missing_ok,
            missing_codes=self._missing_codes,
            refused=self._refused,
            empty=empty,
        )

    async def send(
        self,
        method: str,
        path: str,
        *,
        call: Call,
        expected: Expectation,
        judge: Callable[[Answer], Verdict],
        body: Body | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Verdict:
        """One send, with the idempotency key where it may change something."""
        header = None if expected.reads else self._key_header
        key = {} if header is None else {header: call.idempotency_key}
        return await self.http.exchange(
            method,
            path,
            call=call,
            expected=expected,
            judge=judge,
            body=body,
            params=params,
            headers={**key, **(headers or {})},
        )


async def probing(asked: Awaitable[Any]) -> Any:
    """The answer of a probe.

    Raises:
        Unknown: whatever goes wrong. A probe is asked when the action may have been done; that it could not be asked
            leaves exactly that, and must not read as "not done".

    """
    try:
        return await asked
    except ActionError as exc:
        raise Unknown(exc.code, f"the probe failed: {exc.message}", detail=exc.detail) from exc
