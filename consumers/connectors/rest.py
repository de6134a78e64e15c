"""REST over HTTP, with explicit time-outs, short retries, a circuit breaker, and an answer that says what it means."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
from opentelemetry import propagate
from opentelemetry.trace import Span

from consumers.connectors.answers import Answer, Expectation, judge, parse
from consumers.connectors.breaker import Breaker
from consumers.connectors.guard import Guard, InPlace, Verdict
from consumers.errors import ActionError, Failed, Unknown
from consumers.system import Call
from orchestrator import telemetry

__all__ = ["RestClient", "Timeouts", "parse", "trace_headers"]

_LARGEST_ANSWER = 1 << 20
_READS = frozenset({"GET", "HEAD"})
# Shorter than any server's: a connection that the server has just closed makes a request's outcome unknown.
_KEEPALIVE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, all of them chosen: to connect, between two reads, between two writes, for a free connection."""

    connect: float
    read: float
    write: float
    pool: float


def trace_headers() -> Mapping[str, str]:
    """`traceparent` and `tracestate` of the current span; empty without one."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


class RestClient:
    """Calls one system. Connects while it is entered, never before.

    Args:
        base_url: scheme, host and path prefix.
        timeouts: of each send.
        connections: how many at once; not less than the system's concurrency, or calls wait for a place.
        retries: sends within one attempt.
        breaker: opens when the system mostly fails.
        errors: codes of the system that hold for all its actions, to rejected | failed | unknown.
        missing_codes: see `Expectation`.
        headers: asked before each send; by default the trace of the current span. Credentials go here, too.
        verify: TLS context; True checks against the platform's authorities.
        largest_answer: bytes; a larger body is not read.

    Proxies and credentials from the environment (`HTTP_PROXY`, `.netrc`) are not used: where a call goes is a setting
    of the system, not of the machine.

    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts,
        connections: int = 64,
        retries: InPlace | None = None,
        breaker: Breaker | None = None,
        errors: Mapping[str, str] | None = None,
        missing_codes: Collection[str] = ("NOT_FOUND",),
        headers: Callable[[], Mapping[str, str]] = trace_headers,
        verify: ssl.SSLContext | bool = True,
        largest_answer: int = _LARGEST_ANSWER,
        guard: Guard | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.guard = guard or Guard(breaker or Breaker(), retries or InPlace())
        self._base_url = base_url
        self._host = urlsplit(base_url).hostname or ""
        self._timeout = httpx2.Timeout(
            connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
        )
        self._limits = httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEPALIVE_SECONDS
        )
        self._errors = dict(errors or {})
        self._missing_codes = missing_codes
        self._headers = headers
        self._verify = verify
        self._largest = largest_answer
        self._now = now
        self._client: httpx2.AsyncClient | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the pool; connections follow with the first calls."""
        self._client = await self._stack.enter_async_context(
            httpx2.AsyncClient(
                base_url=self._base_url,
                timeout=self._timeout,
                limits=self._limits,
                verify=self._verify,
                follow_redirects=False,
                trust_env=False,
                # Not compressed: a small body that unpacks to a gigabyte would pass the limit.
                headers={"accept": "application/json", "accept-encoding": "identity"},
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._client = None
        await self._stack.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        json: Any = None,
        params: Mapping[str, str | None] | None = None,
        keyed: bool = True,
        missing_ok: bool = False,
    ) -> Any:
        """Send one request, again in place where that is safe, and return the JSON of the answer.

        Args:
            errors: the contract's (`command.contract.errors`); they go before the client's.
            json: the body. Numbers that must stay exact go as strings.
            params: the query; None values are left out.
            keyed: the target honours `Idempotency-Key`, so a write whose outcome is unknown is sent again. Never
                where the contract's effect is not `idempotent`.
            missing_ok: a 404 that says so of the thing returns None (an undo with nothing to undo).

        Returns:
            The JSON value, fractions as `Decimal`; `{}` for 204; None only with `missing_ok`.

        Raises:
            Rejected, Failed, Unknown: as the table in `answers.py` says; `Failed("CIRCUIT_OPEN")` without a call.
            ClaimLost: another worker owns the effect.

        """
        expected = Expectation(
            errors={**self._errors, **(errors or {})},
            reads=method.upper() in _READS,
            keyed=keyed and call.keyed,
            missing_ok=missing_ok,
            missing_codes=self._missing_codes,
        )
        query = {name: value for name, value in (params or {}).items() if value is not None}

        async def once() -> Verdict:
            return await self._send(method, path, call, json, query, expected)

        return await self.guard.run(call, once)

    async def look_up(self, path: str, *, call: Call, params: Mapping[str, str | None] | None = None) -> Any:
        """Ask for a probe. None where the target says that there is no such thing.

        Raises:
            Unknown: whatever goes wrong. A probe is asked when the action may have been done; that it could not be
                asked leaves exactly that, and must not read as "not done".
            ClaimLost: another worker owns the effect.

        """
        try:
            return await self.request("GET", path, call=call, params=params, missing_ok=True)
        except ActionError as exc:
            raise Unknown(exc.code, f"the probe failed: {exc.message}", detail=exc.detail) from exc

    async def _send(
        self, method: str, path: str, call: Call, json: Any, query: Mapping[str, str], expected: Expectation
    ) -> Verdict:
        if self._client is None:
            msg = "the client is not open: the system's lifespan must enter it"
            raise RuntimeError(msg)
        facts = {"http.request.method": method, "url.path": path, "server.address": self._host}
        with telemetry.calling(method, facts) as span:
            verdict = await self._exchange(self._client, method, path, call, json, query, expected, span)
            if verdict.error is not None:
                telemetry.failed(verdict.error.code)
            return verdict

    async def _exchange(
        self,
        client: httpx2.AsyncClient,
        method: str,
        path: str,
        call: Call,
        json: Any,
        query: Mapping[str, str],
        expected: Expectation,
        span: Span | None,
    ) -> Verdict:
        headers = {**self._headers(), "saga-attempt": str(call.attempt)}
        if not expected.reads:
            headers["idempotency-key"] = call.idempotency_key
        try:
            async with client.stream(method, path, json=json, params=query, headers=headers) as response:
                answer = Answer(response.status_code, dict(response.headers), await self._body(response))
                if span is not None:
                    span.set_attribute("http.response.status_code", response.status_code)
        except httpx2.PoolTimeout as exc:
            return Verdict(error=_failed("NO_CONNECTION_FREE", exc), healthy=None)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as exc:
            return Verdict(error=_failed("CANNOT_CONNECT", exc), again=True, healthy=False)
        except httpx2.TimeoutException as exc:
            return expected.lost("NO_ANSWER", _said(exc))
        except httpx2.TransportError as exc:
            return expected.lost("CONNECTION_LOST", _said(exc))
        return judge(answer, expected, self._now())

    async def _body(self, response: httpx2.Response) -> bytes | None:
        """The body; None where it is larger than allowed or, against our wish, compressed."""
        if response.headers.get("content-encoding", "identity") != "identity":
            return None
        chunks, size = [], 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > self._largest:
                return None
            chunks.append(chunk)
        return b"".join(chunks)


def _failed(code: str, exc: Exception) -> Failed:
    return Failed(code, _said(exc))


def _said(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
